//! `cp`: between a container and the host, or another container, or a tar stream. One process reads and makes a tar,
//! the other one unpacks it; the container's side is a worker in P that works in the container's own root by
//! descriptor. Nothing is mounted in a running container, and no path is ever resolved outside its root (D01–D04).

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use crate::engine::error::failure;
use crate::engine::feeder::Feeder;
use crate::engine::{Engine, Error};
use crate::rootless::{Outer, worker};
use crate::runtime::{self, RootMount, user};
use crate::specgen;
use crate::storage::container_record::ContainerRecord;
use crate::storage::containers::Locked;
use crate::storage::pack;
use crate::storage::process_identity::ProcessIdentity;
use crate::storage::unpack::{self, Flavour, Plan, Unpacked};
use crate::sys;
use crate::sys::dir::FileKind;
use crate::sys::process::{self, PidFd};
use crate::sys::root::RootDir;
use crate::types::failure::{Failure, FailureKind};
use crate::types::id::ContainerId;
use crate::types::idmap::{IdMap, IdMaps};
use crate::types::image_config::ImageConfig;
use crate::types::progress::Progress;
use crate::types::rootfs_plan::RootfsPlan;

use super::{create, idmaps};

/// One end of a copy.
#[derive(Debug)]
pub(crate) enum CopyEnd {
    Host(PathBuf),
    Container {
        name: String,
        path: PathBuf,
    },
    /// `-`: a tar.
    Stream(OwnedFd),
}

/// What to copy where.
#[derive(Debug)]
pub(crate) struct CopyRequest {
    pub(crate) source: CopyEnd,
    pub(crate) target: CopyEnd,
    /// What comes into a container belongs to the container's user; else ids stay as they are.
    pub(crate) archive: bool,
    /// A file may replace a directory, and a directory a file.
    pub(crate) overwrite: bool,
}

/// A place that can be looked at, read and written.
pub(super) enum Side {
    Host(PathBuf),
    Container(Box<ContainerSide>),
    Stream(OwnedFd),
}

pub(super) struct ContainerSide {
    id: ContainerId,
    path: PathBuf,
    root: RootOf,
    /// C ← P.
    pub(super) maps: IdMaps,
    /// `--user`, as text.
    user: String,
    /// A container that does not run must not start while we have its files.
    _lock: Option<Locked<ContainerRecord>>,
}

/// How to get at the root.
enum RootOf {
    Running(ProcessIdentity),
    Stopped {
        plan: RootfsPlan,
        /// Its binds and volumes.
        mounts: Vec<RootMount>,
    },
}

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum Found {
    Nothing,
    Directory,
    Other,
}

/// Where the copy goes: into this directory, under this name; without one, the content only.
struct Landing {
    dir: PathBuf,
    name: Option<OsString>,
}

impl Engine {
    /// Copies; returns what was left out, for the user.
    pub(crate) fn copy(&self, request: CopyRequest, progress: &dyn Progress) -> Result<(), Error> {
        let (source, target) = (self.side(request.source)?, self.side(request.target)?);
        let outer = self.outer()?;
        let landing = landing(&outer, &source, &target)?;
        let name = landing.name.clone();
        let feed = |pipe| read(&outer, source, name.as_deref(), pipe);
        let (feeder, reader) = Feeder::start(feed).map_err(copying)?;
        let written = write(&outer, target, &landing, reader, request.archive, request.overwrite);
        let died = || Err(Failure::new(FailureKind::Died, "the process that reads what is copied died"));
        let read = feeder.answer(None).map_err(copying)?.unwrap_or_else(died);
        // A reader that broke off makes the writer fail too: its reason is the one to tell.
        match read.map_err(Error::Failure)? {
            Some(skipped) if skipped > 0 => progress.warn(&format!("{skipped} devices and sockets were left out")),
            _ => {}
        }
        for line in written?.iter().flat_map(|unpacked| unpacked.remarks.lines()) {
            progress.warn(&line);
        }
        Ok(())
    }

