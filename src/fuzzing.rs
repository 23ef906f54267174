//! Entry points for `fuzz/` (feature `fuzzing`, never in the product): one function per parser. Each asserts more than
//! that nothing panics: round trips, independence of how reads are cut, a slow second opinion, or a sentinel.

use std::fs::File;
use std::path::Path;

use serde::Serialize;

use crate::storage::container_record::{ContainerConfig, ContainerState, ExitRecord};
use crate::storage::layer_index::{IndexReader, IndexWriter};
use crate::storage::record::{self, Record};
use crate::sys::root::RootDir;
use crate::types::idmap::{Extent, IdMap, IdMaps};
use crate::types::image_config::ImageConfig;
use crate::types::media_type;
use crate::types::reference::Reference;
use crate::{cli, config, engine, monitor, network, registry, rootless, runtime, specgen, storage, sys, types};

/// Names of images: what was understood is printed so that it is understood again.
pub fn reference(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(reference) = text.parse::<Reference>() else { return };
    let shown = reference.to_string();
    assert_eq!(shown.parse::<Reference>().as_ref(), Ok(&reference), "{shown}");
    assert!(!shown.split(['/', ':', '@']).any(|part| part == "..") && !shown.chars().any(char::is_control), "{shown}");
}

/// Digests: what was understood is a safe name of a file.
pub fn digest(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(digest) = text.parse::<types::digest::Digest>() {
        assert_eq!(digest.to_string(), text);
        assert!(text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b':'), "{text}");
    }
}

/// Manifests and indexes; the first byte chooses the declared type.
pub fn manifest(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else { return };
    let types = [
        None,
        Some(media_type::OCI_MANIFEST),
        Some(media_type::OCI_INDEX),
        Some(media_type::DOCKER_MANIFEST),
        Some(media_type::DOCKER_LIST),
    ];
    registry::fuzzing::manifest(bytes, types[usize::from(*choice) % types.len()]);
}

fn host_map() -> IdMaps {
    let lines = vec![Extent { inside: 0, outside: 1000, len: 1 }, Extent { inside: 1, outside: 100_000, len: 65536 }];
    let map = IdMap::new(lines).expect("valid");
    IdMaps { uid: map.clone(), gid: map }
}

/// Image configurations, through to the runtime spec of a container.
pub fn image_config(data: &[u8]) {
    let Ok(image) = serde_json::from_slice::<ImageConfig>(data) else { return };
    let bytes = serde_json::to_vec(&image).expect("every configuration can be written");
    assert_eq!(serde_json::from_slice::<ImageConfig>(&bytes).expect("and read"), image);
    let host = types::host::HostFacts {
        uid: 1000,
        gid: 1000,
        groups: vec![1000],
        outer: host_map(),
        controllers: Vec::new(),
        cgroup: false,
        time_namespace: true,
        last_cap: 40,
        nofile_hard: 4096,
        nproc_hard: 4096,
    };
    let placement = specgen::Placement {
        rootfs: "rootfs".into(),
        maps: host_map(),
        kernel: (6, 1),
        ..specgen::Placement::default()
    };
    for volume in specgen::image_volumes(&image).unwrap_or_default() {
        assert!(volume.is_absolute() && !volume.starts_with("/proc"), "{volume:?}");
    }
    let spec = types::container_spec::ContainerSpec::default();
    let Ok(spec) = specgen::generate(&spec, &image, &host, &placement) else { return };
    let process = spec.process().as_ref().expect("there is a process");
    for variable in process.env().iter().flatten() {
        let name = variable.split_once('=').map(|(name, _)| name);
        assert!(name.is_some_and(|name| !name.is_empty()), "{variable:?} (case C24)");
    }
}

/// A layer, unpacked to `diff` beside a sentinel in `ground` (which holds `sentinel` and nothing else); its index is read
/// back. The caller removes `diff`.
pub fn layer(data: &[u8], ground: &Path, source: File) {
    let maps = IdMaps { uid: IdMap::single(0, 0), gid: IdMap::single(0, 0) };
    let diff = ground.join("diff");
    sys::fs::mkdir(&diff, 0o700).expect("the ground is clean");
    let root = RootDir::open(&diff).expect("just made");
    let limits = storage::unpack::Limits { base: 4 << 20, ratio: 50, holes: 4 << 20 };
    let plan = storage::unpack::Plan { limits, umask: 0o022, ..storage::unpack::Plan::layer(&maps) };
    let mut index = Vec::new();
    let writer = IndexWriter::new(&mut index).expect("memory");
    let unpacked = storage::unpack::unpack(source.into(), &root, Some(writer), &plan);
    if unpacked.is_ok() {
        let mut reader = IndexReader::new(index.as_slice(), Path::new("idx")).expect("an index that we wrote");
        while let Some(entry) = reader.next_entry().expect("an index that we wrote") {
            // Directories without x are closed to an ordinary user.
            let there = match root.lstat(&entry.path) {
                Err(error) if error.is(sys::Errno::EACCES) => continue,
                there => there.expect("its names can be looked up"),
            };
            let is_mark = matches!(entry.kind, storage::layer_index::EntryKind::Whiteout);
            assert!(there.is_some() || is_mark, "{entry:?} of {} bytes is not in the tree", data.len());
        }
    }
    let top = sys::dir::Dir::open(ground).expect("the ground is there");
    let left = top.entries().expect("the ground is there");
    assert_eq!(left.len(), 2, "outside of the tree: {left:?}");
    untouched(ground);
}

