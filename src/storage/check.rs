//! The invariants of the store (reliability notes, section 3.4): what is wrong, and what can be done about it.
//!
//! Quick mode reads every record and looks at every directory, but no content of layers and blobs. The checker may run
//! beside working commands: whatever one of them may be in the middle of is looked at under the exclusive store lock,
//! which makers hold shared, or is looked at twice.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::container_record::{ContainerConfig, ExitRecord, Supervision};
use super::error::{At as _, Error};
use super::gc;
use super::images::ImageRecord;
use super::layer_index::IndexReader;
use super::layers::{LayerKey, LayerMeta, MapKey};
use super::layout::Layout;
use super::store::Store;
use crate::sys;
use crate::types::digest::Digest;
use crate::types::id::ContainerId;
use crate::types::mount::MountSource;
use crate::types::status::ContainerStatus;

/// Something that an invariant forbids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Finding {
    /// `I1` … `I16`.
    pub(crate) invariant: &'static str,
    /// What it is about: a path, or the kind and name of an object.
    pub(crate) subject: String,
    pub(crate) problem: String,
    /// What `--repair` does; none: it takes a person.
    pub(crate) repair: Option<Repair>,
    /// The repair was done.
    pub(crate) repaired: bool,
}

/// How a finding is repaired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Repair {
    /// Move it to the trash.
    Discard(PathBuf),
    /// Remove the file.
    Unlink(PathBuf),
    /// Remove the volatile directory.
    Tree(PathBuf),
    /// Set the mode.
    Mode(PathBuf, u32),
    /// Take a damaged container out of the store.
    DiscardContainer(ContainerId),
    /// Take a damaged image and its names out of the store.
    DiscardImage(Digest),
    /// Put the end of a lost container on record.
    RecordLoss(ContainerId),
    /// Delete what lies in the trash, as the caller or in a worker in P.
    EmptyTrash,
    /// Sweep what nothing refers to.
    Sweep,
}

/// Collects findings.
#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(
        &mut self,
        invariant: &'static str,
        subject: impl ToString,
        problem: impl Into<String>,
        repair: Option<Repair>,
    ) {
        let finding =
            Finding { invariant, subject: subject.to_string(), problem: problem.into(), repair, repaired: false };
        if !self.0.contains(&finding) {
            self.0.push(finding);
        }
    }

    fn path(&mut self, invariant: &'static str, path: &Path, problem: impl Into<String>, repair: Option<Repair>) {
        self.add(invariant, path.display(), problem, repair);
    }
}

/// Looks at the whole store. `full`: blobs are hashed as well.
pub(crate) fn check(store: &Store, full: bool) -> Result<Vec<Finding>, Error> {
    let mut findings = Findings::default();
    if !sys::fs::exists(&store.layout().version()) {
        return Ok(findings.0);
    }
    // While somebody makes an object, its parts may be there before it is. A slice with nobody at work.
    let slice = store.lock_exclusive()?;
    entries(store, &mut findings)?;
    containers(store, &mut findings)?;
    names(store, &mut findings)?;
    layers(store, &mut findings)?;
    images(store, &mut findings)?;
    volumes(store, &mut findings)?;
    staging(store, &mut findings)?;
    orphans(store, &mut findings)?;
    drop(slice);
    if full {
        blobs(store, &mut findings)?;
    }
    Ok(findings.0)
}

/// Does what the findings say; true if something in the trash needs a worker in P. Findings that were repaired are
/// marked.
pub(crate) fn repair(store: &Store, findings: &mut [Finding]) -> Result<(), Error> {
    for finding in findings {
        let Some(repair) = finding.repair.clone() else { continue };
        finding.repaired = match repair {
            Repair::Discard(path) => store.move_to_trash(&path).map(|_| true)?,
            Repair::Unlink(path) => sys::fs::remove_file(&path).removing(&path).map(|_| true)?,
            Repair::Tree(path) => sys::fs::remove_tree(&path).removing(&path).map(|()| true)?,
            Repair::Mode(path, mode) => sys::fs::set_mode(&path, mode).writing(&path).map(|()| true)?,
            Repair::DiscardContainer(id) => store.discard_container(&id, None).map(|_| true)?,
            Repair::DiscardImage(digest) => store.discard_image(&digest).map(|()| true)?,
            Repair::RecordLoss(id) => record_loss(store, &id)?,
            // The engine empties it, which may take a worker.
            Repair::EmptyTrash => true,
            Repair::Sweep => store.sweep().map(|swept| !swept.cautious)?,
        };
    }
    Ok(())
}

