//! Manifest lists that are made here: `lists/<name>.json`, one record for each name, apart from the names of images. The
//! document that others see, an OCI index or Docker's list, is made of the record at need: its digest is the list's id.
//!
//! A list holds blobs, not images: what it names can be pushed as long as the list is there, whatever `rmi` takes away.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::{At as _, Error};
use super::record::{self, Record, Rest};
use super::refs::{file_name, is_temporary};
use super::store::{Exclusive, Store};
use crate::sys;
use crate::types::digest::Digest;
use crate::types::id::is_id_prefix;
use crate::types::media_type;
use crate::types::platform::Platform;
use crate::types::reference::{ImageWord, Reference};

/// A list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ListRecord {
    pub(crate) version: u32,
    pub(crate) name: Reference,
    pub(crate) created: Timestamp,
    pub(crate) entries: Vec<ListEntry>,
    /// Of the list itself.
    #[serde(default)]
    pub(crate) annotations: BTreeMap<String, String>,
    #[serde(skip)]
    pub(crate) rest: Rest,
}

/// An image of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ListEntry {
    /// Of the manifest, which is a blob of this store.
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    pub(crate) media_type: String,
    pub(crate) platform: ListPlatform,
    #[serde(default)]
    pub(crate) annotations: BTreeMap<String, String>,
    /// Configuration and layers: kept where they are here.
    pub(crate) blobs: Vec<Digest>,
    /// The registry that has what is not here.
    #[serde(default)]
    pub(crate) source: Option<Reference>,
    /// `--tls-verify`, as it was given when the image was added.
    #[serde(default)]
    pub(crate) tls_verify: Option<bool>,
}

/// What an image runs on, with everything that an index can say of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ListPlatform {
    pub(crate) os: String,
    pub(crate) architecture: String,
    pub(crate) variant: Option<String>,
    pub(crate) os_version: Option<String>,
    pub(crate) os_features: Vec<String>,
    pub(crate) features: Vec<String>,
}

record::record!(ListRecord);

impl ListRecord {
    /// An empty list.
    pub(crate) fn new(name: Reference) -> Self {
        Self {
            version: Self::VERSION,
            name,
            created: Timestamp::now(),
            entries: Vec::new(),
            annotations: BTreeMap::new(),
            rest: Rest::new(),
        }
    }

    /// The document, and its media type: Docker's if all images are Docker's and no annotation wants OCI's.
    pub(crate) fn document(&self) -> (Vec<u8>, &'static str) {
        let plain = self.annotations.is_empty() && self.entries.iter().all(|entry| entry.annotations.is_empty());
        let docker = self.entries.iter().all(|entry| entry.media_type == media_type::DOCKER_MANIFEST);
        let media_type =
            if plain && docker && !self.entries.is_empty() { media_type::DOCKER_LIST } else { media_type::OCI_INDEX };
        let entries: Vec<Value> = self.entries.iter().map(ListEntry::document).collect();
        let mut document = json!({"schemaVersion": 2, "mediaType": media_type, "manifests": entries});
        if !self.annotations.is_empty() {
            document["annotations"] = json!(self.annotations);
        }
        (document.to_string().into_bytes(), media_type)
    }

    /// Of the document: it changes with the list.
    pub(crate) fn digest(&self) -> Digest {
        Digest::of(&self.document().0)
    }

    /// The entry for a platform: the first of the best variant.
    pub(crate) fn choose(&self, wanted: &Platform) -> Option<&ListEntry> {
        wanted.acceptable_variants().into_iter().find_map(|variant| {
            self.entries.iter().find(|entry| {
                let has = entry.platform.plain();
                has.os == wanted.os && has.architecture == wanted.architecture && has.variant.as_deref() == variant
            })
        })
    }
}

impl ListEntry {
    fn document(&self) -> Value {
        let platform = &self.platform;
        let mut value = json!({"architecture": platform.architecture, "os": platform.os});
        for (key, text) in [("variant", &platform.variant), ("os.version", &platform.os_version)] {
            if let Some(text) = text {
                value[key] = json!(text);
            }
        }
        for (key, list) in [("os.features", &platform.os_features), ("features", &platform.features)] {
            if !list.is_empty() {
                value[key] = json!(list);
            }
        }
        let mut entry =
            json!({"mediaType": self.media_type, "digest": self.digest, "size": self.size, "platform": value});
        if !self.annotations.is_empty() {
            entry["annotations"] = json!(self.annotations);
        }
        entry
    }
}

