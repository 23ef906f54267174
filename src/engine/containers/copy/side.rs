//! The two sides of a copy: how to get at the files of a container, running or not, and of the host.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::super::export;
use super::CopyEnd;
use crate::engine::error::failure;
use crate::engine::{Engine, Error};
use crate::rootless::{self, Outer, worker};
use crate::runtime::{self, RootMount, user};
use crate::specgen;
use crate::storage::container_record::ContainerRecord;
use crate::storage::containers::Locked;
use crate::storage::process_identity::ProcessIdentity;
use crate::sys::namespace::{self, NsKind};
use crate::sys::process::{self, Pid, PidFd};
use crate::sys::root::RootDir;
use crate::sys::{self, Errno};
use crate::types::failure::{Failure, FailureKind};
use crate::types::id::ContainerId;
use crate::types::idmap::IdMaps;
use crate::types::image_config::ImageConfig;
use crate::types::rootfs_plan::RootfsPlan;

/// A place that can be looked at, read and written.
pub(super) enum Side {
    Host(PathBuf),
    Container(Box<ContainerSide>),
    Stream(OwnedFd),
}

pub(in super::super) struct ContainerSide {
    pub(super) id: ContainerId,
    pub(super) path: PathBuf,
    /// Where its relative paths begin.
    base: PathBuf,
    root: RootOf,
    /// The P that it is in, or any.
    outer: Rc<Outer>,
    /// C ← P.
    pub(in super::super) maps: IdMaps,
    /// `--user`, as text.
    user: String,
    /// A container that does not run must not start while we have its files.
    lock: Option<Locked<ContainerRecord>>,
}

/// How to get at the root.
#[derive(Clone)]
enum RootOf {
    Running(ProcessIdentity),
    Stopped {
        plan: RootfsPlan,
        /// Its binds and volumes.
        mounts: Vec<RootMount>,
    },
}

impl Side {
    /// Where on that side; nowhere for a stream.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Host(path) => path,
            Self::Container(side) => &side.path,
            Self::Stream(_) => Path::new(""),
        }
    }

    /// Both in one container.
    pub(super) fn shares_container(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Container(one), Self::Container(other)) if one.id == other.id)
    }
}

impl Engine {
    /// Both sides of a copy. Of two containers the one with the lower id is locked first: two copies, there and back, would
    /// wait for each other for ever.
    pub(super) fn sides(&self, source: CopyEnd, target: CopyEnd) -> Result<(Side, Side), Error> {
        let id = |end: &CopyEnd| match end {
            CopyEnd::Container { name, .. } => self.store.find_container(name).map(Some),
            CopyEnd::Host(_) | CopyEnd::Stream(_) => Ok(None),
        };
        match (id(&source)?, id(&target)?, source) {
            (Some(one), Some(other), CopyEnd::Container { path, .. }) if one == other => {
                let target = self.side(target)?;
                // One lock is enough, and no more can be had.
                let source = match &target {
                    Side::Container(side) => Side::Container(Box::new(side.elsewhere(&path))),
                    Side::Host(_) | Side::Stream(_) => Side::Host(path),
                };
                Ok((source, target))
            }
            (Some(one), Some(other), source) if other < one => {
                let target = self.side(target)?;
                Ok((self.side(source)?, target))
            }
            (_, _, source) => Ok((self.side(source)?, self.side(target)?)),
        }
    }

    fn side(&self, end: CopyEnd) -> Result<Side, Error> {
        match end {
            CopyEnd::Host(path) => Ok(Side::Host(path)),
            CopyEnd::Stream(stream) => Ok(Side::Stream(stream)),
            CopyEnd::Container { name, path } => {
                self.container_side(&name, &path).map(|side| Side::Container(Box::new(side)))
            }
        }
    }

    /// A path of a container. One that does not run is locked as long as this lives.
    pub(in super::super) fn container_side(&self, name: &str, path: &Path) -> Result<ContainerSide, Error> {
        let id = self.store.find_container(name)?;
        let mut record = self.store.container(&id)?;
        let (root, lock) = match running_init(&record)? {
            Some(init) => (RootOf::Running(init), None),
            None => {
                let lock = self.store.lock_container(&id)?;
                record = self.store.container(&id)?;
                match running_init(&record)? {
                    Some(init) => (RootOf::Running(init), None),
                    None => {
                        let plan = self.rootfs_of(&record.config)?;
                        (RootOf::Stopped { plan, mounts: self.resting_mounts(&record.config)? }, Some(lock))
                    }
                }
            }
        };
        let outer = match &root {
            RootOf::Running(init) => self.outer_of(*init)?,
            RootOf::Stopped { .. } => self.outer()?,
        };
        let facts = self.facts()?;
        let config = &record.config;
        let empty = ImageConfig::default();
        let image = config.image.as_ref().map_or(&empty, |image| &image.config);
        let user = specgen::user(&config.spec, image, facts);
        let maps = self.maps_of(config)?;
        let base = config.spec.workdir.clone().unwrap_or_else(|| image.config.working_dir.clone().into());
        let base = Path::new("/").join(base);
        Ok(ContainerSide { id, path: base.join(path), base, root, outer: Rc::new(outer), maps, user, lock })
    }
}

impl ContainerSide {
    /// True if nobody else can have the container now.
    pub(super) fn is_locked(&self) -> bool {
        self.lock.is_some()
    }

