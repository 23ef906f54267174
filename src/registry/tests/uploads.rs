//! Case B16: registries that lie about an upload, break it off, or lead it elsewhere.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::peer::response;
use crate::config::auth_file::Credentials;
use crate::config::registries_conf::Location;
use crate::registry::{Arrival, Error, Retry, Session};
use crate::sys::fs::File;
use crate::types::descriptor::Descriptor;
use crate::types::digest::Digest;

/// A request with its body.
#[derive(Debug, Clone, Default)]
struct Request {
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

/// A peer that reads bodies, or only the first bytes of one.
struct Peer {
    host: String,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Peer {
    /// `read`: how many bytes of the body of a request are taken before the answer. No answer: hang up.
    fn start(
        read: impl Fn(&Request) -> usize + Send + 'static,
        mut answer: impl FnMut(&Request, &str) -> Option<Vec<u8>> + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
        let host = listener.local_addr().expect("address").to_string();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, own) = (Arc::clone(&seen), host.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("accept");
                let Some(request) = request(&mut stream, &read) else { continue };
                log.lock().expect("lock").push(request.clone());
                if let Some(bytes) = answer(&request, &own) {
                    // The client may have hung up: its affair.
                    drop(stream.write_all(&bytes));
                }
            }
        });
        Self { host, seen }
    }

    fn requests(&self) -> Vec<Request> {
        self.seen.lock().expect("lock").clone()
    }

    fn lines(&self) -> Vec<String> {
        let line =
            |request: &Request| format!("{} {}", request.method, request.path.replace(&digest().to_string(), "D"));
        self.requests().iter().map(line).collect()
    }
}

fn request(stream: &mut TcpStream, read: &impl Fn(&Request) -> usize) -> Option<Request> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        // 0x16 begins a TLS greeting.
        if stream.read(&mut byte).ok()? == 0 || (head.is_empty() && byte[0] == 0x16) {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).expect("ASCII");
    let mut words = head.split(' ').map(str::to_owned);
    let mut request = Request { method: words.next()?, path: words.next()?, ..Request::default() };
    for line in head.lines().skip(1).filter_map(|line| line.split_once(':')) {
        request.headers.insert(line.0.to_ascii_lowercase(), line.1.trim().to_owned());
    }
    let length = request.headers.get("content-length").map_or(0, |text| text.parse().expect("a number"));
    let mut body = vec![0; length.min(read(&request))];
    stream.read_exact(&mut body).ok()?;
    request.body = body;
    Some(request)
}

/// Larger than what goes out in one request.
fn blob() -> Vec<u8> {
    (0..3_000_000_u32).map(|n| n.wrapping_mul(97).to_le_bytes()[1]).collect()
}

fn digest() -> Digest {
    Digest::of(&blob())
}

fn session(peer: &Peer, credentials: bool) -> Session {
    let location = Location { host: peer.host.clone(), path: "a/b".to_owned(), insecure: true, named: true };
    let user = Credentials::Password { user: "me".to_owned(), password: "secret".to_owned().into() };
    let retry = Retry { count: 2, delay: Some(Duration::ZERO) };
    let mut session = Session::new(location, credentials.then_some(user), retry);
    session.open_for_push(&[]).expect("open");
    session
}

fn send(session: &mut Session, mount: Option<&str>) -> Result<Arrival, Error> {
    let bytes = blob();
    let mut file: File = tempfile::tempfile().expect("a file");
    file.write_all(&bytes).expect("written");
    let descriptor = Descriptor { media_type: String::new(), digest: digest(), size: bytes.len() as u64 };
    session.ensure_blob(&descriptor, &file, mount, &|_| {})
}

fn all(_: &Request) -> usize {
    usize::MAX
}

fn accepted(host: &str) -> Option<Vec<u8>> {
    Some(response("202 Accepted", &[("Location", &format!("http://{host}/u/1?s=x"))], b""))
}

/// What a good registry answers up to the first byte of a blob.
fn usual(request: &Request, host: &str) -> Option<Vec<u8>> {
    match request.method.as_str() {
        "HEAD" => Some(response("404 Not Found", &[], b"")),
        "POST" => accepted(host),
        "PUT" => Some(response("201 Created", &[], b"")),
        "DELETE" => Some(response("204 No Content", &[], b"")),
        _ => Some(response("200 OK", &[], b"")),
    }
}

