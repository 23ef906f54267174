//! Tables and snapshots of the whole.

use super::{Error, PlacedMount, PlacedSource, Placement, arguments, environment, generate, labels, user};
use crate::types::container_spec::ContainerSpec;
use crate::types::host::HostFacts;
use crate::types::idmap::{Extent, IdMap, IdMaps};
use crate::types::image_config::ImageConfig;
use crate::types::mount::MountOptions;
use crate::types::namespace::{NamespaceMode, NetworkMode, UsernsMode};
use crate::types::resources::Ulimit;
use crate::types::security::{SeccompMode, Unmask};

fn words(text: &str) -> Vec<String> {
    text.split_ascii_whitespace().map(str::to_owned).collect()
}

fn host() -> HostFacts {
    let line = |inside, outside, len| Extent { inside, outside, len };
    let map = IdMap::new(vec![line(0, 1000, 1), line(1, 100_000, 65536)]).expect("valid");
    HostFacts {
        uid: 1000,
        gid: 1000,
        groups: vec![1000],
        outer: IdMaps { uid: map.clone(), gid: map },
        controllers: words("cpu memory pids"),
        cgroup: true,
        time_namespace: true,
        last_cap: 40,
        nofile_hard: 524_288,
        nproc_hard: 30_000,
    }
}

fn placement() -> Placement {
    let line = |inside, outside, len| Extent { inside, outside, len };
    let map = IdMap::new(vec![line(0, 0, 1), line(1, 1, 65536)]).expect("valid");
    Placement {
        rootfs: "rootfs".into(),
        hostname: "0123456789ab".to_owned(),
        maps: IdMaps { uid: map.clone(), gid: map },
        kernel: (6, 1),
        ..Placement::default()
    }
}

fn image() -> ImageConfig {
    let mut image = ImageConfig::default();
    image.config.cmd = Some(words("nginx -g x"));
    image.config.env = words("PATH=/bin A=1");
    image
}

#[test]
fn default_container() {
    let mut spec = generate(&ContainerSpec::default(), &image(), &host(), &placement()).expect("valid");
    let linux = spec.linux_mut().as_mut().expect("there");
    assert!(linux.seccomp().is_some());
    linux.set_seccomp(None);
    let mut json = serde_json::to_value(&spec).expect("plain data");
    // Sets have no order.
    for set in ["bounding", "effective", "permitted"] {
        let list = json["process"]["capabilities"][set].as_array_mut().expect("a list");
        list.sort_by_key(ToString::to_string);
    }
    insta::assert_json_snapshot!(json);
}

#[test]
fn entrypoint_and_command() {
    for (entrypoint, command, image_entrypoint, image_cmd, expected) in [
        (None, "", None, Some("a b"), Some("a b")),
        (None, "c", None, Some("a b"), Some("c")),
        (None, "", Some("e"), Some("a"), Some("e a")),
        (None, "c", Some("e"), Some("a"), Some("e c")),
        (Some("x y"), "", Some("e"), Some("a"), Some("x y")),
        (Some("x"), "c d", Some("e"), Some("a"), Some("x c d")),
        (Some(""), "c", Some("e"), Some("a"), Some("c")),
        (Some(""), "", Some("e"), Some("a"), None),
        (Some(""), "", Some("e"), None, None),
        (None, "", None, None, None),
    ] {
        let mut image = ImageConfig::default();
        image.config.entrypoint = image_entrypoint.map(words);
        image.config.cmd = image_cmd.map(words);
        let spec =
            ContainerSpec { entrypoint: entrypoint.map(words), command: words(command), ..ContainerSpec::default() };
        let args = arguments(&spec, &image);
        match expected {
            Some(expected) => assert_eq!(args.expect("a command"), words(expected)),
            None if image_cmd.is_some() => assert!(matches!(args, Err(Error::DroppedCommand))),
            None => assert!(matches!(args, Err(Error::NoCommand))),
        }
    }
    let spec = ContainerSpec { entrypoint: Some(vec![String::new()]), command: words("c"), ..ContainerSpec::default() };
    assert_eq!(arguments(&spec, &image()).expect("a command"), ["c"]);
}

