//! Names without a registry: aliases, search registries, and what the user has chosen before.

use std::path::PathBuf;

use super::{RegistriesConf, ShortNameMode};
use crate::config::config_file::LIMIT;
use crate::config::environment;
use crate::config::error::{At as _, Error};
use crate::sys;
use crate::sys::lock::FileLock;
use crate::types::reference::{ImageWord, split_suffix};

/// What a name without a registry means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ShortName {
    /// These names, to be tried in turn. Empty: nothing is configured.
    Names(Vec<String>),
    /// One of these, and only the user can say which. `or_all`: without a terminal all are tried.
    Ask { names: Vec<String>, or_all: bool },
    /// The files forbid to search for it.
    Nowhere,
}

impl RegistriesConf {
    /// Full names for `name` (no registry, no tag), by the alias or else by the search registries.
    pub(crate) fn expand(&self, name: &str) -> ShortName {
        if let Some(target) = self.alias(name) {
            return ShortName::Names(vec![target.to_owned()]);
        }
        let names: Vec<String> = self.searched(name).collect();
        match self.short_name_mode {
            _ if names.is_empty() && self.search_given => ShortName::Nowhere,
            ShortNameMode::Disabled => ShortName::Names(names),
            _ if names.len() < 2 => ShortName::Names(names),
            mode => ShortName::Ask { names, or_all: mode == ShortNameMode::Permissive },
        }
    }

    /// What a text may mean in the local store.
    pub(crate) fn word(&self, text: &str) -> ImageWord {
        let (name, _) = split_suffix(text);
        ImageWord::short(text, self.alias(name), self.searched(name))
    }

    fn searched(&self, name: &str) -> impl Iterator<Item = String> {
        self.unqualified_search.iter().map(move |registry| format!("{}/{name}", registry.trim_end_matches('/')))
    }

    /// What the alias table says a short name means.
    pub(super) fn alias(&self, name: &str) -> Option<&str> {
        self.aliases.get(name).map(String::as_str).filter(|target| !target.is_empty())
    }
}

/// Where choices are kept, for Podman, too.
pub(super) fn file() -> Option<PathBuf> {
    environment::cache_home().map(|cache| cache.join("containers/short-name-aliases.conf"))
}

/// Keeps the user's choice, so that nobody is asked twice.
pub(crate) fn record_alias(name: &str, target: &str) -> Result<(), Error> {
    let Some(path) = file() else { return Ok(()) };
    if let Some(dir) = path.parent() {
        sys::fs::mkdir_all(dir, 0o700).writing(&path)?;
    }
    let lock = FileLock::exclusive(&path.with_extension("conf.lock")).writing(&path)?;
    let bytes = sys::fs::absent_is_none(sys::fs::read_named(&path, LIMIT)).writing(&path)?.unwrap_or_default();
    // What cannot be read was no list of aliases.
    let mut document: toml::Table = String::from_utf8_lossy(&bytes).parse().unwrap_or_default();
    let aliases = document.entry("aliases").or_insert_with(|| toml::Value::Table(toml::Table::new()));
    if let Some(aliases) = aliases.as_table_mut() {
        aliases.insert(name.to_owned(), toml::Value::String(target.to_owned()));
    }
    sys::fs::replace_durable(&path, document.to_string().as_bytes()).writing(&path)?;
    drop(lock);
    Ok(())
}