#[test]
fn b16_a_cut_upload_goes_on() {
    let mut cut = false;
    let taken = 1_000_000;
    let peer = Peer::start(
        move |request| {
            if request.method == "PATCH" && !request.headers.contains_key("content-range") { taken } else { usize::MAX }
        },
        move |request, host| match (request.method.as_str(), request.path.as_str()) {
            // Hangs up in the middle of the first one.
            ("PATCH", _) if !cut => {
                cut = true;
                None
            }
            ("PATCH", _) => accepted(host),
            ("GET", "/u/1?s=x") => {
                let range = format!("0-{}", taken - 1);
                Some(response("204 No Content", &[("Range", &range), ("Location", "/u/1?s=y")], b""))
            }
            _ => usual(request, host),
        },
    );
    assert_eq!(send(&mut session(&peer, false), None).expect("sent"), Arrival::Sent);
    let patches: Vec<Request> = peer.requests().into_iter().filter(|request| request.method == "PATCH").collect();
    assert_eq!(patches.len(), 2);
    assert_eq!(patches[1].headers["content-range"], format!("{taken}-{}", blob().len() - 1));
    assert_eq!([&patches[0].body[..], &patches[1].body[..]].concat(), blob());
    assert_eq!(patches[1].path, "/u/1?s=y");
}

#[test]
fn b16_too_large_for_one_request_goes_in_chunks() {
    let refusing = |request: &Request, host: &str| match request.method.as_str() {
        "PATCH" if !request.headers.contains_key("content-range") => Some(response("413 Payload Too Large", &[], b"")),
        "PATCH" => accepted(host),
        _ => usual(request, host),
    };
    let peer = Peer::start(all, refusing);
    assert_eq!(send(&mut session(&peer, false), None).expect("sent"), Arrival::Sent);
    let patches: Vec<Request> = peer.requests().into_iter().filter(|request| request.method == "PATCH").collect();
    let chunks: Vec<&Request> =
        patches.iter().filter(|request| request.headers.contains_key("content-range")).collect();
    assert_eq!(patches.len(), chunks.len() + 1, "one that was refused");
    let mut at = 0;
    for chunk in &chunks {
        assert_eq!(chunk.headers["content-range"], format!("{at}-{}", at + chunk.body.len() - 1));
        at += chunk.body.len();
    }
    assert_eq!(chunks.iter().flat_map(|chunk| chunk.body.clone()).collect::<Vec<u8>>(), blob());
    // A peer that closes with unread bytes may lose its answer: then the upload counts as cut, which is tried again.
    let whole = |request: &Request| {
        let large = request.headers.get("content-length").is_some_and(|text| text.len() > 6);
        if large && !request.headers.contains_key("content-range") { 0 } else { usize::MAX }
    };
    let peer = Peer::start(whole, refusing);
    match send(&mut session(&peer, false), None) {
        Ok(arrival) => assert_eq!(arrival, Arrival::Sent),
        Err(error) => assert!(error.is_transient(), "{error}"),
    }
}

#[test]
fn b16_credentials_stay_at_home() {
    let elsewhere = Peer::start(all, usual);
    let target = format!("http://{}/store", elsewhere.host);
    let peer = Peer::start(all, move |request, host| {
        if !request.headers.contains_key("authorization") {
            return Some(response("401 Unauthorized", &[("WWW-Authenticate", "Basic realm=\"x\"")], b""));
        }
        match request.method.as_str() {
            "POST" => Some(response("202 Accepted", &[("Location", &target)], b"")),
            _ => usual(request, host),
        }
    });
    assert_eq!(send(&mut session(&peer, true), None).expect("sent"), Arrival::Sent);
    let there = elsewhere.requests();
    assert!(there.iter().any(|request| request.method == "PATCH"), "{:?}", elsewhere.lines());
    assert!(there.iter().all(|request| !request.headers.contains_key("authorization")), "the password leaked");
    for target in ["file:///etc/passwd", "http://user:pass@127.0.0.1/", "ftp://x/", ""] {
        let peer = Peer::start(all, move |request, host| match request.method.as_str() {
            "POST" => Some(response("202 Accepted", &[("Location", target)], b"")),
            _ => usual(request, host),
        });
        assert!(matches!(send(&mut session(&peer, false), None), Err(Error::Redirect { .. })), "{target}");
    }
}

