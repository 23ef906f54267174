//! The one author of the disk layout (docs/architecture.md): every path under graphroot and runroot is named here, once.
//!
//! ```text
//! graphroot/  VERSION  store.lock  runroot  blobs/sha256/<hex>  partial/<hex>  layers/<chain>,<map>/{diff/ idx meta.json}
//!             images/<manifest hex>.json  refs/<escaped>  lists/<escaped>  names/<name>  volumes/<name>/{meta.json _data/}
//!             containers/<id>/{config.json monitor.lock exit.json ctr.log hosts … upper/ work/ rootfs/}
//!             staging/<rand>/{lock lease.json …}  trash/<pid>.<rand>  aside/<id>
//! runroot/<epoch>/  ready-<store>  locks/<kind>-<id>  ctr/<id>/{state.json attach.sock …}  ports/  exec/<id>  outer/  driver
//! ```

use std::path::{Path, PathBuf};

use super::error::Error;
use crate::sys;
use crate::types::digest::Digest;
use crate::types::id::{ContainerId, ExecId};
use crate::types::name::{ContainerName, VolumeName};

/// The two roots, and the epoch that runroot is divided by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    graphroot: PathBuf,
    runroot: PathBuf,
    epoch: String,
}

/// Directories of graphroot, made when the first object is stored.
const GRAPH_DIRS: [&str; 11] = [
    "blobs/sha256",
    "partial",
    "layers",
    "images",
    "refs",
    "lists",
    "containers",
    "names",
    "volumes",
    "staging",
    "trash",
];

/// Empty directories that earlier builds made; a store of theirs may keep them.
const OLD_DIRS: [&str; 2] = ["networks", "secrets"];

/// Directories of `runroot/<epoch>`.
const RUN_DIRS: [&str; 5] = ["locks", "ctr", "ports", "exec", "outer"];

impl Layout {
    /// Layout for the current epoch of the machine.
    pub(crate) fn new(graphroot: &Path, runroot: &Path) -> Result<Self, Error> {
        Ok(Self::with_epoch(graphroot, runroot, current_epoch().map_err(Error::Epoch)?))
    }

    /// Layout for a given epoch.
    pub(crate) fn with_epoch(graphroot: &Path, runroot: &Path, epoch: String) -> Self {
        Self { graphroot: graphroot.to_owned(), runroot: runroot.to_owned(), epoch }
    }

    pub(crate) fn graphroot(&self) -> &Path {
        &self.graphroot
    }

    pub(crate) fn runroot(&self) -> &Path {
        &self.runroot
    }

    /// Name of the epoch: what a reboot, or a restart of the outer container, changes.
    pub(crate) fn epoch(&self) -> &str {
        &self.epoch
    }

    /// Every directory that must be there before the first write to graphroot.
    pub(super) fn graph_dirs(&self) -> impl Iterator<Item = PathBuf> {
        GRAPH_DIRS.iter().map(|name| self.graphroot.join(name))
    }

    /// Directories that nothing uses: a store of an earlier build may have them.
    pub(super) fn old_dirs(&self) -> impl Iterator<Item = PathBuf> {
        OLD_DIRS.iter().map(|name| self.graphroot.join(name))
    }

    /// Every directory that must be there before the first write to the epoch's part of runroot.
    pub(super) fn run_dirs(&self) -> impl Iterator<Item = PathBuf> {
        RUN_DIRS.iter().map(|name| self.run(name))
    }

    /// Files that lie in graphroot itself.
    pub(super) fn graph_files(&self) -> [PathBuf; 3] {
        [self.version(), self.store_lock(), self.runroot_note()]
    }

    /// Names that may lie in graphroot, for the checker.
    pub(super) fn known_graph_names() -> impl Iterator<Item = &'static str> {
        let dirs = GRAPH_DIRS.iter().map(|name| name.split('/').next().unwrap_or(name));
        dirs.chain(["VERSION", "store.lock", "runroot", "aside", "unsynced"]).chain(OLD_DIRS)
    }

    fn graph(&self, name: &str) -> PathBuf {
        self.graphroot.join(name)
    }

    fn run(&self, name: &str) -> PathBuf {
        let mut path = self.runroot.join(&self.epoch);
        path.push(name);
        path
    }
}

/// Graphroot: what survives a reboot.
impl Layout {
    /// Format number of the store. Written last when a store is made: if it is there, so are the directories.
    pub(crate) fn version(&self) -> PathBuf {
        self.graph("VERSION")
    }

    /// Shared: I am making something that nothing refers to yet. Exclusive: I sweep (rule R5).
    pub(crate) fn store_lock(&self) -> PathBuf {
        self.graph("store.lock")
    }

    /// Epoch and path of the runroot that was used last ([`super::home`]).
    pub(super) fn runroot_note(&self) -> PathBuf {
        self.graph("runroot")
    }

    /// A file for each command that has published content without a sync (`--storage-opt sync=none`).
    pub(super) fn unsynced(&self) -> PathBuf {
        self.graph("unsynced")
    }

