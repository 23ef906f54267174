//! The little of RFC 3986 that redirects need: origins, and where a `Location` leads.

use ureq::http::Uri;

/// Scheme, host and port: what credentials are bound to (case B05).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl Origin {
    /// None if the scheme is not http or https, or the host is missing.
    pub(super) fn of(url: &Uri) -> Option<Self> {
        let scheme = url.scheme_str()?.to_ascii_lowercase();
        let port = match scheme.as_str() {
            "https" => 443,
            "http" => 80,
            _ => return None,
        };
        let host = url.host()?.to_ascii_lowercase();
        Some(Self { scheme, host, port: url.port_u16().unwrap_or(port) })
    }

    pub(super) fn is_https(&self) -> bool {
        self.scheme == "https"
    }

    /// Host, and the port if it is not the scheme's own.
    pub(super) fn name(&self) -> String {
        match (self.scheme.as_str(), self.port) {
            ("https", 443) | ("http", 80) => self.host.clone(),
            (_, port) => format!("{}:{port}", self.host),
        }
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }
}

/// Parses an absolute URL of a registry; why not, if it is not acceptable.
pub(super) fn parse(text: &str) -> Result<Uri, &'static str> {
    if text.len() > 8192 {
        return Err("the address has more than 8192 characters");
    }
    let url: Uri = text.parse().ok().ok_or("this is not an address")?;
    let authority = url.authority().ok_or("the address names no host")?;
    if authority.as_str().contains('@') {
        return Err("the address holds a user name");
    }
    let origin = Origin::of(&url).ok_or("the scheme is neither http nor https")?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']' | b'_');
    if origin.host.is_empty() || origin.host.starts_with('-') || !origin.host.bytes().all(plain) {
        return Err("the host name holds other characters than letters, digits, '.' and '-'");
    }
    Ok(url)
}

/// Where `location` leads from `base` (RFC 3986, section 5.2, without dot segments: the server resolves them).
pub(super) fn join(base: &Uri, location: &str) -> Result<Uri, &'static str> {
    let location = location.split('#').next().unwrap_or_default();
    let scheme = base.scheme_str().unwrap_or("https");
    let authority = base.authority().map_or("", |authority| authority.as_str());
    let has_scheme = location.split_once(':').is_some_and(|(scheme, _)| {
        !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
    });
    if has_scheme {
        parse(location)
    } else if let Some(rest) = location.strip_prefix("//") {
        parse(&format!("{scheme}://{rest}"))
    } else if location.starts_with('/') {
        parse(&format!("{scheme}://{authority}{location}"))
    } else if location.is_empty() {
        Err("the address is empty")
    } else if location.starts_with('?') {
        parse(&format!("{scheme}://{authority}{}{location}", base.path()))
    } else {
        let directory = base.path().rfind('/').map_or("/", |end| &base.path()[..=end]);
        parse(&format!("{scheme}://{authority}{directory}{location}"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Origin, join, parse};

    #[test]
    fn locations_are_resolved() {
        let base = parse("https://r.example.org:5000/v2/a/blobs/x?y=1").expect("valid");
        for (location, full) in [
            ("https://cdn.example.net/b", "https://cdn.example.net/b"),
            ("//cdn.example.net/b?q#f", "https://cdn.example.net/b?q"),
            ("/c", "https://r.example.org:5000/c"),
            ("d:e/f", ""),
            ("?n=2#f", "https://r.example.org:5000/v2/a/blobs/x?n=2"),
            ("g", "https://r.example.org:5000/v2/a/blobs/g"),
        ] {
            assert_eq!(join(&base, location).map(|url| url.to_string()).unwrap_or_default(), full, "{location}");
        }
    }

    #[test]
    fn b05_bad_targets_are_refused() {
        let base = parse("https://r.example.org/v2/").expect("valid");
        for location in [
            "file:///etc/passwd",
            "https://user:pass@h/x",
            "ftp://h/x",
            "https://",
            "",
            "https://h\u{3002}x/",
            "http://-h/",
        ] {
            assert!(join(&base, location).is_err(), "{location}");
        }
    }

    #[test]
    fn b05_origins_differ_by_scheme_host_and_port() {
        let origin = |text: &str| Origin::of(&parse(text).expect(text));
        assert_eq!(origin("https://H/x"), origin("https://h:443/y"));
        assert_ne!(origin("https://h/x"), origin("http://h/x"));
        assert_ne!(origin("https://h/x"), origin("https://h:444/x"));
        assert_ne!(origin("https://h/x"), origin("https://h.x/x"));
    }
}
