//! One image id under several manifests: imported and pulled, loaded and pulled, in gzip and in zstd, in another store.

use crate::harness::image::{BUSYBOX, Compression, ImageBuilder, Layer, busybox_tar};
use crate::harness::{Env, Registry, requires};

const PLAIN: &str = "--tls-verify=false";

fn is_empty(env: &Env) -> bool {
    ["images", "refs", "layers", "blobs/sha256", "staging", "trash"]
        .iter()
        .all(|dir| std::fs::read_dir(env.graphroot().join(dir)).map_or(true, |mut entries| entries.next().is_none()))
}

fn inspect(env: &Env, image: &str, field: &str) -> String {
    env.run(["image", "inspect", "--format", field, image]).success().trimmed()
}

/// `NAME DIGEST` of each row, sorted.
fn rows(env: &Env) -> Vec<String> {
    let rows = env.run(["images", "--format", "{{.Repository}}:{{.Tag}} {{.Digest}}"]).success().stdout();
    let mut rows: Vec<String> = rows.lines().map(str::to_owned).collect();
    rows.sort();
    rows
}

/// An image in two layers in a registry, once in gzip and once in zstd; its id, the names and their digests.
fn in_two_forms(env: &Env, registry: &Registry) -> (String, [String; 2], [String; 2]) {
    let path = env.path("image.tar");
    let image = ImageBuilder::scratch().layer(Layer::new().file("a", 0o644, b"1"));
    image.layer(Layer::new().file("b", 0o644, &[7; 9000])).compression(Compression::Gzip).oci_archive(&path, "x:1");
    let loaded = env.run(["load", "-q", "-i", path.to_str().unwrap()]).success().trimmed();
    let name = loaded.trim_start_matches("Loaded image: ").to_owned();
    let id = inspect(env, &name, "{{.Id}}");
    let names = [registry.name("app:gz"), registry.name("app:zst")];
    env.run(["push", "-q", PLAIN, &name, &names[0]]).success();
    env.run(["push", "-q", PLAIN, "--compression-format=zstd", &name, &names[1]]).success();
    env.run(["rmi", &name]).success().stdout_has(&format!("Deleted: {id}"));
    assert!(is_empty(env));
    let digests = names.each_ref().map(|name| {
        let from = format!("docker://{name}");
        env.other("skopeo").args(["inspect", PLAIN, "--format={{.Digest}}", &from]).run().success().trimmed()
    });
    assert_ne!(digests[0], digests[1]);
    (id, names, digests)
}

/// From registry to registry, as it is.
fn copy(env: &Env, from: &str, to: &str) {
    let names = [from, to].map(|name| format!("docker://{name}"));
    let plain = ["--insecure-policy", "copy", "-q", "--src-tls-verify=false", "--dest-tls-verify=false"];
    env.other("skopeo").args(plain).args(&names).run().success();
}

