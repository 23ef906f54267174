//! Servers that lie, cut, leak and stall.

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use super::peer::{Peer, Request, ok, redirect, response};
use crate::config::auth_file::Credentials;
use crate::config::registries_conf::Location;
use crate::registry::{BlobSink, Error, Retry, Session};
use crate::sys;
use crate::types::descriptor::Descriptor;
use crate::types::digest::Digest;

const BLOB: &[u8] = b"0123456789abcdef";

struct Memory(Vec<u8>);

impl BlobSink for Memory {
    fn write(&mut self, bytes: &[u8]) -> sys::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

fn session(peer: &Peer, credentials: Option<Credentials>) -> Session {
    let location = Location { host: peer.host.clone(), path: "a/b".to_owned(), insecure: true, named: true };
    Session::new(location, credentials, Retry { count: 2, delay: Some(Duration::ZERO) })
}

fn user() -> Credentials {
    Credentials::Password { user: "me".to_owned(), password: "secret".to_owned().into() }
}

fn descriptor() -> Descriptor {
    Descriptor { media_type: String::new(), digest: Digest::of(BLOB), size: BLOB.len() as u64 }
}

fn blob(peer: &Peer, credentials: Option<Credentials>) -> Result<Vec<u8>, Error> {
    let mut sink = Memory(Vec::new());
    session(peer, credentials).blob(&descriptor(), &mut 0, &mut sink).map(|()| sink.0)
}

#[test]
fn b01_wrong_manifest() {
    let asked = Digest::of(b"asked").to_string();
    let peer = Peer::start(|_| ok(b"{}"));
    assert!(matches!(session(&peer, None).manifest(&asked), Err(Error::WrongDigest { .. })));
    assert!(session(&peer, None).manifest("tag").is_ok());
    let lying = Peer::start(move |_| response("200 OK", &[("Docker-Content-Digest", &asked)], b"{}"));
    assert!(matches!(session(&lying, None).manifest("tag"), Err(Error::WrongDigest { .. })));
}

#[test]
fn plain_http_needs_insecure() {
    let peer = Peer::start(|_| ok(b"{}"));
    let location = Location { host: peer.host.clone(), path: "a".to_owned(), insecure: false, named: true };
    let mut strict = Session::new(location, None, Retry { count: 0, delay: None });
    assert!(strict.manifest("tag").is_err(), "case B14");
    assert!(peer.seen().is_empty());
}

#[test]
fn blobs_of_a_wrong_size() {
    let long = Peer::start(|_| ok(&[BLOB, b"more"].concat()));
    assert!(matches!(blob(&long, None), Err(Error::WrongSize { .. })));
    let endless = Peer::start(|_| {
        let chunked = [("Transfer-Encoding", "chunked"), ("content-length", "")];
        let text = response("200 OK", &chunked[..1], b"").replace_length();
        [text, b"20\r\n0123456789abcdef0123456789abcdef\r\n".to_vec()].concat()
    });
    assert!(matches!(blob(&endless, None), Err(Error::WrongSize { .. })));
    let short = Peer::start(|_| ok(&BLOB[..5]));
    assert!(matches!(blob(&short, None), Err(Error::WrongSize { .. })));
    assert!(matches!(blob(&Peer::start(|_| response("404 Not Found", &[], b"")), None), Err(Error::NotFound { .. })));
}

/// Takes the `Content-Length` out of a response.
trait ReplaceLength {
    fn replace_length(self) -> Vec<u8>;
}

impl ReplaceLength for Vec<u8> {
    fn replace_length(self) -> Vec<u8> {
        String::from_utf8(self).expect("text").replace("Content-Length: 0\r\n", "").into_bytes()
    }
}

fn range_start(request: &Request) -> Option<usize> {
    request.header("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
}

#[test]
fn b08_a_cut_body_is_resumed() {
    for cut in [0, 1, 8, BLOB.len() - 1] {
        let peer = Peer::start(move |request| match range_start(request) {
            None => response("200 OK", &[("Content-Length", "16")], &BLOB[..cut]),
            Some(from) => {
                let range = format!("bytes {from}-15/16");
                response("206 Partial Content", &[("Content-Range", &range)], &BLOB[from..])
            }
        });
        if cut == 0 {
            // Nothing came, so nothing is resumed: after three cuts it is an error.
            assert!(matches!(blob(&peer, None), Err(Error::Body { .. })));
            assert_eq!(peer.seen().len(), 3);
            continue;
        }
        assert_eq!(blob(&peer, None).expect("resumed"), BLOB, "cut at {cut}");
        assert_eq!(peer.seen().len(), 2);
    }
}

#[test]
fn b08_a_server_without_ranges_starts_again() {
    let peer = Peer::start(|request| match range_start(request) {
        None => response("200 OK", &[("Content-Length", "16")], &BLOB[..7]),
        Some(_) => ok(BLOB),
    });
    assert_eq!(blob(&peer, None).expect("skipped"), BLOB);
    let lying = Peer::start(|request| match range_start(request) {
        None => response("200 OK", &[("Content-Length", "16")], &BLOB[..7]),
        Some(_) => response("206 Partial Content", &[("Content-Range", "bytes 3-15/16")], &BLOB[3..]),
    });
    assert!(matches!(blob(&lying, None), Err(Error::Body { .. })), "the whole blob is cut each time");
    for odd in ["206 Partial Content", "416 Range Not Satisfiable"] {
        let peer = Peer::start(move |request| match range_start(request) {
            None => ok(BLOB),
            Some(_) => response(odd, &[("Content-Range", "bytes 3-15/16")], &BLOB[3..]),
        });
        let (mut sink, mut arrived) = (Memory(BLOB[..9].to_vec()), 9);
        session(&peer, None).blob(&descriptor(), &mut arrived, &mut sink).expect("fetched whole");
        assert_eq!((sink.0.as_slice(), arrived), (BLOB, 16), "{odd}");
    }
}

#[test]
fn b09_endless_503_ends() {
    let peer = Peer::start(|_| response("503 Service Unavailable", &[("Retry-After", "0")], b"busy"));
    assert!(matches!(blob(&peer, None), Err(Error::Busy { status: 503, .. })));
    assert_eq!(peer.seen().len(), 3);
    let errors = br#"{"errors":[{"code":"TOOMANY","message":"slow\u001b[1m down"}]}"#;
    let peer = Peer::start(|_| response("429 Too Many Requests", &[], errors));
    let message = blob(&peer, None).expect_err("refused").to_string();
    assert!(message.contains("TOOMANY") && !message.contains('\u{1b}'), "{message}");
}

#[test]
fn b11_oversize_documents() {
    let big = Peer::start(|_| response("200 OK", &[("Content-Length", "104857600")], b""));
    assert!(matches!(session(&big, None).manifest("tag"), Err(Error::TooLarge { .. })));
    let endless = Peer::start(|_| {
        let head = response("200 OK", &[], b"").replace_length();
        [head, vec![b' '; 5 << 20]].concat()
    });
    assert!(matches!(session(&endless, None).manifest("tag"), Err(Error::TooLarge { .. })));
}

#[test]
fn b05_redirects() {
    // Basic, so that the header is on the request that is redirected.
    let challenge = || response("401 Unauthorized", &[("WWW-Authenticate", "Basic realm=\"x\"")], b"");
    let thief = Peer::start(|_| ok(BLOB));
    let target = format!("http://{}/blob", thief.host);
    let peer = Peer::start(move |request| match request.header("authorization") {
        None => challenge(),
        Some(_) => redirect(&target),
    });
    assert_eq!(blob(&peer, Some(user())).expect("redirected"), BLOB);
    assert_eq!(thief.seen().len(), 1);
    assert_eq!(thief.seen()[0].header("authorization"), None, "the password leaked");
    assert!(peer.seen()[1].header("authorization").is_some());

    for target in ["file:///etc/passwd", "http://user:pass@127.0.0.1/", "gopher://x/", ""] {
        let peer = Peer::start(move |_| redirect(target));
        assert!(matches!(blob(&peer, None), Err(Error::Redirect { .. })), "{target}");
    }
    let circle = Peer::start(|_| redirect("/again"));
    assert!(matches!(blob(&circle, None), Err(Error::Redirect { .. })));
    assert_eq!(circle.seen().len(), 6);
}

#[test]
fn bearer_token_flow() {
    let peer = Peer::start(|request| {
        if request.path.starts_with("/token?") {
            let basic = request.header("authorization");
            let asks = request.path.contains("service=r") && request.path.contains("scope=repository:a/b:pull");
            assert!(asks, "{}", request.path);
            return match basic.as_deref() {
                Some("Basic bWU6c2VjcmV0") => ok(br#"{"token":"t0k"}"#),
                _ => response("401 Unauthorized", &[], b""),
            };
        }
        let host = request.header("host").expect("host");
        match request.header("authorization").as_deref() {
            Some("Bearer t0k") => ok(BLOB),
            _ => {
                let challenge = format!("Bearer realm=\"http://{host}/token\",service=\"r\"");
                response("401 Unauthorized", &[("WWW-Authenticate", &challenge)], b"")
            }
        }
    });
    assert_eq!(blob(&peer, Some(user())).expect("logged in"), BLOB);
    let error = blob(&peer, None).expect_err("no credentials");
    assert!(matches!(error, Error::Login { .. }), "{error}");
    assert!(!format!("{error:?}").contains("t0k"));
}

#[test]
fn b09_a_token_server_says_how_long_to_wait() {
    let peer = Peer::start(|request| {
        let challenge = format!("Bearer realm=\"http://{}/token\"", request.header("host").expect("host"));
        if request.path.starts_with("/token") {
            response("429 Too Many Requests", &[("Retry-After", "7")], b"")
        } else {
            response("401 Unauthorized", &[("WWW-Authenticate", &challenge)], b"")
        }
    });
    let mut session = session(&peer, None);
    session.retry.count = 0;
    let error = session.manifest("1").expect_err("busy");
    assert!(error.is_transient(), "{error}");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)), "{error}");
}

