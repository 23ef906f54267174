//! Everything that a start needs: files, network plan, mounts, spec, root plan. Worked out in the CLI, before the fork.

use std::path::{Path, PathBuf};

use crate::config::environment;
use crate::engine::error::{Error, failure};
use crate::engine::handle::Engine;
use crate::monitor::request::StartRequest;
use crate::network::{self, NetworkPlan, NetworkRequest};
use crate::rootless::worker;
use crate::runtime::{self, bundle::Bundle};
use crate::specgen::{self, Joined, PlacedMount, Placement};
use crate::storage::container_record::{ContainerConfig, StorageDriver};
use crate::storage::copy_root;
use crate::storage::overlay::DriverTools;
use crate::storage::process_identity::ProcessIdentity;
use crate::sys;
use crate::sys::root::RootDir;
use crate::sys::spawn::find_program;
use crate::sys::user::Database;
use crate::types::container_spec::ContainerSpec;
use crate::types::host::HostFacts;
use crate::types::id::ContainerId;
use crate::types::idmap::{IdMap, IdMaps};
use crate::types::image_config::ImageConfig;
use crate::types::namespace::{NamespaceMode, NetworkMode, UsernsMode};
use crate::types::rootfs_plan::RootfsPlan;
use crate::types::security::SeccompMode;
use crate::types::signal::Signal;

use super::dependencies::dependencies;
use super::mounts::scratches;
use super::ports::exposed;
use super::{create, host_facts, idmaps};

/// Bytes of a seccomp profile; Docker's has 13 thousand.
const LARGEST_PROFILE: u64 = 1 << 20;

impl Engine {
    /// The plan of a container's root; with the copy driver the copy is made, if it is not there yet.
    pub(super) fn rootfs_of(&self, config: &ContainerConfig) -> Result<RootfsPlan, Error> {
        let tools = DriverTools {
            fuse_overlayfs: match config.driver {
                StorageDriver::FuseOverlayfs => find_program("fuse-overlayfs", &self.config.path),
                StorageDriver::Overlay | StorageDriver::Copy => None,
            },
            fuse_mapping: None,
        };
        if self.store.needs_copy(config) {
            let outer = self.outer()?;
            let lease = self.store.lease()?;
            // Whose end lets go of the container's lock.
            let copied = worker::run_bound(&outer, || {
                let copied = copy_root::copy_root(&self.store, config, &lease);
                copied.map_err(|error| failure(&error))
            });
            self.end_lease(lease, copied.map_err(Error::from))?;
        }
        Ok(self.store.rootfs_plan(config, &tools)?)
    }

    /// Puts the request of a start together.
    pub(super) fn place(&self, config: &ContainerConfig) -> Result<StartRequest, Error> {
        let facts = self.facts()?;
        let spec = &config.spec;
        let empty = ImageConfig::default();
        let image = config.image.as_ref().map_or(&empty, |image| &image.config);
        let rootfs = self.rootfs_of(config)?;
        let joined = self.inits_to_join(config)?;
        let user = placed_user(&specgen::user(spec, image, facts), facts, &rootfs)?;
        let maps = match &spec.userns {
            // Its one id is that of the user it was started with, which is not ours to choose.
            UsernsMode::Container(id) if facts.outer.is_single() => joined.only_ids(id)?,
            userns => {
                let userns = self.userns_in_force(userns)?;
                idmaps::container_maps(&userns, &facts.outer, (facts.uid, facts.gid), user)?
            }
        };
        let network = self.network_plan(config, image)?;
        let hostname = hostname(config);
        self.store.make_run_container(&config.id)?;
        let mut mounts = self.generated_files(config, &network, &hostname)?;
        mounts.extend(self.apt_without_users(config, facts, &rootfs)?);
        mounts.extend(self.placed_mounts(config, &maps)?);
        let scratches = scratches(&mounts);
        let placement = Placement {
            rootfs: PathBuf::from("rootfs"),
            hostname,
            maps,
            joined: joined.namespaces(spec),
            mounts,
            shm: joined.shm(spec),
            without_mqueue: !sys::fs::exists(Path::new("/dev/mqueue")),
            host_devices: if spec.security.privileged { host_facts::open_devices() } else { Vec::new() },
            cgroup: None,
            terminal: spec.tty,
            seccomp_profile: Self::seccomp_profile(spec)?,
            kernel: sys::process::kernel_version(),
            user_name: self.user_name(config)?,
            user_home: mounted_home(spec),
            group_name: self.group_name(config)?,
        };
        let oci = specgen::generate(spec, image, facts, &placement).map_err(Error::Spec)?;
        if let (SeccompMode::File(path), Some(section)) =
            (&spec.security.seccomp, oci.linux().as_ref().and_then(|linux| linux.seccomp().as_ref()))
        {
            let unknown = runtime::seccomp_profile::unknown_names(section);
            if !unknown.is_empty() {
                tracing::warn!(?path, ?unknown, "seccomp profile names system calls that are not known: left out");
            }
        }
        let bundle = Bundle {
            spec: oci,
            rootfs,
            reaper: spec.init,
            single_id: facts.outer.is_single(),
            make_workdir: spec.workdir.is_none(),
            group_add: spec.group_add.clone(),
        };
        Ok(StartRequest {
            config: config.clone(),
            bundle,
            network,
            scratches,
            wish: self.wish()?.clone(),
            joined: joined.inits,
            outer: None,
            client: None,
            stop_signal: stop_signal(config, image).number(),
            health: self.health_request(config)?.map(Box::new),
        })
    }

