//! Pulls that are cut and go on, and pulls that meet.

use nix::sys::signal::Signal;

use super::peer::{Answer, Peer, Served};
use crate::harness::image::{Compression, ImageBuilder, Layer, noise};
use crate::harness::{Env, eventually, requires};

fn image(sizes: &[usize]) -> ImageBuilder {
    sizes.iter().enumerate().fold(ImageBuilder::scratch().compression(Compression::Plain), |image, (index, size)| {
        image.layer(Layer::new().file(&format!("file{index}"), 0o644, &noise(index as u64 + 1, *size)))
    })
}

/// Serves the layers in parts, at this rate.
fn served(sizes: &[usize], rate: u64) -> (Served, u64) {
    let mut served = Served::new(&image(sizes));
    let mut bytes = 0;
    for index in 0..sizes.len() {
        let path = served.layer(index);
        let body = served.body(&path);
        bytes += body.len() as u64;
        served.answers.insert(path, Answer::Ranged(body, rate));
    }
    (served, bytes)
}

fn count(env: &Env, dir: &str) -> usize {
    std::fs::read_dir(env.graphroot().join(dir)).map_or(0, Iterator::count)
}

fn arguments(peer: &Peer) -> [String; 4] {
    ["pull".to_owned(), "--tls-verify=false".to_owned(), "--retry=0".to_owned(), peer.name()]
}

/// Kills a pull when the peer has sent so many bytes.
fn kill_at(env: &Env, peer: &Peer, bytes: u64) {
    let running = env.spawn(arguments(peer));
    eventually("the bytes are sent", || peer.sent() >= bytes);
    running.signal(Signal::SIGKILL);
    assert!(!running.wait().is_success());
    eventually("all its processes are gone", || env.processes().is_empty());
}

#[test]
fn b08_killed_twenty_times_it_fetches_each_byte_once() {
    requires!(userns);
    let env = Env::new();
    let (served, size) = served(&[20 << 20, 10 << 20, 12 << 20], 20 << 20);
    let peer = served.start();
    let spread = noise(u64::from(std::process::id()), 20);
    for (round, byte) in spread.iter().enumerate() {
        // Anywhere in each twentieth.
        let at = size * (round as u64 * 256 + u64::from(*byte)) / (20 * 256);
        kill_at(&env, &peer, at.max(1));
    }
    env.run(["images", "-a", "-q"]).success().prints("");
    env.run(arguments(&peer)).success();
    assert!(peer.sent() * 100 <= size * 105, "{} of {size} bytes were fetched", peer.sent());
    assert!(peer.requests().iter().any(|head| head.to_ascii_lowercase().contains("range: bytes=")));
    env.run(["image", "exists", &peer.name()]).success();
    assert_eq!((count(&env, "partial"), count(&env, "staging")), (0, 0));
}

#[test]
fn b08_a_part_goes_on_at_a_server_without_ranges_or_with_others() {
    requires!(userns);
    let odd = b"HTTP/1.1 206 Partial Content\r\nConnection: close\r\nContent-Length: 1\r\nContent-Range: bytes 0-0/9\r\n\r\nx";
    for raw in [None, Some(odd.to_vec())] {
        let env = Env::new();
        let (slow, size) = served(&[4 << 20], 4 << 20);
        let path = slow.layer(0);
        let peer = slow.start();
        kill_at(&env, &peer, size / 2);
        assert_eq!(count(&env, "partial"), 1);
        let mut other = Served::new(&image(&[4 << 20]));
        if let Some(raw) = raw {
            let whole = Box::new(other.answers[&path].clone());
            other.answers.insert(path, Answer::IfRange(Box::new(Answer::Raw(raw)), whole));
        }
        let peer = other.start();
        env.run(arguments(&peer)).success().stderr_has("resumed");
        assert_eq!((count(&env, "partial"), count(&env, "staging")), (0, 0));
    }
}

#[test]
fn a_damaged_part_is_fetched_anew() {
    requires!(userns);
    let env = Env::new();
    let (slow, size) = served(&[4 << 20], 4 << 20);
    let peer = slow.start();
    kill_at(&env, &peer, size / 2);
    let part = std::fs::read_dir(env.graphroot().join("partial")).unwrap().next().unwrap().unwrap().path();
    for damage in [0, 1 << 20] {
        let mut bytes = std::fs::read(&part).unwrap_or_else(|_| vec![1; 2 << 20]);
        bytes[damage] ^= 1;
        std::fs::write(&part, bytes).unwrap();
        let fresh = Served::new(&image(&[4 << 20])).start();
        env.run(arguments(&fresh)).success();
        // The config, the rest of the part, the whole. A tar that cannot be read may be noticed before anything is asked.
        assert!((2..=3).contains(&fresh.asked("/blobs/")), "{:?}", fresh.requests());
        assert_eq!((count(&env, "partial"), count(&env, "staging")), (0, 0));
        env.run(["rmi", "-a", "-f"]).success();
    }
}

#[test]
fn two_pulls_of_one_image_fetch_it_once() {
    requires!(userns);
    let env = Env::new();
    let (served, size) = served(&[3 << 20, 4 << 20, 2 << 20, 1 << 20, 1 << 20], 2 << 20);
    let peer = served.start();
    let first = env.spawn(arguments(&peer));
    eventually("the first one fetches", || peer.sent() > 0);
    let second = env.spawn(arguments(&peer));
    eventually("the second one waits", || second.stderr().contains("waiting for another pull"));
    second.wait().success();
    first.wait().success();
    assert_eq!(peer.sent(), size);
    assert_eq!((count(&env, "partial"), count(&env, "staging")), (0, 0));
}

#[test]
fn many_pulls_of_images_that_share_layers_never_wait_for_each_other_for_ever() {
    requires!(userns);
    let env = Env::new();
    let sizes = [1 << 20, 2 << 20, 3 << 20];
    let (a, size) = served(&sizes, 4 << 20);
    // The same layers the other way round: whoever comes first has the largest, which begins first.
    let peer = a.start();
    let all: Vec<_> = (0..6).map(|_| env.spawn(arguments(&peer))).collect();
    for pull in all {
        pull.wait().success();
    }
    assert_eq!(peer.sent(), size);
}

#[test]
fn the_second_takes_over_when_the_first_dies() {
    requires!(userns);
    let env = Env::new();
    let (served, size) = served(&[6 << 20], 4 << 20);
    let peer = served.start();
    let first = env.spawn(arguments(&peer));
    eventually("the first one fetches", || peer.sent() > size / 4);
    let second = env.spawn(arguments(&peer));
    eventually("the second one waits", || second.stderr().contains("waiting for another pull"));
    first.signal(Signal::SIGKILL);
    assert!(!first.wait().is_success());
    second.wait().success().stderr_has("resumed");
    assert!(peer.sent() < size + size / 20, "{} of {size}", peer.sent());
    env.run(["image", "prune", "-f"]).success();
    assert_eq!(count(&env, "partial"), 0);
}

#[test]
fn old_parts_are_swept() {
    requires!(userns);
    let env = Env::new();
    let (served, size) = served(&[4 << 20], 4 << 20);
    let peer = served.start();
    kill_at(&env, &peer, size / 2);
    let part = std::fs::read_dir(env.graphroot().join("partial")).unwrap().next().unwrap().unwrap().path();
    env.run(["image", "prune", "-f"]).success();
    assert!(part.exists(), "it is young");
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_hours(8 * 24);
    std::fs::File::options().append(true).open(&part).unwrap().set_modified(long_ago).unwrap();
    env.run(["image", "prune", "-f"]).success();
    assert!(!part.exists());
}
