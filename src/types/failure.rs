//! An error on its way across a process border.

use serde::{Deserialize, Serialize};

/// What the other side decides by. Closed, so that exit codes and hints survive the trip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FailureKind {
    /// execve found no such program (exit code 127).
    CommandNotFound,
    /// execve refused the program (exit code 126).
    CommandNotInvokable,
    /// The working directory that was asked for is not there (exit code 126, as Podman's).
    WorkDir,
    /// No working `newuidmap`/`newgidmap`, or the map was refused.
    IdMap,
    /// `newuidmap` and `newgidmap` have no power here.
    MapperPrivilege,
    /// The kernel or its policy refuses user namespaces.
    UserNamespace,
    /// The caller has as many processes as he may.
    Processes,
    /// Mounting the root file system or something in it.
    Mount,
    /// A new `/proc` may not be mounted: an outer container covers parts of its own (K-B3).
    Proc,
    /// Overlay is not allowed in user namespaces here.
    Overlay,
    /// Cgroup could not be made, or a limit could not be set.
    Cgroup,
    /// No pasta, no slirp4netns.
    NetworkHelper,
    /// `/dev/net/tun` cannot be opened.
    Tun,
    /// The host has no route that a helper could offer.
    NoRoute,
    /// A port to publish is taken.
    PortInUse,
    /// A port to publish needs a privilege (below `ip_unprivileged_port_start`).
    PortPrivileged,
    /// The disk (or the quota) is full.
    NoSpace,
    /// The file system of the runroot is full.
    NoRunSpace,
    /// What the user wanted written does not fit where it goes.
    OutputFull,
    /// Seccomp profile refused.
    Seccomp,
    /// What came has not the digest or the size that was promised.
    WrongContent,
    /// The container stopped (SIGSTOP) the process that was to execute the program.
    Stopped,
    /// The process of the other side died without a word.
    Died,
    /// Anything else.
    Other,
}

impl FailureKind {
    /// Exit code of a command, or of a health check, that fails with this: 126 and 127 come from `execve` in init, as a
    /// shell has them; 125 is ours.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::CommandNotFound => 127,
            Self::CommandNotInvokable | Self::WorkDir => 126,
            _ => 125,
        }
    }
}

/// Kind, and the chain of messages from the outermost to the root cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failure {
    pub(crate) kind: FailureKind,
    pub(crate) chain: Vec<String>,
}

impl Failure {
    pub(crate) fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, chain: vec![message.into()] }
    }

    /// Takes the messages of `error` and of all its sources.
    pub(crate) fn from_error(kind: FailureKind, error: &(dyn std::error::Error + 'static)) -> Self {
        let chain = std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect();
        Self { kind, chain }
    }

    /// Of something that was written where the user said: it is not the store that is full.
    pub(crate) fn of_output(self) -> Self {
        let kind = if self.kind == FailureKind::NoSpace { FailureKind::OutputFull } else { self.kind };
        Self { kind, ..self }
    }

    /// Puts a message in front: what was being done.
    pub(crate) fn context(mut self, message: impl Into<String>) -> Self {
        self.chain.insert(0, message.into());
        self
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.chain.join(": "))
    }
}

impl std::error::Error for Failure {}

/// The messages of an error and of all that caused it, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut last = error.to_string();
    let mut text = last.clone();
    let mut source = error.source();
    while let Some(cause) = source {
        // A wrapper that adds nothing prints its source: once is enough.
        let message = cause.to_string();
        if message != last && !last.ends_with(&format!(": {message}")) {
            text.push_str(": ");
            text.push_str(&message);
        }
        last = message;
        source = cause.source();
    }
    text
}
