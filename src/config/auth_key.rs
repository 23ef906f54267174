//! What credentials are kept under.

use super::auth_file;
use super::error::Error;

/// What credentials are kept under: `HOST[:PORT][/NAMESPACE[/REPOSITORY]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AuthKey {
    pub(super) host: String,
    pub(super) path: String,
}

impl AuthKey {
    /// Reads what the user wrote; an address loses all but its host.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let wrong = |why| Error::AuthKey { text: text.chars().take(200).collect(), why };
        let address = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let name = address.map_or(text, |rest| rest.split('/').next().unwrap_or(rest)).trim_end_matches('/');
        let (host, path) = name.split_once('/').unwrap_or((name, ""));
        let port = host.rsplit_once(':').map(|(_, port)| port);
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']');
        if host.is_empty() || host.starts_with('-') || !host.bytes().all(plain) {
            return Err(wrong("the registry must be HOST[:PORT]"));
        }
        if !host.ends_with(']') && port.is_some_and(|port| port.parse::<u16>().is_err()) {
            return Err(wrong("the port must be a number"));
        }
        if path.contains([':', '@']) {
            return Err(wrong("it is for a whole repository: without a tag and without a digest"));
        }
        let component = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_' | b'/');
        if !path.bytes().all(component) || path.split('/').any(|part| part == "..") {
            return Err(wrong("the repository must be lower case letters, digits, '.', '-', '_' and '/'"));
        }
        let host = auth_file::canonical(host).to_owned();
        Ok(Self { host, path: path.to_owned() })
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Namespace or repository; empty for the whole registry.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }
}

impl std::fmt::Display for AuthKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.host)?;
        if self.path.is_empty() { Ok(()) } else { write!(f, "/{}", self.path) }
    }
}

#[cfg(test)]
mod tests {
    use super::AuthKey;

    #[test]
    fn keys() {
        let shown = |text: &str| AuthKey::parse(text).map(|key| key.to_string()).ok();
        for (text, key) in [
            ("docker.io", "docker.io"),
            ("https://index.docker.io/v1/", "docker.io"),
            ("http://localhost:5000/", "localhost:5000"),
            ("r.example.org/team/app", "r.example.org/team/app"),
            ("r.example.org/", "r.example.org"),
            ("[::1]:5000", "[::1]:5000"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(key), "{text}");
        }
        for bad in ["", "/", "-x", "a b", "h:x", "h/a:1", "h/a@sha256:00", "h/A", "h/../x", "user@h"] {
            assert_eq!(shown(bad), None, "{bad}");
        }
    }
}
