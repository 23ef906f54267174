//! What can go wrong in the store: operation and subject.

use std::path::{Path, PathBuf};

use crate::sys;
use crate::sys::Errno;
use crate::types::digest::Digest;
use crate::types::failure::FailureKind;
use crate::types::id::ContainerId;
use crate::types::name::{ContainerName, VolumeName};
use crate::types::reference::InvalidReference;

/// An operation on the store that did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("find out the boot epoch")]
    Epoch(#[source] sys::Error),
    #[error("open store {path:?}")]
    OpenStore {
        path: PathBuf,
        #[source]
        source: sys::Error,
    },
    #[error("store {path:?} has format {found:?}, this sampan knows formats up to {known}: use a newer sampan")]
    NewerStore { path: PathBuf, found: String, known: u32 },
    #[error("{path:?} is damaged: {found:?} is no format of a store: write {known} into it, this sampan's")]
    DamagedVersion { path: PathBuf, found: String, known: u32 },
    #[error("{path:?} belongs to user {owner}: not the place of a store of ours")]
    ForeignRoot { path: PathBuf, owner: u32 },
    #[error("{path:?} has mode {mode:o}: others may put something into the store")]
    SharedRoot { path: PathBuf, mode: u32 },
    #[error("there is no store of sampan in {path:?}")]
    NoStore { path: PathBuf },
    #[error("image {image} is in the read-only store {store:?}")]
    ReadOnlyImage { image: String, store: PathBuf },
    #[error("image {image} of the read-only store {store:?} is not what its digests say: {why}")]
    ForgedImage { image: String, store: PathBuf, why: &'static str },
    /// Not the disk of the store, and nothing of the store's that is removed makes room there.
    #[error("runroot {runroot:?} is full")]
    RunrootFull {
        runroot: PathBuf,
        #[source]
        source: Box<Error>,
    },
    #[error("read {path:?}")]
    Read {
        path: PathBuf,
        #[source]
        source: sys::Error,
    },
    #[error("write {path:?}")]
    Write {
        path: PathBuf,
        #[source]
        source: sys::Error,
    },
    #[error("remove {path:?}")]
    Remove {
        path: PathBuf,
        #[source]
        source: sys::Error,
    },
    #[error("lock {path:?}")]
    Lock {
        path: PathBuf,
        #[source]
        source: sys::Error,
    },
    #[error("parse {path:?}")]
    Parse {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error("{path:?} has version {found}, this sampan knows versions up to {known}: use a newer sampan")]
    NewerRecord { path: PathBuf, found: u64, known: u32 },
    #[error("{path:?} belongs to {found}")]
    WrongRecord { path: PathBuf, found: String },
    #[error("index {path:?} is damaged: {why}")]
    DamagedIndex { path: PathBuf, why: &'static str },
    #[error("{path:?} was changed by somebody else meanwhile (generation {found}, expected {expected})")]
    Generation { path: PathBuf, found: u64, expected: u64 },

    #[error("no container with name or ID {0:?} found: no such container")]
    NoContainer(String),
    #[error("more than one container has an ID that begins with {prefix:?}: {}", .candidates.join(", "))]
    AmbiguousContainer { prefix: String, candidates: Vec<String> },
    #[error("the container name \"{name}\" is already in use by {id}")]
    NameInUse { name: ContainerName, id: ContainerId },
    #[error("container {id} {}", state(source))]
    BrokenContainer {
        id: ContainerId,
        #[source]
        source: Box<Error>,
    },
    #[error("find out whether container {id} runs")]
    InitUnknown {
        id: ContainerId,
        #[source]
        source: sys::Error,
    },
    #[error("container {0} runs")]
    ContainerRuns(ContainerId),

    #[error("{digest} is longer than the {size} bytes of its descriptor")]
    BlobTooLong { digest: String, size: u64 },
    #[error("{digest} ended after {found} of {size} bytes")]
    BlobTooShort { digest: String, size: u64, found: u64 },
    #[error("content has digest {found}, not {expected}")]
    BlobDigest { expected: Digest, found: Digest },

    #[error("{0}: image not known")]
    NoImage(String),
    #[error("look up image")]
    ImageName(#[source] InvalidReference),
    #[error("{text:?} is ambiguous: it may be {}", .candidates.join(", "))]
    AmbiguousImage { text: String, candidates: Vec<String> },
    #[error("image {image} is in use by {}", .users.join(", "))]
    ImageInUse { image: String, users: Vec<String> },
    #[error("image {digest} {}", state(source))]
    BrokenImage {
        digest: Digest,
        #[source]
        source: Box<Error>,
    },
    #[error("its record is not what its manifest and its configuration say: {0}")]
    DoubtfulRecord(&'static str),
    #[error("layer {chain} of container {id} is missing")]
    NoLayer { id: ContainerId, chain: String },

    #[error("fuse-overlayfs is not installed")]
    NoFuseOverlayfs,

    #[error("no volume with name {0:?} found: no such volume")]
    NoVolume(String),
    #[error("more than one volume begins with {text:?}: {}", .candidates.join(", "))]
    AmbiguousVolume { text: String, candidates: Vec<String> },
    #[error("volume {0} already exists")]
    VolumeExists(VolumeName),
    #[error("volume {name} is being used by the following container(s): {}", .users.join(", "))]
    VolumeInUse { name: VolumeName, users: Vec<String> },
}

impl Error {
    /// True if a record is not what it should be, or is not there: a second look finds the same. An error of the disk or
    /// of a limit is none.
    pub(crate) fn is_damage(&self) -> bool {
        match self {
            Self::BrokenContainer { source, .. } | Self::BrokenImage { source, .. } => source.is_damage(),
            // EINVAL: a directory, a FIFO or a device in the place of a file.
            Self::Read { source, .. } => {
                [Errno::ENOENT, Errno::ENOTDIR, Errno::EISDIR, Errno::ELOOP, Errno::EFBIG, Errno::EINVAL]
                    .into_iter()
                    .any(|errno| source.is(errno))
            }
            Self::InitUnknown { .. } => false,
            _ => true,
        }
    }

    /// What has no room left, if that is what is wrong.
    pub(crate) fn full(&self) -> Option<FailureKind> {
        match self {
            Self::RunrootFull { .. } => Some(FailureKind::NoRunSpace),
            Self::Write { source, .. } | Self::Lock { source, .. } if source.is_full() => Some(FailureKind::NoSpace),
            _ => None,
        }
    }

    /// True if this process or the machine lacks what it takes to look.
    pub(crate) fn is_shortage(&self) -> bool {
        matches!(self, Self::Read { source, .. } if source.is_shortage())
    }

    /// True if the disk does not give back what was written.
    pub(crate) fn is_bad_disk(&self) -> bool {
        matches!(self, Self::Read { source, .. } if source.is(Errno::EIO))
    }

    /// True if nobody can say what the record held. That of a later version is known to a later program.
    pub(crate) fn is_lost(&self) -> bool {
        match self {
            Self::BrokenContainer { source, .. } | Self::BrokenImage { source, .. } => source.is_lost(),
            Self::NewerRecord { .. } => false,
            _ => self.is_damage(),
        }
    }
}

/// What there is to say of a record: what a disk, a limit or its age keeps from being read is no damage.
fn state(source: &Error) -> &'static str {
    if source.is_lost() { "is damaged" } else { "cannot be read" }
}

/// Puts operation and path on a refused call.
pub(super) trait At<T> {
    fn reading(self, path: &Path) -> Result<T, Error>;
    fn writing(self, path: &Path) -> Result<T, Error>;
    fn removing(self, path: &Path) -> Result<T, Error>;
    fn locking(self, path: &Path) -> Result<T, Error>;
}

impl<T> At<T> for sys::Result<T> {
    fn reading(self, path: &Path) -> Result<T, Error> {
        self.map_err(|source| Error::Read { path: path.to_owned(), source })
    }

    fn writing(self, path: &Path) -> Result<T, Error> {
        self.map_err(|source| Error::Write { path: path.to_owned(), source })
    }

    fn removing(self, path: &Path) -> Result<T, Error> {
        self.map_err(|source| Error::Remove { path: path.to_owned(), source })
    }

    fn locking(self, path: &Path) -> Result<T, Error> {
        self.map_err(|source| Error::Lock { path: path.to_owned(), source })
    }
}