fn untouched(ground: &Path) {
    let path = ground.join("sentinel");
    let sentinel = sys::fs::read_limited(&path, 64).expect("the sentinel is there");
    let mode = sys::fs::stat(&path).expect("stat").map(|meta| std::os::unix::fs::MetadataExt::mode(&meta));
    assert_eq!((sentinel.as_slice(), mode), (&b"untouched"[..], Some(0o100_640)));
}

/// The front of every stream: sniffed, unpacked, at most 16 MiB.
pub fn compression(source: File) {
    let limits = storage::unpack::Limits { base: 4 << 20, ratio: 50, holes: 4 << 20 };
    let Ok(mut plain) = storage::unpack::open_archive(source, limits, &storage::unpack::Caged::not_in_a_test()) else {
        return;
    };
    let (mut buffer, mut whole) = ([0; 8192], 0);
    while let Ok(count @ 1..) = plain.next(&mut buffer) {
        whole += count;
        if whole > 16 << 20 {
            break;
        }
    }
}

/// Archives of images.
pub fn archive(source: File) {
    registry::fuzzing::archive(source);
}

/// The index of a layer.
pub fn index(data: &[u8]) {
    let Ok(mut reader) = IndexReader::new(data, Path::new("idx")) else { return };
    let mut written = Vec::new();
    let mut writer = IndexWriter::new(&mut written).expect("memory");
    loop {
        match reader.next_entry() {
            Ok(Some(entry)) => writer.push(&entry).expect("memory"),
            Ok(None) => break,
            Err(_) => return,
        }
    }
    writer.finish().expect("memory");
    let magic = written.iter().position(|byte| *byte == b'\n').expect("the first line");
    // An older format is written as the newest.
    assert!(
        data.starts_with(&written) || !data.starts_with(&written[..magic]),
        "a sound index is written as it was read"
    );
}

fn record_of<T: Record + Serialize + std::fmt::Debug>(data: &[u8]) {
    let path = Path::new("record");
    let Ok(read) = record::parse::<T>(path, data) else { return };
    let bytes = record::to_bytes(path, &read).expect("every record can be written");
    let again = record::parse::<T>(path, &bytes).expect("and read");
    assert_eq!(format!("{read:?}"), format!("{again:?}"));
}

/// The store's records.
pub fn records(data: &[u8]) {
    record_of::<ContainerConfig>(data);
    record_of::<ContainerState>(data);
    record_of::<ExitRecord>(data);
    record_of::<storage::images::ImageRecord>(data);
    record_of::<storage::volumes::VolumeMeta>(data);
    record_of::<storage::layers::LayerMeta>(data);
    record_of::<storage::exec_record::ExecRecord>(data);
    record_of::<storage::health_record::HealthRecord>(data);
    record_of::<storage::lease::LeaseRecord>(data);
    record_of::<storage::lists::ListRecord>(data);
    record_of::<storage::refs::RefRecord>(data);
    // Listings read the same record in another way.
    if let Ok(record) = record::parse::<storage::images::ImageRecord>(Path::new("record"), data) {
        let head =
            serde_json::from_slice::<storage::image_head::ImageHead>(data).expect("what the record's reader takes");
        assert_eq!(
            (head.digest, head.id, head.index, head.size),
            (record.digest, record.id, record.index, record.size)
        );
    }
    // The document of a list is understood as an index of as many images.
    if let Ok(list) = record::parse::<storage::lists::ListRecord>(Path::new("record"), data) {
        let (document, media_type) = list.document();
        registry::fuzzing::manifest(&document, Some(media_type));
    }
}