#[test]
fn b16_mounts_are_checked() {
    // It says that it has mounted the blob, and has not.
    let liar = Peer::start(all, |request, host| {
        let mounts = request.method == "POST" && request.path.contains("mount=");
        if mounts { Some(response("201 Created", &[], b"")) } else { usual(request, host) }
    });
    assert_eq!(send(&mut session(&liar, false), Some("c/d")).expect("sent"), Arrival::Sent);
    // It begins an upload instead: that one is used.
    let other = Peer::start(all, usual);
    assert_eq!(send(&mut session(&other, false), Some("c/d")).expect("sent"), Arrival::Sent);
    let posts = other.lines().iter().filter(|line| line.starts_with("POST")).count();
    assert_eq!(posts, 1, "{:?}", other.lines());
}

#[test]
fn b16_errors_at_the_end() {
    // 500 for ever: a bounded number of tries, and nothing is left there.
    let failing = Peer::start(all, |request, host| match request.method.as_str() {
        "PUT" => Some(response("500 Internal Server Error", &[], b"")),
        _ => usual(request, host),
    });
    assert!(matches!(send(&mut session(&failing, false), None), Err(Error::Status { status: 500, .. })));
    let lines = failing.lines();
    assert_eq!(lines.iter().filter(|line| line.starts_with("PUT")).count(), 3, "{lines:?}");
    // 500, and yet it is there.
    let mut ended = false;
    let stored = Peer::start(all, move |request, host| match request.method.as_str() {
        "PUT" => {
            ended = true;
            Some(response("500 Internal Server Error", &[], b""))
        }
        "HEAD" if ended => Some(response("200 OK", &[("Content-Length", "3000000")], b"")),
        _ => usual(request, host),
    });
    assert_eq!(send(&mut session(&stored, false), None).expect("there"), Arrival::Sent);
    // It claims to have got more than there is.
    let greedy = Peer::start(all, |request, host| match request.method.as_str() {
        "PATCH" => {
            let location = format!("http://{host}/u/1");
            Some(response("202 Accepted", &[("Location", &location), ("Range", "0-99999999")], b""))
        }
        _ => usual(request, host),
    });
    assert!(matches!(send(&mut session(&greedy, false), None), Err(Error::Invalid { .. })));
    // Another digest for the manifest than it was sent.
    let other = Digest::of(b"other").to_string();
    let liar = Peer::start(all, move |request, host| match request.method.as_str() {
        "PUT" => Some(response("201 Created", &[("Docker-Content-Digest", &other)], b"")),
        _ => usual(request, host),
    });
    let put = session(&liar, false).put_manifest("1", "application/json", b"{}");
    assert!(matches!(put, Err(Error::WrongDigest { .. })));
}

#[test]
fn a_token_server_that_refuses_the_scope_of_a_mount_does_not_end_the_push() {
    let peer = Peer::start(all, |request, host| {
        let challenge = format!("Bearer realm=\"http://{host}/token\",service=\"r\"");
        Some(match request.path.as_str() {
            path if path.contains("repository:foreign") => response("403 Forbidden", &[], b"{}"),
            path if path.starts_with("/token") => response("200 OK", &[], b"{\"token\":\"t\"}"),
            _ if request.headers.contains_key("authorization") => response("200 OK", &[], b""),
            _ => response("401 Unauthorized", &[("WWW-Authenticate", &challenge)], b""),
        })
    });
    let location = Location { host: peer.host.clone(), path: "a/b".to_owned(), insecure: true, named: true };
    let mut session = Session::new(location, None, Retry { count: 0, delay: None });
    assert!(!session.open_for_push(&["foreign/x".to_owned()]).expect("open"));
    assert!(session.open_for_push(&["other/x".to_owned()]).expect("open"));
}
