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
        None => (searched(&configuration), request.term.as_str()),
    };
    let (found, failed) = all(&hosts, |host| {
        one(host, term, request, &configuration)
            .map_err(|source| Error::Search { name: host.to_owned(), source: Box::new(source) })
    })?;
    Ok((found.into_iter().flatten().collect(), failed))
}

/// Where short names are searched.
fn searched(configuration: &RegistriesConf) -> Vec<String> {
    match configuration.unqualified_search.as_slice() {
        [] => vec!["docker.io".to_owned()],
        hosts => hosts.to_vec(),
    }
}

/// What each answers, and the errors of those that do not, if one does.
fn all<T>(asked: &[String], ask: impl FnMut(&str) -> Result<T, Error>) -> Result<(Vec<T>, Vec<Error>), Error> {
    let (mut found, mut failed) = (Vec::new(), Vec::new());
    for answer in asked.iter().map(String::as_str).map(ask) {
        match answer {
            Ok(more) => found.push(more),
            Err(error) => failed.push(error),
        }
    }
    if failed.len() == asked.len()
        && let Some(last) = failed.pop()
    {
        return Err(last);
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

/// A repository and its tags.
#[derive(Debug)]
pub(crate) struct Tags {
    /// With the registry.
    pub(crate) name: String,
    pub(crate) tags: Vec<String>,
}

/// The repository that the term names; of a short name those that the search registries have. One that fails fails it
/// only if no other answers. Whoever names the transport means docker.io.
pub(crate) fn tags(request: &SearchRequest) -> Result<(Vec<Tags>, Vec<Error>), Error> {
    let (text, explicit) = request.term.strip_prefix("docker://").map_or((request.term.as_str(), false), |t| (t, true));
    // The grammar first: what is wrong anywhere needs no search.
    let plain: Reference = text.parse().map_err(Error::Reference)?;
    let configuration = RegistriesConf::load().map_err(Error::Config)?;
    let names = if explicit || has_domain(text) {
        vec![plain.to_string()]
    } else {
        let hosts = searched(&configuration).into_iter();
        hosts.map(|host| format!("{}/{text}", host.trim_end_matches('/'))).collect()
    };
    all(&names, |name| {
        let reference: Reference = name.parse().map_err(Error::Reference)?;
        let failed = |source| Error::Search { name: reference.repository(), source: Box::new(source) };
        let session = registry::push_session(&reference, &request.access, &configuration);
        let mut tags = session.and_then(|mut session| session.tags()).map_err(failed)?;
        tags.truncate(request.limit);
        Ok(Tags { name: reference.repository(), tags })
    })
}
