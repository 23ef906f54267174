//! The whole: one pure function.

use oci_spec::runtime::{Linux, LinuxIdMapping, LinuxIdMappingBuilder, Root, Spec};

use crate::types::capability::CapSet;
use crate::types::container_spec::ContainerSpec;
use crate::types::host::HostFacts;
use crate::types::idmap::{Extent, IdMap};
use crate::types::image_config::ImageConfig;
use crate::types::namespace::{NamespaceMode, UsernsMode};

use super::error::Error;
use super::placement::Placement;
use super::{annotations, mounts, namespaces, process, resources, seccomp, security};

/// The runtime spec of a container that starts now.
///
/// The id mappings are C's in P's ids (K-E): for other runtimes "host" is the namespace that they are started in.
pub(crate) fn generate(
    spec: &ContainerSpec,
    image: &ImageConfig,
    host: &HostFacts,
    at: &Placement,
) -> Result<Spec, Error> {
    let process = process::process(spec, image, host, at)?;
    let bounding = process.capabilities().as_ref().and_then(|sets| sets.bounding().as_ref());
    let bounding = bounding.map(CapSet::from_oci).unwrap_or_default();
    let mut linux = Linux::default();
    linux.set_namespaces(Some(namespaces::namespaces(spec, host, at)?));
    let (masked, read_only) = security::hidden_paths(spec);
    linux.set_masked_paths(Some(masked)).set_readonly_paths(Some(read_only));
    linux.set_sysctl(Some(security::sysctls(spec, at, &host.outer.gid)?));
    linux.set_resources(Some(resources::resources(&spec.resources, host)));
    linux.set_cgroups_path(at.cgroup.clone());
    linux.set_devices(None);
    linux.set_rootfs_propagation(Some("rprivate".to_owned()));
    // Of a path nobody knows them.
    if !matches!(spec.userns, UsernsMode::Path(_)) {
        linux.set_uid_mappings(Some(mappings(&at.maps.uid)));
        linux.set_gid_mappings(Some(mappings(&at.maps.gid)));
    }
    linux.set_seccomp(seccomp::section(&spec.security, bounding, at.seccomp_profile.as_deref(), at.kernel)?);
    let mut root = Root::default();
    root.set_path(at.rootfs.clone()).set_readonly(Some(spec.security.read_only));
    let mut whole = Spec::default();
    whole.set_root(Some(root));
    whole.set_mounts(Some(mounts::mounts(spec, at)?));
    whole.set_process(Some(process));
    whole.set_hostname(matches!(spec.uts, NamespaceMode::Private).then(|| at.hostname.clone()));
    whole.set_annotations(Some(annotations::annotations(spec, at)));
    whole.set_linux(Some(linux));
    Ok(whole)
}

fn mappings(map: &IdMap) -> Vec<LinuxIdMapping> {
    let line = |extent: &Extent| {
        let line =
            LinuxIdMappingBuilder::default().container_id(extent.inside).host_id(extent.outside).size(extent.len);
        line.build().expect("every field is set")
    };
    map.extents().iter().map(line).collect()
}