#[test]
fn b07_bad_realms_and_tokens() {
    let challenge = |realm: &str| {
        let value = format!("Bearer realm=\"{realm}\"");
        response("401 Unauthorized", &[("WWW-Authenticate", &value)], b"")
    };
    for realm in ["http://169.254.169.254/t", "https://10.1.2.3/t", "http://localhost/t", ""] {
        let peer = Peer::start(move |_| challenge(realm));
        assert!(matches!(blob(&peer, Some(user())), Err(Error::Challenge { .. })), "{realm}");
    }
    let long = Peer::start(|_| {
        let value = format!("Bearer realm=\"{}\"", "a".repeat(10 << 20));
        response("401 Unauthorized", &[("WWW-Authenticate", &value)], b"")
    });
    assert!(blob(&long, Some(user())).is_err());
    for token in [r#"{"token":"a\r\nX: y"}"#, r#"{"token":""}"#, "{}", "[]", "x"] {
        let peer = Peer::start(move |request| {
            let host = request.header("host").expect("host");
            if request.path.starts_with("/t") { ok(token.as_bytes()) } else { challenge(&format!("http://{host}/t")) }
        });
        assert!(matches!(blob(&peer, Some(user())), Err(Error::Login { .. })), "{token}");
    }
}

#[test]
fn b10_silence_and_drops_end_and_name_the_host() {
    /// What the peer has sent before it begins to drip, and what drips.
    const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n";
    const SLOW: &str = "HTTP/1.1 200 OK\r\nX: xxxxxxxxxxxxxxxxxxxxxxxx";
    for (first, drops) in [("", ""), ("", SLOW), (HEAD, ""), (HEAD, "xxxxxxxxxxxxxxx")] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("bind");
        let host = listener.local_addr().expect("address").to_string();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("accept");
                std::thread::spawn(move || {
                    let mut byte = [0];
                    // A TLS client is turned away.
                    if stream.read(&mut byte).unwrap_or(0) == 0 || byte[0] == 0x16 {
                        return;
                    }
                    let mut open = stream.write_all(first.as_bytes()).is_ok();
                    for byte in drops.bytes() {
                        std::thread::sleep(Duration::from_secs(2));
                        open = open && stream.write_all(&[byte]).is_ok();
                    }
                    // And then silence, until the client goes.
                    drop(stream.read_to_end(&mut Vec::new()));
                });
            }
        });
        let location = Location { host: host.clone(), path: "a".to_owned(), insecure: true, named: true };
        let mut session = Session::new(location, None, Retry { count: 0, delay: None });
        let begun = Instant::now();
        let error = session.blob(&descriptor(), &mut 0, &mut Memory(Vec::new())).expect_err("too slow");
        assert!(matches!(&error, Error::Timeout { .. }) && error.to_string().contains(&host), "{error:?}");
        assert!(begun.elapsed() < Duration::from_secs(25), "{first:?} {drops:?}: {:?}", begun.elapsed());
    }
}