    /// Text of the profile of `--security-opt seccomp=FILE`; of the file, if the container does not have it.
    pub(super) fn seccomp_profile(spec: &ContainerSpec) -> Result<Option<String>, Error> {
        match (&spec.security.seccomp_profile, &spec.security.seccomp) {
            (Some(text), _) => Ok(Some(text.clone())),
            (None, SeccompMode::File(path)) => {
                let read = sys::fs::read_named(path, LARGEST_PROFILE);
                let read = read.map(|bytes| Some(String::from_utf8_lossy(&bytes).into_owned()));
                read.map_err(|source| Error::Path { what: "read seccomp profile", path: path.clone(), source })
            }
            (None, SeccompMode::Default | SeccompMode::Unconfined) => Ok(None),
        }
    }

    fn network_plan(&self, config: &ContainerConfig, image: &ImageConfig) -> Result<NetworkPlan, Error> {
        let mode = config.spec.network();
        let exposed = exposed(&config.spec, image);
        let request = NetworkRequest {
            mode: &mode,
            ports: &config.spec.ports,
            publish_all: config.spec.publish_all,
            exposed: &exposed,
            host_ips: &config.spec.host_ips,
            path: &self.config.path,
        };
        network::plan(&request).map_err(Error::Network)
    }

    /// With one id there is no user `_apt`: a file tells apt, which checks what the filter pretends (K-A9). Only where
    /// the image has apt.
    fn apt_without_users(
        &self,
        config: &ContainerConfig,
        facts: &HostFacts,
        rootfs: &RootfsPlan,
    ) -> Result<Option<PlacedMount>, Error> {
        let has_apt = |dir: &&Path| {
            let root = RootDir::open(dir).ok();
            root.is_some_and(|root| root.open_dir(Path::new("etc/apt/apt.conf.d")).is_ok())
        };
        if !facts.outer.is_single() || !directories(rootfs).iter().any(has_apt) {
            return Ok(None);
        }
        let (target, text) = ("/etc/apt/apt.conf.d/99sampan-one-id", b"APT::Sandbox::User \"root\";\n");
        self.placed_file(config, "apt.conf", target, text).map(Some)
    }

    /// The caller's name, which keep-id shows in the container.
    fn user_name(&self, config: &ContainerConfig) -> Result<Option<String>, Error> {
        self.caller_in(Database::Passwd, self.facts()?.uid, config)
    }

    /// The name of the caller's group, likewise.
    fn group_name(&self, config: &ContainerConfig) -> Result<Option<String>, Error> {
        self.caller_in(Database::Group, self.facts()?.gid, config)
    }

    fn caller_in(&self, database: Database, id: u32, config: &ContainerConfig) -> Result<Option<String>, Error> {
        if !matches!(config.spec.userns, UsernsMode::KeepId { .. }) {
            return Ok(None);
        }
        sys::user::name_of(database, id, &self.config.path).map_err(|source| Error::Path {
            what: "look up the caller in",
            path: database.path().into(),
            source,
        })
    }

    /// Where the containers are that this one joins.
    fn inits_to_join(&self, config: &ContainerConfig) -> Result<JoinedInits, Error> {
        let init_of = |id: &ContainerId| {
            let record = self.store.container(id)?;
            let init = record.init().ok_or_else(|| Error::NotRunningToJoin(record.config.name.to_string()))?;
            Ok((id.clone(), init))
        };
        Ok(JoinedInits { inits: dependencies(config).into_iter().map(init_of).collect::<Result<_, Error>>()? })
    }
}

