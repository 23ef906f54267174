//! What every container has in /dev: the host's harmless nodes by bind mount (nodes cannot be made without root), and
//! the usual links (OCI runtime spec, "Default Devices").

use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use crate::runtime::bundle::Bundle;
use crate::runtime::error::Error;
use crate::sys::mount;
use crate::sys::root::RootDir;
use crate::sys::{self, Errno};

use super::target::{self, Purpose, Shape};

/// Those of the host that every container has.
pub(in crate::runtime) const NODES: [&str; 6] =
    ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"];

const LINKS: [(&str, &str); 5] = [
    ("dev/fd", "/proc/self/fd"),
    ("dev/stdin", "/proc/self/fd/0"),
    ("dev/stdout", "/proc/self/fd/1"),
    ("dev/stderr", "/proc/self/fd/2"),
    ("dev/ptmx", "pts/ptmx"),
];

/// Fills a /dev that the spec makes a tmpfs; a /dev that the user bound is left as it is.
pub(super) fn populate(root: &RootDir, bundle: &Bundle) -> Result<(), Error> {
    let is_ours = bundle
        .spec
        .mounts()
        .iter()
        .flatten()
        .any(|spec| spec.destination() == Path::new("/dev") && spec.typ().as_deref() == Some("tmpfs"));
    if !is_ours {
        return Ok(());
    }
    for node in NODES {
        let path = Path::new(node);
        let error = |source| Error::Device { path: path.to_owned(), source };
        let source = mount::clone_tree(sys::fs::current_dir(), path).map_err(error)?;
        if !sys::dir::fstat(source.as_fd()).map_err(error)?.is_char_device() {
            return Err(error(sys::Error::new("fstat", format!("{path:?} is not a device"), Errno::ENODEV)));
        }
        let place = target::open(root, path, Shape::File, Purpose::Mount)?;
        mount::attach(source.as_fd(), place.as_fd()).map_err(error)?;
    }
    if bundle.terminal() {
        // Where the terminal is mounted later, when /dev may be read-only.
        drop(target::open(root, Path::new("/dev/console"), Shape::File, Purpose::Mount)?);
    }
    for (link, text) in LINKS {
        match root.symlink(OsStr::new(text), Path::new(link)) {
            Err(error) if !error.is(Errno::EEXIST) => {
                return Err(Error::Device { path: PathBuf::from("/").join(link), source: error });
            }
            _ => {}
        }
    }
    Ok(())
}