impl ListPlatform {
    /// Without what is rarely asked for.
    pub(crate) fn plain(&self) -> Platform {
        Platform::new(&self.os, &self.architecture, self.variant.as_deref())
    }
}

impl Store {
    /// The list of exactly this name.
    pub(crate) fn list(&self, name: &Reference) -> Result<Option<ListRecord>, Error> {
        let path = self.layout().list(&file_name(name));
        match record::read_if_exists::<ListRecord>(&path)? {
            Some(record) if record.name != *name => Err(Error::WrongRecord { path, found: record.name.to_string() }),
            other => Ok(other),
        }
    }

    /// The list that has the name which a text stands for. An image may have come under that name since, and hide it.
    pub(crate) fn named_list(&self, word: &ImageWord) -> Result<Option<ListRecord>, Error> {
        for name in word.names() {
            if let Some(list) = self.list(name)? {
                return Ok(Some(list));
            }
        }
        Ok(None)
    }

    /// The list that a text means: by a name that no image has, or by the beginning of its id.
    pub(crate) fn find_list(&self, word: &ImageWord) -> Result<Option<ListRecord>, Error> {
        let text = word.text.as_str();
        for name in word.names() {
            if self.resolve_reference(name).ok().flatten().is_some() {
                return Ok(None);
            }
            if let Some(list) = self.list(name)? {
                return Ok(Some(list));
            }
        }
        let prefix = text.strip_prefix("sha256:").unwrap_or(text);
        if !is_id_prefix(prefix) || prefix.len() < 4 {
            return Ok(None);
        }
        let (lists, broken) = self.lists()?;
        match lists.into_iter().find(|list| list.digest().hex().starts_with(prefix)) {
            Some(list) => Ok(Some(list)),
            // What cannot be read now may be it.
            None => broken.into_iter().find(|error| !error.is_damage()).map_or(Ok(None), Err),
        }
    }

    /// All lists, sorted by file, and the errors of the damaged ones.
    pub(crate) fn lists(&self) -> Result<(Vec<ListRecord>, Vec<Error>), Error> {
        let dir = self.layout().lists();
        let (mut whole, mut broken) = (Vec::new(), Vec::new());
        for name in sys::fs::names(&dir).reading(&dir)? {
            let Some(text) = name.to_str().filter(|text| !is_temporary(text)) else { continue };
            let path = dir.join(text);
            match record::read_if_exists::<ListRecord>(&path) {
                Ok(Some(record)) if file_name(&record.name) == text => whole.push(record),
                Ok(Some(record)) => broken.push(Error::WrongRecord { path, found: record.name.to_string() }),
                Ok(None) => {}
                Err(error) => broken.push(error),
            }
        }
        Ok((whole, broken))
    }

    /// Changes a list, or makes it; two commands at once do it one after the other. What the list names is published.
    pub(crate) fn change_list<T, E: From<Error>>(
        &self,
        name: &Reference,
        change: impl FnOnce(Option<ListRecord>) -> Result<(ListRecord, T), E>,
    ) -> Result<T, E> {
        let lock = self.lock_exclusive()?;
        let (record, answer) = change(self.list(name)?)?;
        self.put_list(&record, &lock)?;
        Ok(answer)
    }

    /// Records a list under its name.
    pub(crate) fn put_list(&self, list: &ListRecord, _lock: &Exclusive) -> Result<(), Error> {
        record::write_durable(&self.layout().list(&file_name(&list.name)), list)
    }

    /// Takes a list away; false if there is none of this name. Its blobs are the next sweep's. Under the lock, so that whoever
    /// changes the list at this moment does not bring it back.
    pub(crate) fn remove_list(&self, name: &Reference, _lock: &Exclusive) -> Result<bool, Error> {
        let path = self.layout().list(&file_name(name));
        let removed = sys::fs::remove_file(&path).removing(&path)?;
        if removed {
            sys::fs::sync_dir(&self.layout().lists()).writing(&path)?;
        }
        Ok(removed)
    }
}
