//! What was to be done with a container, and what it was to be made of, for errors that hints and exit codes go by.

use std::fmt;

/// What cannot be done as things are: "cannot … container ID".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    AttachTo,
    Check,
    ExecIn,
    Kill,
    Pause,
    Remove,
    Start,
    Stop,
    Unpause,
    WaitFor,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AttachTo => "attach to",
            Self::Check => "check",
            Self::ExecIn => "exec in",
            Self::Kill => "kill",
            Self::Pause => "pause",
            Self::Remove => "remove",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Unpause => "unpause",
            Self::WaitFor => "wait for",
        })
    }
}

/// Something of the host that a container is to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HostSource {
    Bind,
    Device,
    Root,
}

impl fmt::Display for HostSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bind => "bind source",
            Self::Device => "device",
            Self::Root => "root file system",
        })
    }
}