/// Attach frames: the same events wherever the reads cut; the first byte is where.
pub fn frames(data: &[u8]) {
    let Some((cut, bytes)) = data.split_first() else { return };
    let decode = |pieces: &[&[u8]]| {
        let mut decoder = monitor::report::Decoder::default();
        let (mut events, mut streams) = (Vec::new(), Vec::new());
        for piece in pieces {
            let mut rest = *piece;
            loop {
                match decoder.next(&mut rest) {
                    Ok(Some(monitor::report::Event::Stdin(bytes))) => streams.extend_from_slice(bytes),
                    Ok(Some(monitor::report::Event::Stdout(bytes) | monitor::report::Event::Stderr(bytes))) => {
                        streams.extend(bytes.iter().map(|byte| byte ^ 0x80));
                    }
                    Ok(Some(event)) => events.push(format!("{event:?}")),
                    Ok(None) => break,
                    Err(malformed) => return (events, streams, Some(malformed)),
                }
            }
        }
        (events, streams, None)
    };
    let (front, back) = bytes.split_at(usize::from(*cut).min(bytes.len()));
    assert_eq!(decode(&[bytes]), decode(&[front, back]));
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(decode(&[bytes]), decode(&single));
}

/// Output of a container through its log: what comes out is what was put in, whoever reads.
pub fn log(data: &[u8], dir: &Path) {
    monitor::fuzzing::log(data, dir);
}

/// Paths of a hostile tree, resolved by our own steps, against the kernel's answer.
pub fn resolver(data: &[u8], dir: &Path) {
    sys::fuzzing::resolver(data, dir);
}

/// A store of any content after a reboot, beside a sentinel in `ground`; what is repaired stays so.
pub fn recovery(data: &[u8], dir: &Path, ground: &Path) {
    storage::fuzzing::recovery(data, dir);
    untouched(ground);
}

/// Lines of a log file.
pub fn log_line(data: &[u8]) {
    for line in data.split(|byte| *byte == b'\n') {
        if let Some(parts) = monitor::log::line::parse(line) {
            assert!(line.ends_with(parts.text), "the text is the line's end");
        }
    }
}

/// Seccomp profiles, and the filters made of them.
pub fn seccomp(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mode = types::security::SeccompMode::File("profile".into());
    let security = types::security::Security { seccomp: mode, ..types::security::Security::default() };
    let bounding = types::capability::CapSet::all(40);
    let Ok(Some(section)) = specgen::seccomp_section(&security, bounding, Some(text), (6, 1)) else { return };
    runtime::fuzzing::seccomp(&section);
}

/// `--user` and the files of users and groups; three parts, cut at NUL.
pub fn user(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut parts = text.splitn(3, '\0');
    let (who, passwd, group) =
        (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let Ok(found) = runtime::user::from_texts(who, passwd, group) else { return };
    assert!(found.uid != u32::MAX && found.gid != u32::MAX, "{found:?}: nobody's id");
    if let Ok(number) = who.split(':').next().unwrap_or_default().parse::<u32>() {
        assert_eq!(found.uid, number, "a number is never looked up as a name");
    }
    drop(runtime::user::passwd_line(&found, Some("name"), &found.home));
}

/// Values of flags and fields that stand alone.
pub fn values(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(port) = text.parse::<types::port::PortMapping>() {
        let last = u32::from(port.container_port) + u32::from(port.range) - 1;
        assert!(port.container_port > 0 && port.range > 0 && last <= 65535, "{port:?}");
    }
    drop(types::port::parse_exposed(text));
    drop(types::size::parse_bytes(text));
    drop(types::duration::parse_duration(text));
    drop(types::moment::parse_moment(text, jiff::Timestamp::UNIX_EPOCH, &jiff::tz::TimeZone::UTC));
    drop(text.parse::<types::platform::Platform>());
    drop(text.parse::<types::signal::Signal>());
    drop(text.parse::<types::capability::Capability>());
    drop(text.parse::<types::restart::RestartPolicy>());
    drop(text.parse::<types::detach_keys::DetachKeys>());
    drop(text.parse::<types::pull_policy::PullPolicy>());
    if let Ok(name) = text.parse::<types::name::ContainerName>() {
        assert!(!name.as_str().contains(['/', '\n', '\0']) && !name.as_str().starts_with(['-', '.']), "{name}");
    }
    if let Ok(id) = text.parse::<types::id::ContainerId>() {
        assert_eq!(id.as_str(), text);
    }
    if let Ok(key) = config::auth_key::AuthKey::parse(text) {
        let again = config::auth_key::AuthKey::parse(&key.to_string()).expect("what was printed");
        assert_eq!((again.host(), again.path()), (key.host(), key.path()));
    }
    std::hint::black_box(types::health::parse_test(text));
    drop(text.parse::<types::health::OnFailure>());
    if let Some(Ok(place)) = engine::images::Place::parse(text) {
        assert!(!place.path.as_os_str().is_empty(), "{place:?}");
    }
    network::fuzzing::options_and_claims(text);
    runtime::fuzzing::mount_options(text);
    config::proxy::fuzzing(text);
    drop(engine::images::ImageFilter::parse(text, jiff::Timestamp::UNIX_EPOCH));
    let mut defaults = types::image_config::ProcessDefaults::default();
    drop(engine::images::change(&mut defaults, text));
    engine::fuzzing::patterns(text);
    engine::fuzzing::volume_options(text);
}

/// Flags of `create` and `run`: see `cli::fuzzing`; what files hold comes after a NUL.
pub fn flags(data: &[u8]) {
    let (lines, file) = match data.iter().position(|byte| *byte == 0) {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, &b"A=1\n"[..]),
    };
    if let Ok(lines) = std::str::from_utf8(lines) {
        cli::fuzzing::flags(lines, file);
    }
}

