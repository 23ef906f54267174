//! Flags that Podman has and Sampan has not: they are named in the error, so that nobody looks for a typing mistake.

/// Long flags of `podman run`, `create`, `exec`, `ps` and `pull` that are not here yet (sorted).
const KNOWN: &[&str] = &[
    "--all-tags",
    "--blkio-weight",
    "--blkio-weight-device",
    "--cert-dir",
    "--cgroup-manager",
    "--chrootdirs",
    "--conmon-pidfile",
    "--cpu-rt-period",
    "--cpu-rt-runtime",
    "--decryption-key",
    "--device-cgroup-rule",
    "--device-read-bps",
    "--device-read-iops",
    "--device-write-bps",
    "--device-write-iops",
    "--disable-content-trust",
    "--env-merge",
    "--gpus",
    "--group-entry",
    "--health-cmd",
    "--health-interval",
    "--health-log-destination",
    "--health-max-log-count",
    "--health-max-log-size",
    "--health-on-failure",
    "--health-retries",
    "--health-start-period",
    "--health-startup-cmd",
    "--health-startup-interval",
    "--health-startup-retries",
    "--health-startup-success",
    "--health-startup-timeout",
    "--health-timeout",
    "--hosts-file",
    "--hostuser",
    "--init-ctr",
    "--init-path",
    "--ip",
    "--ip6",
    "--kernel-memory",
    "--link-local-ip",
    "--mac-address",
    "--memory-swappiness",
    "--network-alias",
    "--no-hostname",
    "--oom-kill-disable",
    "--passwd",
    "--passwd-entry",
    "--personality",
    "--pod",
    "--pod-id-file",
    "--preserve-fd",
    "--preserve-fds",
    "--rdt-class",
    "--requires",
    "--sdnotify",
    "--seccomp-policy",
    "--secret",
    "--shm-size-systemd",
    "--storage-opt",
    "--subgidname",
    "--subuidname",
    "--systemd",
];

/// True for a flag (with its dashes) that Podman would take here.
pub(crate) fn is_known_but_unsupported(flag: &str) -> bool {
    KNOWN.binary_search(&flag).is_ok()
}

#[cfg(test)]
mod tests {
    use super::{KNOWN, is_known_but_unsupported};

    #[test]
    fn the_list_is_sorted() {
        assert!(KNOWN.is_sorted());
        assert!(is_known_but_unsupported("--pod") && !is_known_but_unsupported("--pods"));
    }
}
