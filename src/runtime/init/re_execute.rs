//! Leaving the binary that init was forked from (CVE-2019-5736, K-A6).
//!
//! A container's root is the caller, who may own the `sampan` binary (`~/.local/bin`). Through `/proc/PID/exe` of a
//! process that still runs it, the container could overwrite it. So init (and `exec`) first execute it anew from a
//! read-only, detached mount that nobody but the kernel's own reference holds.

use std::convert::Infallible;
use std::ffi::OsString;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::runtime::error::Error;
use crate::sys;
use crate::sys::mount::{self, Attributes};
use crate::types::idmap::IdMaps;

use super::context::Context;
use super::sequence;

/// Name of a re-executed init in argv[0]: `main` looks for it before anything else.
pub(crate) const ROLE: &str = "sampan-init";

/// True if an id of P could write the running binary. Paths that cannot be examined count as writable.
pub(crate) fn must_re_execute(outer: &IdMaps) -> bool {
    match sys::fs::stat(Path::new("/proc/self/exe")) {
        Ok(Some(meta)) => is_in_reach(sys::process::ids().0, meta.uid(), meta.mode(), outer),
        _ => true,
    }
}

/// Root, as in `sampan unshare`, may be in P already: then `stat` speaks of owners in P's ids and not in the host's, and those
/// that P lacks all look like one that it has.
fn is_in_reach(caller: u32, uid: u32, mode: u32, outer: &IdMaps) -> bool {
    caller == 0
        || outer.uid.to_inside(uid).is_some()
        // Whatever the group: the container may have supplementary ones of the caller's, and by an access control list the bit stands
        // for everybody that it names.
        || mode & 0o022 != 0
}

/// A read-only detached mount of the running binary, made in this mount namespace while the caller's paths can still
/// be reached: `/proc/self/exe` itself belongs to another mount namespace and cannot be cloned.
pub(super) fn own_binary() -> Result<OwnedFd, Error> {
    let path =
        sys::process::own_executable().map_err(|source| Error::ReExec { path: "/proc/self/exe".into(), source })?;
    let error = |source| Error::ReExec { path: path.clone(), source };
    let tree = mount::clone_tree(sys::fs::current_dir(), &path).map_err(error)?;
    let running = sys::fs::stat(Path::new("/proc/self/exe")).map_err(error)?;
    let cloned = sys::fs::stat(&PathBuf::from(format!("/proc/self/fd/{}", tree.as_raw_fd()))).map_err(error)?;
    let same = matches!((&running, &cloned), (Some(a), Some(b)) if a.dev() == b.dev() && a.ino() == b.ino());
    if !same {
        return Err(error(sys::Error::new("stat", "the running binary was replaced", sys::Errno::ESTALE)));
    }
    mount::set_attributes(tree.as_fd(), true, Attributes { read_only: true, ..Attributes::default() })
        .map_err(error)?;
    Ok(tree)
}

/// The running binary itself, where only the memory is to be left: nobody can write it, and it may have another name by now, or none.
pub(super) fn running_binary() -> Result<OwnedFd, Error> {
    let path = Path::new("/proc/self/exe");
    sys::fs::open(path).map(OwnedFd::from).map_err(|source| Error::ReExec { path: path.into(), source })
}

/// Leaves the binary from where the caller's paths can be reached. Returns only if that failed.
pub(in crate::runtime) fn re_execute(context: &Context) -> Result<Infallible, Error> {
    leave(&own_binary()?, context)
}

/// Executes the binary behind `tree`, which goes on in [`resume`]. Returns only if that failed.
pub(super) fn leave(tree: &OwnedFd, context: &Context) -> Result<Infallible, Error> {
    let memory = context.pack()?;
    let args = [OsString::from(ROLE), memory.as_raw_fd().to_string().into()];
    let source = sys::process::exec_fd(tree.as_fd(), &args, &[]);
    Err(Error::ReExec { path: "/proc/self/exe".into(), source })
}

/// The re-executed init: called by `main` when argv[0] is [`ROLE`]. `argument` is the number of a descriptor.
pub(crate) fn resume(argument: Option<OsString>) -> ! {
    let number = argument.and_then(|text| text.to_str().and_then(|text| text.parse().ok())).unwrap_or(-1);
    match Context::unpack(number) {
        Ok(context) => sequence::proceed(context),
        // Nobody to tell: the wire could not be read. The monitor sees init die.
        Err(_) => sys::process::exit_now(125),
    }
}

#[cfg(test)]
mod tests {
    use super::is_in_reach;
    use crate::types::idmap::{Extent, IdMap, IdMaps};

    #[test]
    fn whose_binary_is_left() {
        let map = |caller| {
            let extents = [(0, caller, 1), (1, 100_000, 65_536)];
            let extents = extents.map(|(inside, outside, len)| Extent { inside, outside, len });
            IdMap::new(extents.to_vec()).expect("a map")
        };
        let outer = IdMaps { uid: map(1001), gid: map(1002) };
        for (caller, owner, mode, expected) in [
            (1001, 0, 0o755, false),
            (1001, 1001, 0o755, true),
            (1001, 100_007, 0o755, true),
            // Of a group that is not the caller's own.
            (1001, 0, 0o775, true),
            (1001, 0, 0o757, true),
            (1001, 2000, 0o755, false),
            // In P: the caller's own, and root's of the host.
            (0, 0, 0o755, true),
            (0, 65_534, 0o755, true),
        ] {
            assert_eq!(is_in_reach(caller, owner, mode, &outer), expected, "{caller} {owner} {mode:o}");
        }
    }
}
