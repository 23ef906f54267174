//! A registry of one image whose answers a test can spoil.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::harness::image::{ImageBuilder, sha256};

/// What the peer does with one path.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    Body(Vec<u8>),
    /// A `Content-Length` of this, and fewer bytes.
    Cut(usize, Vec<u8>),
    /// Gives parts (`Range`), this many bytes in a second, and counts what it sends.
    Ranged(Vec<u8>, u64),
    /// These bytes are the whole response.
    Raw(Vec<u8>),
    /// This body on a connection that is said to be kept, and is closed at the next request on it.
    HangUp(Vec<u8>),
    /// A body of chunks that has no end.
    Endless,
    /// All but the last byte, and then silence until the client goes.
    Stall(Vec<u8>),
    Redirect(String),
    /// The first if a part is asked for, else the second.
    IfRange(Box<Answer>, Box<Answer>),
    /// 401 with this challenge unless there is an `Authorization` header.
    Login(String, Box<Answer>),
}

/// Serves plain http on a thread that ends with the test program.
#[derive(Debug)]
pub(super) struct Peer {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
    sent: Arc<AtomicU64>,
}

impl Peer {
    pub(super) fn start(answers: BTreeMap<String, Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let sent = Arc::new(AtomicU64::new(0));
        let (log, answers, count) = (Arc::clone(&requests), Arc::new(answers), Arc::clone(&sent));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (log, answers, count) = (Arc::clone(&log), Arc::clone(&answers), Arc::clone(&count));
                std::thread::spawn(move || serve(stream.unwrap(), &answers, &log, &count));
            }
        });
        Self { address, requests, sent }
    }

    /// Bytes of [`Answer::Ranged`] bodies that went out so far.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Number of requests for paths with this in them.
    pub(super) fn asked(&self, part: &str) -> usize {
        self.requests().iter().filter(|head| head.lines().next().unwrap_or_default().contains(part)).count()
    }

    /// `127.0.0.1:PORT/web:1`.
    pub(super) fn name(&self) -> String {
        format!("{}/web:1", self.address)
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Heads of the requests so far.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// Answers for an image as `web:1`, by path; `/blobs/…` of layer N is `layers[N]`.
pub(super) struct Served {
    pub(super) answers: BTreeMap<String, Answer>,
    pub(super) manifest: serde_json::Value,
}

impl Served {
    pub(super) fn new(image: &ImageBuilder) -> Self {
        let files: BTreeMap<String, Vec<u8>> = image.oci_files("1").into_iter().collect();
        let index: serde_json::Value = serde_json::from_slice(&files["index.json"]).unwrap();
        let digest = index["manifests"][0]["digest"].as_str().unwrap().replace(':', "/");
        let manifest = serde_json::from_slice(&files[&format!("blobs/{digest}")]).unwrap();
        let mut served = Self { answers: BTreeMap::new(), manifest };
        for (name, bytes) in files {
            if let Some(hex) = name.strip_prefix("blobs/sha256/") {
                served.answers.insert(format!("/v2/web/blobs/sha256:{hex}"), Answer::Body(bytes));
            }
        }
        served.publish();
        served
    }

    /// Serves the manifest as it is now.
    pub(super) fn publish(&mut self) {
        let bytes = serde_json::to_vec(&self.manifest).unwrap();
        self.answers.insert(format!("/v2/web/manifests/sha256:{}", sha256(&bytes)), Answer::Body(bytes.clone()));
        self.answers.insert("/v2/web/manifests/1".to_owned(), Answer::Body(bytes));
    }

    /// Path of the blob of a layer.
    pub(super) fn layer(&self, index: usize) -> String {
        format!("/v2/web/blobs/{}", self.manifest["layers"][index]["digest"].as_str().unwrap())
    }

    pub(super) fn body(&self, path: &str) -> Vec<u8> {
        match &self.answers[path] {
            Answer::Body(bytes) => bytes.clone(),
            other => panic!("{path}: {other:?}"),
        }
    }

    pub(super) fn start(self) -> Peer {
        Peer::start(self.answers)
    }
}

fn serve(mut stream: TcpStream, answers: &BTreeMap<String, Answer>, log: &Mutex<Vec<String>>, sent: &AtomicU64) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        // A TLS client is turned away: the first byte of its greeting is 0x16.
        if stream.read(&mut byte).unwrap_or(0) == 0 || (head.is_empty() && byte[0] == 0x16) {
            return;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let from = head.lines().find_map(|line| {
        let line = line.to_ascii_lowercase();
        line.strip_prefix("range: bytes=")?.strip_suffix('-')?.parse().ok()
    });
    let logged_in = head.to_ascii_lowercase().contains("authorization:");
    log.lock().unwrap().push(head);
    let mut answer = answers.get(&path);
    if let Some(Answer::Login(challenge, inner)) = answer {
        if !logged_in {
            let text = format!("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: {challenge}\r\n");
            finish(&mut stream, &text, 0, b"");
            return;
        }
        answer = Some(inner.as_ref());
    }
    if let Some(Answer::IfRange(part, whole)) = answer {
        answer = Some(if from.is_some() { part.as_ref() } else { whole.as_ref() });
    }
    match answer {
        Some(Answer::Body(bytes)) => finish(&mut stream, "HTTP/1.1 200 OK\r\n", bytes.len(), bytes),
        Some(Answer::Cut(length, bytes)) => finish(&mut stream, "HTTP/1.1 200 OK\r\n", *length, bytes),
        Some(Answer::Ranged(bytes, rate)) => ranged(&mut stream, bytes, from, *rate, sent),
        Some(Answer::Raw(bytes)) => drop(stream.write_all(bytes)),
        Some(Answer::HangUp(bytes)) => {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", bytes.len());
            drop(stream.write_all(&[head.as_bytes(), bytes].concat()));
            drop(stream.read(&mut [0; 4096]));
        }
        Some(Answer::Endless) => {
            let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            let chunk = [b"10000\r\n".as_slice(), &vec![b'0'; 0x10000], b"\r\n"].concat();
            let mut open = stream.write_all(head).is_ok();
            while open {
                open = stream.write_all(&chunk).is_ok();
            }
        }
        Some(Answer::Stall(bytes)) => {
            finish(&mut stream, "HTTP/1.1 200 OK\r\n", bytes.len(), &bytes[..bytes.len() - 1]);
            drop(stream.read(&mut byte));
        }
        Some(Answer::Redirect(to)) => {
            finish(&mut stream, &format!("HTTP/1.1 307 Temporary Redirect\r\nLocation: {to}\r\n"), 0, b"");
        }
        Some(Answer::Login(..) | Answer::IfRange(..)) => panic!("one within the other"),
        None => finish(&mut stream, "HTTP/1.1 404 Not Found\r\n", 0, b""),
    }
}

fn ranged(stream: &mut TcpStream, bytes: &[u8], from: Option<usize>, rate: u64, sent: &AtomicU64) {
    // Little is under way at any time, so that what was sent was received.
    nix::sys::socket::setsockopt(stream, nix::sys::socket::sockopt::SndBuf, &4096).unwrap();
    let (size, first) = (bytes.len(), from.unwrap_or(0));
    let head = match from {
        Some(first) if first >= size => "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n".to_owned(),
        Some(first) => format!(
            "HTTP/1.1 206 Partial Content\r\nConnection: close\r\nContent-Length: {}\r\n\
             Content-Range: bytes {first}-{}/{size}\r\n\r\n",
            size - first,
            size - 1
        ),
        None => format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n"),
    };
    let mut open = stream.write_all(head.as_bytes()).is_ok();
    let (begun, mut done) = (Instant::now(), 0);
    for chunk in bytes.get(first..).unwrap_or_default().chunks(8 << 10) {
        if !open {
            return;
        }
        open = stream.write_all(chunk).is_ok();
        done += chunk.len() as u64;
        sent.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        let due = Duration::from_micros(done * 1_000_000 / rate);
        std::thread::sleep(due.saturating_sub(begun.elapsed()));
    }
}

fn finish(stream: &mut TcpStream, head: &str, length: usize, body: &[u8]) {
    let head = format!("{head}Connection: close\r\nContent-Length: {length}\r\n\r\n");
    // The client may have hung up: its affair.
    drop(stream.write_all(&[head.as_bytes(), body].concat()));
}