    pub(super) fn side(&self, end: CopyEnd) -> Result<Side, Error> {
        let (name, path) = match end {
            CopyEnd::Host(path) => return Ok(Side::Host(path)),
            CopyEnd::Stream(stream) => return Ok(Side::Stream(stream)),
            CopyEnd::Container { name, path } => (name, path),
        };
        let id = self.store.find_container(&name)?;
        let mut record = self.store.container(&id)?;
        let (root, lock) = match record.init().filter(|init| init.is_alive()) {
            Some(init) => (RootOf::Running(init), None),
            None => {
                let lock = self.store.lock_container(&id)?;
                record = self.store.container(&id)?;
                match record.init().filter(|init| init.is_alive()) {
                    Some(init) => (RootOf::Running(init), None),
                    None => {
                        let plan = self.rootfs_of(&record.config)?;
                        (RootOf::Stopped { plan, mounts: self.resting_mounts(&record.config)? }, Some(lock))
                    }
                }
            }
        };
        let facts = self.facts()?;
        let config = &record.config;
        let empty = ImageConfig::default();
        let image = config.image.as_ref().map_or(&empty, |image| &image.config);
        let user = specgen::user(&config.spec, image, facts);
        let numbers = create::numeric_user(&user);
        let maps = idmaps::container_maps(
            &self.userns_in_force(&config.spec.userns)?,
            &facts.outer,
            (facts.uid, facts.gid),
            numbers,
        )?;
        let base = config.spec.workdir.clone().unwrap_or_else(|| image.config.working_dir.clone().into());
        let path = Path::new("/").join(base).join(path);
        Ok(Side::Container(Box::new(ContainerSide { id, path, root, maps, user, _lock: lock })))
    }
}

impl ContainerSide {
    /// Runs a job in P with the container's root and what is mounted in it.
    fn run<T>(&self, outer: &Outer, job: impl FnOnce(&RootDir) -> Result<T, Failure>) -> Result<T, Failure>
    where
        T: serde::Serialize + serde::de::DeserializeOwned,
    {
        let mounts = match &self.root {
            RootOf::Stopped { mounts, .. } => mounts.as_slice(),
            RootOf::Running(_) => &[],
        };
        self.run_with(outer, mounts, job)
    }

    fn run_with<T>(
        &self,
        outer: &Outer,
        mounts: &[RootMount],
        job: impl FnOnce(&RootDir) -> Result<T, Failure>,
    ) -> Result<T, Failure>
    where
        T: serde::Serialize + serde::de::DeserializeOwned,
    {
        let result = worker::run_bound(outer, || {
            sys::process::umask(0);
            match &self.root {
                RootOf::Running(init) => {
                    let root = PathBuf::from(format!("/proc/{}/root", init.pid));
                    let root = RootDir::open(&root).map_err(|error| failure(&error))?;
                    // The pid may have been given to another process just before.
                    if !init.is_alive() {
                        return Err(Failure::new(FailureKind::Died, format!("container {} ended", self.id.short())));
                    }
                    job(&root)
                }
                RootOf::Stopped { plan, .. } => {
                    let root_ids = (self.maps.uid.to_outside(0).unwrap_or(0), self.maps.gid.to_outside(0).unwrap_or(0));
                    let (root, server) = runtime::mount_rootfs(plan, root_ids)
                        .map_err(|error| Failure::from_error(FailureKind::Mount, &error))?;
                    let furnished = runtime::furnish(&root, mounts);
                    let done = furnished
                        .map_err(|error| Failure::from_error(FailureKind::Mount, &error))
                        .and_then(|()| job(&RootDir::from(root)));
                    if let Some(server) = server {
                        end_server(&server)?;
                    }
                    done
                }
            }
        });
        result.map_err(|error| match error {
            crate::rootless::Error::Worker(failure) => failure,
            error => Failure::from_error(error.kind(), &error),
        })
    }

