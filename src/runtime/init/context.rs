//! What init works with: inherited in memory, or read from a descriptor after a re-execution.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use serde::{Deserialize, Serialize};

use crate::runtime::bundle::Bundle;
use crate::runtime::create::Streams;
use crate::runtime::error::Error;
use crate::runtime::sync::Wire;
use crate::sys;
use crate::sys::descriptor;
use crate::sys::seccomp::Program;

/// Everything that init needs.
#[derive(Debug)]
pub(crate) struct Context {
    pub(in crate::runtime) bundle: Bundle,
    pub(in crate::runtime) place: Place,
    /// Installed just before the program runs.
    pub(in crate::runtime) filters: Vec<Program>,
    pub(in crate::runtime) streams: Streams,
    pub(in crate::runtime) wire: Wire,
}

/// Where the program will run.
#[derive(Debug)]
pub(crate) enum Place {
    /// A new container, of which nothing is there yet: for a stage that executes itself anew.
    Stage,
    /// A new container.
    Build {
        /// The root file system, a detached mount.
        root: OwnedFd,
        /// Detached mounts of the spec's bind sources.
        trees: Vec<Tree>,
    },
    /// A container that runs (`exec`): its init as a pidfd, and its number in our pid namespace.
    Join { init: OwnedFd, pid: i32 },
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
    place: PackedPlace,
    filters: Vec<Program>,
    streams: Option<[RawFd; 3]>,
    wire: RawFd,
}

#[derive(Debug, Serialize, Deserialize)]
enum PackedPlace {
    Stage,
    Build { root: RawFd, trees: Vec<(usize, RawFd)> },
    Join { init: RawFd, pid: i32 },
}

impl Place {
    fn pack(&self) -> PackedPlace {
        match self {
            Self::Stage => PackedPlace::Stage,
            Self::Build { root, trees } => PackedPlace::Build {
                root: root.as_raw_fd(),
                trees: trees.iter().map(|tree| (tree.index, tree.fd.as_raw_fd())).collect(),
            },
            Self::Join { init, pid } => PackedPlace::Join { init: init.as_raw_fd(), pid: *pid },
        }
    }

    fn unpack(packed: PackedPlace) -> sys::Result<Self> {
        match packed {
            PackedPlace::Stage => Ok(Self::Stage),
            PackedPlace::Build { root, trees } => {
                let tree = |(index, number)| descriptor::adopt_fd(number).map(|fd| Tree { index, fd });
                let trees = trees.into_iter().map(tree).collect::<sys::Result<_>>()?;
                Ok(Self::Build { root: descriptor::adopt_fd(root)?, trees })
            }
            PackedPlace::Join { init, pid } => Ok(Self::Join { init: descriptor::adopt_fd(init)?, pid }),
        }
    }

    fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        match self {
            Self::Stage => Vec::new(),
            Self::Build { root, trees } => {
                std::iter::once(root.as_fd()).chain(trees.iter().map(|tree| tree.fd.as_fd())).collect()
            }
            Self::Join { init, .. } => vec![init.as_fd()],
        }
    }
}

impl Context {
    /// Writes the context into memory and lets every descriptor in it, and the memory's own, survive an exec.
    pub(super) fn pack(&self) -> Result<OwnedFd, Error> {
        let packed = Packed {
            bundle: self.bundle.clone(),
            place: self.place.pack(),
            filters: self.filters.clone(),
            streams: self.streams.as_ref().map(|streams| streams.each_ref().map(AsRawFd::as_raw_fd)),
            wire: self.wire.as_fd().as_raw_fd(),
        };
        let bytes = serde_json::to_vec(&packed).map_err(Error::Message)?;
        let memory = sys::descriptor::memory_file("sampan-init", &bytes).map_err(Error::Wire)?;
        let mut kept = vec![memory.as_fd(), self.wire.as_fd()];
        kept.extend(self.place.descriptors());
        kept.extend(self.streams.iter().flatten().map(AsFd::as_fd));
        for fd in kept {
            descriptor::set_cloexec(fd, false).map_err(Error::Wire)?;
        }
        Ok(memory)
    }

    /// Closes what is not in the context.
    pub(super) fn close_others(&self) -> Result<(), Error> {
        let mut kept = vec![self.wire.as_fd()];
        kept.extend(self.place.descriptors());
        kept.extend(self.streams.iter().flatten().map(AsFd::as_fd));
        descriptor::close_all_but(&kept).map_err(Error::Wire)
    }

    /// Reads a context back; every descriptor is close-on-exec again.
    pub(super) fn unpack(memory: RawFd) -> Result<Self, Error> {
        let memory = descriptor::adopt_fd(memory).map_err(Error::Wire)?;
        let bytes = sys::descriptor::read_to_end(memory.as_fd(), 64 << 20).map_err(Error::Wire)?;
        let packed: Packed = serde_json::from_slice(&bytes).map_err(Error::Message)?;
        descriptor::cloexec_all_but(&[]).map_err(Error::Wire)?;
        let adopt = |number| descriptor::adopt_fd(number).map_err(Error::Wire);
        let streams = match packed.streams {
            Some([stdin, stdout, stderr]) => Some([adopt(stdin)?, adopt(stdout)?, adopt(stderr)?]),
            None => None,
        };
        Ok(Self {
            bundle: packed.bundle,
            place: Place::unpack(packed.place).map_err(Error::Wire)?,
            filters: packed.filters,
            streams,
            wire: Wire::from_fd(adopt(packed.wire)?),
        })
    }
}