    pub(crate) fn blobs(&self) -> PathBuf {
        self.graph("blobs/sha256")
    }

    pub(crate) fn blob(&self, digest: &Digest) -> PathBuf {
        self.blobs().join(digest.hex())
    }

    /// Blobs that have not come in full yet.
    pub(crate) fn partials(&self) -> PathBuf {
        self.graph("partial")
    }

    /// What there is of a blob so far; locked by whoever fetches it.
    pub(crate) fn partial(&self, digest: &Digest) -> PathBuf {
        self.partials().join(digest.hex())
    }

    pub(crate) fn layers(&self) -> PathBuf {
        self.graph("layers")
    }

    /// A layer by the name of its directory (`storage::layers::LayerKey` makes it).
    pub(super) fn layer(&self, name: &str) -> PathBuf {
        self.layers().join(name)
    }

    pub(crate) fn images(&self) -> PathBuf {
        self.graph("images")
    }

    pub(crate) fn image(&self, manifest: &Digest) -> PathBuf {
        self.images().join(format!("{}.json", manifest.hex()))
    }

    pub(crate) fn lists(&self) -> PathBuf {
        self.graph("lists")
    }

    /// A manifest list by the escaped name of its reference.
    pub(super) fn list(&self, escaped: &str) -> PathBuf {
        self.lists().join(escaped)
    }

    pub(crate) fn refs(&self) -> PathBuf {
        self.graph("refs")
    }

    /// A reference by its escaped name (`storage::refs` makes it).
    pub(super) fn reference(&self, escaped: &str) -> PathBuf {
        self.refs().join(escaped)
    }

    pub(crate) fn containers(&self) -> PathBuf {
        self.graph("containers")
    }

    /// Directory of a container, 0700: the parent that protects `upper`.
    pub(crate) fn container(&self, id: &ContainerId) -> PathBuf {
        self.containers().join(id.as_str())
    }

    /// What was asked for; never changes after `create` (but for the name, by `rename`).
    pub(crate) fn container_config(&self, id: &ContainerId) -> PathBuf {
        self.container(id).join("config.json")
    }

    /// Held by the monitor as long as it lives; exists from the first start on.
    pub(crate) fn monitor_lock(&self, id: &ContainerId) -> PathBuf {
        self.container(id).join("monitor.lock")
    }

    /// How the last run ended; absent while there was none, and while one goes on.
    pub(crate) fn container_exit(&self, id: &ContainerId) -> PathBuf {
        self.container(id).join("exit.json")
    }

    /// The log of the `k8s-file` driver, unless `--log-opt path=`.
    pub(crate) fn container_log(&self, id: &ContainerId) -> PathBuf {
        self.container(id).join("ctr.log")
    }

    /// Names of what [`Self::container_file`] leads to.
    pub(crate) const CONTAINER_FILES: [&str; 6] =
        ["hosts", "resolv.conf", "hostname", "containerenv", "localtime", "apt.conf"];

    /// A file that the container gets by bind mount, made anew at each start. Here and not
    /// in runroot, because what a container writes into it must not take the room of others.
    pub(crate) fn container_file(&self, id: &ContainerId, name: &str) -> PathBuf {
        self.container(id).join(name)
    }

    /// Overlay's upper directory: what the container wrote.
    pub(crate) fn container_upper(&self, id: &ContainerId) -> PathBuf {
        self.container(id).join("upper")
    }

    /// Overlay's work directory.
    pub(crate) fn container_work(&self, id: &ContainerId) -> PathBuf {
        self.container(id).join("work")
    }

    /// The root of a container of the copy driver.
    pub(crate) fn container_rootfs(&self, id: &ContainerId) -> PathBuf {
        self.container(id).join("rootfs")
    }

    pub(crate) fn names(&self) -> PathBuf {
        self.graph("names")
    }

    /// A taken name: a hard link to the container's `config.json`.
    pub(crate) fn name(&self, name: &ContainerName) -> PathBuf {
        self.names().join(name.as_str())
    }

    pub(crate) fn volumes(&self) -> PathBuf {
        self.graph("volumes")
    }

    pub(crate) fn volume(&self, name: &VolumeName) -> PathBuf {
        self.volumes().join(name.as_str())
    }

    pub(crate) fn volume_meta(&self, name: &VolumeName) -> PathBuf {
        self.volume(name).join("meta.json")
    }

    /// What is mounted into containers.
    pub(crate) fn volume_data(&self, name: &VolumeName) -> PathBuf {
        self.volume(name).join("_data")
    }

    pub(crate) fn staging(&self) -> PathBuf {
        self.graph("staging")
    }

    /// Containers that `system check --repair` could not make whole; made when there is one.
    pub(crate) fn asides(&self) -> PathBuf {
        self.graph("aside")
    }

    /// A container that was set aside.
    pub(crate) fn aside(&self, id: &ContainerId) -> PathBuf {
        self.asides().join(id.as_str())
    }

