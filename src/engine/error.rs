//! What a request can end with: the enums of the lower layers as sources, and what only the engine knows.

use std::path::PathBuf;

use super::action::{Action, HostSource};
use super::containers::copy::Misplaced;
use super::images::{Distrust, InvalidChange};
use crate::sys::Errno;
use crate::types::digest::Digest;
use crate::types::failure::{Failure, FailureKind};
use crate::types::platform::Platform;
use crate::types::reference::{InvalidReference, Reference};
use crate::types::status::ContainerStatus;
use crate::{config, monitor, network, registry, rootless, runtime, specgen, storage, sys};

/// An object that was named and is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absent {
    Container,
    Image,
    List,
    Volume,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Storage(storage::Error),
    #[error(transparent)]
    Rootless(rootless::Error),
    #[error("start container {id}")]
    Start {
        id: String,
        #[source]
        source: monitor::Error,
    },
    #[error("exec in container {id}")]
    Exec {
        id: String,
        #[source]
        source: monitor::Error,
    },
    #[error("user of the container")]
    User(#[source] runtime::Error),
    #[error("network of the container")]
    Network(#[source] network::Error),
    #[error("attach to container {id}")]
    Attach {
        id: String,
        #[source]
        source: sys::Error,
    },
    #[error("the monitor of container {0} hung up: it died, or we were a mebibyte behind with its output")]
    HungUp(String),
    #[error("output of the container was lost: {errno} ({})", errno.desc())]
    OutputLost { errno: Errno },
    #[error("there are no containers")]
    NoContainers,
    #[error("read log of container {id}")]
    Log {
        id: String,
        #[source]
        source: sys::Error,
    },
    #[error("container {0} has no log: its log driver is none")]
    NoLog(String),
    #[error("settings of the container")]
    Spec(#[source] specgen::Error),
    #[error("cannot run command \"sampan {verb}\" in rootless mode, must execute `sampan unshare` first")]
    NeedsUnshare { verb: &'static str },
    #[error("mounting an image or a stopped container needs the kernel's overlay, and the storage driver is {driver}")]
    MountDriver { driver: &'static str },
    #[error("mount the root file system")]
    MountRoot(#[source] runtime::Error),
    #[error("container {id} has no layers: it was made with --rootfs")]
    NoLayers { id: String },
    #[error("no command specified and no $SHELL specified")]
    NoCommand,
    #[error("{}: {name}", if *kind == FailureKind::CommandNotFound { "command not found" } else { "not an executable file" })]
    Program { name: String, kind: FailureKind },
    #[error("{what}")]
    Host {
        what: &'static str,
        #[source]
        source: sys::Error,
    },
    #[error("{what} {path:?}")]
    Path {
        what: &'static str,
        path: PathBuf,
        #[source]
        source: sys::Error,
    },
    /// What a command writes where the user said.
    #[error("write {path:?}")]
    Output {
        path: PathBuf,
        #[source]
        source: sys::Error,
    },
    #[error("container {0} runs on it: stop that first")]
    LayerRuns(String),
    /// With what brings it back.
    #[error("{0}")]
    LayerLost(String),
    #[error("image {digest}: {why}: pull or load it again")]
    NotAnImage { digest: crate::types::digest::Digest, why: &'static str },
    #[error("read a document of the image")]
    Decode(#[source] serde_json::Error),
    #[error("{0}: image not known")]
    ImageNotFound(String),
    #[error("pull policy is always, but {0:?} is an id")]
    PullById(String),
    #[error("image {name:?} is here for {here} only, not for {wanted}")]
    OtherPlatformHere { name: String, here: Platform, wanted: Platform },
    #[error("{0:?} is not a device")]
    NoDevice(PathBuf),
    #[error("the id map of the container does not have uid 0")]
    NoRootInMap,
    #[error("root file system {0:?} is not a directory")]
    NoRootDirectory(PathBuf),
    #[error("pull {name}")]
    Pull {
        name: String,
        #[source]
        source: Box<registry::Error>,
    },
    #[error("fetch blob {blob} from {name}, where its image is")]
    Origin {
        blob: Digest,
        name: String,
        #[source]
        source: Box<registry::Error>,
    },
    #[error("log in at {name}")]
    LogIn {
        name: String,
        #[source]
        source: Box<registry::Error>,
    },
    #[error("logging into {0:?}: invalid username/password")]
    WrongLogin(String),
    #[error("keep the login at {name}")]
    KeepLogin {
        name: String,
        #[source]
        source: config::Error,
    },
    #[error("not logged in at {0}")]
    NotLoggedIn(String),
    #[error("push to {name}")]
    Push {
        name: String,
        #[source]
        source: Box<registry::Error>,
    },
    #[error("send blob {digest}")]
    SendBlob {
        digest: Digest,
        #[source]
        source: Failure,
    },
    #[error("image {0} has no name: say where to push it")]
    NoDestination(String),
    #[error("image {image} has several such names: {}: say where to push it", names.join(", "))]
    ManyDestinations { image: String, names: Vec<String> },
    #[error("the manifest has the digest {found}, and cannot be pushed as {wanted}")]
    OtherDigest { wanted: Digest, found: Digest },
    #[error("search {name}")]
    Search {
        name: String,
        #[source]
        source: Box<registry::Error>,
    },
    #[error("load {name}")]
    Archive {
        name: String,
        #[source]
        source: Box<registry::Error>,
    },
    #[error("manifest list {0:?} not found in the local store")]
    NoList(String),
    #[error("{0} is the name of an image")]
    ImageOfThatName(Reference),
    #[error("manifest list {0} exists")]
    ListExists(Reference),
    #[error("{entry} is not in {list}")]
    NotInList { entry: String, list: Reference },
    #[error("manifest list {list} has no image for {wanted}")]
    NotForPlatform { list: Reference, wanted: Platform },
    #[error("the image of {list} for {wanted} is not here")]
    InstanceAbsent { list: Reference, wanted: Platform, from: String },
    #[error("{text:?}: {why}")]
    Place { text: String, why: String },
    #[error("save {count} images: a dir: directory holds one")]
    OneImageOnly { count: usize },
    #[error("import {0:?}: it is a directory, and no tar")]
    ImportDirectory(PathBuf),
    #[error("save a directory to standard output")]
    DirectoryAsStream,
    #[error("save to {0:?}: it is no directory")]
    SaveToFile(PathBuf),
    #[error("save to {0:?}: it is a directory with something else in it")]
    ForeignDirectory(PathBuf),
    #[error("save {name}")]
    SaveTo {
        name: String,
        #[source]
        source: Box<registry::Error>,
    },
    #[error("blob {0} is not in the store")]
    BlobGone(Digest),
    #[error("blob {0} is damaged in the store")]
    DamagedBlob(Digest),
    #[error("copy")]
    Copy(#[source] Misplaced),
    #[error("--change")]
    Change(#[source] InvalidChange),
    #[error("encode a document of the image")]
    Encode(#[source] serde_json::Error),
    #[error("layer {digest}")]
    Layer {
        digest: Digest,
        #[source]
        source: Failure,
    },
    #[error("{name}: the trust policy {policy:?} refuses it by its rule {scope}")]
    Untrusted {
        name: String,
        policy: PathBuf,
        scope: String,
        #[source]
        why: Box<Distrust>,
    },
    #[error("read the configuration of registries")]
    Config(#[source] config::Error),
    #[error(transparent)]
    Reference(InvalidReference),
    #[error("short name {text:?} could mean {}: write it in full", .candidates.join(" or "))]
    ShortName { text: String, candidates: Vec<String> },
    #[error("short name {0:?} has no alias, and registries.conf searches no registry: write it in full")]
    NoSearch(String),
    #[error("{0:?} names one image: --all-tags wants a name without tag and digest")]
    TagWithAllTags(String),
    #[error("{text:?}: {transport} images do not come from a registry: use load")]
    Transport { text: String, transport: &'static str },
    #[error("filter {text:?}: {why}")]
    Filter { text: String, why: String },
    #[error("{0}: tag not known")]
    NotAName(String),
    #[error("{0} is the only name of the manifest list")]
    LastListName(Reference),
    #[error("write {list} as a docker-archive: that form has no manifest lists, and this one is of {count} images")]
    ListInDockerArchive { list: Reference, count: usize },
    #[error("{0:?} cannot be given as a name: it holds a digest")]
    DigestAsName(String),
    #[error("image {image} has more than one name ({}): name one of them, or use --force", .names.join(", "))]
    SeveralNames { image: String, names: Vec<String> },
    #[error("layer {layer} is not unpacked for this id map, and its blob is not in the store")]
    NoBlob { layer: String },
    #[error("no {size} free subordinate ids for --userns=auto: the user has {have}")]
    NoAutoRange { size: u32, have: u32 },
    #[error("cannot {action} container {id}: it has no cgroup of its own")]
    NoCgroup { action: Action, id: String },
    #[error("cgroup of the container")]
    Cgroup(#[source] runtime::cgroup::Error),
    #[error("neither an image nor --rootfs was given")]
    NoImage,
    #[error("cannot {action} container {id}: it is {status}")]
    WrongStatus { action: Action, id: String, status: ContainerStatus },
    #[error("container {id} did not stop within {seconds} s after SIGKILL")]
    WillNotDie { id: String, seconds: u64 },
    #[error("container {id} does not run, but its monitor (process {pid}) does not end")]
    MonitorStays { id: String, pid: u32 },
    #[error("cannot {action} container {id}: its monitor is gone and it runs on unsupervised")]
    Unsupervised { action: Action, id: String },
    #[error("container {0} has no health check")]
    NoHealthCheck(String),
    #[error("neither the flags nor the image say what a health check runs")]
    NothingToCheck,
    #[error("{what} {path:?} does not exist")]
    NoSource { what: HostSource, path: PathBuf },
    #[error("time zone {zone:?}: {path:?} {why}")]
    TimeZone { zone: String, path: PathBuf, why: &'static str },
    #[error(
        "{flag}=container:{id} needs the user namespace of that container: only the owner of a namespace may mount its /proc or /dev/mqueue"
    )]
    JoinOtherUserns { flag: &'static str, id: String },
    #[error("--ipc=container:{0}: that container's ipc namespace is its own alone (--ipc private)")]
    JoinUnshared(String),
    #[error("--network=container: container {0} is not running")]
    NotRunningToJoin(String),
    #[error(
        "volume option {0:?} needs a mount on the host, which is never made: use a bind mount or --mount type=tmpfs"
    )]
    VolumeOption(String),
    #[error("owner {0:?} of a volume: the number of a user or a group is wanted")]
    VolumeOwner(String),
    #[error("container {id} has dependent containers which must be removed before it: {}", .dependents.join(", "))]
    HasDependents { id: String, dependents: Vec<String> },
    #[error("{0} is not supported yet")]
    Unsupported(&'static str),
    #[error("id map")]
    IdMap(#[source] crate::types::idmap::InvalidIdMap),
    #[error("{0}")]
    Failure(Failure),
}

/// What a process of ours tells the one that made it.
pub(super) fn failure(error: &(dyn std::error::Error + 'static)) -> Failure {
    Failure::from_error(full(error).unwrap_or(FailureKind::Other), error)
}

/// What has no room left, if that is behind `error`: the disk of the store, or the user's share of it, if nothing says otherwise.
pub(super) fn full(error: &(dyn std::error::Error + 'static)) -> Option<FailureKind> {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    std::iter::successors(Some(error), |error| error.source()).find_map(|error| {
        if let Some(storage::Error::RunrootFull { .. }) = error.downcast_ref() {
            return Some(FailureKind::NoRunSpace);
        }
        if let Some(Failure { kind: kind @ (FailureKind::NoSpace | FailureKind::NoRunSpace), .. }) =
            error.downcast_ref()
        {
            return Some(*kind);
        }
        let foreseen = matches!(error.downcast_ref(), Some(storage::unpack::Error::NoSpace { .. }));
        let refused = error.downcast_ref().is_some_and(sys::Error::is_full);
        let read_or_written = error.downcast_ref().map(std::io::Error::kind);
        let full =
            foreseen || refused || read_or_written.is_some_and(|kind| [QuotaExceeded, StorageFull].contains(&kind));
        full.then_some(FailureKind::NoSpace)
    })
}

impl From<storage::Error> for Error {
    fn from(error: storage::Error) -> Self {
        Self::Storage(error)
    }
}

impl From<rootless::Error> for Error {
    fn from(error: rootless::Error) -> Self {
        Self::Rootless(error)
    }
}
