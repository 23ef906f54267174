//! `pull` from registries that lie: nothing of the image may be visible afterwards, and nothing stays in staging.

use std::path::Path;

use nix::sys::signal::Signal;
use serde_json::json;

use super::peer::{Answer, Peer, Served};
use crate::harness::image::{ImageBuilder, Layer, sha256};
use crate::harness::output::Output;
use crate::harness::registry::Registry;
use crate::harness::token::{certificates, openssl};
use crate::harness::{Env, eventually, requires};

fn image() -> ImageBuilder {
    ImageBuilder::scratch().layer(Layer::new().file("a", 0o644, b"one\n")).layer(Layer::new().file(
        "b",
        0o644,
        &vec![7; 1 << 20],
    ))
}

fn pull(env: &Env, peer: &Peer) -> Output {
    env.run(["pull", "-q", "--tls-verify=false", "--retry=0", &peer.name()])
}

/// Asserts that the pull failed with `why` and left nothing.
fn refused(env: &Env, peer: &Peer, why: &str) {
    pull(env, peer).code(125).stderr_has(why);
    env.run(["images", "-a", "-q"]).success().prints("");
    // What came of a blob that may still become whole stays; nothing else does.
    for dir in ["images", "refs", "layers", "blobs/sha256", "staging", "trash"] {
        let left: Vec<_> = std::fs::read_dir(env.graphroot().join(dir)).into_iter().flatten().collect();
        assert!(left.is_empty(), "{dir}: {left:?}");
    }
}

#[test]
fn the_image_as_it_is_can_be_pulled() {
    requires!(userns);
    let env = Env::new();
    let peer = Served::new(&image()).start();
    pull(&env, &peer).success();
}

#[test]
fn b01_manifest_that_is_not_the_one_asked_for() {
    requires!(userns);
    let env = Env::new();
    let mut served = Served::new(&image());
    let digest = format!("sha256:{}", sha256(b"another"));
    let manifest = served.body("/v2/web/manifests/1");
    served.answers.insert(format!("/v2/web/manifests/{digest}"), Answer::Body(manifest));
    let peer = served.start();
    let name = format!("{}/web@{digest}", peer.address());
    env.run(["pull", "-q", "--tls-verify=false", &name])
        .code(125)
        .stderr_has("other content")
        .stderr_has("Hint: nothing of it was kept");
}

#[test]
fn wrong_layer_digest() {
    requires!(userns);
    let env = Env::new();
    let mut served = Served::new(&image());
    let path = served.layer(1);
    let mut bytes = served.body(&path);
    // The size of the file in the gzip trailer, so that the tar itself is whole.
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    served.answers.insert(path, Answer::Body(bytes));
    refused(&env, &served.start(), "layer sha256:");
}

#[test]
fn wrong_diff_id() {
    requires!(userns);
    let env = Env::new();
    let mut served = Served::new(&image());
    let config = served.manifest["config"]["digest"].as_str().unwrap().to_owned();
    let mut document: serde_json::Value =
        serde_json::from_slice(&served.body(&format!("/v2/web/blobs/{config}"))).unwrap();
    document["rootfs"]["diff_ids"][0] = json!(format!("sha256:{}", sha256(b"other")));
    let bytes = serde_json::to_vec(&document).unwrap();
    let digest = format!("sha256:{}", sha256(&bytes));
    served.manifest["config"]["digest"] = json!(digest);
    served.manifest["config"]["size"] = json!(bytes.len());
    served.answers.insert(format!("/v2/web/blobs/{digest}"), Answer::Body(bytes));
    served.publish();
    refused(&env, &served.start(), "layer sha256:");
}

#[test]
fn wrong_layer_size() {
    requires!(userns);
    for change in [-1_i64, 1] {
        let env = Env::new();
        let mut served = Served::new(&image());
        let size = served.manifest["layers"][0]["size"].as_i64().unwrap();
        served.manifest["layers"][0]["size"] = json!(size + change);
        served.publish();
        refused(&env, &served.start(), "the manifest says");
    }
}

#[test]
fn b08_truncated_layer() {
    requires!(userns);
    for keep in [0, 1, 1000] {
        let env = Env::new();
        let mut served = Served::new(&image());
        let path = served.layer(1);
        let bytes = served.body(&path);
        let keep = keep.min(bytes.len() - 1);
        served.answers.insert(path, Answer::Cut(bytes.len(), bytes[..keep].to_vec()));
        refused(&env, &served.start(), "read from registry");
    }
}

