//! Tables: a line of flags → what it comes to, or the error.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Parser;

use crate::config::containers_conf::ContainersConf;
use crate::types::container_spec::{ContainerSpec, ImageVolume, LogDriver};
use crate::types::failure::chain;
use crate::types::id::ContainerId;
use crate::types::idmap::{Extent, IdMap, IdMaps};
use crate::types::mount::{MountSource, Propagation};
use crate::types::name::VolumeName;
use crate::types::namespace::{NamespaceMode, NetworkMode, UsernsMode};
use crate::types::restart::RestartPolicy;
use crate::types::security::{SeccompMode, Unmask};

use super::super::context::Invocation;
use super::super::error::Error;
use super::super::flags::CreateFlags;
use super::spec::Lowered;
use super::{FlagError, Surroundings, container_spec};

#[derive(Debug, clap::Parser)]
#[command(disable_help_flag = true, disable_help_subcommand = true)]
struct Line {
    #[command(flatten)]
    flags: CreateFlags,
    #[command(subcommand)]
    words: Option<Words>,
}

#[derive(Debug, clap::Subcommand)]
enum Words {
    #[command(external_subcommand)]
    Given(Vec<OsString>),
}

fn extent(inside: u32, outside: u32, len: u32) -> Extent {
    Extent { inside, outside, len }
}

fn invocation() -> Invocation {
    let env = [("HOST", "h"), ("PRE_A", "1"), ("PRE_B", "2"), ("http_proxy", "http://p"), ("TERM", "xterm")];
    Invocation {
        cwd: Some(PathBuf::from("/home/u")),
        env: env.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
        ..Invocation::default()
    }
}

fn lower_words(words: &[&str], files: &[(&str, &str)]) -> Result<Lowered, String> {
    lower_at(&invocation(), words, files)
}

fn lower_at(at: &Invocation, words: &[&str], files: &[(&str, &str)]) -> Result<Lowered, String> {
    lower_with(at, &ContainersConf::default(), words, files)
}

fn lower_with(
    at: &Invocation,
    defaults: &ContainersConf,
    words: &[&str],
    files: &[(&str, &str)],
) -> Result<Lowered, String> {
    let line = Line::try_parse_from(["run"].iter().chain(words)).map_err(|error| error.kind().to_string())?;
    let read = |path: &Path| {
        let found = files.iter().find(|(name, _)| Path::new(name) == path);
        found.map(|(_, text)| text.as_bytes().to_vec()).ok_or(Error::Flag(FlagError::NoImage))
    };
    let around = Surroundings {
        at,
        defaults,
        read: &read,
        container: &|_| Ok(ContainerId::from_bytes([7; 32])),
        outer: &|| {
            let map = IdMap::new(vec![extent(0, 1000, 1), extent(1, 100_000, 65536)]).expect("valid");
            Ok(IdMaps { uid: map.clone(), gid: map })
        },
        fresh_volume: &|| "f00d".parse::<VolumeName>().expect("valid"),
    };
    let words = line.words.map_or_else(Vec::new, |Words::Given(words)| words);
    container_spec(&line.flags, &words, &around).map_err(|error| chain(&error))
}

/// Lowers a line of words without quotes; the image is put at its end.
fn lower(line: &str) -> Result<ContainerSpec, String> {
    let mut words: Vec<&str> = line.split(' ').filter(|word| !word.is_empty()).collect();
    words.push("img");
    lower_words(&words, &[]).map(|lowered| lowered.spec)
}

