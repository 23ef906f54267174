//! A registry on a free loopback port, for the life of one test.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};

use super::env::{Env, eventually};

/// Debian's `docker-registry`, storing into the test's scratch directory; killed when dropped.
#[derive(Debug)]
pub(crate) struct Registry {
    child: Child,
    address: String,
}

impl Registry {
    /// Without authentication and without TLS.
    pub(crate) fn start(env: &Env) -> Self {
        Self::start_with(env, "", "")
    }

    /// With further lines of its `config.yml`: below `http:` (indented by two), and at the top level.
    pub(crate) fn start_with(env: &Env, http: &str, more: &str) -> Self {
        Self::start_at("127.0.0.1", env, http, more)
    }

    /// The same on another loopback address, as it is written before a port.
    pub(crate) fn start_at(host: &str, env: &Env, http: &str, more: &str) -> Self {
        let port = TcpListener::bind(format!("{host}:0")).and_then(|listener| listener.local_addr()).unwrap().port();
        let storage = env.path(&format!("registry-{port}"));
        std::fs::create_dir_all(&storage).unwrap();
        let config = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage:\n  delete: {{enabled: true}}\n  filesystem: {{rootdirectory: {}}}\n\
             http:\n  addr: '{host}:{port}'\n{http}{more}",
            storage.display()
        );
        let config = env.write(&format!("registry-{port}.yml"), config);
        let log = std::fs::File::create(config.with_extension("log")).unwrap();
        // PDEATHSIG: it goes with the test's thread, even if that is killed.
        let child = std::process::Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "docker-registry", "serve"])
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let address = format!("{host}:{port}");
        eventually("the registry answers", || TcpStream::connect(&address).is_ok());
        Self { child, address }
    }

    /// `HOST:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// `HOST:PORT/name`.
    pub(crate) fn name(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }

    /// Pushes a docker-archive, an `oci:DIR`, … as `name` with skopeo, keeping its digests; returns the full name.
    pub(crate) fn push(&self, from: &str, name: &str) -> String {
        let to = format!("docker://{}/{name}", self.address);
        let output = std::process::Command::new("skopeo")
            .args(["--insecure-policy", "copy", "--all", "--dest-tls-verify=false", from, &to])
            .output()
            .unwrap();
        assert!(output.status.success(), "skopeo copy {from} {to}: {}", String::from_utf8_lossy(&output.stderr));
        self.name(name)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