#[test]
fn b11_documents_and_layers_without_end() {
    requires!(userns);
    let env = Env::new();
    let config = Served::new(&image()).manifest["config"]["digest"].as_str().unwrap().to_owned();
    let (config, layer) = (format!("/v2/web/blobs/{config}"), Served::new(&image()).layer(0));
    for (path, why) in
        [("/v2/web/manifests/1".to_owned(), "is larger than"), (config, "is larger than"), (layer, "the manifest says")]
    {
        let mut served = Served::new(&image());
        served.answers.insert(path, Answer::Endless);
        refused(&env, &served.start(), why);
    }
}

#[test]
fn missing_layer_and_too_few_layers() {
    requires!(userns);
    let env = Env::new();
    let mut served = Served::new(&image());
    let path = served.layer(0);
    served.answers.remove(&path);
    refused(&env, &served.start(), "not found");
    let mut served = Served::new(&image());
    served.manifest["layers"].as_array_mut().unwrap().pop();
    served.publish();
    refused(&env, &served.start(), "layers");
}

#[test]
fn b05_credentials_do_not_follow_a_redirect() {
    requires!(userns);
    let env = Env::new();
    let mut served = Served::new(&image());
    let path = served.layer(0);
    let bytes = served.body(&path);
    let thief = Peer::start([("/stolen".to_owned(), Answer::Body(bytes))].into());
    for answer in served.answers.values_mut() {
        let inner = Box::new(answer.clone());
        *answer = Answer::Login("Basic realm=\"x\"".to_owned(), inner);
    }
    let redirect = Answer::Redirect(format!("http://{}/stolen", thief.address()));
    served.answers.insert(path, Answer::Login("Basic realm=\"x\"".to_owned(), Box::new(redirect)));
    let peer = served.start();
    refused(&env, &peer, "user name and a password");
    env.run(["pull", "-q", "--tls-verify=false", "--creds", "me:secret", &peer.name()]).success();
    let seen = thief.requests();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(!seen[0].to_ascii_lowercase().contains("authorization"), "{seen:?}");
    // The same from a file.
    let auth = json!({"auths": {peer.address(): {"auth": "bWU6c2VjcmV0"}}});
    let file = env.write("auth.json", serde_json::to_vec(&auth).unwrap());
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    env.run(["pull", "-q", "--tls-verify=false", "--authfile", "auth.json", &peer.name()]).success();
    env.run(["pull", "-q", "--tls-verify=false", "--authfile", "absent.json", &peer.name()])
        .code(125)
        .stderr_has("absent.json");
}

#[test]
fn a_killed_pull_leaves_nothing_that_the_next_does_not_take_away() {
    requires!(userns);
    let env = Env::new();
    let mut served = Served::new(&image());
    let path = served.layer(1);
    let bytes = served.body(&path);
    served.answers.insert(path, Answer::Stall(bytes));
    let stalled = served.start();
    let running = env.spawn(["pull", "-q", "--tls-verify=false", &stalled.name()]);
    let staging = env.graphroot().join("staging");
    let count = || std::fs::read_dir(&staging).map_or(0, Iterator::count);
    eventually("the layer stalls", || count() > 0 && stalled.requests().len() >= 4);
    running.signal(Signal::SIGKILL);
    assert!(!running.wait().is_success());
    eventually("all its processes are gone", || env.processes().is_empty());
    assert_eq!(count(), 1);
    env.run(["images", "-a", "-q"]).success().prints("");
    pull(&env, &Served::new(&image()).start()).success();
    assert_eq!(count(), 0);
}

#[test]
fn b14_no_silent_plain_http() {
    requires!(userns);
    let env = Env::new();
    let peer = Served::new(&image()).start();
    env.run(["pull", "-q", "--retry=0", &peer.name()]).code(125);
    assert!(peer.requests().is_empty());
}

