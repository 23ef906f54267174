//! `rmi` and `image prune`.

use super::peer::{Peer, Served};
use crate::harness::image::{BUSYBOX, ImageBuilder, Layer};
use crate::harness::terminal::Terminal;
use crate::harness::{Env, requires};

fn pulled(env: &Env, content: &[u8]) -> (Peer, String) {
    let peer = Served::new(&ImageBuilder::scratch().layer(Layer::new().file("a", 0o644, content))).start();
    let id = env.run(["pull", "-q", "--tls-verify=false", &peer.name()]).success().trimmed();
    (peer, id)
}

fn is_empty(env: &Env) -> bool {
    ["images", "refs", "layers", "blobs/sha256", "staging", "trash"]
        .iter()
        .all(|dir| std::fs::read_dir(env.graphroot().join(dir)).map_or(true, |mut entries| entries.next().is_none()))
}

#[test]
fn the_last_name_takes_the_image_along() {
    requires!(userns);
    let env = Env::new();
    let (peer, id) = pulled(&env, b"1");
    env.run(["tag", &id, "second"]).success();
    env.run(["rmi", &id]).code(125).stderr_has("more than one name");
    env.run(["rmi", &peer.name()]).prints(&format!("Untagged: {}\n", peer.name()));
    env.run(["rmi", "second"]).prints(&format!("Untagged: localhost/second:latest\nDeleted: {id}\n"));
    env.run(["rmi", "second"]).code(1).stderr_has("image not known");
    env.run(["rmi", "--ignore", "second"]).success();
    // A whole id that is nobody's is as absent as a name.
    for verb in [&["rmi"][..], &["image", "exists"], &["rmi", &id, "nope"]] {
        env.run(verb.iter().copied().chain([id.as_str()])).code(1);
    }
    env.run(["rmi", &id]).stderr_has("image not known");
    env.run(["image", "inspect", &id]).code(125).stderr_has("image not known");
    env.run(["rmi", "-i", "-f", &id]).success();
    assert!(is_empty(&env));
}

#[test]
fn both_names_removed_at_once_take_the_image_along() {
    requires!(userns);
    let env = Env::new();
    for round in 0..8 {
        let (peer, _) = pulled(&env, format!("{round}").as_bytes());
        env.run(["tag", &peer.name(), "second"]).success();
        let both = [peer.name(), "second".to_owned()].map(|name| env.spawn(["rmi", &name]));
        for one in both {
            one.wait().success();
        }
        assert!(is_empty(&env), "round {round}");
    }
}

#[test]
fn what_came_and_went_again_has_come() {
    requires!(userns);
    let env = Env::new();
    let path = env.path("x.tar");
    ImageBuilder::scratch().layer(Layer::new().file("x", 0o644, b"x")).docker_archive(&path, "example.org/x:1");
    let ends = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !ends.load(std::sync::atomic::Ordering::Relaxed) {
                    env.run(["rmi", "-f", "-i", "example.org/x:1"]).success();
                }
            });
        }
        let loads: Vec<_> = (0..40).map(|_| env.run(["load", "-q", "-i", path.to_str().unwrap()])).collect();
        ends.store(true, std::sync::atomic::Ordering::Relaxed);
        for load in loads {
            load.prints("Loaded image: example.org/x:1\n");
        }
    });
    env.run(["system", "check", "--full"]).success();
}

#[test]
fn force_all_and_prune() {
    requires!(userns);
    let env = Env::new();
    let (_first, id) = pulled(&env, b"1");
    env.run(["tag", &id, "second"]).success();
    env.run(["rmi", "-f", &id[..12]]).success().stdout_has(&format!("Deleted: {id}"));
    let (_second, id) = pulled(&env, b"2");
    env.run(["image", "prune", "-f"]).prints("");
    env.run(["untag", &id, "localhost/no:such"]).code(125).stderr_has("Error: localhost/no:such: tag not known\n");
    env.run(["untag", &id]).success();
    env.run(["image", "prune", "-f", "--filter", "until=2020-01-01"]).prints("");
    env.run(["image", "prune", "-f"]).prints(&format!("{id}\n"));
    let (_third, _) = pulled(&env, b"3");
    let (_fourth, _) = pulled(&env, b"4");
    env.run(["rmi", "--all"]).success();
    assert!(is_empty(&env));
}

