//! `cp`: between a container and the host, or another container, or a tar stream. One process reads and makes a tar,
//! the other one unpacks it; the container's side is a worker in P that works in the container's own root by
//! descriptor. Nothing is mounted in a running container, and no path is ever resolved outside its root (D01–D04).

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use crate::engine::error::failure;
use crate::engine::feeder::Feeder;
use crate::engine::images::decompress;
use crate::engine::{Engine, Error};
use crate::storage::pack::{self, Terms};
use crate::storage::unpack::{self, Flavour, Plan, Unpacked};
use crate::sys;
use crate::sys::dir::FileKind;
use crate::sys::process;
use crate::sys::root::RootDir;
use crate::types::failure::{Failure, FailureKind};
use crate::types::idmap::{IdMap, IdMaps};
use crate::types::progress::Progress;

mod landing;
pub(super) mod side;

use landing::Landing;
pub(crate) use landing::Misplaced;
use side::Side;

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
    /// What comes into a container belongs to the container's user; else to whom it belongs where it comes from, in that
    /// container's numbers, and the caller is root.
    pub(crate) archive: bool,
    /// A file may replace a directory, and a directory a file.
    pub(crate) overwrite: bool,
}

impl Engine {
    /// Copies. What was left out is told by `progress`.
    pub(crate) fn copy(&self, request: CopyRequest, progress: &dyn Progress) -> Result<(), Error> {
        let (source, target) = self.sides(request.source, request.target)?;
        let landing = Landing::of(&source, &target)?;
        let name = landing.name.clone();
        let (source, target) = self.without_waiting(source, target)?;
        let within = source.shares_container(&target);
        // Nor is the lock held until somebody has read it all.
        let to_pipe = match (&source, &target) {
            (Side::Container(side), Side::Stream(stream)) => side.is_locked() && is_pipe(stream)?,
            _ => false,
        };
        let maps = &self.wish()?.maps;
        let feed = |pipe| read(maps, source, name.as_deref(), pipe);
        let (feeder, reader) = Feeder::start(feed).map_err(copying)?;
        let write = |from| write(target, &landing, from, request.archive, request.overwrite);
        let (skipped, written) = if within || to_pipe {
            // All is read before anything is written: a root that is not in use is not mounted by two at a time, and a
            // directory that is copied into itself has an end.
            let gather = |file: BorrowedFd<'_>| {
                sys::descriptor::copy_stream(reader.as_fd(), file).map_err(copying)?;
                // The reader has told before anything is written: half a copy is none.
                heard(feeder)
            };
            let (skipped, whole) = self.gathered(gather)?;
            (skipped, write(whole)?)
        } else {
            let written = write(reader);
            // A reader that broke off makes the writer fail too: its reason is the one to tell.
            (heard(feeder)?, written?)
        };
        if let Some(skipped @ 1..) = skipped {
            progress.warn(&format!("{skipped} devices and sockets were left out"));
        }
        for line in written.iter().flat_map(|unpacked| unpacked.remarks.lines()) {
            progress.warn(&line);
        }
        Ok(())
    }

    /// A pipe is silent as long as its writer likes, and nobody waits so long for a container's lock: all is read before
    /// that is taken again.
    fn without_waiting(&self, source: Side, target: Side) -> Result<(Side, Side), Error> {
        let (stream, side) = match (source, target) {
            (Side::Stream(stream), Side::Container(side)) if side.is_locked() && is_pipe(&stream)? => (stream, side),
            sides => return Ok(sides),
        };
        let (id, path) = (side.id.clone(), side.path.clone());
        drop(side);
        let gather = |file: BorrowedFd<'_>| sys::descriptor::copy_stream(stream.as_fd(), file).map_err(copying);
        let (_, whole) = self.gathered(gather)?;
        let side = self.container_side(id.as_str(), &path)?;
        Ok((Side::Stream(whole), Side::Container(Box::new(side))))
    }

    /// What `gather` writes, to be read: a file of the store without a name.
    fn gathered<T>(&self, gather: impl FnOnce(BorrowedFd<'_>) -> Result<T, Error>) -> Result<(T, OwnedFd), Error> {
        let lease = self.store.lease()?;
        let path = lease.new_path("copy");
        let gather = || {
            let file = sys::fs::create_new(&path, 0o600).map_err(copying)?;
            let gathered = gather(file.as_fd())?;
            let whole = sys::fs::open(&path).map_err(copying)?;
            sys::fs::remove_file(&path).map_err(copying)?;
            Ok((gathered, whole.into()))
        };
        let done = gather();
        self.end_lease(lease, done)
    }
}

