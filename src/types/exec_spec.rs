//! The wish of `exec`.

use std::path::PathBuf;

/// Another program in a container that runs. What is `None` is the container's own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ExecSpec {
    pub(crate) command: Vec<String>,
    pub(crate) user: Option<String>,
    pub(crate) workdir: Option<PathBuf>,
    /// On top of the container's.
    pub(crate) env: Vec<(String, String)>,
    pub(crate) tty: bool,
    pub(crate) interactive: bool,
    /// Every capability of the container's user namespace.
    pub(crate) privileged: bool,
}
