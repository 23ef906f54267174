//! Exec sessions: volatile records, so that the exit code of a detached one is kept while the container runs.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::error::{At as _, Error};
use super::record::{self, Record, Rest};
use super::store::Store;
use crate::sys;
use crate::types::id::{ContainerId, ExecId};

/// `exec/<id>`: one session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ExecRecord {
    pub(crate) version: u32,
    pub(crate) id: ExecId,
    pub(crate) container: ContainerId,
    /// The program, in the engine's pid namespace.
    #[serde(default)]
    pub(crate) pid: Option<i32>,
    /// None while it runs.
    #[serde(default)]
    pub(crate) code: Option<i32>,
    #[serde(skip)]
    pub(crate) rest: Rest,
}

record::record!(ExecRecord);

impl ExecRecord {
    pub(crate) fn new(id: ExecId, container: ContainerId) -> Self {
        Self { version: Self::VERSION, id, container, pid: None, code: None, rest: Rest::new() }
    }

    #[must_use]
    pub(crate) fn running(self, pid: i32) -> Self {
        Self { pid: Some(pid), ..self }
    }

    #[must_use]
    pub(crate) fn ended(self, code: i32) -> Self {
        Self { code: Some(code), ..self }
    }
}

impl Store {
    /// Writes or replaces the record of a session.
    pub(crate) fn write_exec(&self, exec: &ExecRecord) -> Result<(), Error> {
        self.in_runroot(record::write_volatile(&self.layout().exec(&exec.id), exec))
    }

    /// True if the container has not been removed. A link in its place is somebody else's.
    pub(crate) fn has_container(&self, id: &ContainerId) -> bool {
        self.is_container(id).unwrap_or(false)
    }

    /// Like [`Self::has_container`], for who must not take one that cannot be seen now for gone.
    pub(super) fn is_container(&self, id: &ContainerId) -> Result<bool, Error> {
        let path = self.layout().container(id);
        Ok(sys::fs::lstat(&path).reading(&path)?.is_some_and(|found| found.is_dir()))
    }

    /// Forgets a session.
    pub(crate) fn remove_exec(&self, id: &ExecId) -> Result<(), Error> {
        let path = self.layout().exec(id);
        sys::fs::remove_file(&path).removing(&path).map(drop)
    }

    /// The sessions of a container, in the order of their ids. What cannot be read is none.
    pub(crate) fn execs_of(&self, container: &ContainerId) -> Result<Vec<ExecRecord>, Error> {
        let mut own: Vec<_> = self.exec_files(container)?.into_iter().map(|(_, exec)| exec).collect();
        own.sort_by(|one, other| one.id.as_str().cmp(other.id.as_str()));
        Ok(own)
    }

    /// Removes the sessions of a container, and what writes of them left that were killed.
    pub(super) fn remove_execs(&self, container: &ContainerId) -> Result<(), Error> {
        for (path, _) in self.exec_files(container)? {
            sys::fs::remove_file(&path).removing(&path)?;
        }
        Ok(())
    }

    /// The readable records of a container's sessions, each with its file.
    fn exec_files(&self, container: &ContainerId) -> Result<Vec<(PathBuf, ExecRecord)>, Error> {
        let dir = self.layout().execs();
        let paths = sys::fs::names(&dir).reading(&dir)?.into_iter().map(|name| dir.join(name));
        let readable = paths.filter_map(|path| record::read::<ExecRecord>(&path).ok().map(|exec| (path, exec)));
        Ok(readable.filter(|(_, exec)| exec.container == *container).collect())
    }
}
