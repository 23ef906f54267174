//! `ps`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::filter::Filters;
use crate::engine::error::failure;
use crate::engine::{Engine, Error};
use crate::rootless::worker;
use crate::specgen;
use crate::storage::container_record::{ContainerRecord, StorageDriver, Supervision};
use crate::storage::usage;
use crate::types::image_config::ImageConfig;
use crate::types::port::{PortMapping, parse_exposed};
use crate::types::status::ContainerStatus;

/// What `ps` is asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct ListRequest {
    /// Not only those that run.
    pub(crate) all: bool,
    /// The last so many made, whatever their status.
    pub(crate) last: Option<usize>,
    /// The last one made.
    pub(crate) latest: bool,
    pub(crate) filters: Vec<String>,
    /// Count bytes, which takes a worker in P.
    pub(crate) size: bool,
    pub(crate) sort: SortKey,
    /// Look at the namespaces of those that run.
    pub(crate) namespaces: bool,
}

/// `--sort`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum SortKey {
    #[default]
    Created,
    Command,
    Id,
    Image,
    Names,
    RunningFor,
    Size,
    Status,
}

impl std::str::FromStr for SortKey {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "created" => Ok(Self::Created),
            "command" => Ok(Self::Command),
            "id" => Ok(Self::Id),
            "image" => Ok(Self::Image),
            "names" => Ok(Self::Names),
            "runningfor" => Ok(Self::RunningFor),
            "size" => Ok(Self::Size),
            "status" => Ok(Self::Status),
            _ => Err("the sort key must be command, created, id, image, names, runningfor, size or status"),
        }
    }
}

/// Rows, and a line for each container that could not be read.
#[derive(Debug, Default)]
pub(crate) struct ListReport {
    pub(crate) containers: Vec<ListEntry>,
    pub(crate) warnings: Vec<String>,
}

/// One container, in the shape of `podman ps --format json`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListEntry {
    pub(crate) auto_remove: bool,
    pub(crate) command: Vec<String>,
    /// Seconds since 1970.
    pub(crate) created: i64,
    /// The same with its fraction, for templates.
    #[serde(skip)]
    pub(crate) created_at: Timestamp,
    #[serde(rename = "CIDFile")]
    pub(crate) cid_file: String,
    pub(crate) exited: bool,
    /// Seconds since 1970; 0 if it never ended.
    pub(crate) exited_at: i64,
    pub(crate) exit_code: i32,
    pub(crate) exposed_ports: BTreeMap<u16, Vec<String>>,
    pub(crate) id: String,
    pub(crate) image: String,
    #[serde(rename = "ImageID")]
    pub(crate) image_id: String,
    pub(crate) is_infra: bool,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) mounts: Vec<String>,
    pub(crate) names: Vec<String>,
    pub(crate) namespaces: BTreeMap<String, String>,
    pub(crate) networks: Vec<String>,
    pub(crate) pid: u32,
    pub(crate) pod: String,
    pub(crate) pod_name: String,
    pub(crate) ports: Vec<PortEntry>,
    pub(crate) restarts: u32,
    pub(crate) size: Option<SizeEntry>,
    /// Seconds since 1970; 0 if it never started.
    pub(crate) started_at: i64,
    pub(crate) state: String,
    /// Health, `(unsupervised)` or nothing: what the CLI appends to "Up 5 minutes".
    #[serde(skip)]
    pub(crate) remark: Option<&'static str>,
}

/// A published port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct PortEntry {
    pub(crate) host_ip: String,
    pub(crate) container_port: u16,
    pub(crate) host_port: u16,
    pub(crate) range: u16,
    pub(crate) protocol: String,
}

/// A container of the list: when it was made, what is shown of it, and its record if bytes are to be counted.
type Row = (jiff::Timestamp, ListEntry, Option<Box<ContainerRecord>>);

/// Bytes that the container wrote, and with those of its image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct SizeEntry {
    #[serde(rename = "rootFsSize")]
    pub(crate) root_fs: u64,
    #[serde(rename = "rwSize")]
    pub(crate) rw: u64,
}

