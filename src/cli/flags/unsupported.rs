//! Flags and verbs that Podman has and Sampan has not: they are named in the error, so that nobody looks for a typing
//! mistake. `docs/podman-differences.md` says of each what to do instead (`tests/docs.rs` holds it to these lists).

/// Long flags of Podman that no verb takes yet where Podman does (sorted).
const KNOWN: &[&str] = &[
    "--add-compression",
    "--artifact",
    "--artifact-config",
    "--artifact-config-type",
    "--artifact-exclude-titles",
    "--artifact-layer-type",
    "--artifact-subject",
    "--artifact-type",
    "--attach",
    "--blkio-weight",
    "--blkio-weight-device",
    "--cgroup-manager",
    "--chrootdirs",
    "--compress",
    "--conmon-pidfile",
    "--cpu-rt-period",
    "--cpu-rt-runtime",
    "--decryption-key",
    "--details",
    "--device-cgroup-rule",
    "--device-read-bps",
    "--device-read-iops",
    "--device-write-bps",
    "--device-write-iops",
    "--disable-content-trust",
    "--encrypt-layer",
    "--encryption-key",
    "--env-merge",
    "--exit-first-match",
    "--external",
    "--gpus",
    "--group-entry",
    "--health-log-destination",
    "--health-max-log-count",
    "--health-max-log-size",
    "--health-startup-cmd",
    "--health-startup-interval",
    "--health-startup-retries",
    "--health-startup-success",
    "--health-startup-timeout",
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
    "--no-session",
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
    "--sign-by",
    "--sign-by-sigstore",
    "--sign-by-sigstore-private-key",
    "--sign-passphrase-file",
    "--storage-opt",
    "--subgidname",
    "--subject",
    "--subuidname",
    "--sync",
    "--systemd",
    "--watch",
];

/// Verbs of Podman, at any level, that are not here yet (sorted).
const VERBS: &[&str] = &[
    "artifact",
    "auto-update",
    "build",
    "buildx",
    "checkpoint",
    "cleanup",
    "clone",
    "commit",
    "compose",
    "connection",
    "events",
    "farm",
    "generate",
    "init",
    "kube",
    "machine",
    "migrate",
    "network",
    "play",
    "pod",
    "quadlet",
    "reload",
    "renumber",
    "reset",
    "restore",
    "runlabel",
    "scp",
    "secret",
    "service",
    "sign",
    "stats",
    "top",
    "trust",
    "update",
];

/// True for a verb that Podman would take somewhere.
pub(crate) fn is_podman_verb(verb: &str) -> bool {
    VERBS.binary_search(&verb).is_ok()
}

/// True for a flag (with its dashes) that Podman would take here.
pub(crate) fn is_known_but_unsupported(flag: &str) -> bool {
    KNOWN.binary_search(&flag).is_ok()
}

#[cfg(test)]
mod tests {
    use super::{KNOWN, VERBS, is_known_but_unsupported};

    #[test]
    fn the_lists_are_sorted() {
        assert!(VERBS.is_sorted());
        assert!(KNOWN.is_sorted());
        assert!(is_known_but_unsupported("--pod") && !is_known_but_unsupported("--pods"));
    }
}
