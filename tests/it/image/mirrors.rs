//! Mirrors that are broken, or lie: the next place has the blob.

use super::peer::{Answer, Peer, Served};
use crate::harness::image::{Compression, ImageBuilder, Layer};
use crate::harness::{Env, requires};

fn image(compression: Compression) -> ImageBuilder {
    let content: Vec<u8> = (0_u32..20_000).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let layer = |name: &str| Layer::new().file(name, 0o644, &content).file("z", 0o644, b"z");
    ImageBuilder::scratch().compression(compression).layer(layer("first")).layer(layer("second"))
}

/// The registry with these mirrors before it.
fn configure(env: &Env, origin: &Peer, mirrors: &[&Peer]) {
    let mut text = format!("[[registry]]\nlocation = \"{}\"\ninsecure = true\n", origin.address());
    for mirror in mirrors {
        text += &format!("[[registry.mirror]]\nlocation = \"{}\"\ninsecure = true\n", mirror.address());
    }
    let dir = env.home().join(".config/containers");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("registries.conf"), text).unwrap();
}

/// What a bad mirror does with the blob that it should give.
fn bad_answers(bytes: &[u8]) -> Vec<(&'static str, Option<Answer>)> {
    let flipped = |at: usize| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 1;
        Answer::Body(bytes)
    };
    let half = bytes[..bytes.len() / 2].to_vec();
    vec![
        ("404", None),
        ("flipped at the start", Some(flipped(0))),
        ("flipped in the middle", Some(flipped(bytes.len() / 2))),
        ("flipped at the end", Some(flipped(bytes.len() - 1))),
        ("other bytes", Some(Answer::Body(vec![b'x'; bytes.len()]))),
        ("truncated", Some(Answer::Cut(bytes.len(), half.clone()))),
        ("shorter", Some(Answer::Body(half))),
        ("longer", Some(Answer::Body([bytes, b"more"].concat()))),
        ("endless", Some(Answer::Endless)),
        ("500", Some(Answer::Raw(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec()))),
        ("no http", Some(Answer::Raw(b"hello".to_vec()))),
    ]
}

/// An image of which one layer is spoilt.
fn bad(compression: Compression, answer: Option<Answer>) -> Peer {
    let mut served = Served::new(&image(compression));
    let path = served.layer(1);
    match answer {
        Some(answer) => drop(served.answers.insert(path, answer)),
        None => drop(served.answers.remove(&path)),
    }
    served.start()
}

#[test]
fn b08_a_blob_that_a_mirror_spoils_comes_from_the_next_place() {
    requires!(userns);
    for compression in [Compression::Plain, Compression::Gzip, Compression::Zstd] {
        let origin = Served::new(&image(compression)).start();
        let served = Served::new(&image(compression));
        for (what, answer) in bad_answers(&served.body(&served.layer(1))) {
            // The ways of failing are of HTTP; who notices other bytes differs by compression.
            if compression != Compression::Gzip && !what.contains("flipped") {
                continue;
            }
            let env = Env::new();
            let mirror = bad(compression, answer);
            configure(&env, &origin, &[&mirror]);
            let out = env.run(["pull", "--retry=0", &origin.name()]);
            assert!(out.is_success(), "{compression:?}, {what}: {out}");
            assert!(mirror.asked("/blobs/") >= 2, "{what}");
            env.run(["system", "check", "--full"]).success();
            env.run(["image", "exists", &origin.name()]).success();
        }
    }
}

#[test]
fn all_places_are_asked_in_turn_and_the_last_error_is_told() {
    requires!(userns);
    let env = Env::new();
    let compression = Compression::Gzip;
    let served = Served::new(&image(compression));
    let blob = served.body(&served.layer(1));
    let wrong = || Some(Answer::Body(vec![0; blob.len()]));
    let (first, second, origin) = (bad(compression, wrong()), bad(compression, wrong()), bad(compression, wrong()));
    configure(&env, &origin, &[&first, &second]);
    let out = env.run(["pull", "--retry=0", &origin.name()]);
    out.code(125);
    assert_eq!(out.stderr().matches("a mirror gave something else").count(), 2, "{out}");
    for dir in ["staging", "layers", "blobs/sha256", "images", "partial"] {
        let left = std::fs::read_dir(env.graphroot().join(dir)).map_or(0, Iterator::count);
        assert!(left == 0 || dir == "partial", "{dir}: {left}");
    }
    // Once the registry is well again, the same pull comes through.
    let origin = Served::new(&image(compression)).start();
    configure(&env, &origin, &[&first, &second]);
    env.run(["pull", "-q", "--retry=0", &origin.name()]).success();
    // Whoever asks for no other place than a mirror that lies gets nothing.
    env.run(["rmi", "-af"]).success();
    let lone = bad(compression, wrong());
    configure(&env, &lone, &[]);
    env.run(["pull", "-q", "--retry=0", &lone.name()]).code(125);
}

#[test]
fn why_a_mirror_failed_is_told_where_nobody_has_the_image() {
    let env = Env::new();
    let empty = || Served::new(&image(Compression::Gzip));
    let (mirror, origin) = (empty().start(), empty().start());
    configure(&env, &origin, &[&mirror]);
    let out = env.run(["pull", "-q", "--retry=0", &format!("{}/no/such:1", origin.address())]);
    out.code(125).stderr_has("mirror failed, too").stderr_has(mirror.address());
}

#[test]
fn given_credentials_are_for_the_host_that_the_user_named() {
    requires!(userns);
    let env = Env::new();
    let mut served = Served::new(&image(Compression::Gzip));
    for answer in served.answers.values_mut() {
        *answer = Answer::Login("Basic realm=\"r\"".to_owned(), Box::new(answer.clone()));
    }
    let peer = served.start();
    let conf = format!(
        "[[registry]]\nprefix = \"vendor.invalid/team\"\nlocation = \"{0}\"\ninsecure = true\n[[registry]]\nlocation = \"{0}\"\n\
         insecure = true\n",
        peer.address()
    );
    let dir = env.home().join(".config/containers");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("registries.conf"), conf).unwrap();
    let pull = |name: &str| env.run(["pull", "-q", "--retry=0", "--creds", "alice:s3cret", name]);
    pull("vendor.invalid/team/web:1").code(125).stderr_has("user name and a password");
    let told = |head: &String| head.to_ascii_lowercase().contains("authorization:");
    assert!(peer.asked("/manifests/1") == 1 && !peer.requests().iter().any(told), "{:?}", peer.requests());
    pull(&peer.name()).success();
    assert!(peer.requests().iter().any(told));
}

#[test]
fn a_registries_conf_that_is_named_and_not_there_is_an_error() {
    let mut env = Env::new();
    let path = env.path("none.conf").display().to_string();
    env.set("CONTAINERS_REGISTRIES_CONF", &path);
    env.run(["pull", "-q", "--retry=0", "127.0.0.1:1/a:1"]).code(125).stderr_has("none.conf").stderr_has("ENOENT");
}
