//! The files that every container gets: `/etc/hosts`, `/etc/resolv.conf`, `/etc/hostname` and their like.

use std::path::{Path, PathBuf};

use crate::engine::error::{Error, failure};
use crate::engine::handle::Engine;
use crate::network::{self, HostsInput, NetworkPlan, ResolvInput};
use crate::rootless::worker;
use crate::specgen::{PlacedMount, PlacedSource};
use crate::storage::container_record::ContainerConfig;
use crate::sys;
use crate::types::id::ContainerId;
use crate::types::mount::MountOptions;
use crate::types::namespace::NetworkMode;

use super::timezone;

/// A file of another container is not ours to trust: more of it than this is not read.
const LARGEST: u64 = 1 << 20;

/// Names and servers that a container begins with.
struct Bases {
    /// None: the file of the image stays.
    hosts: Option<String>,
    resolv: Option<String>,
    /// The real servers behind systemd-resolved.
    resolved: Option<String>,
}

impl Engine {
    /// Writes them to the container's directory.
    pub(super) fn generated_files(
        &self,
        config: &ContainerConfig,
        plan: &NetworkPlan,
        hostname: &str,
    ) -> Result<Vec<PlacedMount>, Error> {
        let spec = &config.spec;
        let bases = self.bases(config)?;
        let mut files = Vec::new();
        let servers = !(spec.dns.is_empty() && spec.dns_search.is_empty() && spec.dns_options.is_empty());
        if !spec.no_resolv_conf && (bases.resolv.is_some() || servers) {
            let resolv = network::resolv_conf(&ResolvInput {
                plan,
                host: bases.resolv.as_deref().unwrap_or_default(),
                resolved: bases.resolved.as_deref(),
                servers: &spec.dns,
                search: &spec.dns_search,
                options: &spec.dns_options,
            });
            files.push(("resolv.conf", "/etc/resolv.conf", resolv.map_err(Error::Network)?));
        }
        if !spec.no_hosts && (bases.hosts.is_some() || !spec.add_host.is_empty()) {
            let hosts = network::hosts(&HostsInput {
                plan,
                base: bases.hosts.as_deref().unwrap_or_default(),
                hostname,
                name: config.name.as_str(),
                add: &spec.add_host,
            });
            files.push(("hosts", "/etc/hosts", hosts.map_err(Error::Network)?));
        }
        files.push(("hostname", "/etc/hostname", network::hostname_file(hostname).map_err(Error::Network)?));
        // It is not worth a file in what the user has there.
        if !spec.mounts.iter().any(|mount| Path::new("/run/.containerenv").starts_with(&mount.target)) {
            files.push(("containerenv", "/run/.containerenv", containerenv(config)));
        }
        let mut files: Vec<_> =
            files.into_iter().map(|(name, target, text)| (name, target, text.into_bytes())).collect();
        if let Some(zone) = &spec.timezone
            && let Some(bytes) = timezone::read(zone)?
        {
            files.push(("localtime", "/etc/localtime", bytes));
        }
        files.into_iter().map(|(name, target, bytes)| self.placed_file(config, name, target, &bytes)).collect()
    }

    /// As Podman: with `--read-only` nothing of them can be changed, either.
    pub(super) fn placed_file(
        &self,
        config: &ContainerConfig,
        name: &str,
        target: &str,
        bytes: &[u8],
    ) -> Result<PlacedMount, Error> {
        let path = self.store.layout().container_file(&config.id, name);
        sys::fs::replace_public(&path, bytes).map_err(|source| Error::Path {
            what: "write",
            path: path.clone(),
            source,
        })?;
        let read_only = config.spec.security.read_only;
        let noexec = read_only.then_some(true);
        let options =
            MountOptions { read_only, noexec, nosuid: Some(true), nodev: Some(true), ..MountOptions::default() };
        Ok(PlacedMount { target: target.into(), source: PlacedSource::OwnFile { path }, options, yields: false })
    }

    /// The host's files; in the network of another container that one's, which say who is whom there.
    fn bases(&self, config: &ContainerConfig) -> Result<Bases, Error> {
        if let Some(NetworkMode::Container(donor)) = &config.spec.network {
            return self.bases_of(donor);
        }
        let resolved = host_file("/run/systemd/resolve/resolv.conf")?;
        Ok(Bases {
            hosts: Some(host_file("/etc/hosts")?),
            resolv: Some(host_file("/etc/resolv.conf")?),
            resolved: Some(resolved).filter(|text| !text.is_empty()),
        })
    }

    fn bases_of(&self, donor: &ContainerId) -> Result<Bases, Error> {
        let theirs = self.store.container_config(donor)?.spec;
        let read = |name: &str| {
            let path = self.store.layout().container_file(donor, name);
            let text = match sys::fs::absent_is_none(sys::fs::read_first(&path, LARGEST)) {
                // Its root may have closed it to the caller: P has power over it.
                Err(closed) if closed.is(sys::Errno::EACCES) => worker::run(&self.outer()?, || {
                    let read = sys::fs::absent_is_none(sys::fs::read_first(&path, LARGEST));
                    read.map_err(|error| failure(&error))
                })?,
                read => read.map_err(|source| Error::Path { what: "read", path: path.clone(), source })?,
            };
            let Some((mut text, whole)) = text else { return Ok(None) };
            if !whole {
                // It cannot keep others from its network by that. Half a line would be another name.
                tracing::warn!(?path, "more than {LARGEST} bytes: the rest is left out");
                text.truncate(text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1));
            }
            Ok::<_, Error>(Some(String::from_utf8_lossy(&text).into_owned()))
        };
        // What it does not have, we do not have, either.
        Ok(Bases {
            hosts: if theirs.no_hosts { None } else { read("hosts")? },
            resolv: if theirs.no_resolv_conf { None } else { read("resolv.conf")? },
            resolved: None,
        })
    }
}

/// Text of a file of the host; empty if it is not there.
fn host_file(path: &str) -> Result<String, Error> {
    let text = sys::fs::read_if_exists(Path::new(path));
    let text = text.map_err(|source| Error::Path { what: "read", path: PathBuf::from(path), source })?;
    Ok(String::from_utf8_lossy(&text.unwrap_or_default()).into_owned())
}

/// What Podman writes for programs that ask whether they run in a container.
fn containerenv(config: &ContainerConfig) -> String {
    let image = config.image.as_ref();
    format!(
        "engine=\"sampan-{}\"\nname=\"{}\"\nid=\"{}\"\nimage=\"{}\"\nimageid=\"{}\"\nrootless=1\n",
        env!("CARGO_PKG_VERSION"),
        config.name,
        config.id,
        image.map_or("", |image| image.name.as_str()),
        image.map_or("", |image| image.id.as_str()),
    )
}
