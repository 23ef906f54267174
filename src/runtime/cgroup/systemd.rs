//! Case (b): a transient scope of the user's systemd, asked for over D-Bus.
//!
//! `zbus::block_on` drives the connection on the calling thread and starts none. The request goes out in [`begin`]; the
//! answer is awaited in [`Request::finish`], while systemd works.

use std::future::Future;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use zbus::Variant;

use crate::sys;
use crate::types::id::ContainerId;

use super::cgroupfs;
use super::container::ContainerCgroup;
use super::error::Error;
use crate::types::cgroup::CgroupRecord;

const PATIENCE: Duration = Duration::from_secs(20);
/// How long a new scope may take to have its controllers.
const SETTLING: Duration = Duration::from_secs(2);
const SYSTEMD: &str = "org.freedesktop.systemd1";
const OBJECT: &str = "/org/freedesktop/systemd1";
const MANAGER: &str = "org.freedesktop.systemd1.Manager";

/// Leaf of the scope for the monitor, the stage and the helpers.
const MONITOR: &str = "monitor";
/// Leaf of the scope for the container.
const CONTAINER: &str = "ctr";

/// The user's bus, if somebody listens there.
pub(super) fn bus(uid: u32) -> Option<PathBuf> {
    let path = PathBuf::from(format!("/run/user/{uid}/bus"));
    sys::fs::exists(&path).then_some(path)
}

/// Directory of the user's systemd in the hierarchy.
pub(super) fn manager_directory(uid: u32) -> PathBuf {
    Path::new(cgroupfs::ROOT).join(format!("user.slice/user-{uid}.slice/user@{uid}.service"))
}

type Answer = Pin<Box<dyn Future<Output = zbus::Result<zbus::Message>>>>;

/// A scope that was asked for.
pub(super) struct Request {
    scope: String,
    pids: Vec<i32>,
    /// The answer, or the call that waits for it.
    answer: Result<zbus::Result<zbus::Message>, Answer>,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request").field("scope", &self.scope).field("pids", &self.pids).finish_non_exhaustive()
    }
}

