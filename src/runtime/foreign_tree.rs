//! A detached copy of a mount of another container: `open_tree(2)` takes only those of the caller's own mount namespace,
//! so a child joins the other's, opens it there, and sends the descriptor.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use crate::sys;
use crate::sys::clone::Forked;
use crate::sys::namespace::{self, NsKind};
use crate::sys::root::RootDir;
use crate::sys::signal::SIGKILL;
use crate::sys::{Errno, mount, prctl, process, socket};

use super::sync;

/// Mount namespace and inner path of `/proc/PID/root/…`; none for every other path.
pub(super) fn container_path(path: &Path) -> Option<(PathBuf, PathBuf)> {
    let mut parts = path.strip_prefix("/proc").ok()?.components();
    let Some(Component::Normal(pid)) = parts.next() else { return None };
    pid.to_str()?.parse::<u32>().ok()?;
    if parts.next() != Some(Component::Normal("root".as_ref())) {
        return None;
    }
    Some((Path::new("/proc").join(pid).join("ns/mnt"), parts.as_path().to_owned()))
}

/// The tree at `inside`, seen from the root of this mount namespace, on the way to which there is no link: the other
/// container may have changed its own files.
pub(super) fn clone_tree(mounts: &Path, inside: &Path) -> sys::Result<OwnedFd> {
    by_child("open_tree", &|| format!("{inside:?} in {mounts:?}"), || open_there(mounts, inside))
}

/// What a child answers that was stopped for too long ([`sync::attend`]).
pub(super) const STOPPED: Errno = Errno::ECANCELED;

/// The descriptor that a child makes, which is or goes where we are not; among processes, perhaps, that stop or kill it.
pub(super) fn by_child(
    call: &'static str,
    what: &dyn Fn() -> String,
    make: impl FnOnce() -> sys::Result<OwnedFd>,
) -> sys::Result<OwnedFd> {
    let (ours, theirs) = socket::seqpacket_pair()?;
    match sys::clone::fork()? {
        Forked::Child => {
            // Nobody else knows of it, and it may be stopped.
            let made = prctl::set_parent_death_signal(SIGKILL).and_then(|()| make());
            let sent = made.and_then(|made| socket::send_with_fds(&theirs, b"t", &[made.as_fd()]));
            if let Err(error) = sent {
                drop(socket::send_with_fds(&theirs, &(error.errno as i32).to_le_bytes(), &[]));
            }
            process::exit_now(0)
        }
        Forked::Parent(child) => {
            drop(theirs);
            let mut buffer = [0; 4];
            let answer = sync::attend(ours.as_fd()).and_then(|answers| {
                if answers {
                    socket::receive_with_fds(&ours, &mut buffer)
                } else {
                    Err(sys::Error::new(call, what(), STOPPED))
                }
            });
            // It has nothing left to do, and if it is stopped now it does not even end.
            child.signal(SIGKILL)?;
            child.wait()?;
            let (length, mut fds) = answer?;
            let errno = if length == 4 { Errno::from_raw(i32::from_le_bytes(buffer)) } else { Errno::EIO };
            fds.pop().ok_or_else(|| sys::Error::new(call, what(), errno))
        }
    }
}

fn open_there(mounts: &Path, inside: &Path) -> sys::Result<OwnedFd> {
    namespace::join(namespace::open_path(mounts)?.as_fd(), &[NsKind::Mount])?;
    let part = RootDir::open(Path::new("/"))?.lookup_without_links(inside)?;
    mount::clone_tree_at(part.as_fd())
}

#[cfg(test)]
mod tests {
    use super::container_path;

    #[test]
    fn only_roots_of_processes() {
        let of = |path: &str| container_path(path.as_ref());
        assert_eq!(of("/proc/12/root/dev/shm"), Some(("/proc/12/ns/mnt".into(), "dev/shm".into())));
        for path in ["/proc/self/root/dev", "/proc/12/ns/net", "/proc", "/srv/proc/1/root/x", "proc/1/root/x"] {
            assert_eq!(of(path), None, "{path}");
        }
    }
}