#[test]
fn b14_expired_foreign_and_unknown_certificates() {
    requires!(registry);
    let env = Env::new();
    let dir = env.path("certs");
    certificates(&dir);
    let path = |name: &str| dir.join(name);
    openssl(
        &["x509", "-req", "-days", "-1", "-CAcreateserial", "-in"],
        &[
            &path("server.csr"),
            Path::new("-CA"),
            &path("ca.crt"),
            Path::new("-CAkey"),
            &path("ca.pem"),
            Path::new("-extfile"),
            &path("extensions"),
            Path::new("-out"),
            &path("expired.crt"),
        ],
    );
    let registry = |certificate: &str| {
        let (certificate, key) = (path(certificate), path("server.key"));
        let lines = format!("  tls:\n    certificate: {}\n    key: {}\n", certificate.display(), key.display());
        Registry::start_with(&env, &lines, "")
    };
    let (good, expired) = (registry("server.crt"), registry("expired.crt"));
    let own = env.path("own");
    std::fs::create_dir(&own).unwrap();
    std::fs::copy(path("ca.crt"), own.join("ca.crt")).unwrap();
    let own = own.display().to_string();
    let pull = |more: &[&str], name: &str| env.run([&["pull", "-q", "--retry=0"], more, &[name]].concat());
    let trusted = ["--cert-dir", own.as_str()];
    // The registry answers: there is no such image.
    let cure = format!("sampan search --list-tags {} shows", good.name("web"));
    pull(&trusted, &good.name("web")).code(125).stderr_has("not found").stderr_has(&cure);
    pull(&[], &good.name("web")).code(125).stderr_has("establish TLS").stderr_has("Hint:");
    let late = pull(&trusted, &expired.name("web"));
    late.code(125)
        .stderr_has("establish TLS")
        .stderr_has("xpired")
        .stderr_has("Hint: look at the clock of this machine");
    // The certificate is for the address, not for the name.
    let by_name = good.name("web").replace("127.0.0.1", "localhost");
    let by_name = pull(&trusted, &by_name);
    by_name.code(125).stderr_has("establish TLS").stderr_has("Hint: use a name that its certificate is for");
    env.run(["images", "-a", "-q"]).success().prints("");
}

/// A proxy that knows names which the host does not, and opens tunnels to one address whatever is asked for; the first
/// lines of what it was asked.
fn tunnels(to: String) -> (String, std::sync::Arc<std::sync::Mutex<Vec<String>>>) {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::{TcpListener, TcpStream};
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let asked = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = std::sync::Arc::clone(&asked);
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let lines = BufReader::new(client.try_clone().unwrap()).lines().map_while(Result::ok);
            let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            log.lock().unwrap().extend(head.into_iter().next());
            let mut server = TcpStream::connect(&to).unwrap();
            client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
            let (mut from, mut into) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut from, &mut into));
            // Whoever hangs up first ends it.
            std::io::copy(&mut server, &mut client).ok();
            client.shutdown(std::net::Shutdown::Both).ok();
        }
    });
    (address, asked)
}

#[test]
fn plain_http_behind_a_proxy_that_alone_knows_the_name() {
    requires!(userns);
    let mut env = Env::new();
    let peer = Served::new(&image()).start();
    let (proxy, asked) = tunnels(peer.address().to_owned());
    env.set("HTTP_PROXY", format!("http://{proxy}"));
    let pull = |more: &[&str]| env.run([&["pull", "-q", "--retry=0"], more, &["inner.invalid:5000/web:1"]].concat());
    pull(&[]).code(125).stderr_has("find the address of registry host");
    assert!(asked.lock().unwrap().is_empty(), "http was not allowed");
    pull(&["--tls-verify=false"]).success();
    assert!(asked.lock().unwrap().iter().all(|line| line.starts_with("CONNECT inner.invalid:5000 ")));
}

#[test]
fn a_proxy_that_does_not_answer_is_named() {
    let mut env = Env::new();
    // Nothing listens on port 1.
    env.set("HTTPS_PROXY", "http://me:s3cret@127.0.0.1:1");
    // That no http proxy is named, and nobody has that name, is not the point.
    for verify in ["--tls-verify=true", "--tls-verify=false"] {
        let out = env.run(["pull", "-q", "--retry=0", verify, "registry.invalid/x"]);
        out.code(125).stderr_has("by the proxy 127.0.0.1:1").stderr_has("Hint: HTTPS_PROXY");
        assert!(!out.stderr().contains("s3cret"), "{out}");
    }
}

