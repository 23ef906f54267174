//! Kernel parameters of the container's own namespaces, written through a procfs of our own that no path of the image
//! leads to (case C05).

use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use oci_spec::runtime::Linux;

use crate::runtime::error::Error;
use crate::sys;
use crate::sys::mount::{Attributes, FsContext};
use crate::sys::root::RootDir;

/// Writes them all; one that the kernel refuses is an error.
pub(super) fn apply(linux: &Linux, own_pid_namespace: bool) -> Result<(), Error> {
    let Some(settings) = linux.sysctl().as_ref().filter(|settings| !settings.is_empty()) else { return Ok(()) };
    let mut sorted: Vec<_> = settings.iter().collect();
    sorted.sort();
    let first = sorted.first().map(|(key, value)| ((*key).clone(), (*value).clone())).unwrap_or_default();
    let proc = open_proc(own_pid_namespace).map_err(|source| Error::Sysctl { key: first.0, value: first.1, source })?;
    let proc = RootDir::from(proc);
    for (key, value) in sorted {
        write(&proc, key, value).map_err(|source| Error::Sysctl { key: key.clone(), value: value.clone(), source })?;
    }
    Ok(())
}

/// A procfs that is mounted nowhere; with the host's pid namespace (whose procfs we may not mount) the host's own,
/// which shows each reader the parameters of the reader's namespaces.
fn open_proc(own_pid_namespace: bool) -> sys::Result<OwnedFd> {
    if own_pid_namespace {
        FsContext::open("proc")?.mount(Attributes { nosuid: true, nodev: true, noexec: true, read_only: false })
    } else {
        sys::fs::open_path(std::path::Path::new("/proc"))
    }
}

/// `net.ipv4.ip_forward` is `sys/net/ipv4/ip_forward`; a slash in the key stays one, as `sysctl(8)` has it.
fn write(proc: &RootDir, key: &str, value: &str) -> sys::Result<()> {
    let path = PathBuf::from(format!("sys/{}", if key.contains('/') { key.to_owned() } else { key.replace('.', "/") }));
    let file = proc.open_for_writing(&path)?;
    sys::descriptor::write_all(file.as_fd(), value.as_bytes())
}
