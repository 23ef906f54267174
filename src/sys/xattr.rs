//! Extended attributes, by descriptor. An `O_PATH` descriptor (a symbolic link's, a FIFO's) works too.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use rustix::fs::XattrFlags;

use super::dir::descriptor_path;
use super::error::{Call, Errno, Error, Result};

/// Sets an attribute, new or not.
pub(crate) fn set(fd: BorrowedFd<'_>, name: &OsStr, value: &[u8]) -> Result<()> {
    let shown = || format!("{}, {name:?}, {} bytes", fd.as_raw_fd(), value.len());
    match rustix::fs::fsetxattr(fd, name, value, XattrFlags::empty()) {
        Err(rustix::io::Errno::BADF) => {
            rustix::fs::setxattr(descriptor_path(fd), name, value, XattrFlags::empty()).call("setxattr", shown)
        }
        other => other.call("fsetxattr", shown),
    }
}

/// Reads an attribute; `None` if it is not there, or if the file system has none.
pub(crate) fn get(fd: BorrowedFd<'_>, name: &OsStr) -> Result<Option<Vec<u8>>> {
    // 64 KiB is the kernel's own limit for a value (XATTR_SIZE_MAX).
    let mut value = vec![0; 64 << 10];
    let read = match rustix::fs::fgetxattr(fd, name, &mut value[..]) {
        Err(rustix::io::Errno::BADF) => rustix::fs::getxattr(descriptor_path(fd), name, &mut value[..]),
        other => other,
    };
    match read.call("fgetxattr", || format!("{}, {name:?}", fd.as_raw_fd())) {
        Ok(length) => {
            value.truncate(length);
            Ok(Some(value))
        }
        Err(error) if error.is(Errno::ENODATA) || error.is(Errno::EOPNOTSUPP) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Takes an attribute away; absent is fine.
pub(crate) fn remove(fd: BorrowedFd<'_>, name: &OsStr) -> Result<()> {
    match rustix::fs::fremovexattr(fd, name).call("fremovexattr", || format!("{}, {name:?}", fd.as_raw_fd())) {
        Err(error) if error.is(Errno::ENODATA) || error.is(Errno::EOPNOTSUPP) => Ok(()),
        other => other,
    }
}

/// Names of all attributes that the caller may see; none where the file system has none.
pub(crate) fn list(fd: BorrowedFd<'_>) -> Result<Vec<OsString>> {
    let mut names = vec![0; 64 << 10];
    let read = match rustix::fs::flistxattr(fd, &mut names[..]) {
        Err(rustix::io::Errno::BADF) => rustix::fs::listxattr(descriptor_path(fd), &mut names[..]),
        other => other,
    };
    match read.call("flistxattr", || fd.as_raw_fd().to_string()) {
        Ok(length) => names.truncate(length),
        Err(error) if error.is(Errno::EOPNOTSUPP) => names.clear(),
        Err(error) => return Err(error),
    }
    let split = names.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    Ok(split.map(|name| OsString::from_vec(name.to_vec())).collect())
}

/// Copies all attributes but overlay's. Those that are not for us to read or set here, or that the file system does not have, are
/// left out.
pub(crate) fn copy(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<()> {
    let refused = |error: &Error| {
        // A capability for the root of another user namespace is EOVERFLOW.
        [Errno::EPERM, Errno::EACCES, Errno::EOPNOTSUPP, Errno::EOVERFLOW].contains(&error.errno)
    };
    for name in list(from)?.iter().filter(|name| !is_overlay(name)) {
        let copied = get(from, name).and_then(|value| value.map_or(Ok(()), |value| set(to, name, &value)));
        match copied {
            Err(error) if refused(&error) => {}
            other => other?,
        }
    }
    Ok(())
}

/// True for names that only overlay or fuse-overlayfs may set: in a layer they would redirect or hide lower files (case A12).
pub(crate) fn is_overlay(name: &OsStr) -> bool {
    let prefixes: [&[u8]; 3] = [b"user.overlay.", b"trusted.overlay.", b"user.fuseoverlayfs."];
    prefixes.iter().any(|prefix| name.as_bytes().starts_with(prefix))
}