fn record_loss(store: &Store, id: &ContainerId) -> Result<bool, Error> {
    let mut locked = store.lock_container(id)?;
    if locked.supervision == Supervision::Lost {
        locked.write_exit(store, ExitRecord::unknown("monitor lost"))?;
    }
    Ok(true)
}

/// Tells the names that may lie in a directory.
type IsKnown<'a> = &'a dyn Fn(&str) -> bool;

/// I13: no unknown entries, and the modes of our directories.
fn entries(store: &Store, findings: &mut Findings) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt as _;
    let layout = store.layout();
    let known: Vec<&str> = Layout::known_graph_names().collect();
    let unknown = "unknown entry: it is left alone, move it away";
    for name in sys::fs::names(layout.graphroot()).reading(layout.graphroot())? {
        let path = layout.graphroot().join(&name);
        if !name.to_str().is_some_and(|name| known.contains(&name)) {
            let temporary = is_temporary(&path).then(|| Repair::Unlink(path.clone()));
            findings.path("I13", &path, unknown, temporary);
        }
    }
    for dir in layout.graph_dirs() {
        let Some(metadata) = sys::fs::lstat(&dir).reading(&dir)? else { continue };
        if !metadata.is_dir() {
            findings.path("I13", &dir, "not a directory", None);
        } else if metadata.permissions().mode() & 0o077 != 0 {
            let mode = format!("mode {:o} lets others in", metadata.permissions().mode() & 0o7777);
            findings.path("I13", &dir, mode, Some(Repair::Mode(dir.clone(), super::store::DIR_MODE)));
        }
    }
    let container = |name: &str| name.parse::<ContainerId>().is_ok();
    let layer = |name: &str| LayerKey::from_dir_name(name).is_some();
    let json = |name: &str| {
        name.strip_suffix(".json").is_some_and(|digest| format!("sha256:{digest}").parse::<Digest>().is_ok())
    };
    let blob = |name: &str| format!("sha256:{name}").parse::<Digest>().is_ok();
    let lists: [(PathBuf, IsKnown<'_>); 4] = [
        (layout.containers(), &container),
        (layout.layers(), &layer),
        (layout.images(), &json),
        (layout.blobs(), &blob),
    ];
    for (dir, is_known) in lists {
        for name in sys::fs::names(&dir).reading(&dir)? {
            let path = dir.join(&name);
            if !name.to_str().is_some_and(is_known) {
                let temporary = is_temporary(&path).then(|| Repair::Unlink(path.clone()));
                findings.path("I13", &path, unknown, temporary);
            } else if path.is_symlink() {
                findings.path("I13", &path, "symbolic link: it is not followed, move it away", None);
            }
        }
    }
    Ok(())
}

/// A temporary file of a write that was killed: ours by its name.
fn is_temporary(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let random = name.strip_suffix(".tmp").and_then(|rest| rest.rsplit_once('.')).map_or("", |(_, random)| random);
    random.len() == 12 && random.bytes().all(|b| b.is_ascii_hexdigit()) && !path.is_dir()
}

/// I1, I7, I10, I14, I16 for containers.
fn containers(store: &Store, findings: &mut Findings) -> Result<(), Error> {
    let (whole, broken) = store.containers()?;
    for broken in broken {
        // A newer sampan made it: not ours to throw away.
        let newer = matches!(&broken.error, Error::BrokenContainer { source, .. } if matches!(**source, Error::NewerRecord { .. }));
        let repair = (!newer).then(|| Repair::DiscardContainer(broken.id.clone()));
        findings.add("I1", format!("container {}", broken.id.short()), chain(&broken.error), repair);
    }
    for record in whole {
        let subject = format!("container {}", record.id().short());
        match record.supervision {
            Supervision::Lost => {
                let repair = Some(Repair::RecordLoss(record.id().clone()));
                findings.add("I10", &subject, "its monitor died and nobody saw its end", repair);
            }
            Supervision::Unsupervised => {
                findings.add("I10", &subject, "it runs on without its monitor: stop it and start it again", None);
            }
            Supervision::Monitored | Supervision::None => {}
        }
        if record.status == ContainerStatus::Removing {
            let repair = Some(Repair::DiscardContainer(record.id().clone()));
            findings.add("I10", &subject, "its removal was cut off", repair);
        }
        if gc::is_orphan(store, &record.config)? {
            findings.add("I8", &subject, "made by a run --rm that was killed before the start", Some(Repair::Sweep));
        }
        parts(store, &record.config, &subject, findings);
    }
    Ok(())
}

