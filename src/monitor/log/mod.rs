//! What becomes of a container's output: the writing side in the monitor, the reading side for `logs`.

mod clock;
mod k8s_file;
pub(crate) mod line;
mod reader;
mod reverse;
mod sink;

pub(crate) use k8s_file::K8sFile;
pub(crate) use reader::{LogReader, Start};
pub(crate) use sink::{Head, LogSink};
