//! What was pulled goes out byte for byte, even where a blob was not fetched because its layer was here.

use serde_json::Value;

use crate::harness::image::sha256;
use crate::harness::{Compression, Env, ImageBuilder, Layer, Registry, requires};

const PLAIN: &str = "--tls-verify=false";

fn image(compression: Compression) -> ImageBuilder {
    ImageBuilder::scratch()
        .layer(Layer::new().dir("etc", 0o755).file("etc/a", 0o644, &[b'a'; 9000]))
        .layer(Layer::new().file("b", 0o600, &[b'b'; 9000]))
        .compression(compression)
}

/// Puts the image into the registry with skopeo, in this compression and no other.
fn published(env: &Env, registry: &Registry, compression: Compression, name: &str) -> String {
    let dir = env.path(&name.replace(['/', ':'], "-"));
    image(compression).oci_dir(&dir, "1");
    registry.push(&format!("oci:{}:1", dir.display()), name)
}

fn raw(env: &Env, from: &str) -> Vec<u8> {
    let out = env.other("/usr/bin/skopeo").args(["inspect", "--raw", PLAIN, from]).run();
    out.success().stdout().into_bytes()
}

fn digest(env: &Env, name: &str) -> String {
    env.run(["image", "inspect", "--format", "{{.Digest}}", name]).success().trimmed()
}

fn manifest_of(image: &ImageBuilder) -> String {
    let files = image.oci_files("1");
    let (_, index) = files.iter().find(|(name, _)| name == "index.json").unwrap();
    let index: Value = serde_json::from_slice(index).unwrap();
    index["manifests"][0]["digest"].as_str().unwrap().to_owned()
}

/// Manifest digests that a saved layout, a saved archive and another registry have.
fn outside(env: &Env, elsewhere: &Registry, name: &str, tag: &str) -> [String; 3] {
    let layout = env.path(&format!("layout-{tag}"));
    env.run(["save", "-q", "--format=oci-dir", "-o", layout.to_str().unwrap(), name]).success();
    let archive = env.path(&format!("archive-{tag}"));
    env.run(["save", "-q", "--format=oci-archive", "-o", archive.to_str().unwrap(), name]).success();
    let index: Value = serde_json::from_slice(&std::fs::read(layout.join("index.json")).unwrap()).unwrap();
    let saved = index["manifests"][0]["digest"].as_str().unwrap().to_owned();
    // Everything that the manifest names is there, whole.
    env.other("/usr/bin/umoci").args(["ls", "--layout", layout.to_str().unwrap()]).run().success();
    let copy = elsewhere.name(&format!("copy/{tag}:1"));
    env.run(["push", "-q", PLAIN, name, &copy]).success();
    let pushed = format!("sha256:{}", sha256(&raw(env, &format!("docker://{copy}"))));
    let archived = format!("sha256:{}", sha256(&raw(env, &format!("oci-archive:{}", archive.display()))));
    [saved, archived, pushed]
}

#[test]
fn skipped_blobs_are_had_from_where_the_image_came_from() {
    requires!(userns, registry, skopeo, umoci);
    let env = Env::new();
    let (registry, elsewhere) = (Registry::start(&env), Registry::start(&env));
    let forms = [("gzip", Compression::Gzip), ("zstd", Compression::Zstd), ("plain", Compression::Plain)];
    let names = forms.map(|(form, compression)| published(&env, &registry, compression, &format!("team/{form}:1")));
    for first in 0..forms.len() {
        env.run(["rmi", "-af"]).success();
        // The others have the same layers: only their documents are fetched.
        for at in 0..forms.len() {
            let name = &names[(first + at) % forms.len()];
            let out = env.run(["pull", PLAIN, name]);
            assert_eq!(out.success().stderr().matches("exists").count(), if at == 0 { 0 } else { 2 }, "{out}");
        }
        let blobs = std::fs::read_dir(env.graphroot().join("blobs/sha256")).unwrap().count();
        // One configuration, three manifests, two layers.
        assert_eq!(blobs, 1 + 3 + 2);
        for ((form, _), name) in forms.iter().zip(&names) {
            let wanted = digest(&env, name);
            assert_eq!(outside(&env, &elsewhere, name, &format!("{form}-{first}")), [(); 3].map(|()| wanted.clone()));
        }
        env.run(["system", "check", "--full"]).success();
    }
}