impl Engine {
    /// Lists containers.
    pub(crate) fn list(&self, request: &ListRequest) -> Result<ListReport, Error> {
        let filters = Filters::parse(self, &request.filters)?;
        let last = if request.latest { Some(1) } else { request.last };
        let all = request.all || last.is_some() || filters.wants_all();
        let mut rows: Vec<Row> = Vec::new();
        let broken = self.store.each_container(|record| {
            if (all || record.status.is_alive()) && filters.matches(&record) {
                let mut entry = entry(&record);
                if let Some(owner) = self.network_owner(&record) {
                    entry.ports = ports(&owner).iter().map(port_entry).collect();
                }
                rows.push((record.config.created, entry, request.size.then(|| Box::new(record))));
            }
        })?;
        rows.sort_by(|(a, one, _), (b, other, _)| (a, &one.id).cmp(&(b, &other.id)));
        if let Some(last) = last {
            rows.drain(..rows.len().saturating_sub(last));
        }
        let mut containers = Vec::with_capacity(rows.len());
        let mut records = Vec::new();
        for (_, mut container, record) in rows {
            if request.namespaces {
                container.namespaces = namespaces(container.pid);
            }
            containers.push(container);
            records.extend(record.map(|record| *record));
        }
        if request.size {
            for (container, size) in containers.iter_mut().zip(self.sizes(&records)?) {
                container.size = Some(size);
            }
        }
        sort(&mut containers, request.sort);
        let warnings = broken
            .iter()
            .map(|broken| {
                format!("container {} cannot be read ({}): see `sampan system check`", broken.id.short(), broken.error)
            })
            .collect();
        Ok(ListReport { containers, warnings })
    }

    /// Counts bytes of several containers by one worker in P.
    pub(super) fn sizes(&self, records: &[ContainerRecord]) -> Result<Vec<SizeEntry>, Error> {
        let layout = self.store.layout();
        let trees: Vec<_> = records
            .iter()
            .map(|record| match record.config.driver {
                StorageDriver::Copy => layout.container_rootfs(record.id()),
                StorageDriver::Overlay | StorageDriver::FuseOverlayfs => layout.container_upper(record.id()),
            })
            .collect();
        let counted: Vec<u64> = worker::run(&self.outer()?, || {
            let count = |tree: &std::path::PathBuf| usage::of_tree(tree);
            trees.iter().map(count).collect::<Result<_, _>>().map_err(|error| failure(&error))
        })?;
        let sized = records.iter().zip(counted).map(|(record, rw)| {
            let image = record.config.image.as_ref().and_then(|image| self.store.image_record(&image.digest).ok()?);
            let image = image.map_or(0, |image| image.size);
            match record.config.driver {
                StorageDriver::Copy => SizeEntry { root_fs: rw, rw: rw.saturating_sub(image) },
                StorageDriver::Overlay | StorageDriver::FuseOverlayfs => SizeEntry { root_fs: image + rw, rw },
            }
        });
        Ok(sized.collect())
    }
}

fn entry(record: &ContainerRecord) -> ListEntry {
    let config = &record.config;
    let spec = &config.spec;
    let empty = ImageConfig::default();
    let image = config.image.as_ref().map_or(&empty, |image| &image.config);
    let (started, ended) = times(record);
    ListEntry {
        auto_remove: spec.remove,
        command: command(record),
        created: config.created.as_second(),
        created_at: config.created,
        cid_file: spec.cidfile.as_ref().map(|path| path.display().to_string()).unwrap_or_default(),
        exited: record.status == ContainerStatus::Exited,
        exited_at: ended.map_or(0, |time| time.as_second()),
        exit_code: record.exit.as_ref().map_or(0, |exit| exit.code),
        exposed_ports: exposed(record),
        id: config.id.to_string(),
        image: config.image.as_ref().map_or_else(
            || spec.rootfs.as_ref().map(|path| path.display().to_string()).unwrap_or_default(),
            |image| image.name.clone(),
        ),
        image_id: config.image.as_ref().map(|image| image.id.to_string()).unwrap_or_default(),
        is_infra: false,
        labels: specgen::labels(spec, image),
        mounts: spec.mounts.iter().map(|mount| mount.target.display().to_string()).collect(),
        names: vec![config.name.to_string()],
        namespaces: BTreeMap::new(),
        networks: vec![spec.network().name().to_owned()],
        pid: record.init().map_or(0, |init| init.pid),
        pod: String::new(),
        pod_name: String::new(),
        ports: ports(record).iter().map(port_entry).collect(),
        restarts: record.restarts(),
        size: None,
        started_at: started.map_or(0, |time| time.as_second()),
        state: record.status.as_str().to_owned(),
        remark: match record.supervision {
            Supervision::Unsupervised => Some("unsupervised"),
            _ if record.status.is_alive() => record.health.as_ref().map(|health| health.status.as_str()),
            _ => None,
        },
    }
}