    /// Another path of the container, for as long as this one has its lock.
    fn elsewhere(&self, path: &Path) -> Self {
        Self {
            id: self.id.clone(),
            path: self.base.join(path),
            base: self.base.clone(),
            root: self.root.clone(),
            outer: Rc::clone(&self.outer),
            maps: self.maps.clone(),
            user: self.user.clone(),
            lock: None,
        }
    }

    /// Runs a job in P with the container's root and what is mounted in it.
    pub(super) fn run<T>(&self, job: impl FnOnce(&RootDir) -> Result<T, Failure>) -> Result<T, Failure>
    where
        T: serde::Serialize + serde::de::DeserializeOwned,
    {
        let mounts = match &self.root {
            RootOf::Stopped { mounts, .. } => mounts.as_slice(),
            RootOf::Running(_) => &[],
        };
        self.run_with(mounts, job)
    }

    fn run_with<T>(&self, mounts: &[RootMount], job: impl FnOnce(&RootDir) -> Result<T, Failure>) -> Result<T, Failure>
    where
        T: serde::Serialize + serde::de::DeserializeOwned,
    {
        let result = worker::run_bound(&self.outer, || {
            sys::process::umask(0);
            match &self.root {
                RootOf::Running(init) => {
                    let root = PathBuf::from(format!("/proc/{}/root", init.pid));
                    let root = RootDir::open(&root).map_err(|error| failure(&error))?;
                    // The pid may have been given to another process just before.
                    if !init.is_alive().map_err(|error| failure(&error))? {
                        return Err(Failure::new(FailureKind::Died, format!("container {} ended", self.id.short())));
                    }
                    job(&root)
                }
                RootOf::Stopped { plan, .. } => {
                    let root_ids = (self.maps.uid.to_outside(0).unwrap_or(0), self.maps.gid.to_outside(0).unwrap_or(0));
                    let (root, server) =
                        runtime::mount_rootfs_at_rest(plan, root_ids).map_err(|error| error.to_failure())?;
                    let furnished = runtime::furnish(&root, mounts);
                    let done = furnished.map_err(|error| error.to_failure()).and_then(|()| job(&RootDir::from(root)));
                    if let Some(server) = server {
                        end_server(&server)?;
                    }
                    done
                }
            }
        });
        result.map_err(|error| match error {
            rootless::Error::Worker(failure) => failure,
            error => Failure::from_error(error.kind(), &error),
        })
    }

    /// Like [`Self::run`], without what is mounted in the container.
    pub(in super::super) fn run_bare<T>(&self, job: impl FnOnce(&RootDir) -> Result<T, Failure>) -> Result<T, Failure>
    where
        T: serde::Serialize + serde::de::DeserializeOwned,
    {
        let RootOf::Running(init) = &self.root else { return self.run_with(&[], job) };
        self.run(|root| {
            let pid = init.pid;
            let bare = export::bare_root(pid, root).map_err(|error| failure(&error))?;
            job(&RootDir::from(bare))
        })
    }

    /// For a job of a running container that lacks the caller's id (`nomap`, `auto`): the container's root may do less than P,
    /// and where a link of the container leads, less is what the job may do, too. Answers the map of what this process sees
    /// from now on.
    pub(super) fn as_its_root(&self) -> Result<IdMaps, Failure> {
        let RootOf::Running(init) = &self.root else { return Ok(self.maps.clone()) };
        if self.maps.uid.to_inside(0).is_some() && self.maps.gid.to_inside(0).is_some() {
            return Ok(self.maps.clone());
        }
        let ended = || Failure::new(FailureKind::Died, format!("container {} ended", self.id.short()));
        let pid = Pid::from_raw(init.pid.cast_signed()).ok_or_else(ended)?;
        let joined = namespace::open(pid, NsKind::User).and_then(|userns| {
            // The pid may have been given to another process just before.
            if !init.is_alive()? {
                return Err(sys::Error::new("setns", format!("container {} ended", self.id.short()), Errno::ESRCH));
            }
            namespace::join(userns.as_fd(), &[NsKind::User])?;
            process::set_groups(&[])?;
            process::set_gid(0)?;
            process::set_uid(0)
        });
        joined.map_err(|error| failure(&error))?;
        Ok(IdMaps { uid: self.maps.uid.inside(), gid: self.maps.gid.inside() })
    }

    /// Ids of the container's own user, as the container has them.
    pub(super) fn owner(&self, root: &RootDir) -> Result<(u32, u32), Failure> {
        let who = user::resolve(root, &self.user, &[], &self.maps).map_err(|error| failure(&error))?;
        Ok((who.uid, who.gid))
    }
}

/// The init whose root is the container's; none of one that does not run.
fn running_init(record: &ContainerRecord) -> Result<Option<ProcessIdentity>, Error> {
    let Some(init) = record.init() else { return Ok(None) };
    let alive = init.is_alive().map_err(|source| Error::Host { what: "look for the container's init", source })?;
    Ok(alive.then_some(init))
}

/// The server of fuse-overlayfs is no child of ours: SIGTERM lets it write everything down.
fn end_server(server: &PidFd) -> Result<(), Failure> {
    server.signal(sys::signal::SIGTERM).map(drop).map_err(|error| failure(&error))
}
