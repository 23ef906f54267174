//! `/etc/mtab`, which mount(8) and df(1) of old read.

use std::ffi::OsStr;
use std::path::Path;

use crate::runtime::error::Error;
use crate::sys::Errno;
use crate::sys::root::RootDir;

/// Makes the link where the image has none, as Podman does; before the mounts, so that a volume on `/etc` gets nothing.
pub(super) fn link(root: &RootDir) -> Result<(), Error> {
    match root.symlink(OsStr::new("/proc/mounts"), Path::new("etc/mtab")) {
        // There, no /etc to put it, or a root that cannot be written: the program lives without it.
        Err(error)
            if [Errno::EEXIST, Errno::ENOENT, Errno::ENOTDIR, Errno::EROFS, Errno::EACCES].contains(&error.errno) =>
        {
            Ok(())
        }
        made => made.map_err(|source| Error::Mount { target: "/etc/mtab".into(), source }),
    }
}