/// What a container is made of.
fn parts(store: &Store, config: &ContainerConfig, subject: &str, findings: &mut Findings) {
    use super::container_record::StorageDriver;
    let layout = store.layout();
    let map = MapKey::from_text(&config.map);
    for chain in &config.layers {
        let key = LayerKey::new(chain, &map);
        if !store.has_layer(&key) {
            findings.add(
                "I7",
                subject,
                format!("layer {} is missing: load or pull its image again", key.dir_name()),
                None,
            );
        }
    }
    for mount in &config.spec.mounts {
        if let MountSource::Volume { name, .. } = &mount.source
            && !sys::fs::exists(&layout.volume(name))
        {
            findings.add("I7", subject, format!("volume {name} is missing: it is made anew at the next start"), None);
        }
    }
    if config.driver != StorageDriver::Copy && config.spec.rootfs.is_none() {
        for dir in [layout.container_upper(&config.id), layout.container_work(&config.id)] {
            if !sys::fs::exists(&dir) {
                let repair = Some(Repair::DiscardContainer(config.id.clone()));
                findings.add("I14", subject, format!("{} is missing", dir.display()), repair);
            }
        }
    }
    match store.name_holder(&config.name) {
        Ok(Some(holder)) if holder == config.id => {}
        _ => findings.add("I8", subject, format!("the name {} does not lead to it: rename it", config.name), None),
    }
}

/// I8: every name leads to a container that has it.
fn names(store: &Store, findings: &mut Findings) -> Result<(), Error> {
    for path in gc::stale_names(store)? {
        findings.path("I8", &path, "leads to no container", Some(Repair::Unlink(path.clone())));
    }
    Ok(())
}

/// I1, I3 (quick), I4 for layers.
fn layers(store: &Store, findings: &mut Findings) -> Result<(), Error> {
    for key in store.layer_keys()? {
        let dir = store.layer_dir(&key);
        let subject = format!("layer {}", key.dir_name());
        let discard = || Some(Repair::Discard(dir.clone()));
        let meta: LayerMeta = match store.layer(&key) {
            Ok(Some(meta)) => meta,
            Ok(None) => {
                findings.add("I3", &subject, "meta.json is missing", discard());
                continue;
            }
            Err(error @ Error::NewerRecord { .. }) => {
                findings.add("I1", &subject, chain(&error), None);
                continue;
            }
            Err(error) => {
                findings.add("I1", &subject, chain(&error), discard());
                continue;
            }
        };
        if meta.chain != key.chain || meta.map != key.map {
            findings.add("I1", &subject, "meta.json belongs to another layer", discard());
        }
        if !sys::fs::exists(&store.layer_diff(&key)) {
            findings.add("I3", &subject, "diff is missing", discard());
        }
        match count(&store.layer_index(&key)) {
            Ok(entries) if entries == meta.entries => {}
            Ok(entries) => {
                findings.add("I3", &subject, format!("idx has {entries} of {} entries", meta.entries), discard());
            }
            Err(error) => findings.add("I3", &subject, chain(&error), discard()),
        }
    }
    Ok(())
}

fn count(index: &Path) -> Result<u64, Error> {
    let mut reader = IndexReader::open(index)?;
    let mut entries = 0;
    while reader.next_entry()?.is_some() {
        entries += 1;
    }
    Ok(entries)
}

