//! `image tree`, `diff`, `image diff`.

use crate::harness::image::{ImageBuilder, Layer, busybox_layer};
use crate::harness::{Env, requires};

fn load(env: &Env, image: &ImageBuilder, name: &str) {
    let path = env.path("image.tar");
    image.docker_archive(&path, name);
    env.run(["load", "-q", "-i", &path.to_string_lossy()]).success();
}

fn base() -> ImageBuilder {
    let layer = busybox_layer()
        .dir("data", 0o755)
        .file("data/file", 0o644, b"one\n")
        .file("data/gone", 0o644, b"two\n")
        .dir("old", 0o755)
        .file("old/1", 0o644, b"1")
        .file("old/2", 0o644, b"2");
    ImageBuilder::scratch().layer(layer)
}

fn changed() -> ImageBuilder {
    let layer = Layer::new()
        .file("data/file", 0o644, b"three\n")
        .whiteout("data/gone")
        .dir("old", 0o755)
        .opaque("old")
        .file("old/2", 0o644, b"2")
        .dir("new", 0o700)
        .symlink("new/link", "x");
    base().layer(layer)
}

#[test]
fn layers_and_what_stands_on_them() {
    requires!(userns);
    let env = Env::new();
    let one = || ImageBuilder::scratch().layer(Layer::new().file("a", 0o644, b"12345"));
    load(&env, &one(), "localhost/one:1");
    load(&env, &one().layer(Layer::new().file("b", 0o644, &[7; 2048])), "localhost/two:1");
    load(&env, &one().layer(Layer::new().file("c", 0o644, b"3")), "localhost/three:1");
    env.run(["tag", "two:1", "also:2"]).success();
    let tree = env.run(["image", "tree", "two:1"]).success().stdout();
    let lines: Vec<&str> = tree.lines().collect();
    assert!(lines[0].starts_with("Image ID: ") && lines[0].len() == 22, "{tree}");
    assert_eq!(lines[1..4], ["Tags:     [localhost/also:2 localhost/two:1]", "Size:     2.053kB", "Image Layers"]);
    assert!(lines[4].starts_with("├── ID: ") && lines[4].ends_with(" Size:      5B Top Layer of: [localhost/one:1]"));
    assert!(lines[5].starts_with("└── ID: "), "{tree}");
    assert!(lines[5].ends_with(" Size: 2.048kB Top Layer of: [localhost/also:2 localhost/two:1]"), "{tree}");
    let tree = env.run(["image", "tree", "--whatrequires", "one:1"]).success().stdout();
    assert_eq!(tree.lines().filter(|line| line.contains("Top Layer of")).count(), 3, "{tree}");
    env.run(["image", "tree", "nope"]).code(125).stderr_has("image not known");
    env.run(["image", "tree", "--whatrequires", "three:1"]).success();
}

const EXPECTED: &str = "C /data\nC /data/file\nD /data/gone\nA /new\nA /new/link\nC /old\nD /old/1\nC /old/2\n";

#[test]
fn diff_of_images_reads_indexes_only() {
    requires!(userns);
    let env = Env::new();
    load(&env, &base(), "localhost/base:1");
    load(&env, &changed(), "localhost/changed:1");
    env.run(["image", "diff", "changed:1"]).prints(EXPECTED);
    env.run(["diff", "changed:1"]).prints(EXPECTED);
    let differs = "C /data\nC /data/file\nD /data/gone\nA /new\nA /new/link\nC /old\nD /old/1\n";
    env.run(["diff", "changed:1", "base:1"]).prints(differs);
    env.run(["image", "diff", "base:1", "changed:1"])
        .prints("C /data\nC /data/file\nA /data/gone\nD /new\nC /old\nA /old/1\n");
    let json = env.run(["diff", "--format", "json", "changed:1", "base:1"]).success().json();
    assert_eq!(json["deleted"], serde_json::json!(["/data/gone", "/old/1"]));
    assert_eq!((json["changed"].as_array().unwrap().len(), json["added"].as_array().unwrap().len()), (3, 2));
    // Not a single file of the image is needed.
    for layer in std::fs::read_dir(env.graphroot().join("layers")).unwrap() {
        let diff = layer.unwrap().path().join("diff");
        std::fs::rename(&diff, diff.with_extension("away")).unwrap();
    }
    env.run(["image", "diff", "changed:1"]).prints(EXPECTED);
    for layer in std::fs::read_dir(env.graphroot().join("layers")).unwrap() {
        let diff = layer.unwrap().path().join("diff");
        std::fs::rename(diff.with_extension("away"), diff).unwrap();
    }
    env.run(["diff", "--format", "{{.}}", "changed:1"]).code(125);
    env.run(["diff", "nope"]).code(125);
    env.run(["container", "diff", "changed:1"]).code(125);
}

#[test]
fn diff_of_containers() {
    requires!(userns);
    let env = Env::new();
    load(&env, &base(), "localhost/base:1");
    load(&env, &changed(), "localhost/changed:1");
    let script = "echo three > /data/file; rm /data/gone; rm -r /old; mkdir /old; echo -n 2 > /old/2; \
                  mkdir -m 700 /new; ln -s x /new/link; echo tmp > /mnt/x";
    for driver in ["overlay", "copy"] {
        let mut run = vec!["--storage-driver", driver, "run", "--name", driver, "--network=none"];
        run.extend(["--tmpfs", "/mnt", "localhost/base:1", "/bin/sh", "-c", script]);
        env.run(run).success();
        let lines = env.run(["diff", driver]).success().stdout();
        // In a copy an equal file is no change.
        let expected = if driver == "copy" {
            "C /data\nC /data/file\nD /data/gone\nA /new\nA /new/link\nC /old\nD /old/1\n"
        } else {
            EXPECTED
        };
        let told: String =
            lines.lines().filter(|line| !line.ends_with("/etc")).map(|line| format!("{line}\n")).collect();
        assert_eq!(told, expected, "{driver}: {lines}");
    }
    env.run(["diff", "-l"]).success();
    env.run(["container", "diff", "overlay"]).stdout_has("D /data/gone");
    let same = env.run(["diff", "overlay", "localhost/base:1"]).success().stdout();
    assert!(same.contains("C /data/file") && same.contains("D /old/1"), "{same}");
    env.run(["create", "--name", "fresh", "localhost/base:1", "true"]).success();
    env.run(["diff", "fresh"]).prints("");
    env.run([
        "run",
        "-d",
        "--name",
        "running",
        "--network=none",
        "localhost/base:1",
        "/bin/sh",
        "-c",
        "mkdir /q; exec sleep 600",
    ])
    .success();
    crate::harness::eventually("a directory", || env.run(["diff", "running"]).stdout().contains("A /q\n"));
    env.run(["rm", "-ft0", "running"]).success();
}
