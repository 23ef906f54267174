//! `export`: the root file system of a container as a tar, without what is mounted in it.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use crate::engine::error::failure;
use crate::engine::{Engine, Error};
use crate::storage::pack;
use crate::sys;
use crate::sys::namespace::NsKind;
use crate::sys::outfile::OutFile;
use crate::types::failure::Failure;
use crate::types::progress::Progress;

/// Where the tar goes.
#[derive(Debug)]
pub(crate) enum ExportOutput {
    Path(PathBuf),
    Stream(OwnedFd),
}

impl Engine {
    /// Writes the tar. A container that runs goes on: what it changes meanwhile may be in it or not.
    pub(crate) fn export(&self, name: &str, output: ExportOutput, progress: &dyn Progress) -> Result<(), Error> {
        let side = self.container_side(name, Path::new("/"))?;
        let (target, shown) = match output {
            ExportOutput::Stream(stream) => (OutFile::stream(stream.into()), PathBuf::from("standard output")),
            ExportOutput::Path(path) => (OutFile::create(&path).map_err(|error| unwritable(&path, error))?, path),
        };
        let out = target.duplicate().map_err(|error| unwritable(&shown, error))?;
        let skipped = side.run_bare(|root| {
            let terms = pack::Terms { ids: Some(&side.maps) };
            pack::pack_root(root, terms, out).map_err(|error| failure(&error).of_output())
        });
        let failed = |failure: Failure| Error::Failure(failure.context(format!("export {name} to {shown:?}")));
        let skipped = skipped.map_err(failed)?;
        if skipped > 0 {
            progress.warn(&format!("{skipped} devices and sockets were left out"));
        }
        target.publish().map_err(|error| unwritable(&shown, error))
    }
}

/// The root of a running container as a mount of its own, with nothing mounted on it; `root` was opened in the
/// container's mount namespace, which this worker joins for that moment.
pub(super) fn bare_root(pid: u32, root: &sys::root::RootDir) -> sys::Result<OwnedFd> {
    let namespace = sys::namespace::open_path(Path::new(&format!("/proc/{pid}/ns/mnt")))?;
    let own = sys::namespace::open_own(NsKind::Mount)?;
    sys::namespace::join(namespace.as_fd(), &[NsKind::Mount])?;
    let bare = sys::mount::clone_one(root.dir().as_fd());
    // Back to where /proc is ours.
    sys::namespace::join(own.as_fd(), &[NsKind::Mount])?;
    bare
}

fn unwritable(path: &Path, source: sys::Error) -> Error {
    Error::Output { path: path.to_owned(), source }
}
