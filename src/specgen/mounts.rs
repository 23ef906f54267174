//! The `mounts` section: what every container has, and the user's, in the order in which init makes them.

use std::path::{Path, PathBuf};

use oci_spec::runtime::Mount;

use crate::types::annotation::{CHOWN, COPY_UP, DURABLE, OF_ROOT, SUBPATH, YIELD};
use crate::types::container_spec::ContainerSpec;
use crate::types::mount::MountOptions;
use crate::types::namespace::{NamespaceMode, UsernsMode};

use super::error::Error;
use super::placement::{PlacedMount, PlacedSource, Placement};
use super::volumes::clean;

/// Files of /proc that an emulator such as lxcfs may cover.
const PROC_FILES: [&str; 8] = [
    "/proc/cpuinfo",
    "/proc/diskstats",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/swaps",
    "/proc/uptime",
    "/proc/loadavg",
    "/proc/slabinfo",
];

/// All mounts. A mount of the user replaces ours of the same target; deeper targets come later, so that no mount
/// hides one made before.
pub(super) fn mounts(spec: &ContainerSpec, at: &Placement) -> Result<Vec<Mount>, Error> {
    let mut all = kernel_mounts(spec, at)?;
    let mut wished: Vec<(PathBuf, Mount)> = Vec::new();
    if spec.security.read_only && spec.security.read_only_tmpfs {
        for target in ["/tmp", "/run", "/var/tmp"] {
            let options = ["rw", "nosuid", "nodev", "tmpcopyup", "rprivate", YIELD];
            wished.push((target.into(), mount(target, "tmpfs", "tmpfs", &options)));
        }
    }
    for placed in &at.mounts {
        let target = target(placed)?;
        wished.retain(|(known, _)| *known != target);
        wished.push((target.clone(), placed_mount(placed, &target)));
    }
    wished.extend(devices(spec, at)?.into_iter().map(|mount| (mount.destination().clone(), mount)));
    wished.sort_by_key(|(target, _)| target.components().count());
    all.retain(|ours| !wished.iter().any(|(target, _)| target == ours.destination()));
    all.extend(wished.into_iter().map(|(_, mount)| mount));
    Ok(all)
}

/// proc, /dev and what is in it, sysfs, cgroup2.
fn kernel_mounts(spec: &ContainerSpec, at: &Placement) -> Result<Vec<Mount>, Error> {
    let security = &spec.security;
    let mut all = vec![proc(spec)?];
    let dev = ["nosuid", "noexec", "strictatime", "mode=755", "size=65536k"];
    all.push(mount("/dev", "tmpfs", "tmpfs", &dev));
    // The tty group exists only if the map has it (K-B2).
    let mut pts = vec!["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"];
    if at.maps.gid.to_outside(5).is_some() {
        pts.push("gid=5");
    }
    all.push(mount("/dev/pts", "devpts", "devpts", &pts));
    match &spec.ipc {
        NamespaceMode::Host if at.without_mqueue => {}
        NamespaceMode::Host => {
            all.push(mount("/dev/mqueue", "bind", "/dev/mqueue", &["rbind", "nosuid", "noexec", "nodev"]));
        }
        _ => all.push(mount("/dev/mqueue", "mqueue", "mqueue", &["nosuid", "noexec", "nodev"])),
    }
    match (&spec.ipc, &at.shm) {
        (NamespaceMode::Host, _) => {
            all.push(mount("/dev/shm", "bind", "/dev/shm", &["rbind", "nosuid", "noexec", "nodev"]));
        }
        (_, Some(path)) => all.push(mount("/dev/shm", "bind", path, &["rbind", "nosuid", "noexec", "nodev"])),
        _ if spec.no_shm => {}
        _ => {
            let size = format!("size={}", spec.shm_bytes());
            all.push(mount("/dev/shm", "tmpfs", "shm", &["nosuid", "noexec", "nodev", "mode=1777", &size]));
        }
    }
    let access = if security.privileged { "rw" } else { "ro" };
    let sys = ["nosuid", "noexec", "nodev", access];
    if spec.network().is_own() {
        all.push(mount("/sys", "sysfs", "sysfs", &sys));
    } else {
        // A sysfs of one's own needs a network namespace of one's own (K-B2).
        all.push(mount("/sys", "bind", "/sys", &["rbind", "rslave", "nosuid", "noexec", "nodev", access]));
    }
    // The kernel mounts a cgroup namespace for the user namespace that it belongs to: never the host's, and a joined one if
    // its user namespace is joined as well.
    let is_ours = match (&spec.cgroupns, &spec.userns) {
        (NamespaceMode::Private, _) => true,
        (NamespaceMode::Container(cgroup), UsernsMode::Container(user)) => cgroup == user,
        _ => false,
    };
    if !is_ours {
        let options = ["rbind", "nosuid", "noexec", "nodev", access];
        all.push(mount("/sys/fs/cgroup", "bind", "/sys/fs/cgroup", &options));
    } else {
        let options = ["nosuid", "noexec", "nodev", "relatime", access];
        all.push(mount("/sys/fs/cgroup", "cgroup", "cgroup", &options));
    }
    Ok(all)
}

