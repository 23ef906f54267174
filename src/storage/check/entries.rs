//! I13: nothing unknown lies in the store, everything is ours, and nobody else is let in.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::finding::{Findings, Repair};
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

/// Looks at the names and modes of everything that is not a tree of a layer, a container or a volume.
pub(super) fn check(store: &Store, findings: &mut Findings) -> Result<(), Error> {
    let layout = store.layout();
    let known: Vec<&str> = Layout::known_graph_names().collect();
    list(layout.graphroot(), &|name| known.contains(&name), findings)?;
    private_dir(layout.graphroot(), findings)?;
    for dir in layout.graph_dirs() {
        private_dir(&dir, findings)?;
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
    for dir in list(&layout.containers(), &container, findings)? {
        private_dir(&dir, findings)?;
        for name in ["config.json", "exit.json", "monitor.lock"] {
            private_file(&dir.join(name), findings)?;
        }
        for name in sys::fs::names(&dir).reading(&dir)? {
            temporary(&dir.join(name), findings);
        }
    }
    for dir in list(&layout.layers(), &|name| LayerKey::from_dir_name(name).is_some(), findings)? {
        private_dir(&dir, findings)?;
        for path in list(&dir, &|name| matches!(name, "diff" | "idx" | "meta.json"), findings)? {
            if !path.ends_with("diff") {
                private_file(&path, findings)?;
            }
        }
    }
    for dir in list(&layout.volumes(), &|name| name.parse::<VolumeName>().is_ok(), findings)? {
        private_dir(&dir, findings)?;
        for path in list(&dir, &|name| matches!(name, "_data" | "meta.json" | HOLDER), findings)? {
            if !path.ends_with("_data") {
                private_file(&path, findings)?;
            }
        }
    }
    Ok(())
}

/// The entries of a directory that are known. Foreign ones are reported; what a killed write left is ours to remove.
fn list(dir: &Path, is_known: IsKnown<'_>, findings: &mut Findings) -> Result<Vec<PathBuf>, Error> {
    let mut whole = Vec::new();
    if !is_dir(dir)? {
        return Ok(whole);
    }
    for name in sys::fs::names(dir).reading(dir)? {
        let path = dir.join(&name);
        if temporary(&path, findings) {
            continue;
        }
        if !name.to_str().is_some_and(is_known) {
            findings.path("I13", &path, UNKNOWN, None);
        } else if path.is_symlink() {
            findings.path("I13", &path, "symbolic link: it is not followed, move it away", None);
        } else {
            whole.push(path);
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
        findings.path("I13", path, "left by a write that was killed", Some(repair));
    }
    ours
}

fn private_dir(dir: &Path, findings: &mut Findings) -> Result<(), Error> {
    let Some(metadata) = sys::fs::lstat(dir).reading(dir)? else {
        findings.path("I13", dir, "missing", Some(Repair::Directory(dir.to_owned(), DIR_MODE)));
        return Ok(());
    };
    if metadata.is_dir() {
        private(dir, (metadata.permissions().mode(), metadata.uid()), DIR_MODE, findings);
    } else {
        findings.path("I13", dir, "not a directory", None);
    }
    Ok(())
}

/// A file that may be absent: other checks miss it.
fn private_file(path: &Path, findings: &mut Findings) -> Result<(), Error> {
    if let Some(metadata) = sys::fs::lstat(path).reading(path)? {
        if metadata.is_file() {
            private(path, (metadata.permissions().mode(), metadata.uid()), FILE_MODE, findings);
        } else {
            findings.path("I13", path, "not a file", Some(Repair::Discard(path.to_owned())));
        }
    }
    Ok(())
}

fn private(path: &Path, (mode, uid): (u32, u32), wanted: u32, findings: &mut Findings) {
    let mode = mode & 0o7777;
    if uid != sys::fs::effective_uid() {
        findings.path("I13", path, format!("belongs to user {uid}: `chown` it"), None);
    } else if mode & 0o077 != 0 {
        let repair = Some(Repair::Mode(path.to_owned(), wanted));
        findings.path("I13", path, format!("mode {mode:o} lets others in"), repair);
    } else if mode & wanted != wanted {
        findings.path("I13", path, format!("mode {mode:o} locks us out"), Some(Repair::Mode(path.to_owned(), wanted)));
    }
}
