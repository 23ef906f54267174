//! A token server after the distribution token specification, in front of a real registry: users, scopes, refresh
//! tokens, tokens that run out. The tokens are JWTs that the registry checks with our certificate.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::env::Env;

/// Name and password of who may do everything below `team/`.
pub(crate) const WRITER: (&str, &str) = ("alice", "s3cret");
/// Name and password of who may only pull there.
pub(crate) const READER: (&str, &str) = ("bob", "b0b");
/// What stands for the writer's password.
pub(crate) const REFRESH: &str = "refresh-alice-1";

/// Seconds that the registry accepts a token after its end (its clock may be wrong).
const LEEWAY: i64 = 60;

/// Answers on a thread that ends with the test program. Anybody may pull below `public/`.
#[derive(Debug)]
pub(crate) struct TokenServer {
    address: String,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    key: PathBuf,
    certificate: PathBuf,
    /// Seconds that a token works.
    life: i64,
    requests: Mutex<Vec<String>>,
}

impl TokenServer {
    /// Tokens work for `life` seconds; if that is negative, the first one is stale and the others work.
    pub(crate) fn start(env: &Env, life: i64) -> Self {
        let (key, certificate) = (env.path("token.key"), env.path("token.crt"));
        openssl(
            &["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=tokens", "-days", "2", "-keyout"],
            &[&key, Path::new("-out"), &certificate],
        );
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shared = Arc::new(Shared { key, certificate, life, requests: Mutex::default() });
        let served = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let served = Arc::clone(&served);
                std::thread::spawn(move || served.serve(stream.unwrap()));
            }
        });
        Self { address, shared }
    }

    /// Lines for the configuration of a registry that trusts this server.
    pub(crate) fn registry_lines(&self) -> String {
        format!(
            "auth:\n  token:\n    realm: http://{}/token\n    service: test-registry\n    issuer: test-issuer\n    rootcertbundle: {}\n",
            self.address,
            self.shared.certificate.display()
        )
    }

    /// Requests so far: method, path with query, and who.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap().clone()
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            if stream.read(&mut byte).unwrap_or(0) == 0 {
                return;
            }
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        let header = |name: &str| {
            let found = head.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")));
            found.map(|line| line[name.len() + 1..].trim().to_owned())
        };
        let mut words = head.split(' ');
        let (method, target) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
        let length = header("content-length").map_or(0, |text| text.parse().unwrap());
        let mut body = vec![0; length];
        stream.read_exact(&mut body).unwrap();
        let query = target.split_once('?').map(|(_, query)| query.to_owned()).unwrap_or_default();
        let form = if method == "POST" { String::from_utf8(body).unwrap() } else { query };
        let parameters: Vec<(String, String)> = form
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), decode(value)))
            .collect();
        let user = user(&method, &parameters, header("authorization").as_deref());
        self.requests.lock().unwrap().push(format!("{method} {target} {user:?}"));
        let (status, answer) = match user {
            Ok(user) => ("200 OK", self.answer(&user, &parameters)),
            Err(status) => (status, json!({"errors": [{"code": "UNAUTHORIZED", "message": "wrong user or password"}]})),
        };
        let answer = answer.to_string();
        let text = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{answer}",
            answer.len()
        );
        drop(stream.write_all(text.as_bytes()));
    }

    fn answer(&self, user: &str, parameters: &[(String, String)]) -> Value {
        let values = |name: &'static str| parameters.iter().filter(move |(key, _)| key == name).map(|(_, value)| value);
        assert_eq!(values("service").next().map(String::as_str), Some("test-registry"));
        let mut access = Vec::new();
        for scope in values("scope").flat_map(|scopes| scopes.split(' ')) {
            let (kind, rest) = scope.split_once(':').unwrap();
            let (name, actions) = rest.rsplit_once(':').unwrap();
            let granted: Vec<&str> = actions.split(',').filter(|action| may(user, kind, name, action)).collect();
            if !granted.is_empty() {
                access.push(json!({"type": kind, "name": name, "actions": granted}));
            }
        }
        let now = jiff::Timestamp::now().as_second();
        let life = if self.life < 0 && self.requests.lock().unwrap().len() > 1 { 300 } else { self.life };
        let token = self.signed(&json!({
            "iss": "test-issuer", "sub": user, "aud": "test-registry", "access": access,
            "nbf": now - 600, "iat": now - 600, "exp": now + life - LEEWAY, "jti": format!("{now}-{}", self.requests.lock().unwrap().len()),
        }));
        let mut answer = json!({"token": token, "access_token": token, "expires_in": self.life.max(60)});
        if values("offline_token").any(|value| value == "true") {
            answer["refresh_token"] = json!(REFRESH);
        }
        answer
    }

    fn signed(&self, claims: &Value) -> String {
        let der = openssl(&["x509", "-outform", "DER", "-in"], &[&self.certificate]);
        let header = json!({"typ": "JWT", "alg": "RS256", "x5c": [STANDARD.encode(der)]});
        let text =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
        let mut child = std::process::Command::new("openssl")
            .args(["dgst", "-sha256", "-sign"])
            .arg(&self.key)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let signature = child.wait_with_output().unwrap().stdout;
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// Who asks; empty for anybody.
fn user(method: &str, parameters: &[(String, String)], basic: Option<&str>) -> Result<String, &'static str> {
    let known = BTreeMap::from([WRITER, READER]);
    let checked = |user: &str, password: &str| match known.get(user) {
        Some(right) if *right == password => Ok(user.to_owned()),
        _ => Err("401 Unauthorized"),
    };
    let value = |name: &str| parameters.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    if method == "POST" {
        return match value("grant_type") {
            "refresh_token" if value("refresh_token") == REFRESH => Ok(WRITER.0.to_owned()),
            "password" => checked(value("username"), value("password")),
            _ => Err("400 Bad Request"),
        };
    }
    let Some(encoded) = basic.and_then(|value| value.strip_prefix("Basic ")) else { return Ok(String::new()) };
    let pair = String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap();
    let (user, password) = pair.split_once(':').unwrap();
    checked(user, password)
}

