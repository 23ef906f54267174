//! `rmi` and `image prune`.

use super::peer::{Peer, Served};
use crate::harness::image::{ImageBuilder, Layer};
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
    assert!(is_empty(&env));
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
    env.run(["untag", &id]).success();
    env.run(["image", "prune", "-f", "--filter", "until=2020-01-01"]).prints("");
    env.run(["image", "prune", "-f"]).prints(&format!("{id}\n"));
    let (_third, _) = pulled(&env, b"3");
    let (_fourth, _) = pulled(&env, b"4");
    env.run(["rmi", "--all"]).success();
    assert!(is_empty(&env));
}
