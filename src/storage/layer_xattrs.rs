//! What extended attributes of a layer's file the index remembers.

use std::ffi::OsStr;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt as _;

use sha2::{Digest as _, Sha256};

use crate::sys;
use crate::sys::xattr;

/// True for the attributes that a layer may give its files. Labels of a security module are the host's, and overlay's
/// own marks stand in the kind of the entry.
fn counts(name: &OsStr) -> bool {
    let bytes = name.as_bytes();
    let ours = bytes.starts_with(b"user.") || bytes.starts_with(b"system.posix_acl_");
    (ours || bytes == b"security.capability") && !xattr::is_overlay(name)
}

/// Digest of the attributes that a file has on disk, as P sees them; all zero if it has none.
pub(crate) fn digest(fd: BorrowedFd<'_>) -> sys::Result<[u8; 32]> {
    let mut names = xattr::list(fd)?;
    names.retain(|name| counts(name));
    if names.is_empty() {
        return Ok([0; 32]);
    }
    names.sort();
    let mut hash = Sha256::new();
    for name in names {
        let value = xattr::get(fd, &name)?.unwrap_or_default();
        for bytes in [name.as_bytes(), &value] {
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        }
    }
    Ok(hash.finalize().into())
}