/// The containers that are joined, each with its init: looked up once, so that all that is joined is of one run.
struct JoinedInits {
    inits: Vec<(ContainerId, ProcessIdentity)>,
}

impl JoinedInits {
    /// Paths of the namespaces that are joined.
    fn namespaces(&self, spec: &ContainerSpec) -> Joined {
        let of = |mode: &NamespaceMode, name: &str| match mode {
            NamespaceMode::Container(id) => self.namespace(id, name),
            NamespaceMode::Private | NamespaceMode::Host | NamespaceMode::Path(_) => None,
        };
        Joined {
            user: match &spec.userns {
                UsernsMode::Container(id) => self.namespace(id, "user"),
                _ => None,
            },
            pid: of(&spec.pid, "pid"),
            ipc: of(&spec.ipc, "ipc"),
            uts: of(&spec.uts, "uts"),
            cgroup: of(&spec.cgroupns, "cgroup"),
            network: match &spec.network {
                Some(NetworkMode::Container(id)) => self.namespace(id, "net"),
                _ => None,
            },
        }
    }

    /// The shared memory of the container whose IPC namespace is joined.
    fn shm(&self, spec: &ContainerSpec) -> Option<PathBuf> {
        let NamespaceMode::Container(id) = &spec.ipc else { return None };
        self.path(id, "root/dev/shm")
    }

    fn namespace(&self, id: &ContainerId, name: &str) -> Option<PathBuf> {
        self.path(id, &format!("ns/{name}"))
    }

    /// In single-id mode, the ids that a running container calls its own.
    fn only_ids(&self, id: &ContainerId) -> Result<IdMaps, Error> {
        let first = |file: &str| -> Result<IdMap, Error> {
            let path = self.path(id, file).ok_or_else(|| Error::NotRunningToJoin(id.short().to_owned()))?;
            let text = sys::fs::read_to_string(&path);
            let text = text.map_err(|source| Error::Path { what: "read the id map", path, source })?;
            let map = IdMap::from_proc(&text);
            Ok(IdMap::single(map.extents().first().map_or(0, |extent| extent.inside), 0))
        };
        Ok(IdMaps { uid: first("uid_map")?, gid: first("gid_map")? })
    }

    /// A file of its init in `/proc`.
    fn path(&self, id: &ContainerId, file: &str) -> Option<PathBuf> {
        let (_, init) = self.inits.iter().find(|(joined, _)| joined == id)?;
        Some(PathBuf::from(format!("/proc/{}/{file}", init.pid)))
    }
}

/// Numbers of the user, which single-id mode maps to the caller: a name is looked up in the layers there, because the
/// map is fixed before the container's root can be seen.
fn placed_user(text: &str, facts: &HostFacts, rootfs: &RootfsPlan) -> Result<(u32, u32), Error> {
    if !facts.outer.is_single() || text.is_empty() {
        return Ok(create::numeric_user(text));
    }
    runtime::user::numbers(text, &directories(rootfs)).map_err(Error::User)
}

/// The directories that a root is put together from, top first.
fn directories(rootfs: &RootfsPlan) -> Vec<&Path> {
    match rootfs {
        RootfsPlan::Path { path } => vec![path],
        RootfsPlan::Overlay { lower, upper, .. } | RootfsPlan::Fuse { lower, upper, .. } => {
            std::iter::once(upper).chain(lower).map(PathBuf::as_path).collect()
        }
    }
}

/// `--hostname`, or the host's where its UTS or network namespace is the container's (a name that its addresses do not
/// have would confuse programs), or the first 12 digits of the id.
pub(super) fn hostname(config: &ContainerConfig) -> String {
    let spec = &config.spec;
    let of_host = spec.uts == NamespaceMode::Host || spec.network() == NetworkMode::Host;
    match &spec.hostname {
        Some(name) => name.clone(),
        None if of_host => sys::process::hostname(),
        None => config.id.short().to_owned(),
    }
}

/// `--stop-signal`, the image's STOPSIGNAL, or SIGTERM.
pub(super) fn stop_signal(config: &ContainerConfig, image: &ImageConfig) -> Signal {
    config.spec.stop_signal.or_else(|| image.config.stop_signal.parse().ok()).unwrap_or(Signal::TERM)
}

/// The caller's home directory, if it is mounted where it is here: programs of a keep-id container find it there.
fn mounted_home(spec: &ContainerSpec) -> Option<String> {
    let home = environment::home().filter(|home| spec.mounts.iter().any(|mount| mount.target == *home))?;
    home.into_os_string().into_string().ok()
}
