//! The last chapter: streams, identity, and the program.

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use oci_spec::runtime::Process;

use crate::runtime::bundle::Bundle;
use crate::runtime::error::Error;
use crate::runtime::sync::Message;
use crate::runtime::user::{self, Identity};
use crate::sys::clone::{Forked, fork_classic};
use crate::sys::root::RootDir;
use crate::sys::{self, Errno, descriptor, prctl, process, pty, stream};
use crate::types::annotation;
use crate::types::idmap::{IdMap, IdMaps};

use super::context::Context;
use super::identity;

/// Becomes the program. `terminal` is the slave of the container's terminal; `maps` the id maps of a user namespace that
/// is not the container's.
pub(super) fn execute(
    context: &Context,
    terminal: Option<OwnedFd>,
    maps: Option<&IdMaps>,
) -> Result<Infallible, Error> {
    let bundle = &context.bundle;
    let spec = bundle.spec.process().as_ref().ok_or(Error::NoCommand)?;
    connect(context, terminal.as_ref())?;
    let root = RootDir::open(Path::new("/")).map_err(Error::Pivot)?;
    let who = match maps {
        Some(maps) => resolve(&root, bundle, spec, maps)?,
        None => resolve(&root, bundle, spec, &bundle.maps()?)?,
    };
    drop(root);
    for fd in stream::standard() {
        // Best effort: only a program that opens `/dev/stdout` by name needs it.
        drop(stream::give(fd, who.uid));
    }
    identity::limit(spec)?;
    if !bundle.joins_userns() {
        // Or it has been done, when that was possible.
        identity::set_oom_score(spec)?;
    }
    if bundle.reaper {
        // What stays knows the container's specification, with paths of the host.
        prctl::set_dumpable(false).map_err(|source| Error::Identity { operation: "hide from the program", source })?;
    }
    // One that only the user may enter, as on NFS or FUSE, where the container's root is nobody: when we are the user.
    let entered = match enter_working_directory(spec.cwd()) {
        Err(Error::WorkDir { source, .. }) if source.is(Errno::EACCES) => false,
        done => done.map(|()| true)?,
    };
    if let Some(umask) = spec.user().umask() {
        process::umask(umask);
    }
    // Best effort by design: a quota of keys or a kernel without them must not stop a container.
    drop(prctl::join_new_session_keyring());
    let command = Command::new(spec, &who)?;
    let wanted = identity::capabilities(spec);
    identity::assume(spec, &who, wanted, &context.filters)?;
    if !entered {
        enter_working_directory(spec.cwd())?;
    }
    if !bundle.reaper {
        return Err(command.execute(context));
    }
    // The profile is in force already, and refuses clone3 (it cannot look at its arguments).
    match fork_classic().map_err(Error::Clone)? {
        Forked::Child => Err(command.execute(context)),
        Forked::Parent(child) => super::reaper::run(&child),
    }
}

/// Uid and gid of the program, in a root that is still being built.
pub(super) fn owner(root: &RootDir, bundle: &Bundle) -> Result<(u32, u32), Error> {
    let spec = bundle.spec.process().as_ref().ok_or(Error::NoCommand)?;
    let who = resolve(root, bundle, spec, &bundle.maps()?)?;
    Ok((who.uid, who.gid))
}

/// The program's user as the container's files have it, whatever the id map says.
pub(super) fn who(bundle: &Bundle) -> Result<Identity, Error> {
    let spec = bundle.spec.process().as_ref().ok_or(Error::NoCommand)?;
    let root = RootDir::open(Path::new("/")).map_err(Error::Pivot)?;
    user::resolve(&root, &user_text(spec), &[], &IdMaps { uid: IdMap::default(), gid: IdMap::default() })
}

/// What is looked up.
fn user_text(spec: &Process) -> String {
    let user = spec.user();
    // Nothing said is root with root's groups, as `/etc/group` has them.
    let numbers =
        || if user.uid() == 0 && user.gid() == 0 { String::new() } else { format!("{}:{}", user.uid(), user.gid()) };
    user.username().clone().unwrap_or_else(numbers)
}

/// Standard streams from the pipes or the terminal.
fn connect(context: &Context, terminal: Option<&OwnedFd>) -> Result<(), Error> {
    let error = |source| Error::Identity { operation: "connect the standard streams", source };
    if let Some(terminal) = terminal {
        pty::make_controlling(terminal.as_fd()).map_err(error)?;
        for stream in 0..3 {
            descriptor::redirect(terminal.as_fd(), stream).map_err(error)?;
        }
        return Ok(());
    }
    let null = descriptor::dev_null().map_err(error)?;
    for stream in 0_u8..3 {
        let fd: BorrowedFd<'_> = match &context.streams {
            Some(streams) => streams[usize::from(stream)].as_fd(),
            None => null.as_fd(),
        };
        descriptor::redirect(fd, i32::from(stream)).map_err(error)?;
    }
    Ok(())
}

