//! The choice between the subtree we are in, a scope of systemd, and none.

use std::fmt;
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};

use crate::sys;
use crate::types::cgroup::CgroupRecord;
use crate::types::failure::chain;
use crate::types::id::ContainerId;
use crate::types::resources::{CgroupsMode, Resources};

use super::cgroupfs::Hierarchy;
use super::container::ContainerCgroup;
use super::error::Error;
use super::{cgroupfs, limits, own, systemd};

/// What the container asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) id: &'a ContainerId,
    pub(crate) mode: CgroupsMode,
    /// `--cgroup-parent`: a slice for systemd, or a relative path below our subtree.
    pub(crate) parent: Option<&'a Path>,
    pub(crate) resources: &'a Resources,
}

/// Why there is no cgroup, or not all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Why {
    /// `--cgroups=disabled`.
    Disabled,
    /// The host has cgroup v1, or v1 beside v2.
    Legacy,
    /// Nothing is mounted at `/sys/fs/cgroup`.
    Absent,
    /// Our cgroup is not ours, and no systemd of the user answers.
    NoDelegation,
    /// systemd did not make the scope.
    Refused,
    /// There is a cgroup, but without this controller.
    Controller,
}

impl Why {
    /// The commands that cure it.
    pub(crate) fn cure(self, controller: &str) -> String {
        match self {
            Self::Disabled => "leave out --cgroups=disabled, or the limits".to_owned(),
            Self::Legacy => "boot with systemd.unified_cgroup_hierarchy=1 on the kernel's command line".to_owned(),
            Self::Absent => "mount -t cgroup2 cgroup2 /sys/fs/cgroup".to_owned(),
            Self::NoDelegation | Self::Refused => {
                "log in through systemd (not su or sudo) with the package dbus-user-session installed, or run in a unit with \
                 Delegate=yes"
                    .to_owned()
            }
            Self::Controller => format!(
                "as root: mkdir -p /etc/systemd/system/user@.service.d && printf '[Service]\\nDelegate=cpu cpuset io memory \
                 pids\\n' > /etc/systemd/system/user@.service.d/delegate.conf && systemctl daemon-reload, then log in again \
                 (missing: {controller})"
            ),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Disabled => "cgroups are disabled for this container",
            Self::Legacy => "this host uses cgroup v1",
            Self::Absent => "no cgroup file system is mounted",
            Self::NoDelegation => "no cgroup is delegated to us and no systemd of the user is there",
            Self::Refused => "the user's systemd made no scope",
            Self::Controller => "the cgroup has no such controller",
        })
    }
}

/// What this host would give, for `HostFacts` and the doctor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Available {
    /// Case (a), with these controllers.
    Own(Vec<String>),
    /// Case (b), with these controllers.
    Systemd(Vec<String>),
    None(Why),
}

/// Looks without changing anything.
pub(crate) fn available() -> Available {
    match choose() {
        Choice::Own(root) => Available::Own(own::possible(&root, uid())),
        Choice::Systemd(_) => Available::Systemd(cgroupfs::controllers(&systemd::manager_directory(uid()))),
        Choice::None(why) => Available::None(why),
    }
}

enum Choice {
    Own(std::path::PathBuf),
    Systemd(std::path::PathBuf),
    None(Why),
}

fn uid() -> u32 {
    sys::process::ids().0
}

fn choose() -> Choice {
    match cgroupfs::hierarchy() {
        Hierarchy::Legacy => Choice::None(Why::Legacy),
        Hierarchy::Absent => Choice::None(Why::Absent),
        Hierarchy::Unified => match (own::root(uid()), systemd::bus(uid())) {
            (Some(root), _) => Choice::Own(root),
            (None, Some(bus)) => Choice::Systemd(bus),
            (None, None) => Choice::None(Why::NoDelegation),
        },
    }
}

