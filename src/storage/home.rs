//! Which runroot a store has. State, locks and sockets of what runs lie in the runroot of the command that started it; one
//! with another environment (cron knows no `XDG_RUNTIME_DIR`) looks there, as long as something runs. The note is only a
//! hint: what it says is looked at, and without it a command goes by its own environment.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::container_record::MonitorLock;
use super::error::{At as _, Error};
use super::layout::Layout;
use super::store::{Store, require_ours};
use crate::sys::lock::{FileLock, TryLock};
use crate::sys::{self, Errno};
use crate::types::id::ContainerId;

/// Largest note, in bytes: an epoch and a path.
const LARGEST: u64 = 8 << 10;

impl Layout {
    /// The runroot that was used last, if that was in this epoch.
    pub(super) fn noted_runroot(&self) -> Result<Option<PathBuf>, Error> {
        let path = self.runroot_note();
        let text = match sys::fs::absent_is_none(sys::fs::read_ordinary(&path, LARGEST)) {
            // What another one may read a moment later: with its own runroot this command would see none of what runs.
            Err(error) if error.is_shortage() || error.is(Errno::EIO) => return Err(error).reading(&path),
            Err(error) => {
                tracing::debug!(%error, "runroot not noted");
                None
            }
            Ok(text) => text,
        };
        let of_epoch = |text: &[u8]| {
            let path = text.strip_prefix(self.epoch().as_bytes())?.strip_prefix(b" ")?;
            let path = Path::new(OsStr::from_bytes(path));
            path.is_absolute().then(|| path.to_owned())
        };
        Ok(text.and_then(|text| of_epoch(&text)))
    }

    /// The same store with another runroot.
    pub(super) fn at_runroot(&self, runroot: &Path) -> Self {
        Self::with_epoch(self.graphroot(), runroot, self.epoch().to_owned())
    }
}

impl Store {
    /// True if a container runs, and this runroot is one that a command of this epoch has made. What cannot be told is no reason
    /// to go elsewhere, where nothing of it would be seen.
    pub(super) fn is_in_use(layout: &Layout) -> bool {
        let store = Self::at(layout.clone());
        let runs = |id: &ContainerId| !matches!(store.monitor_lock(id), Ok(MonitorLock::Free | MonitorLock::Absent));
        is_made(layout) && store.container_ids().map_or(true, |ids| ids.iter().any(runs))
    }

    /// Leaves word to later commands that this store's runroot is ours, unless something runs by another one. Best effort.
    pub(super) fn note_runroot(&self) {
        if self.runroot_noted.get().is_some() {
            return;
        }
        match self.take_over_note() {
            Ok(()) => drop(self.runroot_noted.set(())),
            Err(error) => tracing::debug!(%error, "runroot not noted"),
        }
    }

    fn take_over_note(&self) -> Result<(), Error> {
        let layout = self.layout();
        let noted = layout.noted_runroot()?;
        if noted.as_deref() == Some(layout.runroot()) {
            return Ok(());
        }
        let other = noted.map(|noted| layout.at_runroot(&noted));
        if other.as_ref().is_some_and(Self::is_in_use) {
            return Ok(());
        }
        let mut text = format!("{} ", layout.epoch()).into_bytes();
        text.extend_from_slice(layout.runroot().as_os_str().as_bytes());
        let path = layout.runroot_note();
        let written = match sys::fs::write_new(&path, &text) {
            Err(error) if error.is(Errno::EEXIST) => sys::fs::rewrite(&path, &text),
            other => other,
        };
        written.writing(&path)?;
        if let Some(other) = other.filter(is_made) {
            Self::at(other).leave_runroot();
        }
        Ok(())
    }

    /// Takes away what ended runs have left in a runroot that nothing of this store is in any more.
    fn leave_runroot(&self) {
        let leave = |id: &ContainerId| -> Result<(), Error> {
            let path = self.layout().container_lock(id);
            let TryLock::Held(_lock) = FileLock::try_exclusive(&path).locking(&path)? else { return Ok(()) };
            match self.monitor_lock(id)? {
                // Just started, by one who has not read our note.
                MonitorLock::Held => Ok(()),
                MonitorLock::Free | MonitorLock::Absent => self.forget_container(id, None, self.cgroup_of(id).as_ref()),
            }
        };
        if let Err(error) = self.container_ids().and_then(|ids| ids.iter().try_for_each(leave)) {
            tracing::debug!(%error, "remains in a runroot that was left");
        }
    }
}

fn is_made(layout: &Layout) -> bool {
    let is_there = match sys::fs::lstat(&layout.run_epoch()) {
        Ok(found) => found.is_some(),
        Err(error) => !error.is(Errno::EACCES),
    };
    is_there && !matches!(require_ours(layout.runroot()), Err(Error::ForeignRoot { .. } | Error::SharedRoot { .. }))
}