fn may(user: &str, kind: &str, name: &str, action: &str) -> bool {
    match (kind, name.split('/').next().unwrap_or_default()) {
        ("registry", "catalog") => user == WRITER.0,
        ("repository", "team") => user == WRITER.0 || (user == READER.0 && action == "pull"),
        ("repository", "public") => user == WRITER.0 || action == "pull",
        _ => false,
    }
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                bytes.extend(hex::decode(digits).unwrap());
            }
            b'+' => bytes.push(b' '),
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// Runs openssl and returns what it prints.
pub(crate) fn openssl(arguments: &[&str], paths: &[&Path]) -> Vec<u8> {
    let output = std::process::Command::new("openssl").args(arguments).args(paths).output().unwrap();
    assert!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A certificate authority in `dir` (`ca.crt`), and certificates that it has signed: `server.crt` and `server.key` for
/// 127.0.0.1 and ::1, `client.cert` and `client.key` for us.
pub(crate) fn certificates(dir: &Path) {
    std::fs::create_dir_all(dir).unwrap();
    let path = |name: &str| dir.join(name);
    let (ca, ca_key) = (path("ca.crt"), path("ca.key"));
    openssl(
        &["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=private authority", "-days", "2", "-keyout"],
        &[&ca_key, Path::new("-out"), &ca],
    );
    let extensions = path("extensions");
    std::fs::write(&extensions, "subjectAltName=IP:127.0.0.1,IP:::1\n").unwrap();
    for (name, certificate) in [("server", "server.crt"), ("client", "client.cert")] {
        let (key, request) = (path(&format!("{name}.key")), path(&format!("{name}.csr")));
        let subject = format!("/CN={name}");
        openssl(
            &["req", "-newkey", "rsa:2048", "-nodes", "-subj", &subject, "-keyout"],
            &[&key, Path::new("-out"), &request],
        );
        openssl(
            &["x509", "-req", "-days", "2", "-CAcreateserial", "-in"],
            &[
                &request,
                Path::new("-CA"),
                &ca,
                Path::new("-CAkey"),
                &ca_key,
                Path::new("-extfile"),
                &extensions,
                Path::new("-out"),
                &path(certificate),
            ],
        );
    }
    // Would count as a client key without a certificate.
    std::fs::rename(ca_key, path("ca.pem")).unwrap();
}