#[test]
fn without_that_registry_the_layers_go_out_as_they_are_here() {
    requires!(userns, registry, skopeo, umoci);
    let env = Env::new();
    let (registry, elsewhere) = (Registry::start(&env), Registry::start(&env));
    let (gzip, zstd) = (
        published(&env, &registry, Compression::Gzip, "team/gzip:1"),
        published(&env, &registry, Compression::Zstd, "team/zstd:1"),
    );
    env.run(["pull", "-q", PLAIN, &gzip]).success();
    env.run(["pull", "-q", PLAIN, &zstd]).success();
    let wanted = digest(&env, &gzip);
    drop(registry);
    let out = env.run(["push", PLAIN, &zstd, &elsewhere.name("a:1")]);
    out.success().stderr_has("in another compression").stderr_has("the digest changes");
    let out = env.run(["save", "-o", env.path("x.tar").to_str().unwrap(), "--format=oci-archive", &zstd]);
    out.success().stderr_has("the digest changes");
    // Nobody asks for the bytes that came where others are wanted anyway.
    let out = env.run(["save", "-o", env.path("d.tar").to_str().unwrap(), &zstd]);
    assert!(!out.success().stderr().contains("changes"), "{out}");
    let out =
        env.run(["push", PLAIN, "--compression-format=zstd", "--force-compression", &zstd, &elsewhere.name("b:1")]);
    assert!(!out.success().stderr().contains("changes"), "{out}");
    // What is here in full needs nobody.
    assert_eq!(outside(&env, &elsewhere, &gzip, "whole"), [(); 3].map(|()| wanted.clone()));
    // The other image holds the blobs that its layers are rebuilt from, once the first is gone.
    env.run(["rmi", &gzip]).success();
    env.run(["system", "check", "--full"]).success();
    env.run(["save", "-q", "-o", env.path("y.tar").to_str().unwrap(), &zstd]).success();
    for layer in std::fs::read_dir(env.graphroot().join("layers")).unwrap().flatten() {
        std::fs::remove_dir_all(layer.path()).unwrap();
    }
    env.run(["system", "check", "--repair"]).code(1);
    env.run(["system", "check", "--full"]).success();
}

#[test]
fn archives_bring_their_blobs_although_the_layers_are_here() {
    requires!(userns, registry, skopeo, umoci);
    let env = Env::new();
    let elsewhere = Registry::start(&env);
    for (form, compression) in [("gzip", Compression::Gzip), ("zstd", Compression::Zstd), ("plain", Compression::Plain)]
    {
        let path = env.path(form);
        image(compression).oci_archive(&path, form);
        let wanted = manifest_of(&image(compression));
        env.run(["load", "-q", "-i", path.to_str().unwrap()]).success();
        std::fs::remove_file(&path).unwrap();
        let name = format!("localhost/{form}:latest");
        assert_eq!(digest(&env, &name), wanted);
        let [saved, archived, pushed] = outside(&env, &elsewhere, &name, form);
        assert_eq!([&saved, &archived], [&wanted, &wanted], "{form}");
        // What no registry had goes compressed.
        assert_eq!(pushed == wanted, compression != Compression::Plain, "{form}");
    }
}

/// A registry that knows `alice` with the password `s3cret`.
fn guarded(env: &Env, name: &str) -> Registry {
    let users = env.write(name, "alice:$2y$05$abcdefghijklmnopqrstuuLK7U1u6pVRmL7L1BBM2aS35PSZnDXlK\n");
    Registry::start_with(env, "", &format!("auth:\n  htpasswd:\n    realm: basic\n    path: {}\n", users.display()))
}

/// `--creds` is for the registry that is pushed to; where a skipped blob comes from, only a file of credentials says who
/// we are, unless that is the same registry.
#[test]
fn skipped_blobs_of_a_registry_with_passwords() {
    requires!(userns, registry, skopeo);
    const CREDS: &str = "--creds=alice:s3cret";
    let env = Env::new();
    let (origin, target) = (guarded(&env, "origin"), guarded(&env, "target"));
    let push = |compression: Compression, name: &str| {
        let dir = env.path(name);
        image(compression).oci_dir(&dir, "1");
        let to = format!("docker://{}", origin.name(&format!("{name}:1")));
        let from = format!("oci:{}:1", dir.display());
        let copy = ["copy", "--insecure-policy", "--dest-tls-verify=false", "--dest-creds=alice:s3cret", &from, &to];
        env.other("/usr/bin/skopeo").args(copy).run().success();
        origin.name(&format!("{name}:1"))
    };
    let (gzip, zstd) = (push(Compression::Gzip, "gzip"), push(Compression::Zstd, "zstd"));
    env.run(["pull", "-q", PLAIN, CREDS, &gzip]).success();
    let out = env.run(["pull", PLAIN, CREDS, &zstd]);
    assert_eq!(out.success().stderr().matches("exists").count(), 2, "{out}");
    let wanted = digest(&env, &zstd);
    let pushed = |more: &[&str], to: &str| {
        let file = env.path("digest");
        let out = env.run([&["push", PLAIN, "--digestfile", file.to_str().unwrap()], more, &[&zstd, to]].concat());
        (std::fs::read_to_string(file).unwrap(), out.success().stderr())
    };

    // What is for one registry is shown to no other.
    let (found, said) = pushed(&[CREDS], &target.name("a:1"));
    assert_ne!(found, wanted, "{said}");
    assert!(said.contains("the digest changes"), "{said}");
    assert!(said.contains(&format!("sampan login {}", origin.address())), "{said}");
    let archive = env.path("saved.tar");
    let out = env.run(["save", "-o", archive.to_str().unwrap(), "--format=oci-archive", &zstd]);
    out.success().stderr_has(&format!("sampan login {}", origin.address()));
    // The same registry, another repository.
    let (found, said) = pushed(&[CREDS], &origin.name("b:1"));
    assert_eq!(found, wanted, "{said}");
    // A file says itself which registry its credentials are for.
    let mut known = serde_json::Map::new();
    for registry in [&origin, &target] {
        known.insert(registry.address().to_owned(), serde_json::json!({"auth": "YWxpY2U6czNjcmV0"}));
    }
    let file = env.write("auth.json", serde_json::json!({"auths": known}).to_string());
    let (found, said) = pushed(&["--authfile", file.to_str().unwrap()], &target.name("c:1"));
    assert_eq!(found, wanted, "{said}");
    let dir = format!("dir:{}", env.path("dir").display());
    let (found, said) = pushed(&["--authfile", file.to_str().unwrap()], &dir);
    assert_eq!(found, wanted, "{said}");
    // Both: one for the target, the other for the origin.
    known.remove(target.address());
    let file = env.write("origin.json", serde_json::json!({"auths": known}).to_string());
    let (found, said) = pushed(&[CREDS, "--authfile", file.to_str().unwrap()], &target.name("d:1"));
    assert_eq!(found, wanted, "{said}");
}

