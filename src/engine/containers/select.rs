//! Which containers a command means: names, `--all`, `--latest`, filters.

use std::collections::BTreeSet;

use crate::engine::{Engine, Error};
use crate::storage;
use crate::storage::container_record::ContainerRecord;
use crate::types::id::ContainerId;

/// What the command line says of the containers of a command.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selection {
    /// Names, ids or prefixes of ids.
    pub(crate) names: Vec<String>,
    pub(crate) all: bool,
    /// The one made last.
    pub(crate) latest: bool,
    /// `--filter key=value`: only those of the others that pass, or of all.
    pub(crate) filters: Vec<String>,
    /// A name that nothing has is passed over.
    pub(crate) ignore: bool,
}

impl Selection {
    /// Just these.
    pub(crate) fn of<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        Self { names: names.into_iter().map(Into::into).collect(), ..Self::default() }
    }
}

/// One word of the command line and the container that it means.
pub(crate) type Selected = (String, Result<ContainerId, Error>);

/// What became of each word of the command line.
pub(crate) type Answers<T> = Vec<(String, Result<T, Error>)>;

impl Engine {
    /// Finds the containers of a command, each with the word that named it, without doubles.
    pub(crate) fn select(&self, selection: &Selection) -> Result<Vec<Selected>, Error> {
        let mut selected: Vec<Selected> = Vec::new();
        let passing = self.passing(&selection.filters)?;
        let mut push = |word: String, found: Result<ContainerId, Error>| {
            let known = |id: &ContainerId| selected.iter().any(|(_, other)| other.as_ref().is_ok_and(|o| o == id));
            let fails = |id: &ContainerId| passing.as_ref().is_some_and(|passing| !passing.contains(id));
            if !found.as_ref().is_ok_and(|id| known(id) || fails(id)) {
                selected.push((word, found));
            }
        };
        for name in &selection.names {
            match self.store.find_container(name) {
                Err(storage::Error::NoContainer(_)) if selection.ignore => {}
                found => push(name.clone(), found.map_err(Error::Storage)),
            }
        }
        if selection.latest {
            match self.latest_container()? {
                Some(id) => push(id.to_string(), Ok(id)),
                None if selection.ignore => {}
                None => push("--latest".to_owned(), Err(Error::NoContainers)),
            }
        }
        if selection.all || selection.names.is_empty() && !selection.latest && passing.is_some() {
            // By id: a damaged container is among all, too.
            for id in self.store.container_ids()? {
                push(id.to_string(), Ok(id));
            }
        }
        Ok(selected)
    }

    /// The containers that pass these filters. None: no filters.
    fn passing(&self, filters: &[String]) -> Result<Option<BTreeSet<ContainerId>>, Error> {
        if filters.is_empty() {
            return Ok(None);
        }
        let filters = super::filter::Filters::parse(self, filters)?;
        let (records, _) = self.store.containers()?;
        Ok(Some(records.iter().filter(|record| filters.matches(record)).map(|record| record.id().clone()).collect()))
    }

    /// The container that a word means.
    pub(crate) fn container(&self, word: &str) -> Result<ContainerRecord, Error> {
        let id = self.store.find_container(word)?;
        Ok(self.store.container(&id)?)
    }

    /// The container that was made last.
    pub(crate) fn latest_container(&self) -> Result<Option<ContainerId>, Error> {
        let (containers, _) = self.store.containers()?;
        Ok(containers.into_iter().max_by_key(|record| record.config.created).map(|record| record.config.id))
    }

    /// True if there is such a container.
    pub(crate) fn container_exists(&self, word: &str) -> Result<bool, Error> {
        match self.store.find_container(word) {
            Ok(_) => Ok(true),
            Err(storage::Error::NoContainer(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
