//! Into P: a child in the P of a live container, or in a new one.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::sys::clone::{CloneOptions, Forked};
use crate::sys::lock::DirLock;
use crate::sys::namespace::{self, NsKind};
use crate::sys::process::{self, Pid, PidFd};
use crate::sys::spawn::{Child as Helper, Spawn};
use crate::sys::{self, Errno, descriptor, stream};
use crate::types::idmap::{IdMap, IdMaps};

use super::ahead;
use super::error::Error;
use super::wish::OuterWish;

/// How long another start may take to make a P and to offer it.
const TURN: Duration = Duration::from_secs(1);

/// The P of this request: today's wish, and a live one that has it, if any.
#[derive(Debug)]
pub(crate) struct Outer {
    wish: OuterWish,
    live: Option<OwnedFd>,
    /// Where one comes from that is being made.
    coming: Option<OwnedFd>,
}

/// Which side of the entrance we are.
#[derive(Debug)]
pub(crate) enum Entered {
    Child(OuterChild),
    Parent(OuterParent),
}

/// In the child: not yet in a P with a map.
#[derive(Debug)]
#[must_use]
pub(crate) struct OuterChild {
    way: Way,
}

#[derive(Debug)]
enum Way {
    /// The namespace to join.
    Join(OwnedFd, IdMaps),
    /// The one that comes.
    Await(OwnedFd, IdMaps),
    /// Where we are.
    Stay,
    /// In a new namespace; the parent writes a byte when the map is there.
    Mapped(OwnedFd),
    /// In a new namespace; the map is ours to write.
    Single(IdMaps),
}

/// In the parent: the child, and the helper programs that write its map.
#[derive(Debug)]
#[must_use]
pub(crate) struct OuterParent {
    child: PidFd,
    mapping: Option<Mapping>,
    coming: Option<OwnedFd>,
}

#[derive(Debug)]
struct Mapping {
    helpers: Vec<(PathBuf, Helper, OwnedFd)>,
    go: OwnedFd,
}

/// The turn to make a P that others will join: containers that start at the same time shall have one P, because nobody in
/// another one may look at their files and namespaces.
#[derive(Debug)]
pub(crate) struct Turn {
    _lock: DirLock<OwnedFd>,
}

/// A held P that others find in the directory of live ones.
#[derive(Debug)]
pub(crate) struct Published {
    path: PathBuf,
    userns: OwnedFd,
}

impl Outer {
    /// `live_dir`: where running monitors say which P they hold.
    pub(crate) fn find(wish: OuterWish, live_dir: &Path) -> Self {
        let live = if wish.present { None } else { find_live(live_dir, &wish.maps) };
        Self { wish, live, coming: None }
    }

    /// [`Self::find`], with our turn to make one if none lives.
    pub(crate) fn find_in_turn(wish: OuterWish, live_dir: &Path) -> (Self, Option<Turn>) {
        let outer = Self::find(wish, live_dir);
        if outer.is_live() {
            return (outer, None);
        }
        let turn = Turn::wait(live_dir);
        // Somebody may have offered one meanwhile.
        let outer = Self::find(outer.wish, live_dir);
        let turn = turn.filter(|_| !outer.is_live());
        (outer, turn)
    }

    /// The P that a descriptor names.
    pub(crate) fn with_live(wish: OuterWish, userns: BorrowedFd<'_>) -> Result<Self, Error> {
        let live = stream::duplicate(userns).map_err(Error::Join)?;
        Ok(Self { wish, live: Some(live), coming: None })
    }

    /// The P that a process of a container lives in: another one, even with the same map, may not look at it.
    pub(crate) fn of(wish: OuterWish, process: Pid) -> Result<Self, Error> {
        let userns = namespace::open(process, NsKind::User).map_err(Error::Join)?;
        let live = wish.above(userns.as_fd())?;
        Ok(Self { wish, live, coming: None })
    }

    /// The P that [`super::Ahead`] has begun, by the socket of its answer. It can be entered once.
    pub(crate) fn coming(wish: OuterWish, answer: OwnedFd) -> Self {
        Self { wish, live: None, coming: Some(answer) }
    }

    /// P ← host.
    pub(crate) fn maps(&self) -> &IdMaps {
        &self.wish.maps
    }

