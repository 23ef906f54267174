//! A registry of one image whose answers a test can spoil.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::harness::image::{ImageBuilder, sha256};

/// What the peer does with one path.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    Body(Vec<u8>),
    /// A `Content-Length` of this, and fewer bytes.
    Cut(usize, Vec<u8>),
    /// All but the last byte, and then silence until the client goes.
    Stall(Vec<u8>),
    Redirect(String),
    /// 401 with this challenge unless there is an `Authorization` header.
    Login(String, Box<Answer>),
}

/// Serves plain http on a thread that ends with the test program.
#[derive(Debug)]
pub(super) struct Peer {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Peer {
    pub(super) fn start(answers: BTreeMap<String, Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (log, answers) = (Arc::clone(&requests), Arc::new(answers));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (log, answers) = (Arc::clone(&log), Arc::clone(&answers));
                std::thread::spawn(move || serve(stream.unwrap(), &answers, &log));
            }
        });
        Self { address, requests }
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

fn serve(mut stream: TcpStream, answers: &BTreeMap<String, Answer>, log: &Mutex<Vec<String>>) {
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
    match answer {
        Some(Answer::Body(bytes)) => finish(&mut stream, "HTTP/1.1 200 OK\r\n", bytes.len(), bytes),
        Some(Answer::Cut(length, bytes)) => finish(&mut stream, "HTTP/1.1 200 OK\r\n", *length, bytes),
        Some(Answer::Stall(bytes)) => {
            finish(&mut stream, "HTTP/1.1 200 OK\r\n", bytes.len(), &bytes[..bytes.len() - 1]);
            drop(stream.read(&mut byte));
        }
        Some(Answer::Redirect(to)) => {
            finish(&mut stream, &format!("HTTP/1.1 307 Temporary Redirect\r\nLocation: {to}\r\n"), 0, b"");
        }
        Some(Answer::Login(..)) => panic!("a login within a login"),
        None => finish(&mut stream, "HTTP/1.1 404 Not Found\r\n", 0, b""),
    }
}

fn finish(stream: &mut TcpStream, head: &str, length: usize, body: &[u8]) {
    let head = format!("{head}Connection: close\r\nContent-Length: {length}\r\n\r\n");
    // The client may have hung up: its affair.
    drop(stream.write_all(&[head.as_bytes(), body].concat()));
}
