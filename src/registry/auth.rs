//! Logging in: the challenge of a 401 (RFC 9110, section 11.6.1), basic, and the token flow of the distribution spec.

use std::net::IpAddr;

use base64::Engine as _;
use serde::Deserialize;
use ureq::http::{Method, Uri};

use super::client::{Ask, Client, Payload};
use super::error::Error;
use super::reply::printable;
use super::session::busy;
use super::url;
use crate::config::auth_file::Credentials;
use crate::types::secret::{Secret, wipe};

/// Size of a token document (case B11).
const TOKEN_LIMIT: u64 = 1 << 20;

/// One challenge of a `WWW-Authenticate` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Challenge {
    scheme: String,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Reads all the challenges of one header value. What it cannot read it leaves out.
pub(super) fn challenges(value: &str) -> Vec<Challenge> {
    let mut found: Vec<Challenge> = Vec::new();
    let mut rest = value;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let end = rest.find([' ', '\t', ',', '=', '"']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word.is_empty() {
            // End, or a stray character that belongs to nothing.
            let mut chars = rest.chars();
            if chars.next().is_none() {
                return found;
            }
            rest = chars.as_str();
            continue;
        }
        let after = after.trim_start_matches([' ', '\t']);
        match (after.strip_prefix('='), found.last_mut()) {
            (Some(after), Some(challenge)) => {
                let (value, after) = parameter_value(after.trim_start_matches([' ', '\t']));
                challenge.parameters.push((word.to_ascii_lowercase(), value));
                rest = after;
            }
            (Some(after), None) => rest = after,
            (None, _) => {
                found.push(Challenge { scheme: word.to_ascii_lowercase(), parameters: Vec::new() });
                rest = after;
            }
        }
    }
}

/// A token or a quoted string, and what follows.
fn parameter_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([' ', '\t', ',']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((index, c)) = chars.next() {
        match c {
            '"' => return (value, &quoted[index + 1..]),
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            c => value.push(c),
        }
    }
    (value, "")
}

/// Who asks for what.
#[derive(Debug)]
pub(super) struct Login<'a> {
    /// Registry host that sent the challenge, with its port.
    pub(super) registry: &'a str,
    /// For example `repository:library/debian:pull`, several with spaces between.
    pub(super) scope: &'a str,
    pub(super) credentials: Option<&'a Credentials>,
}

/// The `Authorization` header that answers the challenges of a 401 reply.
pub(super) fn answer(client: &Client, headers: &[&str], login: &Login<'_>) -> Result<Secret, Error> {
    let all: Vec<Challenge> = headers.iter().flat_map(|value| challenges(value)).collect();
    let refused = |why: &str| Error::Challenge { host: login.registry.to_owned(), why: why.to_owned() };
    if let Some(bearer) = all.iter().find(|challenge| challenge.scheme == "bearer") {
        let token = bearer_token(client, bearer, login)?;
        return Ok(Secret::new(format!("Bearer {}", token.expose())));
    }
    if all.iter().any(|challenge| challenge.scheme == "basic") {
        return match login.credentials {
            Some(Credentials::Password { user, password }) => Ok(basic(user, password)),
            Some(Credentials::IdentityToken { .. }) => Err(refused("it wants a password, we have an identity token")),
            None => Err(refused("it wants a user name and a password (--creds, or a login in the auth file)")),
        };
    }
    Err(refused("status 401 without a challenge that we know (Bearer, Basic)"))
}

pub(super) fn basic(user: &str, password: &Secret) -> Secret {
    let plain = Secret::new(format!("{user}:{}", password.expose()));
    let encoded = Secret::new(base64::engine::general_purpose::STANDARD.encode(plain.expose()));
    Secret::new(format!("Basic {}", encoded.expose()))
}