fn good(line: &str) -> ContainerSpec {
    lower(line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn all_bad(lines: &[&str]) {
    for line in lines {
        assert!(lower(line).is_err(), "{line}");
    }
}

#[test]
fn flags_end_at_the_image() {
    for (words, command) in [
        (vec!["-it", "--rm", "img", "-c", "x", "--rm"], vec!["-c", "x", "--rm"]),
        (vec!["--", "img", "ls", "--", "-l"], vec!["ls", "--", "-l"]),
        (vec!["help", "me"], vec!["me"]),
    ] {
        assert_eq!(lower_words(&words, &[]).expect("a spec").spec.command, command);
    }
    let spec = good("-it --rm -m512m -eA=1 -p8080:80 -h web");
    assert!(spec.interactive && spec.tty && spec.remove);
    assert_eq!((spec.resources.memory, spec.hostname.as_deref()), (Some(512 << 20), Some("web")));
    assert!(lower_words(&["-it"], &[]).is_err());
    all_bad(&["--nope", "--name", "--memory"]);
}

#[test]
fn environment_by_precedence() {
    let env = |words: &[&str], files: &[(&str, &str)]| {
        let words: Vec<&str> = words.iter().copied().chain(["img"]).collect();
        lower_words(&words, files).map(|lowered| lowered.spec.env.into_iter().collect::<BTreeMap<_, _>>())
    };
    let map = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    };
    let proxy = ("http_proxy", "http://p");
    assert_eq!(env(&[], &[]).expect("env"), map(&[proxy]));
    assert_eq!(env(&["--http-proxy=false"], &[]).expect("env"), map(&[]));
    assert_eq!(
        env(&["-e", "HOST", "-e", "ABSENT", "-e", "E="], &[]).expect("env"),
        map(&[proxy, ("HOST", "h"), ("E", "")])
    );
    assert_eq!(env(&["-e", "PRE*"], &[]).expect("env"), map(&[proxy, ("PRE_A", "1"), ("PRE_B", "2")]));
    assert_eq!(env(&["--env-host", "-e", "TERM=dumb"], &[]).expect("env")["TERM"], "dumb");
    let file = ("f", "# c\r\n\r\n  A=1\r\nB=x=y \nHOST\nC=");
    let wanted = map(&[proxy, ("A", "2"), ("B", "x=y "), ("HOST", "h"), ("C", "")]);
    assert_eq!(env(&["-e", "A=2", "--env-file", "f"], &[file]).expect("env"), wanted);
    assert!(env(&["-e", "=x"], &[]).is_err());
}

#[test]
fn variables_that_are_not_utf8() {
    let at = Invocation { env_not_utf8: ["Z_BYTES".to_owned()].into(), ..invocation() };
    let lowered = |words: &[&str]| lower_at(&at, words, &[]);
    let why = "its value here is not UTF-8, which an OCI configuration cannot hold";
    for (words, error) in [
        (&["-e", "Z_BYTES", "img"][..], format!("--env \"Z_BYTES\": {why}")),
        (&["-e", "Z*", "img"], format!("--env \"Z*\": {why}")),
        (&["--env-host", "img"], format!("--env-host \"Z_BYTES\": {why}")),
    ] {
        assert_eq!(lowered(words).expect_err("not UTF-8"), error);
    }
    assert!(lowered(&["-e", "Z_BYTES=x", "-e", "Y*", "img"]).is_ok());
}

/// Words are UTF-8, the working directory need not be.
#[test]
fn paths_that_are_not_utf8() {
    use std::os::unix::ffi::OsStringExt as _;
    let cwd = PathBuf::from(OsString::from_vec(b"/home/\xff".to_vec()));
    let at = Invocation { cwd: Some(cwd), ..invocation() };
    let lowered = |words: &[&str]| lower_at(&at, words, &[]);
    assert!(lowered(&["-v", "./a:/b", "img"]).expect_err("not UTF-8").contains("is not UTF-8, which an OCI"));
    assert!(lowered(&["-v", "/a:/b", "img"]).is_ok());
}

#[test]
fn f05_env_files() {
    for (text, error) in [
        ("A=1\n=x\n", "--env-file f, line 2: the name is missing"),
        ("A B=1", "--env-file f, line 1: the name has a blank in it"),
        ("A=1\0", "--env-file f, line 1: there is a NUL in it"),
    ] {
        assert_eq!(lower_words(&["--env-file", "f", "img"], &[("f", text)]).expect_err(text), error);
    }
    for (text, error) in [
        ("a=b\nk2 =v", "--label-file f, line 2: the name has a blank in it"),
        ("k2 ", "--label-file f, line 1: the name has a blank in it"),
        ("a\n =x", "--label-file f, line 2: the name is missing"),
    ] {
        assert_eq!(lower_words(&["--label-file", "f", "img"], &[("f", text)]).expect_err(text), error);
    }
}

#[test]
fn entrypoint_forms() {
    for (text, wanted) in [
        ("--entrypoint=/bin/sh", vec!["/bin/sh"]),
        ("--entrypoint=[\"/bin/sh\",\"-c\"]", vec!["/bin/sh", "-c"]),
        ("--entrypoint=", vec![]),
        ("--entrypoint=[not", vec!["[not"]),
    ] {
        assert_eq!(good(text).entrypoint.expect("set"), wanted, "{text}");
    }
}

#[test]
fn volumes() {
    let one = |line: &str| good(line).mounts.remove(0);
    let bind = one("-v ./a/../b:/x/./y:ro,Z,U,noexec,rslave");
    assert_eq!(bind.source, MountSource::Bind { path: "/home/u/b".into() });
    assert_eq!(bind.target, Path::new("/x/y"));
    assert!(bind.options.read_only && bind.options.chown && bind.options.noexec == Some(true));
    assert_eq!(bind.options.propagation, Propagation::Slave);
    for (line, read_only) in [
        ("--mount type=bind,src=/a,dst=/b,rw=false", true),
        ("--mount type=bind,src=/a,dst=/b,rw", false),
        ("--mount type=volume,src=a,dst=/b,ro=false", false),
        ("--mount type=tmpfs,dst=/b,rw=0", true),
        ("-v /a:/b:cached", false),
        ("-v /a:/b:ro,delegated", true),
        ("-v a:/b:consistent", false),
    ] {
        assert_eq!(one(line).options.read_only, read_only, "{line}");
    }
    assert_eq!(good("-v /a:/x -v /a:/x -v b:/y -v b:/y:rw --tmpfs /t --mount type=tmpfs,dst=/t").mounts.len(), 3);
    let named = one("-v data:/d:nocopy");
    assert!(matches!(&named.source, MountSource::Volume { name, anonymous: false, .. } if name.as_str() == "data"));
    assert!(named.options.no_copy);
    assert!(matches!(one("-v /d").source, MountSource::Volume { anonymous: true, .. }));
    let tmpfs = one("--tmpfs /t:size=1m,mode=1777,noexec");
    assert_eq!(tmpfs.source, MountSource::Tmpfs { size: Some(1 << 20), mode: Some(0o1777), copy_up: true });
    assert_eq!((tmpfs.options.nosuid, tmpfs.options.noexec), (None, Some(true)));
    let long = one("--mount type=bind,src=/a,dst=/b,ro=true,bind-propagation=rshared");
    assert!(long.options.read_only && long.options.propagation == Propagation::Shared);
    assert!(matches!(
        one("--mount type=tmpfs,target=/b,notmpcopyup").source,
        MountSource::Tmpfs { copy_up: false, .. }
    ));
    assert!(matches!(
        one("--mount type=image,source=i,target=/b,rw=true").source,
        MountSource::Image { read_write: true, .. }
    ));
    assert!(
        matches!(one("--mount source=v,target=/b,subpath=/s").source, MountSource::Volume { subpath: Some(p), .. } if p == Path::new("s"))
    );
    assert_eq!(good("--volumes-from a:ro").volumes_from, [("a".to_owned(), vec!["ro".to_owned()])]);
}

#[test]
fn f04_mount_grammar() {
    all_bad(&[
        "-v :/x",
        "-v /a:/b:ro,rw",
        "-v /a:/b:z,Z",
        "-v /a:/b:rprivate,shared",
        "-v a:b",
        "-v /a:/",
        "-v /a:/b:/c:/d",
        "-v /a:/b:bogus",
        "-v ä:/x",
        "-v ../x",
        "-v /a:/x -v /b:/x/",
        "--mount src=,dst=/a",
        "--mount src=a,dst=",
        "--mount src=a,src=b,dst=/c",
        "--mount src=a",
        "--mount type=bind,src=/a,dst=/b,ro,rw",
        "--mount type=bind,src=/a,dst=/b,rw,readonly=false",
        "--mount type=bind,src=/a,dst=/b,readwrite,rw",
        "--mount type=bind,src=/a,dst=/b,cached",
        "--tmpfs /t:ro,rw",
        "--mount type=x,dst=/a",
        "--mount type=bind,dst=/a",
        "--mount type=tmpfs,src=a,dst=/b",
        "--mount type=bind,src=/a,dst=/b,tmpfs-size=1",
        "--mount type=bind,src=/a,dst=b",
        "--mount type=volume,src=v,dst=/b,subpath=../x",
        "--mount \"type=bind",
        "--tmpfs t",
        "--tmpfs /t:mode=9",
        "--tmpfs /t:size=x",
        "--tmpfs /t:size=50%",
        "--tmpfs /t:bogus",
        "--volumes-from a:xx",
        "-p 0",
        "-p 65536",
        "-p 80-70",
        "-p 1-65535:1",
        "-p ::1:80:80",
        "-p a:b:c:d",
        "-p :",
    ]);
}

#[test]
fn user_namespaces() {
    assert_eq!(good("").userns, UsernsMode::Default);
    assert_eq!(
        good("--userns=keep-id:uid=5,gid=6").userns,
        UsernsMode::KeepId { uid: Some(5), gid: Some(6), size: None }
    );
    assert_eq!(good("--userns=auto:size=100").userns, UsernsMode::Auto { size: Some(100), start: None });
    assert_eq!(good("--userns=nomap").userns, UsernsMode::Nomap);
    assert_eq!(good("--userns=ns:/proc/1/ns/user").userns, UsernsMode::Path("/proc/1/ns/user".into()));
    assert!(matches!(good("--userns=container:x").userns, UsernsMode::Container(_)));
    all_bad(&["--userns=keep-id:x=1", "--userns=auto:size=0", "--userns=nope", "--userns=nomap --uidmap 0:0:1"]);
}

#[test]
fn explicit_id_maps() {
    let maps = |line: &str| match good(line).userns {
        UsernsMode::Explicit(maps) => (maps.uid.extents().to_vec(), maps.gid.extents().to_vec()),
        other => panic!("{other:?}"),
    };
    let both = |extents: Vec<Extent>| (extents.clone(), extents);
    assert_eq!(maps("--uidmap 0:1:10"), both(vec![extent(0, 1, 10)]));
    assert_eq!(maps("--gidmap 5:0"), both(vec![extent(5, 0, 1)]));
    assert_eq!(maps("--uidmap 0:@1000 --gidmap 0:@100000:2"), (vec![extent(0, 0, 1)], vec![extent(0, 1, 2)]));
    let all = extent(0, 0, 65537);
    let punched = vec![extent(0, 0, 1), extent(1, 1, 998), extent(1000, 999, 1), extent(1001, 1001, 64536)];
    // 1000 ← 999 takes the ids 1000 (inside) and 999 (outside) out of the default.
    let with_hole = maps("--uidmap u+1000:999");
    assert_eq!(with_hole.0, vec![extent(0, 0, 999), extent(1000, 999, 1), extent(1001, 1001, 64536)]);
    assert_eq!(with_hole.1, vec![all]);
    assert_ne!(with_hole.0, punched);
    all_bad(&[
        "--uidmap x",
        "--uidmap 0:0:0",
        "--uidmap 0:0:1:1",
        "--uidmap 0:@5",
        "--uidmap z0:0",
        "--uidmap 0:0 --uidmap 0:1",
    ]);
}

#[test]
fn networks() {
    assert_eq!(good("--net=none").network, Some(NetworkMode::None));
    assert_eq!(
        good("--network=pasta:-T,5201").network,
        Some(NetworkMode::Pasta { options: vec!["-T".into(), "5201".into()] })
    );
    let spec = good("--add-host a;b:::1 --add-host c:host-gateway --dns 1.1.1.1 --dns-search .");
    assert_eq!(spec.add_host[0], (vec!["a".to_owned(), "b".to_owned()], Some("::1".parse().expect("an address"))));
    assert_eq!(spec.add_host[1].1, None);
    assert!(good("--network=host -p 80:80").ports.is_empty());
    all_bad(&["--network=bridge", "--network=mynet", "--network=host:x", "--network none --network host", "--dns x"]);
}

#[test]
fn ports_of_the_host_lead_to_one_place() {
    assert_eq!(good("-p 8080:80 -p 8080:80").ports.len(), 1);
    assert_eq!(good("-p 80 -p 80 -p 81").ports.len(), 2);
    assert_eq!(good("-p 8080:80 -p 8080:80/udp -p 127.0.0.1:8081:80").ports.len(), 3);
    assert_eq!(good("-p 127.0.0.1:8080:80 -p 127.0.0.2:8080:81").ports.len(), 2);
    all_bad(&["-p 8080:80 -p 8080:81", "-p 8080-8090:80-90 -p 8085:1", "-p 127.0.0.1:1024:80 -p 127.0.0.1:1024:81"]);
    all_bad(&[
        "-p 8080:80 -p 127.0.0.1:8080:81",
        "-p [::1]:8080:80 -p 0.0.0.0:8080:81",
        "-p 0.0.0.0:8080:80 -p 8080:81",
    ]);
}

#[test]
fn f02_hosts_and_host_names() {
    for bad in ["a:1.1.1.1\n2.2.2.2 b", "a b:1.1.1.1", ":1.1.1.1", "a", "a:x"] {
        assert!(lower_words(&["--add-host", bad, "img"], &[]).is_err(), "{bad:?}");
    }
    let long = "x".repeat(300);
    for bad in [long.as_str(), "a\nb", "a b", "a..b"] {
        assert!(lower_words(&["--hostname", bad, "img"], &[]).is_err(), "{bad:?}");
    }
    all_bad(&["--hostname x --uts host", "--name ../x", "--replace"]);
}

#[test]
fn limits() {
    let resources = good("--cpus 1.5 -m 1g --memory-swap -1 --pids-limit -1 --cpuset-cpus 0-3,5 -c 512").resources;
    assert_eq!((resources.cpu_quota, resources.cpu_period), (Some(150_000), Some(100_000)));
    assert_eq!((resources.memory_swap, resources.pids_limit, resources.cpu_shares), (Some(-1), Some(-1), Some(512)));
    assert_eq!(good("--cpus .5").resources.cpu_quota, Some(50_000));
    assert_eq!(good("--ulimit nofile=1:2 --ulimit RLIMIT_CORE=-1").ulimits[1].name, "core");
    assert_eq!(good("--cgroup-conf memory.high=5").resources.unified["memory.high"], "5");
    all_bad(&[
        "--cpus 1 --cpu-quota 5000",
        "--cpus x",
        "--cpus 0.001",
        "--cpus -1",
        "--memory-swap 1g",
        "-m 2g --memory-swap 1g",
        "-m 1m --memory-reservation 2m",
        "--cpu-period 5",
        "--cpuset-cpus 3-1",
        "--cpuset-cpus x",
        "--ulimit nofile",
        "--ulimit x=1",
        "--ulimit nofile=5:1",
        "--cgroup-conf ../x=1",
        "--cgroups maybe",
        "--oom-score-adj 2000",
        "--cgroup-parent a/../b",
        "--shm-size x",
        "--shm-size 1m --ipc host",
    ]);
}

#[test]
fn privileges() {
    let spec = good("--security-opt seccomp=p.json --security-opt no-new-privileges --security-opt unmask=/a:/b");
    assert_eq!(spec.security.seccomp, SeccompMode::File("/home/u/p.json".into()));
    assert!(spec.security.no_new_privileges);
    assert_eq!(spec.security.unmask, Unmask::Paths(vec!["/a".into(), "/b".into()]));
    assert_eq!(good("--security-opt seccomp:unconfined").security.seccomp, SeccompMode::Unconfined);
    assert_eq!(good("--security-opt systempaths=unconfined").security.unmask, Unmask::All);
    assert_eq!(good("--cap-add net_admin,CAP_SYS_ADMIN --cap-drop all").security.cap_add.len(), 2);
    let device = good("--device /dev/fuse:/dev/f:r").security.devices.remove(0);
    assert_eq!((device.container.as_path(), device.access.as_str()), (Path::new("/dev/f"), "r"));
    assert_eq!(good("--device /dev/fuse:rw").security.devices[0].access, "rw");
    assert_eq!(good("--sysctl net.ipv4.ip_forward=1").security.sysctl.len(), 1);
    assert_eq!(good("--security-opt label=type:spc_t --security-opt label:disable").security.label.len(), 2);
    good("--security-opt apparmor=unconfined");
    assert_eq!(good("--ipc=host").ipc, NamespaceMode::Host);
    all_bad(&[
        "--cap-add NOPE",
        "--security-opt bogus",
        "--security-opt label=bogus",
        "--security-opt label=type:",
        "--security-opt apparmor=profile",
        "--security-opt mask=rel",
        "--security-opt no-new-privileges=x",
        "--device fuse",
        "--device nvidia.com/gpu=all",
        "--device /a:b",
        "--sysctl kernel.hostname=x",
        "--sysctl vm.x=1",
        "--sysctl net.x=1 --network host",
        "--sysctl kernel.sem=1 --ipc host",
        "--pid=nope",
    ]);
}

#[test]
fn life_and_log() {
    let spec = good("--restart on-failure:3 --stop-signal RTMIN+3 --stop-timeout -1 --umask 027 --tz Europe/Berlin");
    assert_eq!(spec.restart, RestartPolicy::OnFailure { max: Some(3) });
    assert_eq!((spec.stop_timeout, spec.umask), (Some(u32::MAX), Some(0o27)));
    assert_eq!(good("-u :5").user.as_deref(), Some("0:5"));
    assert_eq!(good("-u :").user, None);
    let empty = good("--name= --workdir=");
    assert_eq!((empty.name, empty.workdir), (None, None));
    let texts = "--user= --hostname= --tz= --umask= --restart= --stop-signal= --shm-size= --memory= --memory-swap= \
        --memory-reservation= --cpuset-cpus= --cpuset-mems= --cgroups= --cgroupns= --userns= --pid= --ipc= --uts= \
        --cidfile= --pidfile= --health-cmd= --cgroup-parent= --group-add= -p= --expose= --dns= --dns-search= --dns-option= \
        --add-host= --ulimit= --cgroup-conf= --cap-add= --cap-drop= --sysctl= --log-driver= --network=";
    let plain = ContainerSpec { network: Some(NetworkMode::Private), ..good("") };
    assert_eq!(good(texts), plain);
    let lists = good(
        "-p 8080:80,8081:81 --dns 1.1.1.1,9.9.9.9 --ulimit core=0,nofile=5 --expose 1,2 --add-host a:1.1.1.1,b:::1",
    );
    assert_eq!((lists.ports.len(), lists.dns.len(), lists.ulimits.len()), (2, 2, 2));
    assert_eq!((lists.expose.len(), lists.add_host.len()), (2, 2));
    let log = good("--log-opt max-size=1k --log-opt max-file=5 --log-opt path=l").log;
    assert_eq!((log.max_size, log.max_files, log.path), (1000, 5, Some("/home/u/l".into())));
    assert_eq!(good("--log-driver none").log.driver, LogDriver::None);
    assert_eq!(good("--image-volume ignore").image_volume, ImageVolume::Ignore);
    all_bad(&[
        "--rm --restart always",
        "--rm --restart unless-stopped",
        "--restart x",
        "--stop-signal NOPE",
        "--stop-timeout x",
        "--umask 9",
        "--tz ../x",
        "--log-driver journald",
        "--log-opt x=1",
        "--log-opt max-size=0",
        "--image-volume x",
        "-w rel",
        "--annotation x",
        "--group-add keep-groups,5",
    ]);
}

/// `conf` is the configuration without its tables' other keys.
fn with_conf(conf: &str, line: &str) -> Result<ContainerSpec, String> {
    let conf: ContainersConf = toml::from_str(conf).expect(conf);
    let words: Vec<&str> = line.split(' ').filter(|word| !word.is_empty()).chain(["img"]).collect();
    lower_with(&invocation(), &conf, &words, &[]).map(|lowered| lowered.spec)
}

/// A default is what the flag would be, and the flag counts more.
#[test]
fn configured_defaults_stand_for_flags() {
    for (key, flags, other) in [
        ("annotations = ['a=1']", "--annotation a=1", "--annotation a=2"),
        ("cgroupns = 'host'", "--cgroupns host", "--cgroupns private"),
        ("cgroups = 'no-conmon'", "--cgroups no-conmon", "--cgroups enabled"),
        (
            "default_sysctls = ['net.core.somaxconn=9']",
            "--sysctl net.core.somaxconn=9",
            "--sysctl net.core.somaxconn=8",
        ),
        ("default_ulimits = ['nofile=5']", "--ulimit nofile=5", "--ulimit nofile=6"),
        ("devices = ['/dev/fuse']", "--device /dev/fuse", "--device /dev/fuse:r"),
        ("dns_options = ['a']", "--dns-option a", "--dns-option b"),
        ("dns_searches = ['a.b']", "--dns-search a.b", "--dns-search b.c"),
        ("dns_servers = ['1.1.1.1']", "--dns 1.1.1.1", "--dns 1.1.1.2"),
        ("env = ['A=1']", "--env A=1", "--env A=2"),
        ("env_host = true", "--env-host", "--env-host=false"),
        ("http_proxy = false", "--http-proxy=false", "--http-proxy"),
        ("init = true", "--init", "--init=false"),
        ("ipcns = 'none'", "--ipc none", "--ipc private"),
        ("log_driver = 'none'", "--log-driver none", "--log-driver k8s-file"),
        ("log_size_max = 9999", "--log-opt max-size=9999", "--log-opt max-size=1m"),
        ("log_tag = 'x'", "--log-opt tag=x", "--log-opt tag=y"),
        ("mounts = ['type=tmpfs,dst=/x']", "--mount type=tmpfs,dst=/x", "-v /a:/x"),
        ("netns = 'host'", "--network host", "--network private"),
        ("no_hosts = true", "--no-hosts", "--no-hosts=false"),
        ("oom_score_adj = 5", "--oom-score-adj 5", "--oom-score-adj 6"),
        ("pidns = 'host'", "--pid host", "--pid private"),
        ("read_only = true", "--read-only", "--read-only=false"),
        ("seccomp_profile = '/p'", "--security-opt seccomp=/p", "--security-opt seccomp=unconfined"),
        ("shm_size = '1m'", "--shm-size 1m", "--shm-size 2m"),
        ("tz = 'local'", "--tz local", "--tz UTC"),
        ("umask = '077'", "--umask 077", "--umask 022"),
        ("userns = 'nomap'", "--userns nomap", "--userns host"),
        ("utsns = 'host'", "--uts host", "--uts private"),
        ("volumes = ['/a:/x:ro']", "-v /a:/x:ro", "--tmpfs /x"),
    ] {
        let conf = format!("[containers]\n{key}\n");
        let sorted = |mut spec: ContainerSpec| {
            spec.env.sort();
            spec
        };
        let by = |line: &str| sorted(with_conf(&conf, line).unwrap_or_else(|error| panic!("{key}, {line}: {error}")));
        assert_ne!(by(""), sorted(good("")), "{key}");
        assert_eq!(by(""), sorted(good(flags)), "{key}");
        assert_eq!(by(other), sorted(good(other)), "{key}, {other}");
    }
    for (key, flags) in
        [("image_volume_mode = 'ignore'", "--image-volume ignore"), ("stop_timeout = 3", "--stop-timeout 3")]
    {
        let spec = with_conf(&format!("[engine]\n{key}\n"), "").expect("lowered");
        assert_eq!(spec, good(flags), "{key}");
    }
}

/// Ports that name no address are not open to the world where a host does not want that.
#[test]
fn configured_addresses_of_published_ports() {
    let conf = "[network]\ndefault_host_ips = ['127.0.0.1', '::1']\n";
    let ips = |line: &str| with_conf(conf, line).expect(line).host_ips;
    assert_eq!(ips(""), [] as [std::net::IpAddr; 0]);
    assert_eq!(ips("-p 80:80").len(), 2);
    assert_eq!(ips("-P").len(), 2);
    assert!(with_conf("[network]\ndefault_host_ips = ['x']\n", "-P").is_err());
}

/// What distributions write out, and what says nothing, changes nothing; what a container cannot have is passed over.
#[test]
fn configured_defaults_that_do_not_apply() {
    let usual = "default_capabilities = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'NET_BIND_SERVICE', 'SETFCAP', \
        'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT']";
    for (key, line) in [
        (usual, ""),
        ("default_sysctls = ['net.ipv4.ping_group_range=0 0']", ""),
        ("default_sysctls = ['net.core.somaxconn=9']", "--network host"),
        ("default_sysctls = ['kernel.sem=1']", "--ipc host"),
        ("log_driver = 'journald'", ""),
        ("log_size_max = -1", ""),
        ("netns = 'private'", ""),
        ("no_hosts = true", "--add-host a:1.1.1.1"),
        ("seccomp_profile = '/p'", "--privileged"),
        ("seccomp_profile = ''\ntz = ''", ""),
        ("shm_size = '1m'", "--ipc host"),
        ("userns = 'nomap'", "--uidmap 0:0:5"),
    ] {
        let spec = with_conf(&format!("[containers]\n{key}\n"), line).unwrap_or_else(|error| panic!("{key}: {error}"));
        assert_eq!(spec, good(line), "{key}, {line}");
    }
    let spec = with_conf("[containers]\ndefault_capabilities = ['CHOWN']\npids_limit = 7\n", "").expect("lowered");
    assert_eq!(spec.security.cap_default, Some(vec!["CHOWN".to_owned()]));
    assert_eq!((spec.resources.pids(true), spec.resources.pids(false)), (Some(7), None));
}

/// Nobody looks in the command line for what is elsewhere, and the other way round.
#[test]
fn an_error_tells_whether_a_default_is_wrong() {
    let conf = "[containers]\ntz = '../x'\n";
    let error = with_conf(conf, "").expect_err("a zone");
    assert!(error.starts_with("a default of containers.conf(5): --tz"), "{error}");
    assert_eq!(with_conf(conf, "--tz UTC"), lower("--tz UTC"));
    assert_eq!(with_conf(conf, "--tz UTC --umask 9"), lower("--tz UTC --umask 9"));
}