    /// True if entering costs no `newuidmap`.
    pub(crate) fn is_live(&self) -> bool {
        self.live.is_some() || self.wish.present
    }

    /// Says in `live_dir` that this process holds the P that `entrant` has entered, whoever made it: he may be gone before us.
    /// `own`: the one that was made ahead.
    pub(crate) fn offer(&self, own: Option<&OwnedFd>, entrant: Pid, live_dir: &Path) -> Result<Published, Error> {
        let held = match (own, &self.live) {
            (Some(held), _) | (None, Some(held)) => stream::duplicate(held),
            // `sampan unshare`: we are in it.
            (None, None) if self.wish.present => namespace::open_own(NsKind::User),
            (None, None) => namespace::open(entrant, NsKind::User),
        };
        Published::new(held.map_err(Error::Join)?, &self.wish.maps, live_dir)
    }

    /// A new P, which lives as long as the descriptor; none if one lives already, and where there is nothing to wait for.
    pub(crate) fn make(&self) -> Result<Option<OwnedFd>, Error> {
        if self.waits_for_map() { ahead::make(self).map(Some) } else { Ok(None) }
    }

    /// True if entering means to wait for `newuidmap`.
    pub(super) fn waits_for_map(&self) -> bool {
        !self.is_live() && self.wish.mappers.is_some()
    }

    /// Makes a child on its way into P. The child has a mount namespace of its own.
    pub(crate) fn enter(&self) -> Result<Entered, Error> {
        self.enter_with(NsKind::User.flag() | NsKind::Mount.flag())
    }

    /// [`Self::enter`], with these new namespaces where P is new.
    pub(super) fn enter_with(&self, namespaces: i32) -> Result<Entered, Error> {
        if self.wish.present {
            return match sys::clone::fork().map_err(Error::Create)? {
                Forked::Child => Ok(Entered::Child(OuterChild { way: Way::Stay })),
                Forked::Parent(child) => Ok(Entered::Parent(OuterParent { child, mapping: None, coming: None })),
            };
        }
        if let Some(answer) = &self.coming {
            let dup = || stream::duplicate(answer).map_err(Error::Join);
            let (theirs, ours) = (dup()?, dup()?);
            return match sys::clone::fork().map_err(Error::Create)? {
                Forked::Child => Ok(Entered::Child(OuterChild { way: Way::Await(theirs, self.wish.maps.clone()) })),
                Forked::Parent(child) => Ok(Entered::Parent(OuterParent { child, mapping: None, coming: Some(ours) })),
            };
        }
        if let Some(live) = &self.live {
            let userns = stream::duplicate(live).map_err(Error::Join)?;
            return match sys::clone::fork().map_err(Error::Join)? {
                Forked::Child => Ok(Entered::Child(OuterChild { way: Way::Join(userns, self.wish.maps.clone()) })),
                Forked::Parent(child) => Ok(Entered::Parent(OuterParent { child, mapping: None, coming: None })),
            };
        }
        let options = CloneOptions { namespaces, ..CloneOptions::default() };
        let Some(mappers) = &self.wish.mappers else {
            return match sys::clone::clone3(options).map_err(Error::Create)? {
                Forked::Child => Ok(Entered::Child(OuterChild { way: Way::Single(self.wish.maps.clone()) })),
                Forked::Parent(child) => Ok(Entered::Parent(OuterParent { child, mapping: None, coming: None })),
            };
        };
        let (reader, writer) = descriptor::pipe().map_err(Error::Create)?;
        match sys::clone::clone3(options).map_err(Error::Create)? {
            Forked::Child => {
                drop(writer);
                Ok(Entered::Child(OuterChild { way: Way::Mapped(reader) }))
            }
            Forked::Parent(child) => {
                drop(reader);
                let pid = child.pid();
                let helpers = vec![
                    start_mapper(&mappers.uid, pid, &self.wish.maps.uid)?,
                    start_mapper(&mappers.gid, pid, &self.wish.maps.gid)?,
                ];
                Ok(Entered::Parent(OuterParent { child, mapping: Some(Mapping { helpers, go: writer }), coming: None }))
            }
        }
    }
}

