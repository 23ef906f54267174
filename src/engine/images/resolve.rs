//! What a text means: an image that is here, or a reference to ask a registry for.

use crate::config::registries_conf::RegistriesConf;
use crate::engine::{Engine, Error};
use crate::storage::images::FoundImage;
use crate::types::platform::Platform;
use crate::types::progress::Progress;
use crate::types::reference::{Reference, has_domain};

use super::pull::PullRequest;

/// Transports whose images do not come from a registry.
const ARCHIVES: [&str; 6] =
    ["docker-archive:", "oci-archive:", "oci:", "dir:", "docker-daemon:", "containers-storage:"];

/// An image of the store, or `None`. One of another platform than the one asked for does not count.
pub(super) fn local(engine: &Engine, text: &str, platform: Option<&Platform>) -> Result<Option<FoundImage>, Error> {
    let name = text.strip_prefix("docker://").unwrap_or(text);
    let found = engine.store.try_find_image(name)?;
    Ok(found.filter(|found| {
        let config = &found.image.record.config;
        let has = Platform::new(&config.os, &config.architecture, config.variant.as_deref());
        platform.is_none_or(|wanted| {
            has.os == wanted.os
                && has.architecture == wanted.architecture
                && wanted.acceptable_variants().contains(&has.variant.as_deref())
        })
    }))
}

/// The reference that a registry is asked for. A name without a registry goes by alias, then by the one search
/// registry; two of them are an error, because whoever owns the name in the first could be anybody (case B19). Without
/// any configuration it is docker.io's.
pub(super) fn remote(text: &str, configuration: &RegistriesConf) -> Result<Reference, Error> {
    if let Some(transport) = ARCHIVES.iter().find(|transport| text.starts_with(**transport)) {
        return Err(Error::Transport { text: text.to_owned(), transport });
    }
    let text = text.strip_prefix("docker://").unwrap_or(text);
    if has_domain(text) {
        return text.parse().map_err(Error::Reference);
    }
    // The grammar first: what is wrong anywhere needs no search.
    let plain: Reference = text.parse().map_err(Error::Reference)?;
    let split = text.find('@').or_else(|| text.rfind(':')).unwrap_or(text.len());
    let (name, suffix) = text.split_at(split);
    if let Some(target) = configuration.alias(name) {
        return format!("{target}{suffix}").parse().map_err(Error::Reference);
    }
    match configuration.unqualified_search.as_slice() {
        [] => Ok(plain),
        [registry] => format!("{registry}/{text}").parse().map_err(Error::Reference),
        several => Err(Error::ShortName {
            text: text.to_owned(),
            candidates: several.iter().map(|registry| format!("{registry}/{text}")).collect(),
        }),
    }
}

impl Engine {
    /// The image of `run` and `create`: here, or fetched by the request's policy.
    pub(crate) fn resolve_image(&self, request: &PullRequest, progress: &dyn Progress) -> Result<FoundImage, Error> {
        let report = self.pull(request, progress)?;
        Ok(FoundImage { image: report.image, name: report.name })
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::remote;
    use crate::config::registries_conf::RegistriesConf;

    #[test]
    fn b19_short_names() {
        let conf = |search: &[&str]| {
            let mut conf = RegistriesConf::from_files(&[] as &[PathBuf]).expect("empty");
            conf.unqualified_search = search.iter().map(|&s| s.to_owned()).collect();
            conf
        };
        let full = |text: &str, search: &[&str]| remote(text, &conf(search)).map(|r| r.to_string()).ok();
        assert_eq!(full("web", &[]).as_deref(), Some("docker.io/library/web:latest"));
        assert_eq!(full("team/web:1", &["r.example.org"]).as_deref(), Some("r.example.org/team/web:1"));
        assert_eq!(full("localhost:5000/web", &["a.org", "b.org"]).as_deref(), Some("localhost:5000/web:latest"));
        assert_eq!(full("web", &["a.org", "b.org"]), None);
        assert_eq!(full("docker://web", &[]).as_deref(), Some("docker.io/library/web:latest"));
        for text in ["", "-x", "A", "oci:dir", "docker-archive:x.tar"] {
            assert_eq!(full(text, &["r.example.org"]), None, "{text}");
        }
    }
}
