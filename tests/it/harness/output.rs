//! What a command answered: exit status, stdout, stderr.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use nix::sys::signal::Signal;

use super::filters::Filters;

/// A finished command. Say what you expect of it: `.success()`, `.code(125)`.
#[must_use]
pub(crate) struct Output {
    line: String,
    status: ExitStatus,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    filters: Filters,
}

impl Output {
    pub(super) fn new(line: String, status: ExitStatus, stdout: Vec<u8>, stderr: Vec<u8>, filters: Filters) -> Self {
        Self { line, status, stdout, stderr, filters }
    }

    /// Asserts exit code 0.
    #[track_caller]
    pub(crate) fn success(&self) -> &Self {
        self.code(0)
    }

    /// Asserts this exit code.
    #[track_caller]
    pub(crate) fn code(&self, code: i32) -> &Self {
        assert_eq!(self.status.code(), Some(code), "expected exit code {code}: {}", self.raw());
        self
    }

    /// Asserts that stdout is exactly this.
    #[track_caller]
    pub(crate) fn prints(&self, text: &str) -> &Self {
        assert_eq!(self.stdout(), text, "{}", self.raw());
        self
    }

    /// Asserts that stdout contains this.
    #[track_caller]
    pub(crate) fn stdout_has(&self, text: &str) -> &Self {
        assert!(self.stdout().contains(text), "no {text:?} in stdout: {}", self.raw());
        self
    }

    /// Asserts that stderr contains this.
    #[track_caller]
    pub(crate) fn stderr_has(&self, text: &str) -> &Self {
        assert!(self.stderr().contains(text), "no {text:?} in stderr: {}", self.raw());
        self
    }

    pub(crate) fn is_success(&self) -> bool {
        self.status.success()
    }

    pub(crate) fn exit_code(&self) -> Option<i32> {
        self.status.code()
    }

    /// True if this signal ended it.
    pub(crate) fn died_by(&self, signal: Signal) -> bool {
        self.status.signal() == Some(signal as i32)
    }

    pub(crate) fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Stdout without the white space around it: an id, a single value.
    pub(crate) fn trimmed(&self) -> String {
        self.stdout().trim().to_owned()
    }

    /// Stdout as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.raw()))
    }

    fn raw(&self) -> String {
        let end = self.status.code().map_or_else(
            || format!("killed by signal {}", self.status.signal().unwrap_or_default()),
            |code| format!("exit code {code}"),
        );
        format!("$ {}\n{}--- stderr\n{}--- {end}\n", self.line, self.stdout(), self.stderr())
    }
}

/// Ready for a snapshot: ids, digests, times, sizes and paths of this run are replaced.
impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.filters.apply(&self.raw()))
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.raw())
    }
}