impl Turn {
    /// Waits for it, in the directory of live ones. None if that takes too long: a P of one's own is better than none.
    pub(crate) fn wait(live_dir: &Path) -> Option<Self> {
        let lock = sys::fs::open(live_dir).and_then(|dir| DirLock::within(dir.into(), TURN));
        let lock = lock.inspect_err(|error| tracing::debug!(%error, "does not wait for its turn"));
        lock.ok().map(|lock| Self { _lock: lock })
    }
}

impl OuterChild {
    /// Returns when this process is in a mapped P, uid 0, with all capabilities there and its own mount namespace.
    pub(crate) fn ready(self) -> Result<(), Error> {
        match self.way {
            Way::Join(userns, maps) => join(&userns, &maps),
            Way::Await(answer, maps) => join(&ahead::receive(answer.as_fd())?, &maps),
            Way::Stay => namespace::unshare(&[NsKind::Mount]).map_err(Error::Join),
            Way::Mapped(reader) => {
                let go =
                    sys::wait_readable(reader.as_fd(), None).and_then(|_| sys::descriptor::read_byte(reader.as_fd()));
                match go.map_err(Error::WorkerPipe)? {
                    Some(_) => Ok(()),
                    // The parent dropped its end: it tells the reason itself.
                    None => process::exit_now(125),
                }
            }
            Way::Single(maps) => {
                let write = |file: &str, text: &str| {
                    let path = PathBuf::from(format!("/proc/self/{file}"));
                    sys::fs::write_in_place(&path, text.as_bytes()).map_err(Error::WriteMap)
                };
                write("setgroups", "deny")?;
                write("uid_map", &maps.uid.to_proc())?;
                write("gid_map", &maps.gid.to_proc())
            }
        }
    }
}

impl OuterParent {
    /// Waits for the helper programs and lets the child go on. Call it when there is nothing else to do meanwhile.
    /// Answers with the P that was made ahead, if it is one.
    pub(crate) fn finish_map(&mut self) -> Result<Option<OwnedFd>, Error> {
        if let Some(answer) = self.coming.take() {
            return ahead::receive(answer.as_fd()).map(Some);
        }
        let Some(mapping) = self.mapping.take() else { return Ok(None) };
        for (program, helper, output) in mapping.helpers {
            let status = helper.wait().map_err(|source| Error::RunMapper { program: program.clone(), source })?;
            if !status.success() {
                let output = sys::descriptor::read_some(output.as_fd(), 1024).unwrap_or_default();
                let output = String::from_utf8_lossy(&output).trim().to_owned();
                return Err(Error::Mapper { program, status, output });
            }
        }
        descriptor::write_all(mapping.go.as_fd(), b"g").map_err(Error::WorkerPipe)?;
        Ok(None)
    }

    pub(crate) fn child(&self) -> &PidFd {
        &self.child
    }

    pub(crate) fn into_child(self) -> PidFd {
        self.child
    }
}

impl Published {
    /// Says in `live_dir` that this process holds this P. The directory must exist.
    fn new(userns: OwnedFd, maps: &IdMaps, live_dir: &Path) -> Result<Self, Error> {
        let path = live_dir.join(format!("{}.{}.{}", Pid::this(), userns.as_raw_fd(), fingerprint(maps)));
        sys::fs::write_new(&path, b"").map_err(Error::Join)?;
        Ok(Self { path, userns })
    }

    /// Says it again, after a logout has taken the directory away.
    pub(crate) fn renew(&self) -> Result<(), sys::Error> {
        match sys::fs::write_new(&self.path, b"") {
            Err(error) if error.is(Errno::EEXIST) => Ok(()),
            other => other,
        }
    }

    pub(crate) fn userns(&self) -> BorrowedFd<'_> {
        self.userns.as_fd()
    }

    /// Takes the entry away; best done before the descriptor is closed, harmless if forgotten.
    pub(crate) fn withdraw(self) -> Result<(), sys::Error> {
        sys::fs::remove_file(&self.path).map(drop)
    }
}

/// Joins a P and gets a mount namespace there.
fn join(userns: &OwnedFd, maps: &IdMaps) -> Result<(), Error> {
    namespace::join(userns.as_fd(), &[NsKind::User]).map_err(Error::Join)?;
    namespace::unshare(&[NsKind::Mount]).map_err(Error::Join)?;
    if read_map("/proc/self/uid_map")? == maps.uid && read_map("/proc/self/gid_map")? == maps.gid {
        return Ok(());
    }
    Err(Error::Join(sys::Error::new("setns", "the id map is another one", sys::Errno::ESTALE)))
}