fn bearer_token(client: &Client, challenge: &Challenge, login: &Login<'_>) -> Result<Secret, Error> {
    let refused = |why: String| Error::Challenge { host: login.registry.to_owned(), why };
    let realm = challenge.parameter("realm").ok_or_else(|| refused("its challenge names no realm".to_owned()))?;
    let realm = checked_realm(realm, login.registry, client.is_insecure())
        .map_err(|why| refused(format!("token server {:?}: {why}", printable(realm, 200))))?;
    let mut query: Vec<String> = Vec::new();
    query.extend(challenge.parameter("service").map(|service| format!("service={}", percent(service))));
    let scopes = scopes(challenge.parameter("scope").unwrap_or_default(), login.scope);
    let host = realm.authority().map_or_else(String::new, ToString::to_string);
    let token = match login.credentials {
        Some(Credentials::IdentityToken { token, .. }) => {
            // One parameter with spaces (RFC 6749, section 3.3), where the GET below has one for each.
            if !scopes.is_empty() {
                query.push(format!("scope={}", percent(&scopes.join(" "))));
            }
            query.push("grant_type=refresh_token&client_id=sampan".to_owned());
            query.push(format!("refresh_token={}", percent(token.expose())));
            let form = Secret::new(query.join("&"));
            query.into_iter().map(Secret::from).for_each(drop);
            let ask = Ask { method: Method::POST, payload: Payload::Form(&form), ..Ask::get(realm) };
            token_from(client, &ask, &host)
        }
        credentials => {
            query.extend(scopes.iter().map(|scope| format!("scope={}", percent(scope))));
            let basic = match credentials {
                Some(Credentials::Password { user, password }) => {
                    query.push(format!("account={}", percent(user)));
                    Some(basic(user, password))
                }
                _ => None,
            };
            let base = realm.to_string();
            let joint = if base.contains('?') { '&' } else { '?' };
            let url = url::parse(&format!("{base}{joint}{}", query.join("&")));
            let url = url.map_err(|why| refused(format!("token server: {why}")))?;
            token_from(client, &Ask { authorization: basic.as_ref(), ..Ask::get(url) }, &host)
        }
    };
    token.map_err(|source| Error::Login { host, source: Box::new(source) })
}

/// What the challenge asks for, and what we want beyond that: several scopes, one for each resource.
fn scopes(challenge: &str, own: &str) -> Vec<String> {
    let resource = |scope: &str| scope.rsplit_once(':').map_or(scope, |(resource, _)| resource).to_owned();
    let mut all: Vec<String> = challenge.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
    for scope in own.split(' ').filter(|scope| !scope.is_empty()) {
        if !all.iter().any(|known| resource(known) == resource(scope)) {
            all.push(scope.to_owned());
        }
    }
    all
}

fn token_from(client: &Client, ask: &Ask<'_>, host: &str) -> Result<Secret, Error> {
    let reply = client.ask(ask)?;
    match reply.status {
        200 => {}
        status @ (400 | 401 | 403) => {
            let with_credentials = ask.authorization.is_some() || matches!(ask.payload, Payload::Form(_));
            return Err(Error::Denied { name: host.to_owned(), status, detail: reply.detail(), with_credentials });
        }
        status => return Err(busy(host.to_owned(), status, reply)),
    }
    let mut bytes = reply.bytes("the token document", TOKEN_LIMIT)?;
    let token = token_in(&bytes, host);
    wipe(&mut bytes);
    token
}

/// The token of a document that `host` answered with.
pub(super) fn token_in(bytes: &[u8], host: &str) -> Result<Secret, Error> {
    #[derive(Deserialize)]
    struct Token {
        token: Option<Secret>,
        access_token: Option<Secret>,
    }
    let invalid = |why: &str| Error::Invalid { what: format!("the token document of {host}"), why: why.to_owned() };
    // serde's message could quote the secret: only the place is told.
    let document: Token = serde_json::from_slice(bytes)
        .map_err(|error| invalid(&format!("line {}, column {}", error.line(), error.column())))?;
    let token = document.token.filter(|token| !token.is_empty()).or(document.access_token);
    let token = token.ok_or_else(|| invalid("it holds no token"))?;
    let clean = !token.is_empty() && token.expose().bytes().all(|b| b.is_ascii_graphic());
    if clean { Ok(token) } else { Err(invalid("the token holds characters that no header can carry")) }
}

/// Where credentials may go: https, and no address of the local network that a stranger names (case B07).
pub(super) fn checked_realm(realm: &str, registry: &str, insecure: bool) -> Result<Uri, &'static str> {
    let url = url::parse(realm)?;
    let https = url.scheme_str().is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
    if !https && !insecure {
        return Err("only https is allowed");
    }
    let host = url.host().unwrap_or_default();
    let own = url::parse(&format!("https://{registry}")).is_ok_and(|own| own.host() == Some(host));
    if !own && is_local(host) {
        return Err("that is an address of the local network, and not the registry's own");
    }
    Ok(url)
}