#[test]
fn imported_then_pulled_is_one_image() {
    requires!(userns, registry);
    let env = Env::new();
    let registry = Registry::start(&env);
    let id = env.run(["import", "-q", busybox_tar().to_str().unwrap(), "mine:1"]).success().trimmed();
    let id = id.trim_start_matches("sha256:").to_owned();
    let far = registry.name("theirs:1");
    env.run(["push", "-q", PLAIN, "mine:1", &far]).success();
    env.run(["pull", "-q", PLAIN, &far]).prints(&format!("{id}\n"));
    assert_ne!(inspect(&env, "mine:1", "{{.Digest}}"), inspect(&env, &far, "{{.Digest}}"), "two manifests");
    // Two names, one image.
    assert_eq!(rows(&env).len(), 2);
    env.run(["images", "-q", "--no-trunc"]).prints(&format!("sha256:{id}\n"));
    let list = env.run(["images", "--format=json"]).success().json();
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(list[0]["Names"].as_array().unwrap().len(), 2);
    let report = env.run(["image", "inspect", &id]).success().json();
    assert_eq!(report[0]["RepoTags"].as_array().unwrap().len(), 2);
    assert_eq!(report[0]["RepoDigests"].as_array().unwrap().len(), 2);
    env.run(["history", "--format", "{{.Tags}}", "mine:1"]).stdout_has("theirs:1").stdout_has("mine:1");
    env.run(["image", "tree", &far]).success().stdout_has("localhost/mine:1");
    env.run(["system", "df", "--format", "{{.Type}} {{.Total}}"]).success().stdout_has("Images 1\n");
    env.run(["system", "df", "--format", "{{json .}}"]).success().stdout_has(r#"{"Type":"Images","Total":1,"#);
    // A container of one is a container of the other.
    let container = env.run(["create", "--name=c", "mine:1", "true"]).success().trimmed();
    for name in ["mine:1", &far, &id] {
        env.run(["ps", "-aq", "--no-trunc", "--filter", &format!("ancestor={name}")]).prints(&format!("{container}\n"));
    }
    env.run(["rmi", &id]).code(125).stderr_has("more than one name");
    env.run(["image", "prune", "-af"]).prints("");
    env.run(["rmi", "mine:1"]).prints("Untagged: localhost/mine:1\n");
    // The last name keeps the image for the container, whose own manifest is still there.
    env.run(["rmi", &far]).code(2).stderr_has("in use");
    env.run(["rmi", &id]).code(2).stderr_has("in use");
    env.run(["system", "check", "--quick"]).success();
    env.run(["start", "-a", "c"]).success();
    env.run(["rmi", "-f", &id]).success().stdout_has(&format!("Deleted: {id}"));
    env.run(["ps", "-aq"]).prints("");
    assert!(is_empty(&env));
}

#[test]
fn gzip_and_zstd_of_one_image_stay_byte_for_byte() {
    requires!(userns, registry, skopeo);
    let env = Env::new();
    let registry = Registry::start(&env);
    let (id, names, digests) = in_two_forms(&env, &registry);
    for name in &names {
        env.run(["pull", "-q", PLAIN, name]).prints(&format!("{id}\n"));
    }
    assert_eq!(rows(&env), [0, 1].map(|at| format!("{} {}", names[at], digests[at])));
    env.run(["images", "-q"]).prints(&format!("{}\n", &id[..12]));
    for (name, digest) in names.iter().zip(&digests) {
        assert_eq!(inspect(&env, name, "{{.Digest}}"), *digest);
        assert!(inspect(&env, name, "{{.RepoDigests}}").contains(digest.as_str()));
        env.run(["images", "-q", "--filter", &format!("digest={digest}")]).prints(&format!("{}\n", &id[..12]));
        let pinned = format!("{}@{digest}", registry.name("app"));
        env.run(["image", "exists", &pinned]).success();
        assert_eq!(inspect(&env, &pinned, "{{.Digest}}"), *digest);
        assert_eq!(inspect(&env, digest, "{{.Digest}}"), *digest);
        // What is pushed is what the name was pulled by.
        let file = env.path("digest");
        let to = registry.name("again:1");
        env.run(["push", "-q", PLAIN, "--digestfile", file.to_str().unwrap(), name, &to]).success();
        assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), *digest);
        let dir = format!("oci:{}:x", env.path(&digest[7..17]).display());
        env.run(["push", "-q", "--digestfile", file.to_str().unwrap(), name, &dir]).success();
        assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), *digest);
    }
    // A name given up gives its manifest up; the other one is as it was.
    env.run(["rmi", &names[0]]).prints(&format!("Untagged: {}\n", names[0]));
    assert_eq!(rows(&env), [format!("{} {}", names[1], digests[1])]);
    env.run(["image", "exists", &digests[0]]).code(1);
    env.run(["system", "check"]).success();
    let file = env.path("digest");
    env.run(["push", "-q", PLAIN, "--digestfile", file.to_str().unwrap(), &id, &registry.name("last:1")]).success();
    assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), digests[1]);
    env.run(["rmi", &id[..12]]).prints(&format!("Untagged: {}\nDeleted: {id}\n", names[1]));
    assert!(is_empty(&env));
}

/// A record made anew has what stands in for a blob that was never fetched.
#[test]
fn a_record_made_anew_keeps_its_twins() {
    requires!(userns, registry, skopeo);
    let env = Env::new();
    let registry = Registry::start(&env);
    let (_, names, digests) = in_two_forms(&env, &registry);
    for name in &names {
        env.run(["pull", "-q", PLAIN, name]).success();
    }
    env.run(["rmi", &names[0]]).success();
    env.run(["system", "check", "--full"]).prints("").success();
    let path = env.graphroot().join(format!("images/{}.json", &digests[1][7..]));
    let read = || serde_json::from_slice::<serde_json::Value>(&std::fs::read(&path).unwrap()).unwrap();
    let whole = read();
    let damages: [(&str, serde_json::Value); 2] =
        [("size", 7.into()), ("blob", format!("sha256:{}", "0".repeat(64)).into())];
    for (field, wrong) in damages {
        let mut damaged = whole.clone();
        damaged["layers"][0][field] = wrong;
        std::fs::write(&path, damaged.to_string()).unwrap();
        env.run(["image", "prune", "-f"]).success();
        env.run(["system", "check", "--repair"]).code(1).stdout_has("I5");
        assert_eq!(read()["layers"], whole["layers"]);
        env.run(["system", "check", "--full"]).prints("").success();
    }
}

#[test]
fn a_name_that_moves_to_another_manifest_leaves_no_second_image() {
    requires!(userns, registry, skopeo);
    let env = Env::new();
    let registry = Registry::start(&env);
    let (id, names, digests) = in_two_forms(&env, &registry);
    let moving = registry.name("app:1");
    for (name, digest) in names.iter().zip(&digests) {
        copy(&env, name, &moving);
        env.run(["pull", "-q", PLAIN, &moving]).prints(&format!("{id}\n"));
        assert_eq!(rows(&env), [format!("{moving} {digest}")]);
    }
    // Nobody sees `<none>`, and there is nothing dangling to prune.
    env.run(["images", "-aq"]).prints(&format!("{}\n", &id[..12]));
    env.run(["images", "-q", "--filter", "dangling=true"]).prints("");
    let repo_digests = inspect(&env, &id, "{{.RepoDigests}}");
    assert!(digests.iter().all(|digest| repo_digests.contains(digest.as_str())), "{repo_digests}");
    env.run(["image", "exists", &format!("{}@{}", registry.name("app"), digests[0])]).success();
    env.run(["image", "prune", "-f"]).prints("");
    // A sweep has taken the manifest that no name leads to.
    env.run(["image", "exists", &digests[0]]).code(1);
    assert_eq!(inspect(&env, &moving, "{{.Digest}}"), digests[1]);
    env.run(["system", "check"]).success();
    env.run(["rmi", &moving]).prints(&format!("Untagged: {moving}\nDeleted: {id}\n"));
    assert!(is_empty(&env));
}