/// Start and end of the present or the last run.
pub(super) fn times(record: &ContainerRecord) -> (Option<jiff::Timestamp>, Option<jiff::Timestamp>) {
    let state = record.state.as_ref();
    match &record.exit {
        Some(exit) => (exit.started_at.or(state.and_then(|state| state.started_at)), Some(exit.finished_at)),
        None => (state.and_then(|state| state.started_at), None),
    }
}

/// The user's command or the image's CMD, as Podman's COMMAND column; the entry point is not in it.
pub(in crate::engine) fn command(record: &ContainerRecord) -> Vec<String> {
    let spec = &record.config.spec;
    if !spec.command.is_empty() || spec.entrypoint.is_some() {
        return spec.command.clone();
    }
    record.config.image.as_ref().and_then(|image| image.config.config.cmd.clone()).unwrap_or_default()
}

/// Published ports: as they are, or as they are wished while the container does not run.
pub(super) fn ports(record: &ContainerRecord) -> &[PortMapping] {
    match &record.state {
        Some(state) if record.status.is_alive() => &state.ports,
        _ => &record.config.spec.ports,
    }
}

pub(super) fn port_entry(port: &PortMapping) -> PortEntry {
    PortEntry {
        host_ip: port.host_ip.map(|ip| ip.to_string()).unwrap_or_default(),
        container_port: port.container_port,
        host_port: port.host_port,
        range: port.range,
        protocol: port.protocol.to_string(),
    }
}

/// `EXPOSE` of the image and `--expose`: port → protocols.
pub(super) fn exposed(record: &ContainerRecord) -> BTreeMap<u16, Vec<String>> {
    let image = record.config.image.iter().flat_map(|image| image.config.config.exposed_ports.keys());
    let mut ports: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    for mapping in image.chain(&record.config.spec.expose).filter_map(|text| parse_exposed(text).ok()) {
        for offset in 0..mapping.range {
            let protocols = ports.entry(mapping.container_port.saturating_add(offset)).or_default();
            let protocol = mapping.protocol.to_string();
            if !protocols.contains(&protocol) {
                protocols.push(protocol);
            }
        }
    }
    ports
}

/// Numbers of the namespaces of init (`ps --ns`).
fn namespaces(init: u32) -> BTreeMap<String, String> {
    let kinds = [
        ("Cgroup", "cgroup"),
        ("Ipc", "ipc"),
        ("Mnt", "mnt"),
        ("Net", "net"),
        ("Pidns", "pid"),
        ("UserNS", "user"),
        ("Uts", "uts"),
    ];
    let read = |(key, name): (&str, &str)| {
        let link = crate::sys::fs::read_link(std::path::Path::new(&format!("/proc/{init}/ns/{name}"))).ok()?;
        let number = link.to_str()?.split_once('[')?.1.trim_end_matches(']').to_owned();
        Some((key.to_owned(), number))
    };
    kinds.into_iter().filter_map(read).collect()
}

fn sort(containers: &mut [ListEntry], key: SortKey) {
    match key {
        // They come sorted by time and id, and every sort here is stable.
        SortKey::Created => {}
        SortKey::Command => containers.sort_by(|a, b| a.command.cmp(&b.command)),
        SortKey::Id => containers.sort_by(|a, b| a.id.cmp(&b.id)),
        SortKey::Image => containers.sort_by(|a, b| a.image.cmp(&b.image)),
        SortKey::Names => containers.sort_by(|a, b| a.names.cmp(&b.names)),
        SortKey::RunningFor => containers.sort_by_key(|container| container.started_at),
        SortKey::Size => containers.sort_by_key(|container| container.size.map_or(0, |size| size.rw)),
        SortKey::Status => containers.sort_by(|a, b| a.state.cmp(&b.state)),
    }
}