/// I1, I5, I6 for images and their names.
fn images(store: &Store, findings: &mut Findings) -> Result<(), Error> {
    let (images, broken) = store.images()?;
    for broken in broken {
        let newer =
            matches!(&broken.error, Error::BrokenImage { source, .. } if matches!(**source, Error::NewerRecord { .. }));
        let repair = (!newer).then(|| Repair::DiscardImage(broken.digest.clone()));
        findings.add("I1", format!("image {}", broken.digest), chain(&broken.error), repair);
    }
    let present: std::collections::BTreeSet<_> = store.layer_keys()?.into_iter().map(|key| key.chain).collect();
    for image in images {
        let record: ImageRecord = image.record;
        let subject = format!("image {}", record.id.short());
        let mut missing = Vec::new();
        for layer in &record.layers {
            let kept = match &layer.blob {
                Some(blob) => {
                    let size = store.blob_size(blob)?;
                    if let Some(found) = size
                        && found != layer.size
                    {
                        let path = store.layout().blob(blob);
                        findings.path(
                            "I2",
                            &path,
                            format!("{found} of {} bytes", layer.size),
                            Some(Repair::Unlink(path.clone())),
                        );
                    }
                    size == Some(layer.size)
                }
                None => false,
            };
            if !present.contains(&layer.chain) && !kept {
                missing.push(layer.chain.0.to_string());
            }
        }
        if !missing.is_empty() {
            let problem = format!("neither layer nor blob of {} is there: load or pull it again", missing.join(", "));
            findings.add("I5", &subject, problem, Some(Repair::DiscardImage(record.digest.clone())));
        }
        if record.config.rootfs.diff_ids.len() != record.layers.len() {
            findings.add("I5", &subject, "its configuration has another number of layers", None);
        }
    }
    let (refs, broken) = store.references()?;
    for error in broken {
        let path = match &error {
            Error::Parse { path, .. } | Error::WrongRecord { path, .. } => Some(path.clone()),
            _ => None,
        };
        let subject = path.as_ref().map_or_else(|| "name of an image".to_owned(), |path| path.display().to_string());
        findings.add("I1", subject, chain(&error), path.map(Repair::Unlink));
    }
    for reference in refs {
        if !sys::fs::exists(&store.layout().image(&reference.digest)) {
            let path = store.layout().reference(&super::refs::file_name(&reference.name));
            findings.add("I6", format!("name {}", reference.name), "leads to no image", Some(Repair::Unlink(path)));
        }
    }
    Ok(())
}

/// I1 for volumes. Their data is the user's: nothing is repaired here.
fn volumes(store: &Store, findings: &mut Findings) -> Result<(), Error> {
    for (name, error) in store.volumes()?.1 {
        findings.add("I1", format!("volume {name}"), chain(&error), None);
    }
    Ok(())
}

/// I9: nothing is left in staging and trash.
fn staging(store: &Store, findings: &mut Findings) -> Result<(), Error> {
    let dir = store.layout().staging();
    for name in sys::fs::names(&dir).reading(&dir)? {
        let path = dir.join(name);
        if !gc::is_leased(&path)? {
            findings.path("I9", &path, "left by a command that was killed", Some(Repair::Discard(path.clone())));
        }
    }
    let trash = store.layout().trash();
    for name in sys::fs::names(&trash).reading(&trash)? {
        findings.path("I9", &trash.join(name), "not deleted yet", Some(Repair::EmptyTrash));
    }
    Ok(())
}

/// I15: everything is referred to.
fn orphans(store: &Store, findings: &mut Findings) -> Result<(), Error> {
    let marks = gc::mark(store)?;
    if marks.incomplete {
        return Ok(());
    }
    for key in store.layer_keys()? {
        if !marks.holds_layer(&key) {
            findings.add("I15", format!("layer {}", key.dir_name()), "nothing refers to it", Some(Repair::Sweep));
        }
    }
    for digest in store.blob_digests()? {
        if !marks.blobs.contains(&digest) {
            findings.add("I15", format!("blob {digest}"), "nothing refers to it", Some(Repair::Sweep));
        }
    }
    Ok(())
}

/// I2: each blob has the content of its name.
fn blobs(store: &Store, findings: &mut Findings) -> Result<(), Error> {
    for digest in store.blob_digests()? {
        let path = store.layout().blob(&digest);
        match store.verify_blob(&digest) {
            Ok(true) => {}
            Ok(false) => {
                findings.path("I2", &path, "its content is not what its name says", Some(Repair::Unlink(path.clone())));
            }
            // Swept since the directory was read.
            Err(_) if !sys::fs::exists(&path) => {}
            Err(error) => findings.path("I2", &path, chain(&error), None),
        }
    }
    Ok(())
}

/// The whole story of an error, in one line.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
