//! The log driver in force.

use super::K8sFile;
use super::line::Stream;

/// Where output goes besides the attached clients. Nothing here fails: a log that cannot be written drops lines,
/// counts them, and never holds the container up (G09).
#[derive(Debug)]
pub(crate) enum LogSink {
    K8sFile(Box<K8sFile>),
    /// Kept for the caller: health checks.
    Head(Head),
    /// `--log-driver none`, and exec sessions.
    None,
}

/// The first bytes of an output.
#[derive(Debug)]
pub(crate) struct Head {
    bytes: Vec<u8>,
    limit: usize,
}

impl Head {
    pub(crate) fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), limit }
    }

    /// Both streams as they came.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn append(&mut self, bytes: &[u8]) {
        let left = self.limit.saturating_sub(self.bytes.len()).min(bytes.len());
        self.bytes.extend_from_slice(&bytes[..left]);
    }
}

impl LogSink {
    /// Takes one piece of output as it was read.
    pub(crate) fn append(&mut self, stream: Stream, bytes: &[u8]) {
        match self {
            Self::K8sFile(file) => file.append(stream, bytes),
            Self::Head(head) => head.append(bytes),
            Self::None => {}
        }
    }

    /// Hands what was appended to the kernel.
    pub(crate) fn flush(&mut self) {
        match self {
            Self::K8sFile(file) => file.flush(),
            Self::Head(_) | Self::None => {}
        }
    }
}