#[test]
fn c24_environment_of_the_image() {
    let mut image = ImageConfig::default();
    image.config.env = words("SECRET * =x A A=1 B=2 AWS_*=y B=3");
    let mut spec = ContainerSpec { tty: true, ..ContainerSpec::default() };
    spec.env = vec![("B".to_owned(), "4=5".to_owned())];
    let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let env = |spec: &ContainerSpec| environment(spec, &image, "0123456789ab", spec.tty).expect("valid");
    assert_eq!(env(&spec), [path, "container=sampan", "A=1", "B=4=5", "TERM=xterm", "HOSTNAME=0123456789ab"]);
    spec.unset_env = words("A");
    assert_eq!(env(&spec), [path, "container=sampan", "B=4=5", "TERM=xterm", "HOSTNAME=0123456789ab"]);
    spec.unset_env_all = true;
    assert_eq!(env(&spec), ["B=4=5", "TERM=xterm", "HOSTNAME=0123456789ab"]);
    spec.env = vec![("B".to_owned(), "x\0".to_owned())];
    assert!(environment(&spec, &image, "0123456789ab", false).is_err());
}

#[test]
fn c25_reserved_labels() {
    let mut image = ImageConfig::default();
    for key in ["a", "io.sampan.init", "io.podman.x", "io.containers.autoupdate", "PODMAN_SYSTEMD_UNIT"] {
        image.config.labels.insert(key.to_owned(), "image".to_owned());
    }
    let mut spec = ContainerSpec::default();
    spec.labels.insert("io.containers.autoupdate".to_owned(), "registry".to_owned());
    let labels: Vec<_> = labels(&spec, &image).into_iter().collect();
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(labels, [pair("a", "image"), pair("io.containers.autoupdate", "registry")]);
}

#[test]
fn user_in_force() {
    let mut image = image();
    image.config.user = "www".to_owned();
    let mut spec = ContainerSpec::default();
    assert_eq!(user(&spec, &image, &host()), "www");
    spec.userns = UsernsMode::KeepId { uid: None, gid: Some(7), size: None };
    assert_eq!(user(&spec, &image, &host()), "1000:7");
    spec.user = Some("0".to_owned());
    assert_eq!(user(&spec, &image, &host()), "0");
}

#[test]
fn ulimits() {
    let mut spec = ContainerSpec::default();
    let mut of = |name: &str, soft, hard| {
        spec.ulimits = vec![Ulimit { name: name.to_owned(), soft, hard }];
        let made = generate(&spec, &image(), &host(), &placement());
        made.map(|made| {
            let limits = made.process().as_ref().expect("there").rlimits().clone().expect("there");
            limits.iter().map(|limit| (limit.typ().to_string(), limit.soft(), limit.hard())).collect::<Vec<_>>()
        })
    };
    let limit = |name: &str, soft, hard| (name.to_owned(), soft, hard);
    let nproc = limit("RLIMIT_NPROC", 30_000, 30_000);
    assert_eq!(of("nofile", 5, -1).expect("valid"), [limit("RLIMIT_NOFILE", 5, 524_288), nproc.clone()]);
    let core = of("core", 0, 0).expect("valid");
    assert_eq!(core, [limit("RLIMIT_CORE", 0, 0), limit("RLIMIT_NOFILE", 524_288, 524_288), nproc]);
    assert!(matches!(of("frob", 0, 0), Err(Error::UnknownUlimit(_))));
    assert!(matches!(of("core", 2, 1), Err(Error::UlimitOrder { .. })));
    assert!(matches!(of("nofile", 1, 600_000), Err(Error::UlimitTooHigh { .. })));
}

#[test]
fn sysctls_need_their_namespace() {
    let of = |name: &str, change: fn(&mut ContainerSpec)| {
        let mut spec = ContainerSpec::default();
        spec.security.sysctl.insert(name.to_owned(), "1".to_owned());
        change(&mut spec);
        generate(&spec, &image(), &host(), &placement()).map(|made| {
            made.linux().as_ref().expect("there").sysctl().clone().expect("there").contains_key(&name.replace('/', "."))
        })
    };
    for name in ["net.core.somaxconn", "kernel.shmmax", "fs.mqueue.msg_max", "net/ipv4/ip_forward"] {
        assert!(of(name, |_| {}).expect(name), "{name}");
    }
    for name in ["kernel.core_pattern", "vm.swappiness", "net..x", "net", "kernel.hostname", "net/../../x"] {
        assert!(matches!(of(name, |_| {}), Err(Error::Sysctl(_))), "{name}");
    }
    let host_net = |spec: &mut ContainerSpec| spec.network = Some(NetworkMode::Host);
    assert!(matches!(of("net.core.somaxconn", host_net), Err(Error::SysctlNamespace { .. })));
    let host_ipc = |spec: &mut ContainerSpec| spec.ipc = NamespaceMode::Host;
    assert!(matches!(of("kernel.shmmax", host_ipc), Err(Error::SysctlNamespace { .. })));
}