fn is_local(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
    if bare.eq_ignore_ascii_case("localhost") || bare.to_ascii_lowercase().ends_with(".localhost") {
        return true;
    }
    match bare.parse() {
        Ok(IpAddr::V4(ip)) => is_local_v4(ip),
        Ok(IpAddr::V6(ip)) => {
            let first = ip.segments()[0];
            ip.is_loopback()
                || ip.is_unspecified()
                || first & 0xfe00 == 0xfc00
                || first & 0xffc0 == 0xfe80
                || ip.to_ipv4_mapped().is_some_and(is_local_v4)
        }
        // Forms like 0x7f.1 and 2130706433, which some resolvers take for addresses.
        Err(_) => {
            let last = bare.rsplit('.').next().unwrap_or_default();
            last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x")
        }
    }
}

fn is_local_v4(ip: std::net::Ipv4Addr) -> bool {
    ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified()
}

/// Percent-encodes all but the unreserved characters of RFC 3986, and `:`, `/` and `,`, which stand in scopes.
pub(super) fn percent(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' | b'/' | b',' => {
                char::from(b).to_string()
            }
            _ => format!("%{b:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{challenges, checked_realm, percent, scopes};

    #[test]
    fn challenges_of_all_shapes() {
        let parse = |text: &str| {
            let shown = |c: super::Challenge| {
                let parameters: Vec<_> = c.parameters.iter().map(|(k, v)| format!("{k}={v}")).collect();
                format!("{}({})", c.scheme, parameters.join(";"))
            };
            challenges(text).into_iter().map(shown).collect::<Vec<_>>().join(" ")
        };
        for (text, shown) in [
            (
                r#"Bearer realm="https://a/t",service="r",scope="repository:a/b:pull,push""#,
                "bearer(realm=https://a/t;service=r;scope=repository:a/b:pull,push)",
            ),
            (r#"Basic realm="x", Bearer realm="https://a\"b""#, r#"basic(realm=x) bearer(realm=https://a"b)"#),
            ("Basic", "basic()"),
            (r"bearer Realm = tok , service=r", "bearer(realm=tok;service=r)"),
            ("", ""),
            (",,=\"", ""),
            ("Negotiate abc==", "negotiate(abc==)"),
            (r#"Bearer realm="unclosed"#, "bearer(realm=unclosed)"),
        ] {
            assert_eq!(parse(text), shown, "{text}");
        }
    }

    #[test]
    fn b07_realms() {
        for good in ["https://auth.example.org/token", "https://r.example.org:444/t"] {
            assert!(checked_realm(good, "r.example.org", false).is_ok(), "{good}");
        }
        for bad in [
            "http://auth.example.org/token",
            "https://169.254.169.254/latest",
            "https://10.0.0.1/",
            "https://[::1]/",
            "https://[fe80::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://localhost/",
            "https://2130706433/",
            "https://0x7f.0.0.0x1/",
            "https://user:pass@auth.example.org/",
            "https://auth\u{3002}example.org/",
            "file:///etc/passwd",
            "",
        ] {
            assert!(checked_realm(bad, "r.example.org", false).is_err(), "{bad}");
        }
        // The registry's own address is as good as the registry.
        assert!(checked_realm("http://127.0.0.1:5000/token", "127.0.0.1:5001", true).is_ok());
        assert!(checked_realm("http://169.254.169.254/", "127.0.0.1:5001", true).is_err());
    }

    #[test]
    fn scopes_of_challenge_and_wish() {
        assert_eq!(scopes("repository:a:pull,push", "repository:a:pull repository:b:pull").len(), 2);
        assert_eq!(scopes("", "repository:a:pull"), ["repository:a:pull"]);
        assert_eq!(scopes("registry:catalog:*", ""), ["registry:catalog:*"]);
    }

    #[test]
    fn scopes_are_encoded() {
        assert_eq!(percent("repository:a/b:pull,push"), "repository:a/b:pull,push");
        assert_eq!(percent("a b&c=ü"), "a%20b%26c%3D%C3%BC");
    }
}
