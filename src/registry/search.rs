//! Finding repositories: Docker's search, and the catalogue of other registries.

use serde::Deserialize;
use ureq::http::Method;

use super::auth::percent;
use super::client::{Ask, Payload};
use super::error::Error;
use super::reply::printable;
use super::session::Session;
use super::tags::next_query;
use super::url;

/// Size of one page of an answer (case B11).
const PAGE_LIMIT: u64 = 4 << 20;
/// A list goes on over so many pages at most, whatever the registry says.
const MOST_PAGES: usize = 1000;
/// Entries that are asked for at once.
const PAGE: usize = 1000;

/// A repository that was found.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Hit {
    /// As the registry names it.
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) description: String,
    #[serde(default, rename = "star_count")]
    pub(crate) stars: u64,
    #[serde(default, rename = "is_official")]
    pub(crate) official: bool,
    #[serde(default, rename = "is_automated")]
    pub(crate) automated: bool,
}

/// The answer of a registry's own search.
#[derive(Deserialize)]
pub(super) struct Found {
    pub(super) results: Vec<Hit>,
}

/// A page of the catalogue.
#[derive(Deserialize)]
pub(super) struct Page {
    pub(super) repositories: Option<Vec<String>>,
}

impl Session {
    /// Repositories for a term: by the registry's own search, or else those of its catalogue that hold the term.
    pub(crate) fn search(&mut self, term: &str, limit: usize) -> Result<Vec<Hit>, Error> {
        let is_docker = self.location.host == "docker.io";
        if !term.is_empty() {
            match self.search_by_index(term, limit) {
                Ok(found) if is_docker || !found.is_empty() => return Ok(found),
                Err(error) if is_docker => return Err(error),
                Ok(_) => {}
                Err(error) => tracing::debug!(%error, "no search here, asking for the catalogue"),
            }
        }
        "registry:catalog:*".clone_into(&mut self.scope);
        self.retried(Self::greet)?;
        let names = self.catalogue(term, limit)?;
        let plain = |name| Hit { name, description: String::new(), stars: 0, official: false, automated: false };
        Ok(names.into_iter().map(plain).collect())
    }

    /// Docker's first API, which only a few registries besides Docker's have.
    fn search_by_index(&mut self, term: &str, limit: usize) -> Result<Vec<Hit>, Error> {
        let host = if self.location.host == "docker.io" { "index.docker.io" } else { &self.location.host };
        let address = format!("{host}/v1/search?q={}&n={limit}", percent(term));
        let name = format!("search at {host}");
        let reply = self.by_scheme(|session, scheme| {
            let url = url::parse(&format!("{scheme}://{address}"));
            let url = url.map_err(|why| Error::Invalid { what: "the search".to_owned(), why: why.to_owned() })?;
            session.client.ask(&Ask { accept: "application/json", ..Ask::get(url) })
        })?;
        if reply.status != 200 {
            return Err(Error::Status { url: name.clone(), status: reply.status, detail: reply.detail() });
        }
        let bytes = reply.bytes("the answer to a search", PAGE_LIMIT)?;
        let found: Found = serde_json::from_slice(&bytes).map_err(|error| invalid(&name, &error))?;
        Ok(found.results.into_iter().take(limit).collect())
    }

    /// Names of the catalogue that hold `term`, over several pages.
    fn catalogue(&mut self, term: &str, limit: usize) -> Result<Vec<String>, Error> {
        let what = format!("the catalogue of {}", self.location.host);
        let (mut all, mut query) = (Vec::new(), format!("n={PAGE}"));
        for _ in 0..MOST_PAGES {
            let (bytes, next) = self.retried(|session| {
                let url = session.url(session.scheme.unwrap_or("https"), &format!("_catalog?{query}"))?;
                let reply = session.send(Method::GET, &url, Payload::None)?;
                if reply.status != 200 {
                    return Err(session.refusal(reply, "(its catalogue)"));
                }
                let next = reply.header("link").and_then(next_query);
                Ok((reply.bytes(&what, PAGE_LIMIT)?, next))
            })?;
            let page: Page = serde_json::from_slice(&bytes).map_err(|error| invalid(&what, &error))?;
            let fitting = page.repositories.unwrap_or_default().into_iter().filter(|name| name.contains(term));
            all.extend(fitting.take(limit - all.len()));
            match next {
                Some(next) if all.len() < limit && next != query => query = next,
                _ => break,
            }
        }
        Ok(all)
    }
}

fn invalid(what: &str, error: &serde_json::Error) -> Error {
    Error::Invalid { what: what.to_owned(), why: printable(&error.to_string(), 200) }
}