    /// Like [`Self::run`], without what is mounted in the container.
    pub(super) fn run_bare<T>(
        &self,
        outer: &Outer,
        job: impl FnOnce(&RootDir) -> Result<T, Failure>,
    ) -> Result<T, Failure>
    where
        T: serde::Serialize + serde::de::DeserializeOwned,
    {
        let RootOf::Running(init) = &self.root else { return self.run_with(outer, &[], job) };
        self.run(outer, |root| {
            let pid = init.pid;
            let bare = super::export::bare_root(pid, root).map_err(|error| failure(&error))?;
            job(&RootDir::from(bare))
        })
    }

    /// Ids in P of the container's own user.
    fn owner(&self, root: &RootDir) -> Result<(u32, u32), Failure> {
        let who = user::resolve(root, &self.user, &[], &self.maps)
            .map_err(|error| Failure::from_error(FailureKind::Other, &error))?;
        let outside = |map: &IdMap, id| map.to_outside(id).unwrap_or(0);
        Ok((outside(&self.maps.uid, who.uid), outside(&self.maps.gid, who.gid)))
    }
}

/// The server of fuse-overlayfs is no child of ours: SIGTERM lets it write everything down.
fn end_server(server: &PidFd) -> Result<(), Failure> {
    server.signal(sys::signal::SIGTERM).map(drop).map_err(|error| failure(&error))
}

/// Decides name and place as `cp` and Podman do, from what is there.
fn landing(outer: &Outer, source: &Side, target: &Side) -> Result<Landing, Error> {
    let to = match target {
        Side::Stream(_) => PathBuf::new(),
        Side::Host(path) => path.clone(),
        Side::Container(side) => side.path.clone(),
    };
    let from = match source {
        Side::Stream(_) => {
            // A tar is unpacked into a directory, under its own names.
            return match look(outer, target, &to)? {
                Found::Directory => Ok(Landing { dir: to, name: None }),
                _ => Err(Error::Copy(format!("{to:?} is no directory to unpack into"))),
            };
        }
        Side::Host(path) => path.clone(),
        Side::Container(side) => side.path.clone(),
    };
    let found = look(outer, source, &from)?;
    if found == Found::Nothing {
        return Err(Error::Copy(format!("{from:?} does not exist")));
    }
    let directory = found == Found::Directory;
    let own_name = own_name(source, &from)?;
    if matches!(target, Side::Stream(_)) {
        return Ok(Landing { dir: to, name: own_name.or_else(|| Some(OsString::from("."))) });
    }
    if !directory && ends_with(&from, "/") {
        return Err(Error::Copy(format!("{from:?} is no directory")));
    }
    let parted = || {
        let name = to.file_name().map(OsStr::to_owned);
        let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        name.map(|name| Landing { dir: parent.to_owned(), name: Some(name) })
            .ok_or_else(|| Error::Copy(format!("{to:?} is no name to copy to")))
    };
    match look(outer, target, &to)? {
        Found::Directory if directory && ends_with(&from, "/.") => Ok(Landing { dir: to, name: None }),
        Found::Directory => Ok(Landing { dir: to, name: own_name }),
        Found::Other if directory => Err(Error::Copy(format!("{to:?} is a file, and {from:?} a directory"))),
        Found::Nothing if !directory && ends_with(&to, "/") => {
            Err(Error::Copy(format!("directory {to:?} does not exist")))
        }
        Found::Other | Found::Nothing => {
            let landing = parted()?;
            match look(outer, target, &landing.dir)? {
                Found::Directory => Ok(landing),
                _ => Err(Error::Copy(format!("directory {:?} does not exist", landing.dir))),
            }
        }
    }
}

/// The name that a copy has by itself; none for a root.
fn own_name(source: &Side, path: &Path) -> Result<Option<OsString>, Error> {
    match (source, path.components().next_back()) {
        (_, Some(Component::Normal(name))) => Ok(Some(name.to_owned())),
        (Side::Host(_), _) => {
            let canonical = sys::fs::canonical(path).map_err(copying)?;
            Ok(canonical.file_name().map(OsStr::to_owned))
        }
        _ => Ok(None),
    }
}

fn ends_with(path: &Path, suffix: &str) -> bool {
    use std::os::unix::ffi::OsStrExt as _;
    path.as_os_str().as_bytes().ends_with(suffix.as_bytes())
}

