//! `search`: repositories by a word, tags of a repository.

use crate::config::registries_conf::RegistriesConf;
use crate::engine::Error;
use crate::registry::{self, Access};
use crate::types::reference::{Reference, has_domain};

/// What to look for.
#[derive(Debug)]
pub(crate) struct SearchRequest {
    pub(crate) term: String,
    /// Most results of each registry.
    pub(crate) limit: usize,
    pub(crate) access: Access,
}

/// A repository.
#[derive(Debug, Clone)]
pub(crate) struct FoundRepository {
    /// The registry.
    pub(crate) index: String,
    /// With the registry.
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) stars: u64,
    pub(crate) official: bool,
    pub(crate) automated: bool,
}

/// Asks one registry, if the term names it, or all that short names are searched in. One that fails fails it only if no
/// other answers.
pub(crate) fn search(request: &SearchRequest) -> Result<(Vec<FoundRepository>, Vec<Error>), Error> {
    let configuration = RegistriesConf::load().map_err(Error::Config)?;
    let named = request.term.split_once('/').filter(|_| has_domain(&request.term));
    let (hosts, term) = match named {
        Some((host, rest)) => (vec![host.to_owned()], rest),
        None if configuration.unqualified_search.is_empty() => (vec!["docker.io".to_owned()], request.term.as_str()),
        None => (configuration.unqualified_search.clone(), request.term.as_str()),
    };
    let (mut found, mut failed) = (Vec::new(), Vec::new());
    for host in &hosts {
        match one(host, term, request, &configuration) {
            Ok(more) => found.extend(more),
            Err(source) => failed.push(Error::Search { name: host.clone(), source: Box::new(source) }),
        }
    }
    if failed.len() == hosts.len()
        && let Some(first) = failed.pop()
    {
        return Err(first);
    }
    Ok((found, failed))
}

fn one(
    host: &str,
    term: &str,
    request: &SearchRequest,
    configuration: &RegistriesConf,
) -> Result<Vec<FoundRepository>, registry::Error> {
    let own = configuration.itself(host, "", "");
    let location = own.map_err(|blocked| registry::Error::blocked(&request.term, blocked))?;
    let mut session = registry::session_at(location, &request.access)?;
    let hits = session.search(term, request.limit)?;
    let full = |hit: registry::Hit| {
        // Docker's own images stand there without their namespace.
        let path =
            if host == "docker.io" && !hit.name.contains('/') { format!("library/{}", hit.name) } else { hit.name };
        FoundRepository {
            index: host.to_owned(),
            name: format!("{host}/{path}"),
            description: hit.description,
            stars: hit.stars,
            official: hit.official,
            automated: hit.automated,
        }
    };
    Ok(hits.into_iter().map(full).collect())
}

/// The repository that the term names, and its tags.
pub(crate) fn tags(request: &SearchRequest) -> Result<(String, Vec<String>), Error> {
    let text = request.term.strip_prefix("docker://").unwrap_or(&request.term);
    let reference: Reference = text.parse().map_err(Error::Reference)?;
    let configuration = RegistriesConf::load().map_err(Error::Config)?;
    let failed = |source| Error::Search { name: reference.repository(), source: Box::new(source) };
    let session = registry::push_session(&reference, &request.access, &configuration);
    let mut tags = session.and_then(|mut session| session.tags()).map_err(failed)?;
    tags.truncate(request.limit);
    Ok((reference.repository(), tags))
}
