//! Mount options of the OCI spec (`config.md`, "Linux mount options") as attributes, propagation and data.

use std::path::{Path, PathBuf};

use crate::sys::mount::{Attributes, PropagationKind};

use crate::types::annotation::{CHOWN, COPY_UP, DURABLE, OF_ROOT, SUBPATH, YIELD};

use super::error::Error;

/// A list of options, understood.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct MountOptions {
    pub(super) attributes: Attributes,
    /// The attributes hold for mounts below as well (`rro` and every `ro` of ours, K-B2).
    pub(super) bind: bool,
    pub(super) propagation: Option<PropagationKind>,
    /// `tmpcopyup`, `x-copy-up`: an empty file system or directory starts with what the image has there.
    pub(super) copy_up: bool,
    /// `x-durable`: that is synced.
    pub(super) durable: bool,
    /// `x-chown`: the source is given to the program's user.
    pub(super) chown: bool,
    /// `x-of-root`: the source is given to the container's root.
    pub(super) of_root: bool,
    /// `x-yield`: it covers no other mount.
    pub(super) yields: bool,
    /// `x-subpath`: a part of the source, resolved in it.
    pub(super) subpath: Option<PathBuf>,
    /// For the file system: `key=value`, or a flag.
    pub(super) data: Vec<(String, Option<String>)>,
}

/// Options that need no act of ours: defaults, and what the kernel decides by itself.
const NEUTRAL: [&str; 16] = [
    "defaults",
    "rw",
    "suid",
    "dev",
    "exec",
    "relatime",
    "strictatime",
    "norelatime",
    "atime",
    "diratime",
    "noatime",
    "nodiratime",
    "async",
    "notmpcopyup",
    "newinstance",
    "rrw",
];

impl MountOptions {
    pub(super) fn parse(target: &Path, options: &[String]) -> Result<Self, Error> {
        let mut parsed = Self::default();
        for option in options {
            match option.as_str() {
                "ro" | "rro" => parsed.attributes.read_only = true,
                "nosuid" | "rnosuid" => parsed.attributes.nosuid = true,
                "nodev" | "rnodev" => parsed.attributes.nodev = true,
                "noexec" | "rnoexec" => parsed.attributes.noexec = true,
                "bind" | "rbind" => parsed.bind = true,
                "private" | "rprivate" => parsed.propagation = Some(PropagationKind::Private),
                "slave" | "rslave" => parsed.propagation = Some(PropagationKind::Slave),
                "shared" | "rshared" => parsed.propagation = Some(PropagationKind::Shared),
                "unbindable" | "runbindable" => parsed.propagation = Some(PropagationKind::Unbindable),
                "tmpcopyup" | COPY_UP => parsed.copy_up = true,
                DURABLE => parsed.durable = true,
                CHOWN => parsed.chown = true,
                OF_ROOT => parsed.of_root = true,
                YIELD => parsed.yields = true,
                neutral if NEUTRAL.contains(&neutral) => {}
                data => match data.split_once('=') {
                    Some((SUBPATH, value)) => parsed.subpath = Some(value.into()),
                    Some((key, value)) => parsed.data.push((key.to_owned(), Some(value.to_owned()))),
                    None if data.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') => {
                        parsed.data.push((data.to_owned(), None));
                    }
                    None => {
                        return Err(Error::MountOption { target: target.to_owned(), option: data.to_owned() });
                    }
                },
            }
        }
        Ok(parsed)
    }

    /// `mode=`, which is octal.
    pub(super) fn mode(&self) -> Option<u32> {
        let (_, text) = self.data.iter().find(|(key, _)| key == "mode")?;
        u32::from_str_radix(text.as_deref()?, 8).ok()
    }
}
