//! Why a configuration file, or the configuration as a whole, cannot be used.

use std::path::{Path, PathBuf};

use crate::sys;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("read {path:?}")]
    Read {
        path: PathBuf,
        #[source]
        source: sys::Error,
    },
    #[error("write {path:?}")]
    Write {
        path: PathBuf,
        #[source]
        source: sys::Error,
    },
    #[error("{text:?} is no place to log in at: {why}")]
    AuthKey { text: String, why: &'static str },
    #[error("credential helper {name:?}: its name may hold only the characters a-z, 0-9, '.', '_' and '-'")]
    HelperName { name: String },
    #[error("{program} {verb}: {why}")]
    Helper { program: String, verb: &'static str, why: String },
    #[error("run {program} {verb}")]
    RunHelper {
        program: String,
        verb: &'static str,
        #[source]
        source: sys::Error,
    },
    #[error("{path:?} is not valid: {why}")]
    Parse { path: PathBuf, why: String },
    /// Neither `$HOME` nor the password file names a home directory.
    #[error("find the home directory: $HOME is not set and the password file has no entry; use --root and --runroot")]
    NoHome,
    /// A home directory that depends on where one stands is none.
    #[error(
        "find the home directory: $HOME is not an absolute path, so the store would be {0:?}; use --root and --runroot"
    )]
    RelativeHome(PathBuf),
    /// The directory that stands in for `$XDG_RUNTIME_DIR` is somebody else's.
    #[error("use {path:?} for runtime files: it is not a directory that only this user may enter")]
    RuntimeDir { path: PathBuf },
}

/// Puts operation and path around an error of the kernel.
pub(super) trait At<T> {
    fn reading(self, path: &Path) -> Result<T, Error>;
    fn writing(self, path: &Path) -> Result<T, Error>;
}

impl<T> At<T> for sys::Result<T> {
    fn reading(self, path: &Path) -> Result<T, Error> {
        self.map_err(|source| Error::Read { path: path.to_owned(), source })
    }

    fn writing(self, path: &Path) -> Result<T, Error> {
        self.map_err(|source| Error::Write { path: path.to_owned(), source })
    }
}
