//! What a text means: an image that is here, or a reference to ask a registry for.

use crate::config::registries_conf::{RegistriesConf, ShortName};
use crate::engine::{Engine, Error};
use crate::storage;
use crate::storage::images::FoundImage;
use crate::storage::lists::ListRecord;
use crate::types::platform::Platform;
use crate::types::progress::Progress;
use crate::types::reference::{ImageWord, Reference, has_domain, is_id, split_suffix};

use super::pull::PullRequest;

/// Transports whose images do not come from a registry.
const ARCHIVES: [&str; 9] = [
    "docker-archive:",
    "oci-archive:",
    "oci:",
    "dir:",
    "docker-daemon:",
    "containers-storage:",
    "ostree:",
    "sif:",
    "tarball:",
];

/// Refuses what does not come from a registry.
fn no_registry(text: &str) -> Result<(), Error> {
    match ARCHIVES.iter().find(|transport| text.starts_with(**transport)) {
        Some(transport) => Err(Error::Transport { text: text.to_owned(), transport }),
        None => Ok(()),
    }
}

/// An image of the store, or `None`. One of another platform than the one asked for does not count.
pub(super) fn local(engine: &Engine, text: &str, platform: Option<&Platform>) -> Result<Option<FoundImage>, Error> {
    let word = asked_word(engine, text)?;
    if let Some(list) = engine.store.find_list(&word)? {
        return instance_of(engine, &list, platform).map(Some);
    }
    let found = engine.store.try_find_image(&word).map_err(|error| match error {
        // No name, but perhaps a place of another kind.
        storage::Error::ImageName(_) => no_registry(text).err().unwrap_or(error.into()),
        error => error.into(),
    })?;
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

/// The word of a text that may go to a registry. Whoever names the transport means docker.io.
pub(super) fn asked_word(engine: &Engine, text: &str) -> Result<ImageWord, Error> {
    match text.strip_prefix("docker://").map(str::parse::<Reference>) {
        Some(Ok(full)) => Ok(ImageWord::plain(&full.to_string())),
        _ => engine.image_word(text),
    }
}

/// The image of a list for a platform, this machine's if none is asked for.
fn instance_of(engine: &Engine, list: &ListRecord, platform: Option<&Platform>) -> Result<FoundImage, Error> {
    let host = Platform::host();
    let wanted = platform.unwrap_or(&host);
    let entry = list.choose(wanted);
    let entry = entry.ok_or_else(|| Error::NotForPlatform { list: list.name.clone(), wanted: wanted.clone() })?;
    if engine.store.image_record(&entry.digest)?.is_none() {
        let from = entry.source.as_ref().map_or_else(|| entry.digest.to_string(), ToString::to_string);
        return Err(Error::InstanceAbsent { list: list.name.clone(), wanted: wanted.clone(), from });
    }
    Ok(FoundImage { image: engine.store.image(&entry.digest)?, name: Some(list.name.clone()), read_only: None })
}

/// What a registry is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// To be tried in turn.
    pub(super) names: Vec<Reference>,
    /// The user chose: the short name and what it means, to be kept once the image is here.
    pub(super) chosen: Option<(String, String)>,
}

/// The references that registries are asked for. A name without a registry goes by alias, then by the search
/// registries. If there are several the user chooses, because whoever owns the name in the first could be anybody; if
/// nobody is there to choose it is an error (case B19). Without any configuration it is docker.io's.
pub(super) fn remote(text: &str, configuration: &RegistriesConf, progress: &dyn Progress) -> Result<Wanted, Error> {
    no_registry(text)?;
    let (text, explicit) = text.strip_prefix("docker://").map_or((text, false), |rest| (rest, true));
    // The grammar first: what is wrong anywhere needs no search.
    let plain: Reference = text.parse().map_err(Error::Reference)?;
    let one = |name: Reference| Wanted { names: vec![name.pinned()], chosen: None };
    // Whoever names the transport means docker.io, as everywhere.
    if has_domain(text) || explicit {
        return Ok(one(plain));
    }
    let (short, suffix) = split_suffix(text);
    let full = |names: &[String]| -> Result<Vec<Reference>, Error> {
        let parsed = names.iter().map(|name| format!("{name}{suffix}").parse::<Reference>());
        parsed.map(|name| name.map(Reference::pinned).map_err(Error::Reference)).collect()
    };
    match configuration.expand(short) {
        ShortName::Nowhere => Err(Error::NoSearch(text.to_owned())),
        ShortName::Names(names) if names.is_empty() => Ok(one(plain)),
        ShortName::Names(names) => Ok(Wanted { names: full(&names)?, chosen: None }),
        ShortName::Ask { names, or_all } => {
            let candidates = full(&names)?;
            let shown: Vec<String> = candidates.iter().map(ToString::to_string).collect();
            match progress.choose(&format!("Which image is {text:?}?"), &shown) {
                Some(index) if index < candidates.len() => Ok(Wanted {
                    names: vec![candidates[index].clone()],
                    chosen: Some((short.to_owned(), candidates[index].repository())),
                }),
                None if or_all => Ok(Wanted { names: candidates, chosen: None }),
                _ => Err(Error::ShortName { text: text.to_owned(), candidates: shown }),
            }
        }
    }
}

