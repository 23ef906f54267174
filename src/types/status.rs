//! Status of a container, in Podman's words, and what may be done in which.

use serde::{Deserialize, Serialize};

/// Podman's states of `ps` and `inspect` (`libpod/define/containerstate.go`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ContainerStatus {
    /// Made by `create`, never started.
    Created,
    /// Started, init is not yet placed.
    Initialized,
    /// The program has been executed.
    Running,
    /// Its cgroup is frozen.
    Paused,
    /// `stop` has sent the signal and waits.
    Stopping,
    /// Was stopped by `stop` or `kill`, or found dead without an exit record.
    Stopped,
    /// The program ended by itself.
    Exited,
    /// `rm` is at it.
    Removing,
}

impl ContainerStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Initialized => "initialized",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Exited => "exited",
            Self::Removing => "removing",
        }
    }

    /// A process of the container may be alive.
    pub(crate) fn is_alive(self) -> bool {
        matches!(self, Self::Initialized | Self::Running | Self::Paused | Self::Stopping)
    }

    pub(crate) fn can_start(self) -> bool {
        matches!(self, Self::Created | Self::Stopped | Self::Exited)
    }

    pub(crate) fn can_kill(self) -> bool {
        matches!(self, Self::Running | Self::Paused | Self::Stopping)
    }

    pub(crate) fn can_exec(self) -> bool {
        matches!(self, Self::Running)
    }
}

impl std::fmt::Display for ContainerStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