fn proc(spec: &ContainerSpec) -> Result<Mount, Error> {
    let mut options: Vec<String> = ["nosuid", "noexec", "nodev"].map(str::to_owned).to_vec();
    for option in spec.security.proc_opts.iter().flat_map(|list| list.split(',')) {
        match option.split_once('=') {
            Some(("hidepid" | "subset", _)) => options.push(option.to_owned()),
            _ if ["nosuid", "noexec", "nodev", "ro"].contains(&option) => options.push(option.to_owned()),
            _ => return Err(Error::ProcOption(option.to_owned())),
        }
    }
    if matches!(spec.pid, NamespaceMode::Host) {
        // A procfs shows the pid namespace of who mounts it, and that one is not ours.
        return Ok(mount("/proc", "bind", "/proc", &["rbind", "nosuid", "noexec", "nodev"]));
    }
    Ok(mount("/proc", "proc", "proc", &options))
}

/// The target of a mount of the user (CVE-2019-16884: nothing over /proc but what emulates it).
fn target(placed: &PlacedMount) -> Result<PathBuf, Error> {
    let target = clean(&placed.target).ok_or_else(|| Error::RelativeTarget(placed.target.clone()))?;
    let forbidden = || Error::ForbiddenTarget(target.clone());
    if target == Path::new("/") {
        return Err(forbidden());
    }
    if target == Path::new("/proc") {
        let host_proc = matches!(&placed.source, PlacedSource::Bind { path } if path == Path::new("/proc"));
        return if host_proc { Ok(target) } else { Err(forbidden()) };
    }
    if target.starts_with("/proc") && !PROC_FILES.iter().any(|file| target == Path::new(file)) {
        return Err(forbidden());
    }
    Ok(target)
}

fn placed_mount(placed: &PlacedMount, target: &Path) -> Mount {
    let yields = || placed.yields.then(|| YIELD.to_owned());
    match &placed.source {
        PlacedSource::Bind { path } => {
            let mut options = vec!["rbind".to_owned()];
            options.extend(flags(&placed.options));
            mount(target, "bind", path, &options)
        }
        PlacedSource::OwnFile { path } => {
            let mut options = vec!["rbind".to_owned(), OF_ROOT.to_owned()];
            options.extend(flags(&placed.options));
            mount(target, "bind", path, &options)
        }
        PlacedSource::Volume { path, subpath, copy_up, durable } => {
            let mut options = vec!["rbind".to_owned()];
            options.extend(flags(&placed.options));
            options.extend(placed.options.harmless().map(str::to_owned));
            options.extend(subpath.as_ref().map(|subpath| format!("{SUBPATH}={}", subpath.display())));
            if *copy_up {
                options.push(COPY_UP.to_owned());
                options.extend(durable.then(|| DURABLE.to_owned()));
            }
            options.extend(yields());
            mount(target, "bind", path, &options)
        }
        PlacedSource::Tmpfs { size, mode, copy_up } => {
            let mut options = flags(&placed.options);
            options.extend(placed.options.harmless().map(str::to_owned));
            options.extend(size.map(|size| format!("size={size}")));
            options.extend(mode.map(|mode| format!("mode={mode:o}")));
            if *copy_up {
                options.push("tmpcopyup".to_owned());
            }
            options.extend(yields());
            mount(target, "tmpfs", "tmpfs", &options)
        }
        PlacedSource::Overlay { lower, upper, work, copy_up } => {
            let mut options = flags(&placed.options);
            let lower: Vec<_> = lower.iter().map(|path| escaped(path)).collect();
            options.push(format!("lowerdir={}", lower.join(":")));
            options.push(format!("upperdir={}", upper.display()));
            options.push(format!("workdir={}", work.display()));
            options.extend(copy_up.then(|| COPY_UP.to_owned()));
            mount(target, "overlay", "overlay", &options)
        }
    }
}

/// A lower directory in overlay's list, where `:` separates.
fn escaped(path: &Path) -> String {
    path.display().to_string().replace('\\', "\\\\").replace(':', "\\:")
}

fn flags(options: &MountOptions) -> Vec<String> {
    let access = if options.read_only { "ro" } else { "rw" };
    let flags = std::iter::once(access).chain(options.said()).chain([options.propagation.name()]);
    flags.chain(options.chown.then_some(CHOWN)).map(str::to_owned).collect()
}

/// Devices are bind mounts of the host's nodes: a user namespace cannot make nodes, and its cgroup cannot filter them.
fn devices(spec: &ContainerSpec, at: &Placement) -> Result<Vec<Mount>, Error> {
    let options = ["bind", "nosuid", "noexec"];
    let mut all: Vec<Mount> = Vec::new();
    if spec.security.privileged {
        all.extend(at.host_devices.iter().map(|node| mount(node, "bind", node, &options)));
    }
    for device in &spec.security.devices {
        let target = clean(&device.container).ok_or_else(|| Error::RelativeTarget(device.container.clone()))?;
        if target == Path::new("/") || target.starts_with("/proc") {
            return Err(Error::ForbiddenTarget(target));
        }
        all.retain(|known| *known.destination() != target);
        all.push(mount(&target, "bind", &device.host, &options));
    }
    Ok(all)
}

fn mount<O: AsRef<str>>(target: impl AsRef<Path>, typ: &str, source: impl AsRef<Path>, options: &[O]) -> Mount {
    let mut mount = Mount::default();
    mount.set_destination(target.as_ref().to_owned());
    mount.set_typ(Some(typ.to_owned()));
    mount.set_source(Some(source.as_ref().to_owned()));
    mount.set_options(Some(options.iter().map(|option| option.as_ref().to_owned()).collect()));
    mount
}
