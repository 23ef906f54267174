//! `manifest`: lists of images.

use serde_json::{Value, json};

use crate::harness::image::{self, Compression, ImageBuilder, Layer, sha256};
use crate::harness::{Env, Registry, requires};

fn image(mark: &str) -> ImageBuilder {
    ImageBuilder::busybox().layer(Layer::new().file("mark", 0o644, mark.as_bytes()))
}

#[test]
fn lists_are_made_here() {
    requires!(userns);
    let env = Env::with_busybox();
    let path = env.path("arm.tar");
    image("arm").docker_archive(&path, "example.org/arm:1");
    env.run(["load", "-q", "-i", path.to_str().unwrap()]).success();
    env.run(["manifest", "exists", "l:1"]).code(1);
    let id = env.run(["manifest", "create", "l:1", image::BUSYBOX]).success().trimmed();
    env.run(["manifest", "exists", "l:1"]).code(0);
    env.run(["manifest", "create", "l:1"]).code(125).stderr_has("l:1 exists\nHint: --amend adds to it");
    env.run(["manifest", "create", image::BUSYBOX]).code(125).stderr_has("image");
    let add = ["manifest", "add", "--arch=arm64", "--variant=v8", "--os-version=9", "--annotation=a=b", "l:1"];
    let other = env.run(add.into_iter().chain(["containers-storage:example.org/arm:1"])).success().trimmed();
    assert_ne!(id, other, "the id is the digest of the document");
    let list = env.run(["manifest", "inspect", "l:1"]).json();
    assert_eq!(list["manifests"].as_array().map(Vec::len), Some(2), "{list}");
    let entry = &list["manifests"][1];
    assert_eq!(entry["platform"], json!({"architecture": "arm64", "os": "linux", "variant": "v8", "os.version": "9"}));
    assert_eq!(entry["annotations"], json!({"a": "b"}));
    let digest = entry["digest"].as_str().unwrap().to_owned();
    env.run(["manifest", "annotate", "--features=x,y", "l:1", &digest]).success();
    env.run(["manifest", "annotate", "--index", "--annotation=whole=list", "l:1"]).success();
    let list = env.run(["manifest", "inspect", "l:1"]).json();
    assert_eq!(list["manifests"][1]["platform"]["features"], json!(["x", "y"]));
    assert_eq!(list["annotations"], json!({"whole": "list"}));
    let listed = env.run(["images", "--filter", "manifest=true", "--format", "{{.Repository}}:{{.Tag}}"]);
    listed.prints("localhost/l:1\n");
    env.run(["run", "--rm", "--network=none", "l:1", "echo", "chosen"]).prints("chosen\n");
    env.run(["run", "--rm", "--network=none", "--platform=linux/arm64", "l:1", "cat", "/mark"]).prints("arm");
    env.run(["run", "--rm", "--network=none", "--platform=linux/s390x", "l:1", "true"])
        .code(125)
        .stderr_has("list localhost/l:1 has no image for linux/s390x\nHint: sampan manifest inspect localhost/l:1");
    env.run(["manifest", "add", "l:1", "containers-storage:none"]).code(125).stderr_has("not known");
    env.run(["manifest", "annotate", "--os-version=1", "l:1", "no/such"])
        .code(125)
        .stderr_has("is not in localhost/l:1");
    // Where an image is wanted, the one for this machine is meant.
    let own =
        env.run(["images", "-q", "--no-trunc", image::BUSYBOX]).trimmed().trim_start_matches("sha256:").to_owned();
    for verb in [&["inspect"][..], &["image", "inspect"]] {
        env.run(verb.iter().chain(&["--format", "{{.Id}}", "l:1"])).prints(&format!("{own}\n"));
    }
    env.run(["history", "-q", "--no-trunc", "l:1"]).stdout_has(&own);
    env.run(["image", "tree", "l:1"]).stdout_has(&own[..12]);
    let tar = format!("docker-archive:{}", env.path("both.tar").display());
    env.run(["manifest", "push", "-q", "l:1", &tar])
        .code(125)
        .stderr_has("this one is of 2 images\nHint: oci-archive:FILE");
    assert!(!env.path("both.tar").exists());
    env.run(["manifest", "push", "-q", "--all=false", "l:1", &tar]).success();
    env.run(["tag", "l:1", "l:2", "l:3", "l:4"]).success();
    env.run(["rmi", "l:4"]).prints("Untagged: localhost/l:4\n");
    env.run(["untag", "l:3", "l:3"]).success();
    env.run(["manifest", "exists", "l:3"]).code(1);
    env.run(["untag", "l:1"]).code(125).stderr_has("the only name of the manifest list\nHint: sampan manifest rm");
    // The list keeps what it names.
    env.run(["rmi", "example.org/arm:1"]).success();
    let layout = env.path("layout");
    let place = format!("oci:{}:all", layout.display());
    env.run(["manifest", "push", "-q", "l:1", &place]).success();
    for entry in list["manifests"].as_array().unwrap() {
        let digest = entry["digest"].as_str().unwrap().replace(':', "/");
        assert!(layout.join("blobs").join(digest).is_file());
    }
    let index: Value = serde_json::from_slice(&std::fs::read(layout.join("index.json")).unwrap()).unwrap();
    let top = index["manifests"][0]["digest"].as_str().unwrap().to_owned();
    let document = std::fs::read(layout.join("blobs").join(top.replace(':', "/"))).unwrap();
    assert_eq!(top, format!("sha256:{}", sha256(&document)));
    assert_eq!(serde_json::from_slice::<Value>(&document).unwrap(), list);
    env.run(["system", "check"]).success();
    env.run(["manifest", "remove", "l:1", &digest]).success();
    assert_eq!(env.run(["manifest", "inspect", "l:1"]).json()["manifests"].as_array().map(Vec::len), Some(1));
    env.run(["tag", "l:1", "l:5"]).success();
    env.run(["manifest", "rm", "l:5"]).prints("Untagged: localhost/l:5\n");
    env.run(["manifest", "rm", "l:1"]).success().stdout_has("Untagged: localhost/l:1\nDeleted: ");
    env.run(["manifest", "rm", "l:1"]).code(1);
    env.run(["rmi", "l:2"]).success();
    env.run(["system", "check"]).success();
}