    pub(crate) fn trash(&self) -> PathBuf {
        self.graph("trash")
    }
}

/// Runroot: what a reboot voids, and a logout may take away.
///
/// A path of a socket may be longer than the 107 bytes of `sockaddr_un`: bind and connect through
/// `/proc/self/fd/<directory>/attach.sock`.
impl Layout {
    /// `runroot/<epoch>`.
    pub(crate) fn run_epoch(&self) -> PathBuf {
        self.runroot.join(&self.epoch)
    }

    /// Says that the epoch's directories are made and the store is recovered (rule R12). Several stores may share a runroot,
    /// and each is recovered by its own first command.
    pub(crate) fn ready(&self) -> PathBuf {
        let store = Digest::of(self.graphroot.as_os_str().as_encoded_bytes());
        self.run(&format!("ready-{}", &store.hex()[..16]))
    }

    pub(crate) fn locks(&self) -> PathBuf {
        self.run("locks")
    }

    pub(crate) fn container_lock(&self, id: &ContainerId) -> PathBuf {
        self.locks().join(format!("ctr-{id}"))
    }

    /// All volatile directories of containers.
    pub(crate) fn run_containers(&self) -> PathBuf {
        self.run("ctr")
    }

    /// Volatile directory of a container.
    pub(crate) fn run_container(&self, id: &ContainerId) -> PathBuf {
        self.run_containers().join(id.as_str())
    }

    pub(crate) fn container_state(&self, id: &ContainerId) -> PathBuf {
        self.run_container(id).join("state.json")
    }

    /// What the health checks of the present run have said.
    pub(crate) fn container_health(&self, id: &ContainerId) -> PathBuf {
        self.run_container(id).join("health.json")
    }

    pub(crate) fn attach_socket(&self, id: &ContainerId) -> PathBuf {
        self.run_container(id).join("attach.sock")
    }

    pub(crate) fn ports(&self) -> PathBuf {
        self.run("ports")
    }

    pub(crate) fn execs(&self) -> PathBuf {
        self.run("exec")
    }

    pub(crate) fn exec(&self, id: &ExecId) -> PathBuf {
        self.execs().join(id.as_str())
    }

    /// Taken while a range for `--userns=auto` is chosen.
    pub(crate) fn auto_lock(&self) -> PathBuf {
        self.locks().join("userns-auto")
    }

    /// There once the user has been told of single-id mode.
    pub(crate) fn single_id_noted(&self) -> PathBuf {
        self.run("single-id")
    }

    /// Empty; covered in the mount namespace of `sampan unshare`, where images and containers are mounted on it.
    pub(crate) fn mounts(&self) -> PathBuf {
        self.run("mnt")
    }

    /// Which storage driver works here, probed in this epoch.
    pub(crate) fn driver(&self) -> PathBuf {
        self.run("driver")
    }

    /// Which user namespaces P are held by live monitors (`rootless::outer`).
    pub(crate) fn outers(&self) -> PathBuf {
        self.run("outer")
    }
}

/// The current epoch: boot id and start time of pid 1 of our pid namespace, so that the restart of an outer container
/// counts as a reboot. With `hidepid=2` pid 1 cannot be seen; the inode of the pid namespace stands in (K-B4).
/// Sixteen digits of a hash, because socket paths are short.
fn current_epoch() -> sys::Result<String> {
    let boot_id = sys::fs::read(Path::new("/proc/sys/kernel/random/boot_id"))?;
    // Hidden (`hidepid`) is an answer. Any other error must not become another epoch: it would void what runs.
    let second = match sys::fs::read_if_exists(Path::new("/proc/1/stat")) {
        Ok(Some(stat)) => super::process_identity::start_time(&stat).map(|time| time.to_string()),
        Ok(None) => None,
        Err(error) if error.is(sys::Errno::EACCES) || error.is(sys::Errno::EPERM) => None,
        Err(error) => return Err(error),
    };
    let second = match second {
        Some(time) => time,
        None => sys::fs::read_link(Path::new("/proc/self/ns/pid"))?.to_string_lossy().into_owned(),
    };
    let digest = Digest::of(format!("{} {second}", String::from_utf8_lossy(&boot_id).trim()).as_bytes());
    Ok(digest.hex()[..16].to_owned())
}

#[cfg(test)]
mod tests {
    use super::Layout;
    use std::path::Path;

    #[test]
    fn epoch_is_stable_and_short() {
        let a = Layout::new(Path::new("/g"), Path::new("/r")).expect("epoch");
        let b = Layout::new(Path::new("/g"), Path::new("/r")).expect("epoch");
        assert_eq!(a, b);
        assert_eq!(a.epoch().len(), 16);
        let other = Layout::with_epoch(Path::new("/h"), Path::new("/r"), a.epoch().to_owned());
        assert_eq!(a.ready(), b.ready());
        assert_ne!(a.ready(), other.ready());
    }
}