/// `chdir`, and proof that the directory lies in the container (case C02: `getcwd` of one outside is not absolute).
pub(in crate::runtime) fn enter_working_directory(path: &Path) -> Result<(), Error> {
    let error = |source| Error::WorkDir { path: path.to_owned(), source };
    process::chdir(path).map_err(error)?;
    let here = process::getcwd().map_err(error)?;
    if here.is_absolute() {
        Ok(())
    } else {
        Err(error(sys::Error::new("getcwd", format!("{here:?} is outside the container"), Errno::ENOENT)))
    }
}

/// What is executed, looked up with the program's own PATH.
#[derive(Debug)]
pub(in crate::runtime) struct Command {
    path: PathBuf,
    args: Vec<OsString>,
    env: Vec<OsString>,
}

impl Command {
    pub(in crate::runtime) fn new(spec: &Process, who: &Identity) -> Result<Self, Error> {
        let args: Vec<OsString> = spec.args().iter().flatten().map(OsString::from).collect();
        let name = args.first().filter(|name| !name.is_empty()).ok_or(Error::NoCommand)?;
        let mut env: Vec<OsString> = spec.env().iter().flatten().map(OsString::from).collect();
        if !env.iter().any(|variable| variable.as_bytes().starts_with(b"HOME=")) {
            let mut home = OsString::from("HOME=");
            home.push(&who.home);
            env.push(home);
        }
        let path = find(name, &env)?;
        Ok(Self { path, args, env })
    }

    /// Announces the exec and does it; the error if the kernel refused.
    fn execute(&self, context: &Context) -> Error {
        if let Err(error) = prctl::reset_signals() {
            return Error::Identity { operation: "reset the signals", source: error };
        }
        match context.wire.send(&Message::Executing, &[]) {
            Ok(()) => self.exec(),
            Err(error) => error,
        }
    }

    pub(in crate::runtime) fn exec(&self) -> Error {
        Error::Exec { path: self.path.clone(), source: process::exec(&self.path, &self.args, &self.env) }
    }
}

/// A name with a slash is a path; any other is looked for in PATH.
fn find(name: &OsStr, env: &[OsString]) -> Result<PathBuf, Error> {
    if name.as_bytes().contains(&b'/') {
        return Ok(name.into());
    }
    let path = env.iter().rev().find_map(|variable| variable.as_bytes().strip_prefix(b"PATH="));
    let mut denied = None;
    for dir in path.unwrap_or_default().split(|b| *b == b':') {
        let dir = if dir.is_empty() { Path::new(".") } else { Path::new(OsStr::from_bytes(dir)) };
        let candidate = dir.join(name);
        match sys::fs::stat(&candidate) {
            Ok(Some(meta)) if meta.is_file() => {
                if sys::fs::is_executable(&candidate) {
                    return Ok(candidate);
                }
                denied.get_or_insert(candidate);
            }
            _ => {}
        }
    }
    // As a shell: a file that is there but cannot be executed says EACCES (126), none at all 127.
    denied.ok_or_else(|| Error::NotInPath(name.to_owned()))
}

/// Looks the user up where the program will. Somebody whom `/etc/passwd` does not know gets a line there, and the group in
/// `/etc/group`, if it is the container's own file and can be written.
fn resolve(root: &RootDir, bundle: &Bundle, spec: &Process, maps: &IdMaps) -> Result<Identity, Error> {
    let mut who = user::resolve(root, &user_text(spec), &bundle.group_add, maps)?;
    let name = |key: &str| bundle.spec.annotations().as_ref()?.get(key).map(String::as_str);
    if !who.known && who.uid != 0 {
        let (caller, home) =
            (name(annotation::USER_NAME), name(annotation::USER_HOME).map_or(spec.cwd().as_path(), Path::new));
        let is_there = append(root, "etc/passwd", &user::passwd_line(&who, caller, home));
        if is_there && caller.is_some() {
            home.clone_into(&mut who.home);
        }
    }
    if !who.group_known && who.gid != 0 {
        append(root, "etc/group", &user::group_line(&who, name(annotation::GROUP_NAME)));
    }
    Ok(who)
}

/// False: a read-only root, a file that is mounted there, or no such file. Then it is as the image wants it.
fn append(root: &RootDir, path: &str, line: &str) -> bool {
    let appended = root.append_own(Path::new(path), line.as_bytes());
    appended.inspect_err(|error| tracing::debug!(%error, path, "no line for the user")).is_ok()
}