/// Lists and images share the names, as in Podman.
#[test]
fn a_name_leads_to_a_list_or_to_an_image() {
    requires!(userns);
    let env = Env::with_busybox();
    let list = env.run(["manifest", "create", "l:1", image::BUSYBOX]).success().trimmed();
    env.run(["tag", image::BUSYBOX, "was:1", "own:1"]).success();
    let named = |name: &str| env.run(["images", "-q", "--no-trunc", name]).success().stdout();
    env.run(["tag", "l:1", "was:1"]).success();
    assert_eq!(named("was:1"), format!("sha256:{list}\n"));
    env.run(["images", "--format", "{{.Repository}}:{{.Tag}}", "was:1"]).prints("localhost/was:1\n");
    env.run(["manifest", "exists", "was:1"]).success();
    env.run(["tag", image::BUSYBOX, "was:1"]).success();
    assert_eq!(named("was:1"), named(image::BUSYBOX));
    env.run(["manifest", "exists", "was:1"]).code(1);
    // A list without a name would be gone.
    env.run(["manifest", "create", "other:1"]).success();
    for image in [image::BUSYBOX, "other:1"] {
        env.run(["tag", image, "new:1", "l:1"])
            .code(125)
            .stderr_has("localhost/l:1 is the only name of the manifest list\nHint: sampan manifest rm");
        env.run(["image", "exists", "new:1"]).code(1);
    }
    env.run(["tag", "l:1", "l:1"]).success();
    // Empty ones are all the same.
    env.run(["manifest", "rm", "other:1"]).success();
    // By its id a list with several names goes by force alone.
    env.run(["tag", "l:1", "l:2"]).success();
    for verb in [&["rmi"][..], &["manifest", "rm"]] {
        env.run(verb.iter().chain(&[&list[..12]]))
            .code(125)
            .stderr_has("more than one name (localhost/l:1, localhost/l:2)");
    }
    env.run(["rmi", "-f", "l:2"]).prints("Untagged: localhost/l:2\n");
    env.run(["tag", "l:1", "l:2"]).success();
    let gone = format!("Untagged: localhost/l:1\nUntagged: localhost/l:2\nDeleted: {list}\n");
    env.run(["rmi", "-f", &list[..12]]).prints(&gone);
    // What comes under the name of a list hides it, as long as it is there.
    env.run(["manifest", "create", "same:1"]).success();
    env.run(["import", "-q", image::busybox_tar().to_str().unwrap(), "same:1"]).success();
    env.run(["manifest", "exists", "same:1"]).code(1);
    env.run(["tag", image::BUSYBOX, "same:1"]).code(125).stderr_has("sampan manifest rm localhost/same:1 removes it");
    env.run(["rmi", "same:1"]).success();
    env.run(["manifest", "exists", "same:1"]).success();
    env.run(["import", "-q", image::busybox_tar().to_str().unwrap(), "same:1"]).success();
    env.run(["manifest", "rm", "same:1"]).success().stdout_has("Untagged: localhost/same:1\nDeleted: ");
    env.run(["image", "exists", "same:1"]).success();
    env.run(["system", "check"]).success();
}

