//! The log driver in force.

use super::K8sFile;
use super::line::Stream;

/// Where output goes besides the attached clients. Nothing here fails: a log that cannot be written drops lines,
/// counts them, and never holds the container up (G09).
#[derive(Debug)]
pub(crate) enum LogSink {
    K8sFile(Box<K8sFile>),
    /// `--log-driver none`, and exec sessions.
    None,
}

impl LogSink {
    /// Takes one piece of output as it was read.
    pub(crate) fn append(&mut self, stream: Stream, bytes: &[u8]) {
        match self {
            Self::K8sFile(file) => file.append(stream, bytes),
            Self::None => {}
        }
    }

    /// Hands what was appended to the kernel.
    pub(crate) fn flush(&mut self) {
        match self {
            Self::K8sFile(file) => file.flush(),
            Self::None => {}
        }
    }
}
