//! Names that an archive brings along (case B18).

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::image::sha256;
use crate::harness::{BUSYBOX, Compression, Env, ImageBuilder, Layer, requires};

/// An OCI layout whose configuration says that its layer is that of `claimed`; the blob is another one.
fn liar(env: &Env, real: &ImageBuilder, claimed: &ImageBuilder) -> String {
    let dir = env.path("liar");
    let configuration = claimed.image_config();
    let mut manifest = Value::Null;
    for (name, bytes) in real.oci_files("1") {
        match serde_json::from_slice::<Value>(&bytes) {
            Ok(found) if found.get("layers").is_some() => manifest = found,
            _ => write(&dir, &name, &bytes),
        }
    }
    manifest["config"]["digest"] = format!("sha256:{}", sha256(&configuration)).into();
    manifest["config"]["size"] = configuration.len().into();
    let bytes = serde_json::to_vec(&manifest).unwrap();
    for document in [&configuration, &bytes] {
        write(&dir, &format!("blobs/sha256/{}", sha256(document)), document);
    }
    let mut index: Value = serde_json::from_slice(&std::fs::read(dir.join("index.json")).unwrap()).unwrap();
    index["manifests"][0]["digest"] = format!("sha256:{}", sha256(&bytes)).into();
    index["manifests"][0]["size"] = bytes.len().into();
    write(&dir, "index.json", &serde_json::to_vec(&index).unwrap());
    dir.display().to_string()
}

fn write(dir: &std::path::Path, name: &str, bytes: &[u8]) {
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_blob_whose_layer_is_here_must_be_that_layer() {
    requires!(userns);
    let image = |text: &[u8], compression| {
        ImageBuilder::scratch().layer(Layer::new().file("a", 0o644, text)).compression(compression)
    };
    let (claimed, real) = (image(b"good", Compression::Gzip), image(b"evil", Compression::Gzip));
    let load = |env: &Env, image: &ImageBuilder| {
        let path = env.path("image.tar");
        image.oci_archive(&path, "1");
        env.run(["load", "-q", "-i", path.to_str().unwrap()]).success();
    };
    // In an empty store, with the layer here, and with the blob here, too.
    for loaded in [&[][..], &[&claimed], &[&claimed, &real]] {
        let env = Env::new();
        for image in loaded {
            load(&env, image);
        }
        let before = env.run(["images", "-aq"]).success().stdout();
        let dir = liar(&env, &real, &claimed);
        let out = env.run(["load", "-i", &dir]);
        out.code(125).stderr_has("layer has diff id").stderr_has("its image says");
        assert_eq!(env.run(["images", "-aq"]).success().stdout(), before);
        env.run(["system", "check", "--full"]).success();
        // The same layer in another compression is taken as ever, and known the second time.
        for compression in [Compression::Zstd, Compression::Gzip, Compression::Zstd] {
            load(&env, &image(b"good", compression));
        }
    }
}

fn names(env: &Env) -> BTreeSet<String> {
    let out = env.run(["images", "--format", "{{.Repository}}:{{.Tag}}"]);
    out.success().stdout().lines().map(str::to_owned).collect()
}

#[test]
fn b18_an_archive_sets_only_names_that_are_told() {
    requires!(userns);
    let env = Env::with_busybox();
    let image = ImageBuilder::busybox().layer(Layer::new().file("evil", 0o644, b"x"));
    let path = env.path("evil.tar");
    let load = || env.run(["load", "-i", path.to_str().unwrap()]);
    for tag in ["docker.io/library/alpine:latest", "example.org/a/b:2"] {
        let before = names(&env);
        image.docker_archive(&path, tag);
        let out = load();
        let told = out.success().stdout();
        image.oci_archive(&path, tag);
        let told = told + &load().stdout();
        for name in names(&env).difference(&before) {
            assert!(told.contains(name.as_str()) || name.contains("<none>"), "{name} was set, told was {told:?}");
        }
    }
    let before = names(&env);
    for tag in ["../../etc/x:1", "a b:1", "x/UPPER:1", "-x:1", "x:\u{1b}[31m", "localhost/x:../y", ""] {
        image.docker_archive(&path, tag);
        let out = load();
        let code = out.exit_code();
        assert!(matches!(code, Some(0 | 125)), "{tag:?}: {code:?}");
        // Whatever is wrong with it, the archive is named.
        assert!(code == Some(0) || out.stderr().contains("evil.tar"), "{tag:?}: {}", out.stderr());
        let new: Vec<String> = names(&env).difference(&before).cloned().collect();
        assert!(new.iter().all(|name| name.contains("<none>")), "{tag:?} became {new:?}");
    }
    env.run(["run", "--rm", "--network=none", BUSYBOX, "ls", "/evil"]).code(1);
}