/// What the reading process says at its end.
fn heard(feeder: Feeder<Option<u64>>) -> Result<Option<u64>, Error> {
    let died = || Err(Failure::new(FailureKind::Died, "the process that reads what is copied died"));
    feeder.answer(None).map_err(copying)?.unwrap_or_else(died).map_err(Error::Failure)
}

/// In the reading process: a tar of the source goes to `out`. How many files were left out; `None` for a stream. `caller`: the map
/// of P, for files of the host.
fn read(caller: &IdMaps, side: Side, name: Option<&OsStr>, out: OwnedFd) -> Result<Option<u64>, Failure> {
    let packed = |result: Result<u64, pack::Error>| match result {
        // The other side tells why it has gone.
        Err(error) if error.is_broken_pipe() => Ok(Some(0)),
        other => other.map(Some).map_err(|error| failure(&error)),
    };
    match side {
        Side::Stream(stream) => decompress(stream.into(), out.into()).map(|()| None),
        Side::Host(path) => {
            let path = sys::fs::canonical(&path).map_err(|error| failure(&error))?;
            let top = path.parent().unwrap_or(Path::new("/"));
            let root = RootDir::open(top).map_err(|error| failure(&error))?;
            let inside = path.file_name().map_or_else(PathBuf::new, PathBuf::from);
            // As the caller's files look in P: the caller is root there.
            let terms = Terms { ids: Some(caller) };
            packed(pack::pack(&root, &inside, name, terms, sys::fs::File::from(out)))
        }
        Side::Container(side) => {
            let terms = Terms { ids: Some(&side.maps) };
            side.run(|root| packed(pack::pack(root, &side.path, name, terms, sys::fs::File::from(out))))
        }
    }
}

/// Unpacks what comes out of `from` at the target.
fn write(
    side: Side,
    landing: &Landing,
    from: OwnedFd,
    archive: bool,
    overwrite: bool,
) -> Result<Option<Unpacked>, Error> {
    let unpack = |from: OwnedFd, root: &RootDir, plan: Plan<'_>| {
        let plan = Plan { flavour: Flavour::Plain, overwrite, ..plan };
        let done = unpack::unpack::<Vec<u8>>(from.into(), root, None, &plan);
        done.map(Some).map_err(|error| failure(&error))
    };
    match side {
        Side::Stream(stream) => {
            let written = sys::descriptor::copy_stream(from.as_fd(), stream.as_fd());
            written.map(|_| None).map_err(|source| Error::Output { path: "standard output".into(), source })
        }
        Side::Host(_) => {
            let root = RootDir::open(&landing.dir).map_err(copying)?;
            let mine = IdMaps { uid: IdMap::single(0, 0), gid: IdMap::single(0, 0) };
            // Set-id bits of a container's files mean nothing good outside of it (case D04).
            let umask = process::umask(0);
            let plan = Plan { owner: Some((0, 0)), mode_mask: 0o1777 & !umask, ..Plan::layer(&mine) };
            unpack(from, &root, plan).map_err(|failure| Error::Failure(failure.of_output()))
        }
        Side::Container(side) => {
            let job = |root: &RootDir| {
                let owner = if archive { Some(side.owner(root)?) } else { None };
                let dir = root.open_dir(&landing.dir).map_err(|error| failure(&error))?;
                let maps = side.as_its_root()?;
                let outside = |map: &IdMap, id| map.to_outside(id).unwrap_or(0);
                let owner = owner.map(|(uid, gid)| (outside(&maps.uid, uid), outside(&maps.gid, gid)));
                unpack(from, &RootDir::from(OwnedFd::from(dir)), Plan { owner, ..Plan::layer(&maps) })
            };
            side.run(job).map_err(Error::Failure)
        }
    }
}

/// True if the other end of a stream may keep us waiting.
fn is_pipe(stream: &OwnedFd) -> Result<bool, Error> {
    Ok(sys::dir::fstat(stream.as_fd()).map_err(copying)?.kind != FileKind::Regular)
}

fn copying(source: sys::Error) -> Error {
    Error::Host { what: "copy", source }
}
