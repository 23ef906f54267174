//! `containers-certs.d(5)`: further root certificates and client certificates for one registry host.
//!
//! A directory named after the host (with its port) holds `*.crt` (certificate authorities, trusted besides the
//! system's) and pairs `NAME.cert` + `NAME.key` (who we are).

use std::path::{Path, PathBuf};

use super::error::{At as _, Error};
use super::{config_file, environment};
use crate::sys;
use crate::types::secret::Secret;

/// What the directory of a host holds, in PEM.
#[derive(Debug, Clone, Default)]
pub(crate) struct Certificates {
    /// Files with certificate authorities.
    pub(crate) authorities: Vec<(PathBuf, Vec<u8>)>,
    /// Client certificates with their keys, in the order of their names: a registry may not take the first.
    pub(crate) clients: Vec<ClientCertificate>,
}

/// A certificate for us, with its private key.
#[derive(Debug, Clone)]
pub(crate) struct ClientCertificate {
    pub(crate) path: PathBuf,
    pub(crate) chain: Vec<u8>,
    pub(crate) key: Secret,
}

impl Certificates {
    /// Those of `explicit` (`--cert-dir`, which must exist), or of the first directory that is there for the host: the
    /// user's, the system's, Docker's.
    pub(crate) fn load(explicit: Option<&Path>, host: &str) -> Result<Self, Error> {
        if let Some(dir) = explicit {
            return Self::read(dir);
        }
        let user = environment::config_home().map(|home| home.join("containers/certs.d"));
        let system = ["/etc/containers/certs.d", "/etc/docker/certs.d"].map(PathBuf::from);
        for dir in user.into_iter().chain(system).map(|dir| dir.join(host)) {
            match sys::fs::stat(&dir) {
                Ok(Some(found)) if found.is_dir() => return Self::read(&dir),
                // What we may not enter was not meant for us.
                _ => {}
            }
        }
        Ok(Self::default())
    }

    fn read(dir: &Path) -> Result<Self, Error> {
        if sys::fs::stat(dir).reading(dir)?.is_none_or(|found| !found.is_dir()) {
            return Err(sys::Error::new("open", format!("{dir:?}"), sys::Errno::ENOENT)).reading(dir);
        }
        let names = sys::fs::names(dir).reading(dir)?;
        let mut found = Self::default();
        for name in &names {
            let path = dir.join(name);
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("crt") => found.authorities.push((path.clone(), config_file::read(&path)?)),
                Some("cert") => {
                    let key = path.with_extension("key");
                    if !names.iter().any(|name| Some(name.as_os_str()) == key.file_name()) {
                        let why = format!("its key {:?} is missing", key.file_name().unwrap_or_default());
                        return Err(Error::Parse { path, why });
                    }
                    let text = String::from_utf8(config_file::read(&key)?).ok();
                    let text = text.ok_or(Error::Parse { path: key, why: "it is not PEM".to_owned() })?;
                    let chain = config_file::read(&path)?;
                    found.clients.push(ClientCertificate { path, chain, key: Secret::new(text) });
                }
                Some("key") => {
                    let certificate = path.with_extension("cert");
                    if !names.iter().any(|name| Some(name.as_os_str()) == certificate.file_name()) {
                        let why = format!("its certificate {:?} is missing (authorities are named *.crt)", {
                            certificate.file_name().unwrap_or_default()
                        });
                        return Err(Error::Parse { path, why });
                    }
                }
                _ => {}
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::Certificates;
    use crate::sys;

    #[test]
    fn pairs_must_be_whole() {
        let dir = tempfile::tempdir().expect("a directory");
        let write = |name: &str| sys::fs::write_new(&dir.path().join(name), name.as_bytes()).expect(name);
        write("ca.crt");
        write("me.cert");
        write("readme.txt");
        let missing = Certificates::load(Some(dir.path()), "h").expect_err("no key").to_string();
        assert!(missing.contains("me.key"), "{missing}");
        write("me.key");
        let found = Certificates::load(Some(dir.path()), "h").expect("whole");
        assert_eq!(found.authorities.len(), 1);
        let [client] = found.clients.as_slice() else { panic!("one pair") };
        assert_eq!((client.chain.as_slice(), client.key.expose()), (&b"me.cert"[..], "me.key"));
        write("a.cert");
        write("a.key");
        let found = Certificates::load(Some(dir.path()), "h").expect("whole");
        assert_eq!(found.clients.iter().map(|client| client.key.expose()).collect::<Vec<_>>(), ["a.key", "me.key"]);
        write("alone.key");
        assert!(Certificates::load(Some(dir.path()), "h").is_err());
        assert!(Certificates::load(Some(&dir.path().join("absent")), "h").is_err());
        assert!(Certificates::load(None, "absent.invalid").expect("none").authorities.is_empty());
    }
}