#[test]
fn a_proxy_of_another_kind_is_an_error() {
    for address in ["socks5://127.0.0.1:1", "SOCKS5H://me:s3cret@proxy.invalid:1", "https://127.0.0.1:1"] {
        let mut env = Env::new();
        env.set("HTTPS_PROXY", address);
        for verb in [&["pull", "-q", "192.0.2.1/x"][..], &["import", "https://192.0.2.1/x.tar", "x"]] {
            let out = env.run(verb);
            out.code(125).stderr_has("it is not http://[USER:PASSWORD@]HOST[:PORT]");
            assert!(!out.stderr().contains("s3cret"), "{out}");
        }
    }
}

/// The media type of an index, and an entry for this digest.
fn index_of(digest: &str, size: usize, platform: &str) -> serde_json::Value {
    json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry(INDEX, digest, size, platform)]})
}

fn entry(media_type: &str, digest: &str, size: usize, platform: &str) -> serde_json::Value {
    let (os, architecture) = platform.split_once('/').unwrap();
    json!({"mediaType": media_type, "digest": digest, "size": size, "platform": {"os": os, "architecture": architecture}})
}

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Serves these bytes as the manifest of the tag.
fn tagged(bytes: impl Into<Vec<u8>>) -> Peer {
    let mut served = Served::new(&image());
    served.answers.insert("/v2/web/manifests/1".to_owned(), Answer::Body(bytes.into()));
    served.start()
}

#[test]
fn b02_digests_that_are_paths_or_of_another_algorithm() {
    requires!(userns);
    let env = Env::new();
    let upper = format!("sha256:{}", "AB".repeat(32));
    let md5 = format!("md5:{}", "a".repeat(32));
    for digest in ["sha256:../../../../etc/passwd", "sha256:12", &upper, &md5, ":", "", "sha256:\0"] {
        for place in ["config", "layer"] {
            let mut manifest = Served::new(&image()).manifest;
            let target = if place == "config" { &mut manifest["config"] } else { &mut manifest["layers"][0] };
            target["digest"] = json!(digest);
            refused(&env, &tagged(manifest.to_string()), "is not a digest");
        }
        refused(&env, &tagged(index_of(digest, 1, "linux/amd64").to_string()), "is not a digest");
    }
}

#[test]
fn b03_documents_that_are_two_things() {
    requires!(userns);
    let env = Env::new();
    let mut manifest = Served::new(&image()).manifest;
    manifest["manifests"] = json!([]);
    refused(&env, &tagged(manifest.to_string()), "ambiguous");
    let body = Served::new(&image()).manifest.to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {INDEX}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut served = Served::new(&image());
    served.answers.insert("/v2/web/manifests/1".to_owned(), Answer::Raw([head.as_bytes(), body.as_bytes()].concat()));
    refused(&env, &served.start(), "ambiguous");
}

#[test]
fn b04_indexes_without_end_and_without_our_platform() {
    requires!(userns);
    let env = Env::new();
    let host = format!("linux/{}", if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" });
    let mut served = Served::new(&image());
    let mut document = served.manifest.to_string();
    let mut kind = MANIFEST;
    for _ in 0..6 {
        let digest = format!("sha256:{}", sha256(document.as_bytes()));
        served.answers.insert(format!("/v2/web/manifests/{digest}"), Answer::Body(document.clone().into_bytes()));
        let entries = json!([entry(kind, &digest, document.len(), &host)]);
        document = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).to_string();
        kind = INDEX;
    }
    served.answers.insert("/v2/web/manifests/1".to_owned(), Answer::Body(document.into_bytes()));
    refused(&env, &served.start(), "more than 3 deep");
    let digest = format!("sha256:{}", sha256(b"x"));
    refused(&env, &tagged(index_of(&digest, 1, "plan9/mips").to_string()), "it has: plan9/mips");
    let many: Vec<_> = (0..100_000).map(|_| entry(MANIFEST, &digest, 1, &host)).collect();
    let large = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": many}).to_string();
    refused(&env, &tagged(large), "larger than");
}

#[test]
fn b06_foreign_layers_are_not_fetched_from_elsewhere() {
    requires!(userns);
    let env = Env::new();
    let mut served = Served::new(&image());
    let path = served.layer(0);
    let thief = Peer::start([("/stolen".to_owned(), Answer::Body(served.body(&path)))].into());
    served.manifest["layers"][0]["urls"] = json!([format!("http://{}/stolen", thief.address()), "file:///etc/passwd"]);
    served.publish();
    served.answers.remove(&path);
    refused(&env, &served.start(), "not found");
    assert!(thief.requests().is_empty());
}

