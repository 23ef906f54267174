//! `port`.

use std::collections::BTreeMap;

use crate::engine::{Engine, Error};
use crate::types::id::ContainerId;
use crate::types::name::VolumeName;

use super::list::{self, PortEntry};

impl Engine {
    /// Published ports of a container, one entry each: a range is taken apart.
    pub(crate) fn published_ports(&self, id: &ContainerId) -> Result<Vec<PortEntry>, Error> {
        let record = self.store.container(id)?;
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
        Ok(entries.into_values().collect())
    }

    /// A name for an anonymous volume.
    pub(crate) fn fresh_volume_name() -> VolumeName {
        crate::storage::volumes::VolumeMeta::random_name()
    }
}