/// `--format`.
pub fn template(data: &[u8]) {
    if let Ok(format) = std::str::from_utf8(data) {
        cli::fuzzing::template(format);
    }
}

/// Headers that registries answer with.
pub fn headers(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        registry::fuzzing::headers(text);
    }
}

/// What registries answer with, and what is written anew of it.
pub fn answers(data: &[u8]) {
    registry::fuzzing::answers(data);
}

/// A layout of OCI: `dir` is empty, and is filled with the parts that NUL separates: the index, a manifest, a
/// configuration, each of which is in the one before where that has a `@`.
pub fn layout(data: &[u8], dir: &Path) {
    let mut below = (String::new(), 0);
    let parts: Vec<&[u8]> = data.splitn(3, |byte| *byte == 0).collect();
    sys::fs::mkdir_all(&dir.join("blobs/sha256"), 0o700).expect("a directory of ours");
    for (at, part) in parts.iter().enumerate().rev() {
        let text = String::from_utf8_lossy(part).replace('@', &below.0).replace('#', &below.1.to_string());
        let digest = types::digest::Digest::of(text.as_bytes());
        let name = if at == 0 { "index.json".to_owned() } else { format!("blobs/sha256/{}", digest.hex()) };
        below = (digest.to_string(), text.len());
        if sys::fs::stat(&dir.join(&name)).is_ok_and(|there| there.is_none()) {
            sys::fs::write_new(&dir.join(&name), text.as_bytes()).expect("a directory of ours");
        }
    }
    sys::fs::write_new(&dir.join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#).expect("a directory of ours");
    registry::fuzzing::layout(dir);
}

/// The words of a command line.
pub fn command_line(data: &[u8]) {
    if let Ok(words) = std::str::from_utf8(data) {
        cli::fuzzing::command_line(words);
    }
}

/// Signatures of sigstore: their manifest, a file of them, what is signed, a key.
pub fn signature(data: &[u8]) {
    registry::fuzzing::signature(data);
}

/// Configuration files; `path` holds the data. The first byte chooses which kind.
pub fn configuration(data: &[u8], path: &Path) {
    match data.first() {
        Some(b'{') => {
            config::fuzzing::helper_answer(data);
            drop(config::auth_file::lookup(Some(path), "registry.example", "a/b"));
            let Ok(Some(policy)) = config::policy_json::Policy::load(Some(path)) else { return };
            let scopes = ["registry.example/a/b:1", "registry.example/a/b", "registry.example"].map(str::to_owned);
            let asked = [policy.admit("docker", &scopes), policy.admit("oci", &[])].map(|answer| answer.is_ok());
            let again = [policy.admit("docker", &scopes), policy.admit("oci", &[])].map(|answer| answer.is_ok());
            assert_eq!(asked, again);
        }
        _ => {
            drop(config::registries_conf::RegistriesConf::from_files(&[path.to_owned()]));
            drop(config::registries_d::RegistriesD::from_files(&[path.to_owned()]));
            drop(config::containers_conf::ContainersConf::from_files(&[path.to_owned()]));
        }
    }
}

/// What is read from `/proc` and `/etc`: id maps, subordinate ids, name servers, a process, mounts.
pub fn host_files(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    drop(IdMap::from_proc(&text));
    for (first, count) in rootless::subid::fuzzing(&text) {
        assert!(count > 0 && first.checked_add(count).is_some(), "{first}:{count}");
    }
    runtime::cgroup::fuzzing(&text);
    engine::doctor::fuzzing(&text);
    registry::fuzzing::addresses(&text);
    let plan = network::NetworkPlan {
        scheme: network::Scheme::None,
        ports: Vec::new(),
        ports_discarded: false,
        address: None,
        host: None,
        forwarder: None,
    };
    let input =
        network::ResolvInput { plan: &plan, host: &text, resolved: None, servers: &[], search: &[], options: &[] };
    if let Ok(file) = network::resolv_conf(&input) {
        assert!(file.lines().all(|line| line.is_ascii() || !line.starts_with("nameserver")), "{file}");
    }
    let hosts = network::HostsInput { plan: &plan, base: &text, hostname: "h", name: "n", add: &[] };
    drop(network::hosts(&hosts));
    std::hint::black_box(storage::process_identity::start_time(data));
    let points = engine::mount_points::parse(data);
    assert!(points.iter().map(|point| point.as_os_str().len()).sum::<usize>() <= data.len());
}
