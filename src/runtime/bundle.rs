//! What the runtime is asked to run: an OCI spec, and how the root file system comes about.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use oci_spec::runtime::{BoxBuilder, LinuxNamespaceType, Spec};

use crate::sys::pty::WindowSize;
use crate::types::annotation::COPY_UP;
use crate::types::idmap::{Extent, IdMap, IdMaps};
use crate::types::rootfs_plan::RootfsPlan;

use super::error::Error;

/// A bundle. Serialisable, because it follows init across a re-execution.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Bundle {
    pub(crate) spec: Spec,
    pub(crate) rootfs: RootfsPlan,
    /// Sampan stays pid 1 and reaps (`--init`).
    pub(crate) reaper: bool,
    /// Answer the chown and set-id families with success (single-id mode, K-A9).
    pub(crate) single_id: bool,
    /// The working directory is the image's: made if the image lacks it. One that was asked for must be there.
    pub(crate) make_workdir: bool,
    /// Supplementary groups as written (`--group-add`); `keep-groups` keeps the caller's.
    pub(crate) group_add: Vec<String>,
}

impl Bundle {
    /// The size that the program's terminal has before the program looks: one that came later it would have to be told of.
    pub(crate) fn set_window(&mut self, size: WindowSize) {
        let console = BoxBuilder::default().height(size.rows).width(size.columns).build();
        if let (Some(process), Ok(console)) = (self.spec.process_mut(), console) {
            process.set_console_size(Some(console));
        }
    }

    /// For the runs after the first: the volumes have been filled, and what is in them now is the programs'.
    pub(crate) fn keep_volumes(&mut self) {
        let mut mounts = self.spec.mounts().clone();
        for mount in mounts.iter_mut().flatten().filter(|mount| mount.typ().as_deref() == Some("bind")) {
            let kept = mount.options().iter().flatten().filter(|option| *option != COPY_UP).cloned().collect();
            mount.set_options(Some(kept));
        }
        self.spec.set_mounts(mounts);
    }

    pub(super) fn window(&self) -> Option<WindowSize> {
        let console = self.spec.process().as_ref()?.console_size()?;
        let (rows, columns) = (u16::try_from(console.height()).ok()?, u16::try_from(console.width()).ok()?);
        Some(WindowSize { rows, columns })
    }

    /// Paths into `/proc` of some processes lead to others, which have taken their place: `(before, now)`.
    pub(crate) fn follow(&mut self, moved: &[(u32, u32)]) {
        let follow = |path: &mut PathBuf| {
            let new = moved.iter().find_map(|(before, now)| {
                let rest = path.strip_prefix(format!("/proc/{before}")).ok()?;
                Some(Path::new("/proc").join(now.to_string()).join(rest))
            });
            if let Some(new) = new {
                *path = new;
            }
        };
        let linux = self.spec.linux_mut().as_mut();
        for namespace in linux.and_then(|linux| linux.namespaces_mut().as_mut()).into_iter().flatten() {
            if let Some(mut path) = namespace.path().clone() {
                follow(&mut path);
                namespace.set_path(Some(path));
            }
        }
        for mount in self.spec.mounts_mut().iter_mut().flatten() {
            if let Some(mut source) = mount.source().clone() {
                follow(&mut source);
                mount.set_source(Some(source));
            }
        }
    }

    /// C ← P, from the spec.
    pub(super) fn maps(&self) -> Result<IdMaps, Error> {
        let linux = self.spec.linux().as_ref();
        let map = |list: Option<&Vec<oci_spec::runtime::LinuxIdMapping>>| {
            let extents = list.into_iter().flatten();
            let extents = extents.map(|m| Extent { inside: m.container_id(), outside: m.host_id(), len: m.size() });
            IdMap::new(extents.collect()).map_err(Error::IdMap)
        };
        Ok(IdMaps {
            uid: map(linux.and_then(|linux| linux.uid_mappings().as_ref()))?,
            gid: map(linux.and_then(|linux| linux.gid_mappings().as_ref()))?,
        })
    }

    /// The namespace of this kind that the spec lists: `Some(None)` = a new one.
    pub(super) fn namespace(&self, kind: LinuxNamespaceType) -> Option<Option<&std::path::PathBuf>> {
        let list = self.spec.linux().as_ref()?.namespaces().as_ref()?;
        list.iter().find(|namespace| namespace.typ() == kind).map(|namespace| namespace.path().as_ref())
    }

    /// The container has a namespace of this kind to itself.
    pub(super) fn is_new(&self, kind: LinuxNamespaceType) -> bool {
        self.namespace(kind) == Some(None)
    }

    /// The container is born into the user namespace of another one, whose processes have power over it at once. Until its
    /// program runs they must neither see nor reach what belongs to the host.
    pub(super) fn joins_userns(&self) -> bool {
        matches!(self.namespace(LinuxNamespaceType::User), Some(Some(_)))
    }

    /// The container's processes are to be among those of another one, in whose user namespace it is, too.
    pub(super) fn moves_in(&self) -> bool {
        self.joins_userns() && matches!(self.namespace(LinuxNamespaceType::Pid), Some(Some(_)))
    }

    pub(super) fn terminal(&self) -> bool {
        self.spec.process().as_ref().and_then(oci_spec::runtime::Process::terminal).unwrap_or(false)
    }
}