#[test]
fn exit_codes_and_containers() {
    requires!(userns);
    let env = Env::with_busybox();
    env.run(["create", "--name", "user", BUSYBOX, "true"]).success();
    let id = env.run(["images", "-q", "--no-trunc", BUSYBOX]).trimmed().trim_start_matches("sha256:").to_owned();
    // In use: 2. Not there: 1. Both: the worse one. The others go on.
    env.run(["rmi", BUSYBOX]).code(2).stderr_has("in use");
    env.run(["rmi", "nope"]).code(1).stderr_has("nope: image not known");
    env.run(["tag", BUSYBOX, "a", "b", "c"]).success();
    env.run(["rmi", "a", "nope", "b"]).code(1).prints("Untagged: localhost/a:latest\nUntagged: localhost/b:latest\n");
    env.run(["rmi", &id[..10]]).code(125).stderr_has("more than one name");
    env.run(["rmi", "c"]).success();
    env.run(["rmi", "--all"]).code(2).stderr_has("in use");
    env.run(["rmi"]).code(125);
    env.run(["rmi", "--all", BUSYBOX]).code(125);
    env.run(["rmi", "-f", "nope"]).success();
    // By digest and by prefix of the id; force takes the containers along.
    let digest = env.run(["images", "--format", "{{.Digest}}", BUSYBOX]).trimmed();
    env.run(["image", "exists", &digest]).success();
    env.run(["image", "rm", "-f", &id[..6]]).success().stdout_has(&format!("Deleted: {id}"));
    env.run(["ps", "-aq"]).prints("");
    env.run(["rmi", "-i", &id]).prints("");
    assert!(is_empty(&env));
}

#[test]
fn what_a_build_leaves_goes_with_its_result() {
    requires!(userns);
    let env = Env::new();
    let base = || ImageBuilder::scratch().layer(Layer::new().file("a", 0o644, b"1"));
    let middle = || base().layer(Layer::new().file("b", 0o644, b"2"));
    let top = || middle().layer(Layer::new().file("c", 0o644, b"3"));
    let load = |image: ImageBuilder, name: &str| {
        let path = env.path("image.tar");
        image.docker_archive(&path, name);
        env.run(["load", "-q", "-i", &path.to_string_lossy()]).success();
        env.run(["images", "-q", "--no-trunc", name]).trimmed().trim_start_matches("sha256:").to_owned()
    };
    let ids = [load(base(), "localhost/one:1"), load(middle(), "localhost/two:1"), load(top(), "localhost/three:1")];
    env.run(["untag", "one:1"]).success();
    env.run(["untag", "two:1"]).success();
    env.run(["image", "prune", "-f"]).prints("");
    // A twin of the result keeps what both were built on.
    let other = base().layer(Layer::new().file("d", 0o644, b"4"));
    load(other, "localhost/four:1");
    let untagged = "Untagged: localhost/three:1\n";
    env.run(["rmi", "three:1"]).prints(&format!("{untagged}Deleted: {}\nDeleted: {}\n", ids[2], ids[1]));
    env.run(["images", "-aq", "--no-trunc"]).stdout_has(&ids[0]);
    env.run(["rmi", "--no-prune", "four:1"]).success();
    env.run(["image", "prune", "--force"]).prints(&format!("{}\n", ids[0]));
    assert!(is_empty(&env));
    // What went with another is not missed.
    for (image, name) in [(base(), "localhost/one:1"), (middle(), "localhost/two:1"), (top(), "localhost/three:1")] {
        load(image, name);
    }
    env.run(["untag", "one:1"]).success();
    env.run(["untag", "two:1"]).success();
    // A name that cannot be read may be that of one of them.
    let damaged = env.graphroot().join("refs/localhost+two:1");
    std::fs::write(&damaged, b"").unwrap();
    let removed = env.run(["rmi", "three:1"]);
    removed.prints(&format!("{untagged}Deleted: {}\n", ids[2])).stderr_has("nobody knows whose name this is");
    std::fs::remove_file(&damaged).unwrap();
    load(top(), "localhost/three:1");
    env.run(["rmi", "-af"]).success();
    assert!(is_empty(&env));
}

#[test]
fn prune_asks_and_filters() {
    requires!(userns);
    let env = Env::new();
    let (_peer, id) = pulled(&env, b"1");
    env.command(["image", "prune", "-a"]).stdin("").run().code(125).stderr_has("EOF\nHint: --force");
    for answer in ["n\n", "perhaps\n"] {
        env.command(["image", "prune", "-a"]).stdin(answer).run().success().stdout_has(
            "WARNING! This command removes all images without at least one container associated with them.\nAre you sure",
        );
    }
    env.run(["image", "exists", &id]).success();
    env.run(["image", "prune", "-af", "--filter", "label=nope"]).prints("");
    env.run(["image", "prune", "-af", "--filter", "until=1h"]).success();
    env.run(["image", "prune", "-f", "--filter", "nope=1"]).code(125);
    let mut terminal = Terminal::start(&env.command(["image", "prune", "-a"]), 24, 80);
    terminal.expect("[y/N] ");
    terminal.send("y\n");
    assert_eq!(terminal.finish().0, 0);
    assert!(is_empty(&env));
}
