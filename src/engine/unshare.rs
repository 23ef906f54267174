//! `unshare`: a program in P, where the files of containers can be looked at and images mounted. P and its mount
//! namespace live as long as the program: nothing is left when it ends.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::rootless::outer::Entered;
use crate::rootless::{self, Outer};
use crate::runtime::exec_kind;
use crate::sys::spawn::find_program;
use crate::sys::{self, Errno, prctl, process, signal};
use crate::types::failure::FailureKind;

use super::error::Error;
use super::handle::Engine;

/// Says to a child that it is in P already. Podman's name: its tools ask for it too.
pub(crate) const CONFIGURED: &str = "_CONTAINERS_USERNS_CONFIGURED";

/// A program to run in P.
#[derive(Debug)]
pub(crate) struct UnshareRequest {
    /// Name, looked for in the caller's PATH, or a path; and its arguments.
    pub(crate) command: Vec<OsString>,
    /// The caller's environment.
    pub(crate) environment: Vec<(OsString, OsString)>,
}

impl Engine {
    /// Runs a program in P with a mount namespace of its own, and returns its exit code.
    pub(crate) fn unshare(&self, request: &UnshareRequest) -> Result<i32, Error> {
        let failed = |source| Error::Host { what: "unshare", source };
        let Some(name) = request.command.first() else { return Err(Error::NoCommand) };
        let program = self.program_to_run(name)?;
        let environment = self.environment_of(request)?;
        let live_dir = self.store.layout().outers();
        let (outer, turn) = Outer::find_in_turn(self.wish()?.clone(), &live_dir);
        match outer.enter()? {
            Entered::Child(child) => {
                let kind = match child.ready() {
                    Ok(()) => exec_kind(execute(&program, &request.command, &environment)),
                    Err(_) => FailureKind::Other,
                };
                process::exit_now(kind.exit_code().into())
            }
            Entered::Parent(mut parent) => {
                parent.finish_map()?;
                // Containers that start meanwhile get into it, so that their roots can be mounted in there.
                let offered = outer.offer(None, parent.child().pid(), &live_dir);
                drop(turn);
                // The terminal's signals are the program's; whoever ends us ends it (PDEATHSIG).
                prctl::ignore_terminal();
                let status = parent.into_child().wait().map_err(failed)?;
                let withdrawn = offered.and_then(|offered| offered.withdraw().map_err(rootless::Error::Join));
                if let Err(error) = withdrawn {
                    tracing::debug!(%error, "P not offered, or an offer stays");
                }
                Ok(status.code())
            }
        }
    }

    fn program_to_run(&self, name: &OsString) -> Result<PathBuf, Error> {
        let refused = |kind| Error::Program { name: name.to_string_lossy().into_owned(), kind };
        if name.to_string_lossy().contains('/') {
            let path = PathBuf::from(name);
            return match sys::fs::stat(&path) {
                Ok(Some(found)) if found.is_file() && sys::fs::is_executable(&path) => Ok(path),
                Ok(None) => Err(refused(FailureKind::CommandNotFound)),
                _ => Err(refused(FailureKind::CommandNotInvokable)),
            };
        }
        find_program(&name.to_string_lossy(), &self.config.path).ok_or_else(|| refused(FailureKind::CommandNotFound))
    }

    /// The caller's environment, as `KEY=value`, with what Podman tells the programs that it runs so.
    fn environment_of(&self, request: &UnshareRequest) -> Result<Vec<OsString>, Error> {
        let (uid, gid) = process::ids();
        let layout = self.store.layout();
        // The first mount inside wants the directory.
        self.store.make_run()?;
        let told = [
            (CONFIGURED, OsString::from("done")),
            ("_CONTAINERS_ROOTLESS_UID", uid.to_string().into()),
            ("_CONTAINERS_ROOTLESS_GID", gid.to_string().into()),
            ("CONTAINERS_GRAPHROOT", layout.graphroot().into()),
            ("CONTAINERS_RUNROOT", layout.runroot().into()),
        ];
        let is_told = |name: &OsString| told.iter().any(|(key, _)| name == key);
        let theirs = request.environment.iter().filter(|(name, _)| !is_told(name));
        let theirs = theirs.map(|(name, value)| assignment(name, value));
        Ok(theirs.chain(told.iter().map(|(name, value)| assignment(OsStr::new(name), value))).collect())
    }
}

fn assignment(name: &OsStr, value: &OsStr) -> OsString {
    let mut text = name.to_owned();
    text.push("=");
    text.push(value);
    text
}

/// Becomes the program; the answer is why not.
fn execute(program: &Path, arguments: &[OsString], environment: &[OsString]) -> Errno {
    let ready = prctl::reset_signals().and_then(|()| prctl::set_parent_death_signal(signal::SIGHUP));
    match ready {
        Ok(()) => process::exec(program, arguments, environment).errno,
        Err(error) => error.errno,
    }
}