/// Of an image that was added to a list from a registry, the layers are there alone: without them the list cannot go out.
#[test]
fn a_list_needs_the_registry_that_has_its_layers() {
    requires!(userns, registry, skopeo);
    let env = Env::new();
    let (origin, target) = (guarded(&env, "origin"), Registry::start(&env));
    let dir = env.path("layout");
    image(Compression::Gzip).oci_dir(&dir, "1");
    let to = format!("docker://{}", origin.name("web:1"));
    let from = format!("oci:{}:1", dir.display());
    let copy = ["copy", "--insecure-policy", "--dest-tls-verify=false", "--dest-creds=alice:s3cret", &from, &to];
    env.other("/usr/bin/skopeo").args(copy).run().success();
    env.run(["manifest", "create", "l:1"]).success();
    env.run(["manifest", "add", PLAIN, "--creds=alice:s3cret", "l:1", &to]).success();
    let archive = env.path("list.tar");
    let push =
        |verb: &[&str], more: &[&str]| env.run([verb, &["-q", PLAIN], more, &["l:1", &target.name("l:1")]].concat());
    let refused = |out: crate::harness::Output| {
        let cure = format!("Hint: log in there with sampan login {}, or name a file", origin.address());
        let place = format!("from {}@sha256:", origin.name("web"));
        out.code(125)
            .stderr_has("Error: fetch blob sha256:")
            .stderr_has(&place)
            .stderr_has(&cure)
            .stderr_has("--creds counts");
        assert!(!out.stderr().contains("s3cret"), "{out}");
        let layers = std::fs::read_dir(env.graphroot().join("staging")).unwrap().count();
        assert_eq!(layers, 0, "something is left in staging");
        let raw =
            env.other("/usr/bin/skopeo").args(["inspect", "--raw", PLAIN, &format!("docker://{}", target.name("l:1"))]);
        assert!(!raw.run().is_success(), "the list was published without its layers");
    };
    // What is for the registry that is pushed to is shown to no other.
    for verb in [&["manifest", "push"][..], &["push", "--all"]] {
        refused(push(verb, &[]));
        refused(push(verb, &["--creds=alice:s3cret"]));
    }
    let known = serde_json::json!({origin.address(): {"auth": "YWxpY2U6czNjcmV0"}});
    let file = env.write("auth.json", serde_json::json!({"auths": known}).to_string());
    push(&["manifest", "push"], &["--authfile", file.to_str().unwrap()]).success();
    // A wrong password is one that the registry does not want; and when it is gone, that is told.
    let known = serde_json::json!({origin.address(): {"auth": "YWxpY2U6bm9uZQ=="}});
    let wrong = env.write("wrong.json", serde_json::json!({"auths": known}).to_string());
    let elsewhere = format!("oci-archive:{}", archive.display());
    let save = |file: &std::path::Path| {
        env.run(["manifest", "push", "-q", "--authfile", file.to_str().unwrap(), "l:1", &elsewhere])
    };
    save(&wrong).code(125).stderr_has("Hint: log in there");
    let place = format!("from {}@sha256:", origin.name("web"));
    drop(origin);
    let out = save(&file);
    out.code(125).stderr_has(&place).stderr_has(", where its image is: ").stderr_has("refused");
    assert!(!out.stderr().contains("log in there"), "{out}");
    assert!(!archive.exists(), "half an archive stays");
    env.run(["system", "check"]).success();
}