#[test]
fn loaded_then_pulled_is_one_image() {
    requires!(userns, registry, skopeo);
    let env = Env::new();
    let registry = Registry::start(&env);
    let (id, names, _) = in_two_forms(&env, &registry);
    env.run(["pull", "-q", PLAIN, &names[1]]).success();
    let archive = env.path("saved.tar");
    env.run(["save", "-q", "-o", archive.to_str().unwrap(), &names[1]]).success();
    env.run(["rmi", &names[1]]).success();
    env.run(["load", "-q", "-i", archive.to_str().unwrap()]).prints(&format!("Loaded image: {}\n", names[1]));
    for name in &names {
        env.run(["pull", "-q", PLAIN, name]).prints(&format!("{id}\n"));
    }
    assert_eq!(rows(&env).len(), 2);
    // Two names of one image are one image of an archive, as Podman writes it.
    std::fs::remove_file(&archive).unwrap();
    env.run(["save", "-q", "-m", "-o", archive.to_str().unwrap(), &names[0], &names[1]]).success();
    let manifest = env.other("tar").args(["-xOf", archive.to_str().unwrap(), "manifest.json"]).run().success().json();
    assert_eq!(manifest.as_array().unwrap().len(), 1, "{manifest}");
    assert_eq!(manifest[0]["RepoTags"].as_array().unwrap().len(), 2);
    // The end of a name that two manifests of one image have is not ambiguous.
    let other = Registry::start(&env);
    let twice = other.name("app:zst");
    copy(&env, &names[0], &twice);
    env.run(["pull", "-q", PLAIN, &twice]).success();
    assert_eq!(inspect(&env, "app:zst", "{{.Id}}"), id);
    // All names taken away: one dangling image.
    env.run(["untag", &id]).success();
    env.run(["images", "--format", "{{.Repository}}"]).prints("<none>\n");
    env.run(["image", "prune", "-f"]).prints(&format!("{id}\n"));
    assert!(is_empty(&env));
}

#[test]
fn an_image_that_another_store_has_too() {
    requires!(userns, registry);
    let env = Env::new();
    let registry = Registry::start(&env);
    let root = env.path("shared");
    let (root, run) = (root.to_string_lossy().into_owned(), env.path("shared-run").to_string_lossy().into_owned());
    let there = ["--root", &root, "--runroot", &run];
    let in_shared = |arguments: &[&str]| env.run(there.iter().chain(arguments).collect::<Vec<_>>());
    in_shared(&["import", "-q", busybox_tar().to_str().unwrap(), BUSYBOX]).success();
    let far = registry.name("box:1");
    in_shared(&["push", "-q", PLAIN, BUSYBOX, &far]).success();
    let option = format!("additionalimagestore={root}");
    let sampan = |arguments: &[&str]| env.run(["--storage-opt", &option].iter().chain(arguments).collect::<Vec<_>>());
    let id = sampan(&["pull", "-q", PLAIN, &far]).success().trimmed();
    // The same id in both stores, under other names and manifests.
    let shown =
        sampan(&["images", "--sort=repository", "--format", "{{.Repository}} {{.ReadOnly}}"]).success().stdout();
    let mut shown: Vec<&str> = shown.lines().collect();
    shown.sort_unstable();
    let box_name = far.rsplit_once(':').unwrap().0.to_owned();
    let mut expected = [format!("{box_name} false"), format!("{} true", BUSYBOX.rsplit_once(':').unwrap().0)];
    expected.sort();
    assert_eq!(shown, expected);
    assert_eq!(sampan(&["images", "-q"]).success().trimmed().lines().count(), 1);
    sampan(&["rmi", BUSYBOX]).code(125).stderr_has("is in the read-only store");
    sampan(&["image", "inspect", "--format", "{{.RepoTags}}", BUSYBOX]).prints(&format!("[{BUSYBOX}]\n"));
    // Its name there, given here too, is shown once.
    sampan(&["tag", &far, BUSYBOX]).success();
    assert_eq!(sampan(&["images", "-n"]).success().stdout().lines().count(), 2);
    sampan(&["rmi", BUSYBOX]).success();
    sampan(&["rmi", &far]).success().stdout_has(&format!("Deleted: {id}"));
    assert_eq!(sampan(&["images", "-n"]).success().stdout().lines().count(), 1);
    sampan(&["image", "exists", &id]).success();
    // What was unpacked of it goes when nobody uses that store.
    env.run(["image", "prune", "-f"]).success();
}