/// A layout holds OCI's documents: so does one of a list that came as Docker's.
fn goes_to_a_layout_as_oci(env: &Env, list: &str) {
    let from = format!("docker://{list}");
    env.run(["manifest", "create", "--amend", "--all", "--tls-verify=false", "docker:1", &from]).success();
    let layout = format!("oci:{}:v1", env.path("docker-layout").display());
    env.run(["manifest", "push", "-q", "docker:1", &layout]).success();
    env.other("skopeo").args(["inspect", "--raw", &layout]).run().success().stdout_has("oci.image.index");
    env.run(["manifest", "rm", "docker:1"]).success();
    std::fs::remove_dir_all(env.path("docker-layout")).unwrap();
}

#[test]
fn lists_go_to_registries_and_come_from_them() {
    requires!(userns, registry, skopeo);
    let env = Env::with_busybox();
    let registry = Registry::start(&env);
    let path = env.path("arm");
    image("arm").oci_dir(&path, "1");
    let remote = registry.push(&format!("oci:{}:1", path.display()), "arm:1");
    env.run(["manifest", "create", "l:1", image::BUSYBOX]).success();
    let add = ["manifest", "add", "--tls-verify=false", "--arch=arm64", "l:1"];
    env.run(add.into_iter().chain([format!("docker://{remote}").as_str()])).success();
    let target = registry.name("both:1");
    let digests = env.path("digest");
    let push = ["manifest", "push", "-q", "--tls-verify=false", "--digestfile", digests.to_str().unwrap(), "l:1"];
    env.run(push.into_iter().chain([format!("docker://{target}").as_str()])).success();
    let raw = ["inspect", "--tls-verify=false", "--raw"].into_iter().map(str::to_owned);
    let raw = env.other("skopeo").args(raw.chain([format!("docker://{target}")])).run().success().stdout();
    assert_eq!(std::fs::read_to_string(&digests).unwrap(), format!("sha256:{}", sha256(raw.as_bytes())));
    let here = env.run(["manifest", "inspect", "l:1"]).json();
    assert_eq!(serde_json::from_str::<Value>(&raw).unwrap(), here);
    env.run(["manifest", "inspect", "--tls-verify=false", &target]).success().stdout_has("arm64");
    // All images of the list that the registry has now, without their layers.
    env.run(["manifest", "create", "--all", "--tls-verify=false", "copy:1", &format!("docker://{target}")]).success();
    assert_eq!(env.run(["manifest", "inspect", "copy:1"]).json()["manifests"], here["manifests"]);
    env.run(["pull", "-q", "--tls-verify=false", &target]).success();
    env.run(["manifest", "push", "-q", "--rm", "--tls-verify=false", "copy:1", &registry.name("moved:1")]).success();
    env.run(["manifest", "exists", "copy:1"]).code(1);
    // In another format, with other layers: the list names what was sent. `push --all` does the same.
    let raw = |name: &str| {
        let arguments = ["inspect", "--tls-verify=false", "--raw"].into_iter().map(str::to_owned);
        env.other("skopeo").args(arguments.chain([format!("docker://{name}")])).run().success().json()
    };
    let pushes: [&[&str]; 2] = [&["manifest", "push"], &["push", "--all"]];
    for (at, verb) in pushes.into_iter().enumerate() {
        for (form, flags, kind, layer) in [
            ("same", &[][..], "oci.image.index", ""),
            ("docker", &["--format=v2s2"], "manifest.list.v2", "rootfs.diff.tar"),
            ("zstd", &["--compression-format=zstd"], "oci.image.index", "+zstd"),
        ] {
            let target = registry.name(&format!("{form}{at}:1"));
            let file = digests.to_str().unwrap();
            let common = ["-q", "--tls-verify=false", "--digestfile", file, "l:1", &target];
            env.run([verb, flags, &common].concat()).success();
            let list = raw(&target);
            assert!(list["mediaType"].as_str().unwrap().contains(kind), "{verb:?} {form}: {list}");
            if form == "same" {
                assert_eq!(list, here);
            }
            for entry in list["manifests"].as_array().unwrap() {
                let (repository, _) = target.rsplit_once(':').unwrap();
                let one = raw(&format!("{repository}@{}", entry["digest"].as_str().unwrap()));
                assert_eq!(one["mediaType"], entry["mediaType"], "{one}");
                for found in one["layers"].as_array().unwrap() {
                    assert!(found["mediaType"].as_str().unwrap().contains(layer), "{form}: {one}");
                }
            }
            if form == "docker" {
                goes_to_a_layout_as_oci(&env, &target);
            }
            // Everything that it names is there: skopeo reads all of it.
            let copy = format!("dir:{}", env.path(&format!("copy-{form}{at}")).display());
            let from = format!("docker://{target}");
            env.other("skopeo")
                .args(["--insecure-policy", "copy", "-q", "--all", "--src-tls-verify=false", &from, &copy])
                .run()
                .success();
        }
    }
    for place in ["oci:d:t", "docker-archive:d.tar"] {
        env.run(["manifest", "add", "l:1", place]).code(125).stderr_has("do not come from a registry");
    }
    // An empty text says nothing.
    env.run(["manifest", "annotate", "--arch=", "--os=", "l:1", image::BUSYBOX]).success();
    assert_eq!(env.run(["manifest", "inspect", "l:1"]).json(), here);
    for flag in ["--artifact", "--add-compression", "--sign-by"] {
        let verb = if flag == "--artifact" { "add" } else { "push" };
        env.run(["manifest", verb, flag, "l:1", "x"]).code(125).stderr_has(&format!("{flag} is not supported yet"));
    }
    env.run(["system", "check"]).success();
}

/// Loaded with plain layers while the same layers were here in gzip: the list has what it names.
#[test]
fn a_list_of_an_image_whose_layers_were_here_in_another_form() {
    requires!(userns, registry, skopeo);
    let env = Env::new();
    let registry = Registry::start(&env);
    let path = env.path("image.tar");
    let image = ImageBuilder::scratch().layer(Layer::new().file("a", 0o644, b"1"));
    image.compression(Compression::Gzip).oci_archive(&path, "x:1");
    env.run(["load", "-q", "-i", path.to_str().unwrap()]).success();
    let saved = env.path("saved.tar");
    env.run(["save", "-q", "-o", saved.to_str().unwrap(), "x:1"]).success();
    env.run(["load", "-q", "-i", saved.to_str().unwrap()]).success();
    env.run(["manifest", "create", "l:1", "x:1"]).success();
    env.run(["rmi", "x:1"]).success();
    let to = registry.name("l:1");
    env.run(["manifest", "push", "-q", "--all", "--tls-verify=false", "l:1", &to]).success();
    let from = format!("docker://{to}");
    env.other("skopeo").args(["inspect", "--tls-verify=false", &from]).run().success();
    env.run(["system", "check", "--full"]).success();
}
