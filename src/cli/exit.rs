//! Exit codes: 125 is ours, 126 and 127 come from `execve` in init, the rest is the container's.

use std::process::ExitCode;

use super::error::Error;

/// A failure of our own: bad flags, storage, network, monitor.
pub(crate) const OURS: u8 = 125;

/// Nobody reads our output any more: as if SIGPIPE had ended us.
pub(crate) const NOBODY_READS: u8 = 128 + 13;

/// Passes a container's code on; what does not fit a byte cannot come from a process and counts as ours.
pub(crate) fn of_container(code: i32) -> ExitCode {
    ExitCode::from(u8::try_from(code).unwrap_or(OURS))
}

/// Result of a verb that works on several objects and goes on after a failure.
///
/// Podman's order for `rm` and `rmi`: one object absent and nothing worse is 1, one in use is 2, else 125.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Worst(u8);

impl Worst {
    /// Tells of one failure, and notes its code.
    pub(crate) fn report(&mut self, error: impl Into<Error>) {
        let error = error.into();
        self.note(error.code());
        super::error::print(&error);
    }

    /// Tells of one removal that failed, and notes its code.
    pub(crate) fn report_removal(&mut self, error: impl Into<Error>) {
        let error = error.into();
        self.note(error.removal_code());
        super::error::print(&error);
    }

    /// Notes the code of one failure.
    pub(crate) fn note(&mut self, code: u8) {
        self.0 = self.0.max(code);
    }

    pub(crate) fn code(self) -> ExitCode {
        ExitCode::from(self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::process::ExitCode;

    use super::{Worst, of_container};

    #[test]
    fn codes() {
        for (code, wanted) in [(0, 0), (3, 3), (255, 255), (256, 125), (-1, 125)] {
            assert_eq!(format!("{:?}", of_container(code)), format!("{:?}", ExitCode::from(wanted)));
        }
        let mut worst = Worst::default();
        worst.note(1);
        worst.note(2);
        worst.note(1);
        assert_eq!(format!("{:?}", worst.code()), format!("{:?}", ExitCode::from(2)));
    }
}