impl Engine {
    /// What a text may mean in the store, for every command alike.
    pub(in crate::engine) fn image_word(&self, text: &str) -> Result<ImageWord, Error> {
        if has_domain(text) || is_id(text) { Ok(ImageWord::plain(text)) } else { Ok(self.registries()?.word(text)) }
    }

    /// The image of the store that a text means, as [`Store::find_image`](storage::Store::find_image) finds it.
    pub(in crate::engine) fn find_image(&self, text: &str) -> Result<FoundImage, Error> {
        Ok(self.store.find_image(&self.image_word(text)?)?)
    }

    /// The same for who changes it.
    pub(super) fn find_own_image(&self, text: &str) -> Result<FoundImage, Error> {
        Ok(self.store.find_own_image(&self.image_word(text)?)?)
    }

    /// The same, with `None` where there is none such.
    pub(in crate::engine) fn try_find_image(&self, text: &str) -> Result<Option<FoundImage>, Error> {
        Ok(self.store.try_find_image(&self.image_word(text)?)?)
    }

    /// The manifest list of the store that a text means.
    pub(super) fn find_list(&self, text: &str) -> Result<Option<ListRecord>, Error> {
        Ok(self.store.find_list(&self.image_word(text)?)?)
    }

    /// The image of the store that a text means; of a manifest list the one for this machine.
    pub(in crate::engine) fn image_here(&self, text: &str) -> Result<FoundImage, Error> {
        match self.find_list(text)? {
            Some(list) => instance_of(self, &list, None),
            None => self.find_image(text),
        }
    }

    /// The image of `run` and `create`: here, or fetched by the request's policy.
    pub(crate) fn resolve_image(&self, request: &PullRequest, progress: &dyn Progress) -> Result<FoundImage, Error> {
        let report = self.pull(request, progress)?;
        Ok(FoundImage { image: report.image, name: report.name, read_only: None })
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::remote;
    use crate::config::registries_conf::{RegistriesConf, ShortNameMode};
    use crate::types::progress::{Progress, Silent};

    /// Somebody who always takes the second.
    #[derive(Debug)]
    struct Second;

    impl Progress for Second {
        fn begin(&self, _id: &str, _label: &str, _total: Option<u64>) {}
        fn advance(&self, _id: &str, _done: u64) {}
        fn phase(&self, _id: &str, _phase: &str) {}
        fn message(&self, _text: &str) {}
        fn warn(&self, _text: &str) {}
        fn choose(&self, _question: &str, _options: &[String]) -> Option<usize> {
            Some(1)
        }
    }

    #[test]
    fn b19_short_names() {
        let conf = |search: &[&str]| {
            let mut conf = RegistriesConf::from_files(&[] as &[PathBuf]).expect("empty");
            conf.unqualified_search = search.iter().map(|&s| s.to_owned()).collect();
            conf
        };
        let full = |text: &str, search: &[&str]| {
            let wanted = remote(text, &conf(search), &Silent).ok()?;
            assert_eq!((wanted.names.len(), wanted.chosen), (1, None));
            wanted.names.first().map(ToString::to_string)
        };
        assert_eq!(full("web", &[]).as_deref(), Some("docker.io/library/web:latest"));
        assert_eq!(full("team/web:1", &["r.example.org"]).as_deref(), Some("r.example.org/team/web:1"));
        assert_eq!(full("localhost:5000/web", &["a.org", "b.org"]).as_deref(), Some("localhost:5000/web:latest"));
        assert_eq!(full("web", &["a.org", "b.org"]), None);
        assert_eq!(full("docker://web", &["r.example.org", "b.org"]).as_deref(), Some("docker.io/library/web:latest"));
        let digest = format!("web@sha256:{}", "0".repeat(64));
        assert_eq!(full(&digest, &[]), Some(format!("docker.io/library/{digest}")));
        assert_eq!(full(&digest.replace('@', ":1@"), &[]), full(&digest, &[]));
        let mut several = conf(&["a.org", "b.org"]);
        let chosen = remote("team/web:1", &several, &Second).expect("chosen");
        assert_eq!(chosen.names[0].to_string(), "b.org/team/web:1");
        assert_eq!(chosen.chosen, Some(("team/web".to_owned(), "b.org/team/web".to_owned())));
        several.short_name_mode = ShortNameMode::Permissive;
        assert_eq!(remote("web", &several, &Silent).expect("all").names.len(), 2);
        assert_eq!(remote("web", &several, &Second).expect("chosen").names.len(), 1);
        for text in ["", "-x", "A", "oci:dir", "docker-archive:x.tar"] {
            assert_eq!(full(text, &["r.example.org"]), None, "{text}");
        }
    }
}
