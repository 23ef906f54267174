//! `port`.

use std::collections::BTreeMap;

use crate::engine::{Engine, Error};
use crate::network::{self, NetworkRequest};
use crate::storage::container_record::ContainerRecord;
use crate::sys::lock::FileLock;
use crate::types::container_spec::ContainerSpec;
use crate::types::id::ContainerId;
use crate::types::image_config::ImageConfig;
use crate::types::name::VolumeName;
use crate::types::namespace::NetworkMode;
use crate::types::port::{PortMapping, parse_exposed};

use super::list::{self, PortEntry};

/// Ports of `--expose` and of the image; an EXPOSE that is no port is of no use and no harm.
pub(super) fn exposed(spec: &ContainerSpec, image: &ImageConfig) -> Vec<PortMapping> {
    spec.expose.iter().chain(image.config.exposed_ports.keys()).filter_map(|text| parse_exposed(text).ok()).collect()
}

impl Engine {
    /// Published ports of a container, one entry each: a range is taken apart. `None` while it does not run: nobody listens.
    pub(crate) fn published_ports(&self, id: &ContainerId) -> Result<Option<Vec<PortEntry>>, Error> {
        let record = self.store.container(id)?;
        if !record.status.is_alive() {
            return Ok(None);
        }
        let record = self.network_owner(&record).unwrap_or(record);
        let mut entries = BTreeMap::new();
        for port in list::ports(&record) {
            for offset in 0..port.range {
                let mut entry = list::port_entry(port);
                entry.container_port = entry.container_port.saturating_add(offset);
                entry.host_port = entry.host_port.saturating_add(offset);
                entry.range = 1;
                entries.insert((entry.container_port, entry.protocol.clone(), entry.host_ip.clone()), entry);
            }
        }
        Ok(Some(entries.into_values().collect()))
    }

    /// The container whose network another one has (`--network container:`), through those between; `None` for one with its own,
    /// and where one of them cannot be read.
    pub(super) fn network_owner(&self, record: &ContainerRecord) -> Option<ContainerRecord> {
        let mut owner = None;
        // More than anybody chains; a damaged record may lead round in a circle.
        for _ in 0..16 {
            let spec = &owner.as_ref().unwrap_or(record).config.spec;
            let Some(NetworkMode::Container(id)) = &spec.network else { return owner };
            owner = Some(self.store.container(id).ok()?);
        }
        None
    }

    /// Chooses the ports of the host that nobody named, for the container's whole life. They are this container's as soon
    /// as its record is there; the lock is to be kept until then.
    pub(super) fn choose_ports(
        &self,
        spec: &mut ContainerSpec,
        image: &ImageConfig,
    ) -> Result<Option<FileLock>, Error> {
        let mode = spec.network();
        if !mode.has_uplink() {
            return Ok(None);
        }
        let exposed = exposed(spec, image);
        let mut wanted = network::wanted_ports(&NetworkRequest {
            mode: &mode,
            ports: &spec.ports,
            publish_all: spec.publish_all,
            exposed: &exposed,
            host_ips: &spec.host_ips,
            path: &self.config.path,
        });
        let known = || {
            let records = self.store.containers().map(|(records, _)| records).unwrap_or_default();
            records.iter().flat_map(|record| list::ports(record).to_vec()).collect()
        };
        let guard = network::choose_ports(&self.store.layout().ports(), &mut wanted, known).map_err(Error::Network)?;
        spec.ports = wanted;
        Ok(guard)
    }

    /// A name for an anonymous volume.
    pub(crate) fn fresh_volume_name() -> VolumeName {
        crate::storage::volumes::VolumeMeta::random_name()
    }
}
