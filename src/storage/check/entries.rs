//! I13: nothing unknown lies in the store, everything is ours, and nobody else is let in.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::finding::{Finding, Findings, Invariant, Repair, locks_out};
use crate::storage::error::{At as _, Error};
use crate::storage::layers::LayerKey;
use crate::storage::layout::Layout;
use crate::storage::store::{DIR_MODE, Store};
use crate::storage::volumes::HOLDER;
use crate::sys;
use crate::types::digest::Digest;
use crate::types::id::ContainerId;
use crate::types::name::VolumeName;

/// Mode of every file of ours.
const FILE_MODE: u32 = 0o600;

const UNKNOWN: &str = "unknown entry: it is left alone, move it away";

/// Tells the names that may lie in a directory.
type IsKnown<'a> = &'a dyn Fn(&str) -> bool;

/// Looks at the names and modes of everything that is not a tree of a layer, a container or a volume. What locks us out is
/// not looked into.
pub(super) fn check(store: &Store, findings: &mut Findings) -> Result<(), Error> {
    let layout = store.layout();
    let known: Vec<&str> = Layout::known_graph_names().collect();
    for path in list(layout.graphroot(), &|name| known.contains(&name), findings)? {
        if layout.graph_files().contains(&path) {
            private_file(&path, findings)?;
        }
    }
    private_dir(layout.graphroot(), findings)?;
    for dir in layout.graph_dirs() {
        private_dir(&dir, findings)?;
    }
    if locks_out(&findings.0) {
        return Ok(());
    }
    let blob = |name: &str| format!("sha256:{name}").parse::<Digest>().is_ok();
    let json = |name: &str| name.strip_suffix(".json").is_some_and(blob);
    // A name that is not UTF-8 or is hidden is nobody's reference.
    for (dir, is_known) in [
        (layout.images(), &json as IsKnown<'_>),
        (layout.blobs(), &blob),
        (layout.partials(), &blob),
        (layout.refs(), &|name: &str| !name.starts_with('.')),
        (layout.lists(), &|name: &str| !name.starts_with('.')),
        (layout.names(), &|name: &str| !name.starts_with('.')),
    ] {
        for path in list(&dir, is_known, findings)? {
            private_file(&path, findings)?;
        }
    }
    let container = |name: &str| name.parse::<ContainerId>().is_ok();
    let is_log = |name: &str| name == "ctr.log" || name.strip_prefix("ctr.log.").is_some_and(is_number);
    let is_record = |name: &str| matches!(name, "config.json" | "exit.json" | "monitor.lock") || is_log(name);
    let is_tree =
        |name: &str| matches!(name, "upper" | "work" | "rootfs") || name.strip_prefix("mount-").is_some_and(is_number);
    let is_bound = |name: &str| Layout::CONTAINER_FILES.contains(&name);
    for dir in list(&layout.containers(), &container, findings)? {
        if !private_dir(&dir, findings)? {
            continue;
        }
        for (name, path) in entries(&dir, &|name| is_record(name) || is_tree(name) || is_bound(name), findings)? {
            if is_record(&name) {
                private_file(&path, findings)?;
            }
        }
    }
    let layer = |name: &str| LayerKey::from_dir_name(name).is_some();
    let is_record = |name: &str| matches!(name, "idx" | "meta.json");
    private_dirs(&layout.layers(), &layer, (&is_record, &|name| name == "diff"), findings)?;
    let volume = |name: &str| name.parse::<VolumeName>().is_ok();
    let is_record = |name: &str| matches!(name, "meta.json" | HOLDER);
    private_dirs(&layout.volumes(), &volume, (&is_record, &|name| name == "_data"), findings)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Directories of objects: their records, and the trees that are none of ours to look into.
fn private_dirs(
    parent: &Path,
    is_known: IsKnown<'_>,
    (is_record, is_tree): (IsKnown<'_>, IsKnown<'_>),
    findings: &mut Findings,
) -> Result<(), Error> {
    for dir in list(parent, is_known, findings)? {
        if !private_dir(&dir, findings)? {
            continue;
        }
        for path in list(&dir, &|name| is_record(name) || is_tree(name), findings)? {
            if path.file_name().and_then(|name| name.to_str()).is_some_and(is_record) {
                private_file(&path, findings)?;
            }
        }
    }
    Ok(())
}

/// The entries of a directory that are known, but for links.
fn list(dir: &Path, is_known: IsKnown<'_>, findings: &mut Findings) -> Result<Vec<PathBuf>, Error> {
    let mut whole = Vec::new();
    for (_, path) in entries(dir, is_known, findings)? {
        if path.is_symlink() {
            let finding = Finding::new(Invariant::I13, path.display(), "symbolic link: it is not followed", None);
            findings.push(finding.advised("move it away".to_owned()));
        } else {
            whole.push(path);
        }
    }
    Ok(whole)
}

/// The entries of a directory that are known. Foreign ones are reported; what a killed write left is ours to remove.
fn entries(dir: &Path, is_known: IsKnown<'_>, findings: &mut Findings) -> Result<Vec<(String, PathBuf)>, Error> {
    let mut whole = Vec::new();
    if !is_dir(dir)? {
        return Ok(whole);
    }
    for name in sys::fs::names(dir).reading(dir)? {
        let path = dir.join(&name);
        if temporary(&path, findings) {
            continue;
        }
        match name.into_string() {
            Ok(name) if is_known(&name) => whole.push((name, path)),
            _ => findings.path(Invariant::I13, &path, UNKNOWN, None),
        }
    }
    Ok(whole)
}

fn is_dir(path: &Path) -> Result<bool, Error> {
    Ok(sys::fs::lstat(path).reading(path)?.is_some_and(|metadata| metadata.is_dir()))
}

/// Reports a temporary file of a write that was killed: ours by its name.
fn temporary(path: &Path, findings: &mut Findings) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let random = name.strip_suffix(".tmp").and_then(|rest| rest.rsplit_once('.')).map_or("", |(_, random)| random);
    let ours = random.len() == 12 && random.bytes().all(|b| b.is_ascii_hexdigit());
    if ours {
        let repair = if path.is_dir() { Repair::Discard(path.to_owned()) } else { Repair::Unlink(path.to_owned()) };
        findings.path(Invariant::I13, path, "left by a write that was killed", Some(repair));
    }
    ours
}

/// False if nobody can look into it now.
fn private_dir(dir: &Path, findings: &mut Findings) -> Result<bool, Error> {
    let Some(metadata) = sys::fs::lstat(dir).reading(dir)? else {
        findings.path(Invariant::I13, dir, "missing", Some(Repair::Directory(dir.to_owned(), DIR_MODE)));
        return Ok(false);
    };
    if !metadata.is_dir() {
        findings.path(Invariant::I13, dir, "not a directory", None);
        return Ok(false);
    }
    let mode = metadata.permissions().mode() & 0o7777;
    let is_locked = metadata.uid() == sys::fs::effective_uid() && mode & DIR_MODE != DIR_MODE;
    if is_locked {
        findings.path(Invariant::I13, dir, format!("mode {mode:o} locks us out"), Some(Repair::Unlock(dir.to_owned())));
    } else {
        private(dir, (mode, metadata.uid()), DIR_MODE, findings);
    }
    Ok(!is_locked)
}

/// A file that may be absent: other checks miss it.
fn private_file(path: &Path, findings: &mut Findings) -> Result<(), Error> {
    if let Some(metadata) = sys::fs::lstat(path).reading(path)? {
        if metadata.is_file() {
            private(path, (metadata.permissions().mode() & 0o7777, metadata.uid()), FILE_MODE, findings);
        } else {
            findings.path(Invariant::I13, path, "not a file", Some(Repair::Discard(path.to_owned())));
        }
    }
    Ok(())
}

fn private(path: &Path, (mode, uid): (u32, u32), wanted: u32, findings: &mut Findings) {
    if uid != sys::fs::effective_uid() {
        let finding = Finding::new(Invariant::I13, path.display(), format!("belongs to user {uid}"), None);
        findings.push(finding.advised("`chown` it".to_owned()));
    } else if mode & 0o077 != 0 {
        let repair = Some(Repair::Mode(path.to_owned(), wanted));
        findings.path(Invariant::I13, path, format!("mode {mode:o} lets others in"), repair);
    } else if mode & wanted != wanted {
        findings.path(
            Invariant::I13,
            path,
            format!("mode {mode:o} locks us out"),
            Some(Repair::Mode(path.to_owned(), wanted)),
        );
    }
}
