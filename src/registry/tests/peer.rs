//! A server of one thread that answers what the test wants.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// One request as it arrived.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) path: String,
    head: String,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<String> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }
}

pub(super) struct Peer {
    pub(super) host: String,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Peer {
    /// Answers each request with the bytes that `answer` gives, and closes the connection. TLS is turned away. The
    /// thread ends with the test process.
    pub(super) fn start(answer: impl Fn(&Request) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
        let host = listener.local_addr().expect("address").to_string();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("accept");
                if let Some(request) = read(&mut stream) {
                    log.lock().expect("lock").push(request.clone());
                    // The client may have hung up: its affair.
                    drop(stream.write_all(&answer(&request)));
                }
            }
        });
        Self { host, seen }
    }

    pub(super) fn seen(&self) -> Vec<Request> {
        self.seen.lock().expect("lock").clone()
    }
}

fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 || (head.is_empty() && byte[0] == 0x16) {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1)?.to_owned();
    Some(Request { path, head })
}

/// A complete response.
pub(super) fn response(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status}\r\nConnection: close\r\n");
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
        writeln!(text, "Content-Length: {}\r", body.len()).expect("a String takes everything");
    }
    for (name, value) in headers {
        writeln!(text, "{name}: {value}\r").expect("a String takes everything");
    }
    text += "\r\n";
    [text.as_bytes(), body].concat()
}

pub(super) fn ok(body: &[u8]) -> Vec<u8> {
    response("200 OK", &[], body)
}

pub(super) fn redirect(to: &str) -> Vec<u8> {
    response("307 Temporary Redirect", &[("Location", to)], b"")
}