/// Looks through the entries `PID.FD.FINGERPRINT` for a P with these maps. An entry is only a hint: the descriptor is
/// checked to be a user namespace that we own and whose parent is ours, and the child checks the map after the join.
fn find_live(live_dir: &Path, maps: &IdMaps) -> Option<OwnedFd> {
    let wanted = fingerprint(maps);
    let (uid, _) = process::ids();
    let own = namespace::open_own(NsKind::User).ok()?;
    let own = namespace::identity(own.as_fd()).ok()?;
    let is_ours = |userns: BorrowedFd<'_>| -> sys::Result<bool> {
        let is_mine = namespace::owner_uid(userns)? == uid;
        Ok(is_mine && namespace::identity(namespace::parent(userns)?.as_fd())? == own)
    };
    let open = |pid: i32, fd: i32| -> sys::Result<Offer> {
        let opened = namespace::open_path(&PathBuf::from(format!("/proc/{pid}/fd/{fd}")));
        if opened.as_ref().is_err_and(|error| GONE.into_iter().any(|errno| error.is(errno))) {
            return Ok(Offer::Stale);
        }
        let opened = opened?;
        if !namespace::is_kind(opened.as_fd(), NsKind::User)? {
            return Ok(Offer::Stale);
        }
        // Not below ours: we are in a user namespace of somebody's, and those outside go on with it.
        let foreign = || sys::Error::new("ioctl", "its owner or parent is another one", Errno::EPERM);
        is_ours(opened.as_fd())?.then_some(Offer::Live(opened)).ok_or_else(foreign)
    };
    sys::fs::names(live_dir).ok()?.iter().find_map(|name| {
        let mut parts = name.to_str()?.split('.');
        let (pid, fd, print) = (parts.next()?.parse::<i32>().ok()?, parts.next()?.parse::<i32>().ok()?, parts.next()?);
        if print != wanted {
            return None;
        }
        match open(pid, fd) {
            Ok(Offer::Live(userns)) => Some(userns),
            Ok(Offer::Stale) => {
                // Nobody else tidies up after a killed monitor. Two may try at once.
                drop(sys::fs::remove_file(&live_dir.join(name)));
                None
            }
            // That says nothing of the holder.
            Err(error) => {
                tracing::debug!(%error, "not joined");
                None
            }
        }
    })
}

/// What became of an offered P.
enum Offer {
    Live(OwnedFd),
    /// Its holder has ended.
    Stale,
}

/// What the kernel says of a descriptor of a process that is not there any more: of none, of one that ends, of the socket of
/// another one. EACCES is no such word: so it also answers one who asks from another user namespace.
const GONE: [Errno; 3] = [Errno::ENOENT, Errno::ESRCH, Errno::ENXIO];

/// Short text that differs where the maps differ.
fn fingerprint(maps: &IdMaps) -> String {
    let text = format!("{}/{}", maps.uid.to_proc(), maps.gid.to_proc());
    crate::types::digest::Digest::of(text.as_bytes()).hex()[..16].to_owned()
}

pub(super) fn read_map(path: &str) -> Result<IdMap, Error> {
    sys::fs::read_to_string(Path::new(path)).map(|text| IdMap::from_proc(&text)).map_err(Error::Join)
}

/// `newuidmap PID INSIDE OUTSIDE COUNT …` with its messages on a pipe.
fn start_mapper(program: &Path, child: Pid, map: &IdMap) -> Result<(PathBuf, Helper, OwnedFd), Error> {
    let error = |source| Error::RunMapper { program: program.to_owned(), source };
    let (reader, writer) = descriptor::pipe().map_err(error)?;
    let numbers = map.extents().iter().flat_map(|e| [e.inside, e.outside, e.len]);
    let helper = Spawn::new(program)
        .arg(child.to_string())
        .args(numbers.map(|number| number.to_string()))
        .stream(1, writer.as_fd())
        .stream(2, writer.as_fd())
        .start()
        .map_err(error)?;
    Ok((program.to_owned(), helper, reader))
}