/// Asks for a delegated scope that takes these processes from wherever they are.
pub(super) fn begin(bus: &Path, slice: Option<&str>, id: &ContainerId, pids: &[i32]) -> Result<Request, Error> {
    let scope = format!("sampan-{id}-{}.scope", hex::encode(sys::fs::random::<4>()));
    let wrap = |source| Error::Systemd { scope: scope.clone(), source: Box::new(source) };
    let connection = connect(bus).map_err(wrap)?;
    let numbers: Vec<u32> = pids.iter().map(|pid| pid.unsigned_abs()).collect();
    let name = scope.clone();
    let slice = slice.map(str::to_owned);
    let description = format!("Sampan container {id}");
    let mut call: Answer = Box::pin(async move {
        let mut properties = vec![
            ("Description", Variant::from(description)),
            ("PIDs", Variant::from(numbers)),
            ("Delegate", Variant::from(true)),
            ("CollectMode", Variant::from("inactive-or-failed")),
        ];
        if let Some(slice) = slice {
            properties.push(("Slice", Variant::from(slice)));
        }
        let nothing: Vec<(&str, Vec<(&str, Variant<'_>)>)> = Vec::new();
        let body = (name.as_str(), "fail", properties, nothing);
        connection.call_method(Some(SYSTEMD), OBJECT, Some(MANAGER), "StartTransientUnit", &body).await
    });
    // One poll sends the request; what is left is to wait.
    let answer = zbus::block_on(std::future::poll_fn(|context| {
        Poll::Ready(match call.as_mut().poll(context) {
            Poll::Ready(answer) => Some(answer),
            Poll::Pending => None,
        })
    }));
    Ok(Request { scope, pids: pids.to_owned(), answer: answer.ok_or(call) })
}

impl Request {
    /// Waits until systemd has moved the processes, then makes the two leaves.
    pub(super) fn finish(self) -> Result<ContainerCgroup, Error> {
        let Self { scope, pids, answer } = self;
        let answer = answer.unwrap_or_else(zbus::block_on);
        if let Err(source) = answer {
            return Err(Error::Systemd { scope, source: Box::new(source) });
        }
        let dir = wait_for(&scope, &pids)?;
        let monitor = dir.join(MONITOR);
        cgroupfs::create(&monitor)?;
        for pid in pids {
            cgroupfs::admit(&monitor, pid)?;
        }
        let controllers = enable(&dir, &monitor)?;
        ContainerCgroup::create(CgroupRecord { path: dir.join(CONTAINER), scope: Some(scope), controllers })
    }
}

/// Enables the controllers of the scope for its leaves. Two things may be in the way for a moment: a helper that the monitor
/// started meanwhile, in the scope itself; and a systemd that has not yet passed on all that it has.
fn enable(scope: &Path, monitor: &Path) -> Result<Vec<String>, Error> {
    let (uid, _) = sys::process::ids();
    let expected = cgroupfs::controllers(&manager_directory(uid));
    let deadline = Instant::now() + SETTLING;
    loop {
        for pid in cgroupfs::processes(scope) {
            cgroupfs::admit(monitor, pid)?;
        }
        let enabled = cgroupfs::enable(scope);
        let complete = expected.iter().all(|controller| enabled.contains(controller));
        if complete || Instant::now() > deadline {
            if !complete {
                let offered = cgroupfs::controllers(scope);
                tracing::warn!(?expected, ?offered, ?enabled, "systemd passes on fewer controllers than it has");
            }
            return Ok(enabled);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The answer to StartTransientUnit only names the job; what counts is where the processes are.
fn wait_for(scope: &str, pids: &[i32]) -> Result<PathBuf, Error> {
    let deadline = Instant::now() + PATIENCE;
    let mut pause = Duration::from_micros(200);
    loop {
        let places: Vec<_> = pids.iter().filter_map(|pid| cgroupfs::of_process(*pid)).collect();
        let arrived = places.len() == pids.len() && places.iter().all(|place| place.ends_with(scope));
        if let Some(place) = places.into_iter().next().filter(|_| arrived) {
            return Ok(place);
        }
        if Instant::now() > deadline {
            return Err(Error::SystemdSlow { scope: scope.to_owned(), seconds: PATIENCE.as_secs() });
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(10));
    }
}

/// Has systemd move a process of ours into a cgroup of a running scope.
pub(super) fn attach(scope: &str, subcgroup: &str, pid: i32) -> Result<(), Error> {
    let wrap = |source| Error::Systemd { scope: scope.to_owned(), source: Box::new(source) };
    let (uid, _) = sys::process::ids();
    let path = bus(uid).ok_or_else(|| wrap(zbus::Error::Unsupported))?;
    let connection = connect(&path).map_err(wrap)?;
    let body = (scope, subcgroup, vec![pid.unsigned_abs()]);
    let call = connection.call_method(Some(SYSTEMD), OBJECT, Some(MANAGER), "AttachProcessesToUnit", &body);
    zbus::block_on(call).map(drop).map_err(wrap)
}

/// True if the user's systemd says `Delegate=yes` for this service or scope of its own.
pub(super) fn is_delegated(unit: &str, uid: u32) -> bool {
    let interface = if unit.ends_with(".service") { "Service" } else { "Scope" };
    let interface = format!("{SYSTEMD}.{interface}");
    let object = format!("{OBJECT}/unit/{}", object_name(unit));
    let ask = || -> zbus::Result<bool> {
        let connection = connect(&bus(uid).ok_or(zbus::Error::Unsupported)?)?;
        let body = (interface.as_str(), "Delegate");
        let properties = Some("org.freedesktop.DBus.Properties");
        let answer = zbus::block_on(connection.call_method(Some(SYSTEMD), object.as_str(), properties, "Get", &body))?;
        Ok(matches!(answer.body().deserialize::<Variant<'_>>()?, Variant::Bool(true)))
    };
    ask().unwrap_or_else(|error| {
        tracing::debug!(unit, %error, "systemd does not say whether the unit is delegated");
        false
    })
}

/// Letters and digits stay, all else becomes `_xx` (systemd's `bus_label_escape`).
fn object_name(unit: &str) -> String {
    let escape = |(at, byte): (usize, u8)| {
        let plain = byte.is_ascii_alphabetic() || (byte.is_ascii_digit() && at > 0);
        if plain { char::from(byte).to_string() } else { format!("_{byte:02x}") }
    };
    unit.bytes().enumerate().map(escape).collect()
}

fn connect(bus: &Path) -> zbus::Result<zbus::Connection> {
    let stream = UnixStream::connect(bus)?;
    zbus::block_on(zbus::connection::Builder::unix_stream(stream).method_timeout(PATIENCE).build())
}

#[cfg(test)]
mod tests {
    #[test]
    fn units_become_object_names() {
        assert_eq!(super::object_name("run-u9.service"), "run_2du9_2eservice");
        assert_eq!(super::object_name("7a@b.scope"), "_37a_40b_2escope");
    }
}