/// A choice that was made; in case (b), systemd is at work.
#[derive(Debug)]
pub(crate) struct Pending {
    state: State,
    /// First controller that the wish cannot do without.
    needed: Option<String>,
}

#[derive(Debug)]
enum State {
    Ready(ContainerCgroup),
    Asked(systemd::Request),
    None(Why),
    /// None, and the text of the warning.
    Refused(String),
}

/// Chooses, and starts what takes time. `pids` are the monitor and the stage: systemd moves them into the scope. What
/// would stay if we were killed is announced before it is made; a scope of systemd goes by itself.
pub(crate) fn begin(
    request: Request<'_>,
    pids: &[i32],
    announce: &mut dyn FnMut(&CgroupRecord),
) -> Result<Pending, Error> {
    let needed = limits::needed_controllers(request.resources)?.first().map(|controller| (*controller).to_owned());
    let choice = if request.mode == CgroupsMode::Disabled { Choice::None(Why::Disabled) } else { choose() };
    let state = match choice {
        Choice::None(why) => State::None(why),
        Choice::Own(root) => State::Ready(own::leaf(&root, path_parent(request.parent)?, request.id, uid(), announce)?),
        Choice::Systemd(bus) => match systemd::begin(&bus, slice_parent(request.parent)?, request.id, pids) {
            Ok(asked) => State::Asked(asked),
            Err(error) => refused(&error),
        },
    };
    Ok(Pending { state, needed })
}

impl Pending {
    /// Waits for systemd. `None`: containers run without a cgroup here, and no limit was asked for.
    pub(crate) fn finish(self, warnings: &mut Vec<String>) -> Result<Option<ContainerCgroup>, Error> {
        let state = match self.state {
            State::Asked(asked) => asked.finish().map_or_else(|error| refused(&error), State::Ready),
            other => other,
        };
        let state = match state {
            State::Refused(text) => {
                warnings.push(text);
                State::None(Why::Refused)
            }
            other => other,
        };
        match (state, self.needed) {
            (State::Ready(cgroup), _) => Ok(Some(cgroup)),
            (State::None(why), Some(controller)) => Err(Error::Undelegated { controller, why }),
            _ => Ok(None),
        }
    }
}

/// A host whose systemd does not play along still runs containers without limits.
fn refused(error: &Error) -> State {
    State::Refused(format!("the container has no cgroup: {}", chain(error)))
}

/// `--cgroup-parent` below our own subtree: plain names only (C15).
fn path_parent(parent: Option<&Path>) -> Result<Option<&Path>, Error> {
    let Some(path) = parent else { return Ok(None) };
    let relative = path.strip_prefix("/").unwrap_or(path);
    let plain = relative.components().all(|part| matches!(part, Component::Normal(_)));
    if !plain || relative.as_os_str().is_empty() {
        return Err(Error::Parent { path: path.to_owned() });
    }
    Ok(Some(relative))
}

/// `--cgroup-parent` for systemd: the name of a slice.
fn slice_parent(parent: Option<&Path>) -> Result<Option<&str>, Error> {
    let Some(path) = parent else { return Ok(None) };
    let name = path
        .to_str()
        .filter(|name| name.strip_suffix(".slice").is_some() && !name.contains('/') && !name.contains(".."));
    name.map(Some).ok_or_else(|| Error::Parent { path: path.to_owned() })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{path_parent, slice_parent};

    #[test]
    fn c15_parent_stays_below() {
        for good in ["a", "/a", "a/b"] {
            assert!(path_parent(Some(Path::new(good))).is_ok(), "{good}");
        }
        for bad in ["", "/", "..", "../..", "a/../..", "/../x"] {
            assert!(path_parent(Some(Path::new(bad))).is_err(), "{bad}");
        }
        assert!(slice_parent(Some(Path::new("my.slice"))).is_ok());
        for bad in ["my", "../my.slice", "a/my.slice"] {
            assert!(slice_parent(Some(Path::new(bad))).is_err(), "{bad}");
        }
    }
}