#[test]
fn b07_a_token_realm_elsewhere_gets_no_password() {
    requires!(userns);
    let env = Env::new();
    for realm in ["http://169.254.169.254/token", "https://10.0.0.1/token", "file:///etc/passwd", "https://u:p@h/"] {
        let mut served = Served::new(&image());
        let inner = Box::new(served.answers["/v2/web/manifests/1"].clone());
        let challenge = format!("Bearer realm=\"{realm}\",service=\"x\"");
        served.answers.insert("/v2/web/manifests/1".to_owned(), Answer::Login(challenge, inner));
        let peer = served.start();
        env.run(["pull", "-q", "--tls-verify=false", "--retry=0", "--creds=me:secret", &peer.name()])
            .code(125)
            .stderr_has("asks for a login that cannot be given");
        assert_eq!(peer.requests().len(), 1);
    }
}

#[test]
fn b09_a_storm_of_429_ends_and_waits_are_left_at_once() {
    requires!(userns);
    let env = Env::new();
    let busy = |after: &str| {
        let text = format!(
            "HTTP/1.1 429 Too Many Requests\r\nRetry-After: {after}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        );
        let mut served = Served::new(&image());
        served.answers.insert("/v2/web/manifests/1".to_owned(), Answer::Raw(text.into_bytes()));
        served.start()
    };
    for after in ["1000000000", "-1", "Wed, 21 Oct 2015 07:28:00 GMT", "soon"] {
        refused(&env, &busy(after), "status 429");
    }
    let peer = busy("0");
    let out = env.run(["pull", "-q", "--tls-verify=false", "--retry=2", &peer.name()]);
    out.code(125).stderr_has("status 429").stderr_has("Hint: wait");
    assert_eq!(peer.asked("/manifests/"), 3);
    let peer = busy("1000000000");
    let waiting = env.spawn(["pull", "-q", "--tls-verify=false", "--retry=3", &peer.name()]);
    eventually("it waits", || peer.asked("/manifests/") == 1);
    waiting.signal(Signal::SIGINT);
    assert!(!waiting.wait_for(std::time::Duration::from_secs(30)).is_success());
}

#[test]
fn a_kept_connection_that_is_closed_costs_no_try() {
    requires!(userns);
    let env = Env::new();
    let mut served = Served::new(&image());
    for path in ["/v2/web/manifests/1".to_owned(), served.layer(0)] {
        served.answers.insert(path.clone(), Answer::HangUp(served.body(&path)));
    }
    let peer = served.start();
    env.run(["pull", "-q", "--tls-verify=false", "--retry=0", &peer.name()]).success();
}

#[test]
fn b12_json_bombs() {
    requires!(userns);
    let env = Env::new();
    let manifest = Served::new(&image()).manifest.to_string();
    let size = |text: &str| {
        let mut manifest = Served::new(&image()).manifest;
        manifest["layers"][0]["size"] = json!("SIZE");
        manifest.to_string().replace("\"SIZE\"", text)
    };
    for bytes in [
        "[".repeat(100_000),
        format!("{}{}", "{\"a\":".repeat(100_000), "}".repeat(100_000)),
        manifest.replacen('{', "{\"schemaVersion\":2,", 1),
        size("-1"),
        size("9223372036854775808"),
        size("1e400"),
        size("null"),
        "null".to_owned(),
        "{\"schemaVersion\":2,\"config\":null,\"layers\":null}".to_owned(),
        manifest.replacen('{', "{\"annotations\":{\"a\":\"\\ud800\"},", 1),
    ] {
        refused(&env, &tagged(bytes), "is not valid");
    }
}

#[test]
fn b13_names_that_are_none_reach_no_server() {
    requires!(userns);
    let env = Env::new();
    let peer = Served::new(&image()).start();
    for name in ["../..", "a//b", "web:.", "WEB", "web@sha256:12", "we b", "web\u{1b}[1m", &"a".repeat(300)] {
        let name = format!("{}/{name}", peer.address());
        let out = env.run(["pull", "-q", "--tls-verify=false", &name]);
        out.code(125).stderr_has("invalid image reference");
        assert!(!out.stderr().contains('\u{1b}'), "{out}");
    }
    assert!(peer.requests().is_empty());
}