fn bind(path: &str, target: &str) -> PlacedMount {
    let source = PlacedSource::Bind { path: path.into() };
    PlacedMount { target: target.into(), source, options: MountOptions::default(), yields: false }
}

#[test]
fn c26_mount_targets() {
    let of = |mounts: Vec<PlacedMount>| {
        generate(&ContainerSpec::default(), &image(), &host(), &Placement { mounts, ..placement() })
    };
    for target in ["/", "/proc", "/proc/self", "/proc/sys/kernel", "/x/../proc/1", "relative", ""] {
        assert!(of(vec![bind("/x", target)]).is_err(), "{target}");
    }
    let made = of(vec![bind("/b", "/a/b"), bind("/s", "/dev/shm"), bind("/a", "/a"), bind("/proc/x", "/proc/uptime")]);
    let made = made.expect("valid");
    let mounts = made.mounts().as_ref().expect("there");
    let targets: Vec<_> = mounts.iter().map(|mount| mount.destination().to_str().expect("text")).collect();
    assert_eq!(
        targets,
        [
            "/proc",
            "/dev",
            "/dev/pts",
            "/dev/mqueue",
            "/sys",
            "/sys/fs/cgroup",
            "/a",
            "/a/b",
            "/dev/shm",
            "/proc/uptime"
        ]
    );
}

#[test]
fn what_the_host_shares_is_bound() {
    let mut spec = ContainerSpec { network: Some(NetworkMode::Host), ..ContainerSpec::default() };
    spec.pid = NamespaceMode::Host;
    spec.security.unmask = Unmask::Paths(words("/proc/*"));
    spec.security.read_only = true;
    spec.security.read_only_tmpfs = true;
    let made = generate(&spec, &image(), &host(), &placement()).expect("valid");
    let options = |target: &str| {
        let mounts = made.mounts().as_ref().expect("there").iter();
        let mount = mounts.clone().find(|mount| mount.destination() == target).expect("there");
        format!("{} {}", mount.typ().as_ref().expect("there"), mount.options().as_ref().expect("there").join(","))
    };
    assert_eq!(options("/sys"), "bind rbind,rslave,nosuid,noexec,nodev,ro");
    assert_eq!(options("/proc"), "bind rbind,nosuid,noexec,nodev");
    assert_eq!(options("/run"), "tmpfs rw,nosuid,nodev,tmpcopyup,rprivate,x-yield");
    let linux = made.linux().as_ref().expect("there");
    let masked = linux.masked_paths().clone().expect("there");
    assert!(masked.contains(&"/sys/kernel".to_owned()) && !masked.contains(&"/proc/kcore".to_owned()));
    let namespaces = linux.namespaces().as_ref().expect("there");
    let kinds: Vec<_> = namespaces.iter().map(|namespace| namespace.typ().to_string()).collect();
    assert_eq!(kinds, ["mnt", "user", "ipc", "uts", "cgroup", "time"]);
    assert_eq!(linux.sysctl().as_ref().expect("there").len(), 0);
}

#[test]
fn privileged_lifts_what_can_be_lifted() {
    let mut spec = ContainerSpec::default();
    spec.security.privileged = true;
    let at = Placement { host_devices: vec!["/dev/kvm".into()], ..placement() };
    let made = generate(&spec, &image(), &host(), &at).expect("valid");
    let linux = made.linux().as_ref().expect("there");
    assert_eq!((linux.masked_paths().as_deref(), linux.readonly_paths().as_deref()), (Some(&[][..]), Some(&[][..])));
    assert_eq!(linux.seccomp(), &None);
    let mounts = made.mounts().as_ref().expect("there");
    assert!(mounts.iter().any(|mount| mount.destination() == "/dev/kvm"));
    spec.security.seccomp = SeccompMode::File("/x".into());
    assert!(matches!(generate(&spec, &image(), &host(), &at), Err(Error::SeccompMissing)));
}

#[test]
fn joined_namespaces_must_be_there() {
    let ipc = NamespaceMode::Container("0".repeat(64).parse().expect("an id"));
    let spec = ContainerSpec { ipc, ..ContainerSpec::default() };
    assert!(matches!(generate(&spec, &image(), &host(), &placement()), Err(Error::NotJoined("ipc"))));
}
