//! The tags of a repository, page by page (OCI distribution spec, "Listing tags").

use serde::Deserialize;

use super::error::Error;
use super::session::Session;
use crate::types::descriptor::DOCUMENT_LIMIT;
use crate::types::reference::Reference;

/// More tags than anybody reads, and pages than they may come in (case B11).
const MOST_TAGS: usize = 100_000;
const MOST_PAGES: usize = 10_000;

#[derive(Deserialize)]
struct Page {
    tags: Option<Vec<String>>,
}

impl Session {
    /// All tags, in the registry's order. What is no tag by the grammar is left out (case B13).
    pub(crate) fn tags(&mut self) -> Result<Vec<String>, Error> {
        let name = format!("{}/{}", self.location().host, self.location().path);
        let what = format!("the tags of {name}");
        let any: Reference =
            "localhost/x".parse().ok().ok_or_else(|| Error::Invalid { what: what.clone(), why: String::new() })?;
        let (mut tags, mut query) = (Vec::new(), "n=1000".to_owned());
        for _ in 0..MOST_PAGES {
            let (bytes, next) = self.retried(|session| {
                let reply = session.get(&format!("tags/list?{query}"), "application/json", 0)?;
                let next = reply.header("link").and_then(next_query);
                Ok((reply.bytes(&what, DOCUMENT_LIMIT)?, next))
            })?;
            tags.extend(
                tags_in(&bytes, &any).map_err(|error| Error::Invalid { what: what.clone(), why: error.to_string() })?,
            );
            match next {
                Some(next) if next != query && tags.len() < MOST_TAGS => query = next,
                _ => break,
            }
        }
        tags.truncate(MOST_TAGS);
        Ok(tags)
    }
}

/// The tags of one page that are tags by the grammar; `any` is a name without one.
pub(super) fn tags_in(bytes: &[u8], any: &Reference) -> serde_json::Result<Vec<String>> {
    let page: Page = serde_json::from_slice(bytes)?;
    Ok(page.tags.into_iter().flatten().filter(|tag| any.with_tag(tag).is_some()).collect())
}

/// The query of `</v2/name/tags/list?n=…&last=…>; rel="next"`. Only the query: the next page is asked for at the same
/// place, wherever the link leads.
pub(super) fn next_query(link: &str) -> Option<String> {
    let (target, relation) = link.trim().strip_prefix('<')?.split_once('>')?;
    let query = target.split_once('?')?.1;
    let plain = query.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'#' | b'"' | b'<' | b'\\'));
    (plain && relation.contains("next")).then(|| query.to_owned())
}

#[cfg(test)]
mod tests {
    use super::next_query;

    #[test]
    fn links_to_the_next_page() {
        let link = |text| next_query(text).unwrap_or_default();
        assert_eq!(link("</v2/a/tags/list?n=2&last=b>; rel=\"next\""), "n=2&last=b");
        assert_eq!(link("<http://169.254.169.254/x?last=c>; rel=next"), "last=c");
        for nothing in ["", "</v2/a/tags/list>; rel=next", "</x?a b>; rel=next", "</x?a>; rel=prev", "x?a"] {
            assert_eq!(link(nothing), "", "{nothing}");
        }
    }
}