fn look(outer: &Outer, side: &Side, path: &Path) -> Result<Found, Error> {
    let found = |kind: Option<FileKind>| match kind {
        None => Found::Nothing,
        Some(FileKind::Directory) => Found::Directory,
        Some(_) => Found::Other,
    };
    match side {
        Side::Stream(_) => Ok(Found::Other),
        Side::Host(_) => {
            let stat = sys::fs::stat(path).map_err(copying)?;
            Ok(stat.map_or(Found::Nothing, |stat| if stat.is_dir() { Found::Directory } else { Found::Other }))
        }
        Side::Container(side) => {
            let look = |root: &RootDir| {
                let stat = root.stat(path).map_err(|error| failure(&error))?;
                Ok(found(stat.map(|stat| stat.kind)))
            };
            side.run(outer, look).map_err(Error::Failure)
        }
    }
}

/// In the reading process: a tar of the source goes to `out`. How many files were left out; `None` for a stream.
fn read(outer: &Outer, side: Side, name: Option<&OsStr>, out: OwnedFd) -> Result<Option<u64>, Failure> {
    let packed = |result: Result<u64, pack::Error>| match result {
        // The other side tells why it has gone.
        Err(error) if error.is_broken_pipe() => Ok(Some(0)),
        other => other.map(Some).map_err(|error| Failure::from_error(FailureKind::Other, &error)),
    };
    match side {
        Side::Stream(stream) => match sys::descriptor::copy_stream(stream.as_fd(), out.as_fd()) {
            Err(error) if error.is(sys::Errno::EPIPE) => Ok(None),
            other => other.map(|_| None).map_err(|error| failure(&error)),
        },
        Side::Host(path) => {
            let path = sys::fs::canonical(&path).map_err(|error| failure(&error))?;
            let top = path.parent().unwrap_or(Path::new("/"));
            let root = RootDir::open(top).map_err(|error| failure(&error))?;
            let inside = path.file_name().map_or_else(PathBuf::new, PathBuf::from);
            packed(pack::pack(&root, &inside, name, sys::fs::File::from(out)))
        }
        Side::Container(side) => {
            side.run(outer, |root| packed(pack::pack(root, &side.path, name, sys::fs::File::from(out))))
        }
    }
}

/// Unpacks what comes out of `from` at the target.
fn write(
    outer: &Outer,
    side: Side,
    landing: &Landing,
    from: OwnedFd,
    archive: bool,
    overwrite: bool,
) -> Result<Option<Unpacked>, Error> {
    let unpack = |from: OwnedFd, root: &RootDir, plan: Plan<'_>| {
        let plan = Plan { flavour: Flavour::Plain, overwrite, ..plan };
        let done = unpack::unpack::<Vec<u8>>(from.into(), root, None, &plan);
        done.map(Some).map_err(|error| Failure::from_error(error.kind(), &error))
    };
    match side {
        Side::Stream(stream) => {
            sys::descriptor::copy_stream(from.as_fd(), stream.as_fd()).map(|_| None).map_err(copying)
        }
        Side::Host(_) => {
            let root = RootDir::open(&landing.dir).map_err(copying)?;
            let mine = IdMaps { uid: IdMap::single(0, 0), gid: IdMap::single(0, 0) };
            // Set-id bits of a container's files mean nothing good outside of it (case D04).
            let umask = process::umask(0);
            let plan = Plan { owner: Some((0, 0)), mode_mask: 0o1777 & !umask, ..Plan::layer(&mine) };
            unpack(from, &root, plan).map_err(Error::Failure)
        }
        Side::Container(side) => {
            let job = |root: &RootDir| {
                let owner = if archive { Some(side.owner(root)?) } else { None };
                let dir = root.open_dir(&landing.dir).map_err(|error| failure(&error))?;
                unpack(from, &RootDir::from(OwnedFd::from(dir)), Plan { owner, ..Plan::layer(&side.maps) })
            };
            side.run(outer, job).map_err(Error::Failure)
        }
    }
}

fn copying(source: sys::Error) -> Error {
    Error::Host { what: "copy", source }
}
