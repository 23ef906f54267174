//! The three roots (XDG base directories), and what stands in where a variable is missing.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use directories::ProjectDirs;

use crate::sys;

use super::error::{At as _, Error};

/// Where Sampan keeps what it keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Roots {
    /// `$XDG_DATA_HOME/sampan` or `--root`: everything persistent.
    pub(crate) graphroot: PathBuf,
    /// `$XDG_RUNTIME_DIR/sampan` or `--runroot`: what can be rebuilt.
    pub(crate) runroot: PathBuf,
    /// `--runroot`.
    pub(crate) runroot_given: bool,
}

impl Roots {
    /// Finds the roots; those given (absolute) win over the environment.
    pub(crate) fn find(graphroot: Option<PathBuf>, runroot: Option<PathBuf>) -> Result<Self, Error> {
        // Both given: nothing depends on a home.
        let dirs = ProjectDirs::from("", "", "sampan");
        let graphroot = match graphroot {
            Some(path) => path,
            None => data_dir(dirs.as_ref().ok_or(Error::NoHome)?)?,
        };
        let runroot_given = runroot.is_some();
        let runroot = match runroot {
            Some(path) => path,
            None => match dirs.as_ref().and_then(|dirs| dirs.runtime_dir()) {
                Some(path) if usable(path)? => path.to_owned(),
                _ => fallback()?,
            },
        };
        Ok(Self { graphroot, runroot, runroot_given })
    }
}

fn data_dir(dirs: &ProjectDirs) -> Result<PathBuf, Error> {
    let path = dirs.data_dir();
    if path.is_absolute() { Ok(path.to_owned()) } else { Err(Error::RelativeHome(path.to_owned())) }
}

/// `$XDG_RUNTIME_DIR` may be left over from another login (`su`, `sudo -u`): its parent must be ours.
fn usable(path: &Path) -> Result<bool, Error> {
    path.parent().map_or(Ok(false), is_ours)
}

/// Without `$XDG_RUNTIME_DIR`: `/run/user/UID` if it is ours, else `/tmp/sampan-run-UID`, which must be ours alone.
fn fallback() -> Result<PathBuf, Error> {
    let uid = sys::fs::effective_uid();
    let login = PathBuf::from(format!("/run/user/{uid}"));
    if is_ours(&login)? {
        return Ok(login.join("sampan"));
    }
    let path = PathBuf::from(format!("/tmp/sampan-run-{uid}"));
    // The name can be foreseen: whoever made it first may be an attacker, so look at what is there.
    match sys::fs::mkdir(&path, 0o700) {
        Err(error) if error.is(sys::Errno::EEXIST) => {}
        made => made.reading(&path)?,
    }
    match sys::fs::lstat(&path).reading(&path)? {
        Some(found) if found.is_dir() && found.uid() == uid && found.mode() & 0o777 == 0o700 => Ok(path),
        _ => Err(Error::RuntimeDir { path }),
    }
}

/// An error says nothing about whose it is, unless it says that it is not for us: with another runroot the same command would
/// see none of what runs.
fn is_ours(path: &Path) -> Result<bool, Error> {
    use sys::Errno;
    match sys::fs::stat(path) {
        Ok(found) => Ok(found.is_some_and(|found| found.is_dir() && found.uid() == sys::fs::effective_uid())),
        Err(error) if [Errno::EACCES, Errno::ENOTDIR, Errno::ELOOP, Errno::ENAMETOOLONG].contains(&error.errno) => {
            Ok(false)
        }
        Err(error) => Err(error).reading(path),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::Roots;

    #[test]
    fn flags_win() {
        let roots = Roots::find(Some(PathBuf::from("/a")), Some(PathBuf::from("/b"))).expect("roots");
        assert_eq!(roots, Roots { graphroot: PathBuf::from("/a"), runroot: PathBuf::from("/b"), runroot_given: true });
    }
}
