//! What init works with: inherited in memory, or read from a descriptor after a re-execution.

use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

use serde::{Deserialize, Serialize};

use crate::runtime::bundle::Bundle;
use crate::runtime::create::Streams;
use crate::runtime::error::Error;
use crate::runtime::sync::Wire;
use crate::sys;
use crate::sys::process;
use crate::sys::seccomp::Program;

/// Everything that init needs.
#[derive(Debug)]
pub(crate) struct Context {
    pub(in crate::runtime) bundle: Bundle,
    /// The root file system, a detached mount.
    pub(in crate::runtime) root: OwnedFd,
    /// Detached mounts of the spec's bind sources.
    pub(in crate::runtime) trees: Vec<Tree>,
    /// Installed just before the program runs.
    pub(in crate::runtime) filters: Vec<Program>,
    pub(in crate::runtime) streams: Streams,
    pub(in crate::runtime) wire: Wire,
}

/// The detached mount for one entry of the spec's `mounts`.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(in crate::runtime) index: usize,
    pub(in crate::runtime) fd: OwnedFd,
}

/// A context on its way across `execveat`: descriptors by number.
#[derive(Debug, Serialize, Deserialize)]
struct Packed {
    bundle: Bundle,
    root: RawFd,
    trees: Vec<(usize, RawFd)>,
    filters: Vec<Program>,
    streams: Option<[RawFd; 3]>,
    wire: RawFd,
}

impl Context {
    /// Writes the context into memory and lets every descriptor in it, and the memory's own, survive an exec.
    pub(super) fn pack(&self) -> Result<OwnedFd, Error> {
        let packed = Packed {
            bundle: self.bundle.clone(),
            root: self.root.as_raw_fd(),
            trees: self.trees.iter().map(|tree| (tree.index, tree.fd.as_raw_fd())).collect(),
            filters: self.filters.clone(),
            streams: self.streams.as_ref().map(|streams| streams.each_ref().map(AsRawFd::as_raw_fd)),
            wire: self.wire.as_fd().as_raw_fd(),
        };
        let bytes = serde_json::to_vec(&packed).map_err(Error::Message)?;
        let memory = sys::fs::memory_file("sampan-init", &bytes).map_err(Error::Wire)?;
        let mut kept = vec![memory.as_fd(), self.root.as_fd(), self.wire.as_fd()];
        kept.extend(self.trees.iter().map(|tree| tree.fd.as_fd()));
        kept.extend(self.streams.iter().flatten().map(AsFd::as_fd));
        for fd in kept {
            process::set_cloexec(fd, false).map_err(Error::Wire)?;
        }
        Ok(memory)
    }

    /// Reads a context back; every descriptor is close-on-exec again.
    pub(super) fn unpack(memory: RawFd) -> Result<Self, Error> {
        let memory = process::adopt_fd(memory).map_err(Error::Wire)?;
        let bytes = sys::fs::read_to_end(memory.as_fd(), 64 << 20).map_err(Error::Wire)?;
        let packed: Packed = serde_json::from_slice(&bytes).map_err(Error::Message)?;
        process::cloexec_all_but(&[]).map_err(Error::Wire)?;
        let adopt = |number| process::adopt_fd(number).map_err(Error::Wire);
        let mut trees = Vec::new();
        for (index, number) in packed.trees {
            trees.push(Tree { index, fd: adopt(number)? });
        }
        let streams = match packed.streams {
            Some([stdin, stdout, stderr]) => Some([adopt(stdin)?, adopt(stdout)?, adopt(stderr)?]),
            None => None,
        };
        Ok(Self {
            bundle: packed.bundle,
            root: adopt(packed.root)?,
            trees,
            filters: packed.filters,
            streams,
            wire: Wire::from_fd(adopt(packed.wire)?),
        })
    }
}
