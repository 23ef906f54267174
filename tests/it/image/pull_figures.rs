//! What a pull moves, what it shows, and how much memory it takes; layers in forms that only others write.

use super::peer::{Answer, Served};
use crate::harness::image::{Compression, ImageBuilder, Layer, noise, sha256};
use crate::harness::terminal::Terminal;
use crate::harness::{Background, Env, Registry, requires};

const PLAIN: &str = "--tls-verify=false";

/// Layers of noise of these seeds and sizes, served in parts at this rate.
fn served(layers: &[(u64, usize)], rate: u64) -> Served {
    let image = layers.iter().enumerate().fold(ImageBuilder::scratch(), |image, (at, (seed, size))| {
        image.layer(Layer::new().file(&format!("f{at}"), 0o644, &noise(*seed, *size)))
    });
    let mut served = Served::new(&image.compression(Compression::Zstd));
    for at in 0..layers.len() {
        let path = served.layer(at);
        let body = served.body(&path);
        served.answers.insert(path, Answer::Ranged(body, rate));
    }
    served
}

#[test]
fn only_the_changed_layer_moves() {
    requires!(userns);
    let env = Env::new();
    let first = served(&[(1, 2 << 20), (2, 3 << 20), (3, 1 << 20)], 1 << 40).start();
    env.run(["pull", "-q", PLAIN, &first.name()]).success();
    let second = served(&[(1, 2 << 20), (9, 3 << 20), (3, 1 << 20)], 1 << 40);
    let changed = second.layer(1);
    let Answer::Ranged(body, _) = &second.answers[&changed] else { panic!("served in parts") };
    let size = body.len() as u64;
    let second = second.start();
    env.run(["pull", "-q", PLAIN, &second.name()]).success();
    assert_eq!(second.sent(), size, "the layer, once");
    // Besides it the manifest and the configuration.
    assert_eq!((second.asked("/blobs/"), second.asked("/manifests/")), (2, 1), "{:?}", second.requests());
    // Once more: nothing but the manifest is asked for.
    let before = second.requests().len();
    env.run(["pull", "-q", PLAIN, &second.name()]).success();
    assert_eq!(second.sent(), size);
    assert!(second.requests().len() - before <= 2, "{:?}", second.requests());
}

/// Most bytes of memory of their own that the processes of the test had at one time, until the command ended.
fn peak(env: &Env, running: Background) -> u64 {
    let anonymous = |pid: i32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = |name: &str| {
            let value = status.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB"));
            value.map_or(0, |value| value.trim().parse::<u64>().unwrap() << 10)
        };
        line("RssAnon:") + line("RssShmem:")
    };
    let mut most = 0;
    let stat = format!("/proc/{}/stat", running.pid());
    while std::fs::read_to_string(&stat).is_ok_and(|text| !text.contains(") Z ")) {
        let processes = env.processes();
        most = most.max(processes.iter().map(|process| anonymous(process.pid)).sum());
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    assert!(running.wait().is_success());
    most
}

#[test]
fn memory_does_not_grow_with_the_image() {
    requires!(userns, registry);
    let env = Env::new();
    let registry = Registry::start(&env);
    let peer = served(&[(1, 40 << 20), (2, 40 << 20), (3, 20 << 20)], 40 << 20).start();
    let (name, target) = (peer.name(), registry.name("big:1"));
    let out = env.path("big.tar");
    let pull = peak(&env, env.spawn(["pull", "-q", PLAIN, &name]));
    let push = peak(&env, env.spawn(["push", "-q", PLAIN, &name, &target]));
    let save = peak(&env, env.spawn(["save", "-q", "--format=oci-archive", "-o", out.to_str().unwrap(), &name]));
    env.run(["rmi", "-af"]).success();
    let load = peak(&env, env.spawn(["load", "-q", "-i", out.to_str().unwrap()]));
    for (what, bytes) in [("pull", pull), ("push", push), ("save", save), ("load", load)] {
        assert!(bytes < 64 << 20, "{what}: {bytes} of 64 MB, for 100 MB");
    }
    assert!(pull > 0 && push > 0, "nobody was seen: {pull} {push}");
}

#[test]
fn a_terminal_shows_bytes_rate_and_time_for_each_layer_and_in_total() {
    requires!(userns);
    let env = Env::new();
    let peer = served(&[(1, 3 << 20), (2, 3 << 20)], 1 << 20).start();
    let terminal = Terminal::start(&env.command(["pull", PLAIN, &peer.name()]), 24, 120);
    let (code, text) = terminal.finish();
    assert_eq!(code, 0, "{text}");
    let lines: Vec<&str> = text.split(['\r', '\n']).collect();
    for what in ["Copying blob", "Total"] {
        let whole = |line: &&&str| line.contains(what) && line.contains("MiB/") && line.contains("iB/s");
        let with_time = |line: &&&str| line.split_whitespace().any(|word| word.ends_with('s') && !word.contains('/'));
        assert!(lines.iter().filter(whole).any(|line| with_time(&line)), "{what}: {text}");
    }
}

/// `zstd:chunked`, as containers/storage writes it: frames, a skippable frame with the table of contents, and one with the
/// footer. To us it is zstd.
#[test]
fn layers_in_chunks_are_pulled_and_go_out_again() {
    requires!(userns, registry, skopeo);
    let env = Env::new();
    let registry = Registry::start(&env);
    let tar = Layer::new().file("a", 0o644, &noise(1, 100_000)).file("b", 0o755, &vec![b'b'; 70_000]).finish();
    let mut served = Served::new(&ImageBuilder::scratch().layer_tar(tar.clone()));
    let mut blob = Vec::new();
    for chunk in tar.chunks(30_000) {
        blob.extend(zstd::encode_all(chunk, 3).unwrap());
    }
    for content in
        [&b"{\"version\":1,\"entries\":[]}"[..], b"0123456789012345678901234567890123456789012345678901234\0GNUlInUx"]
    {
        blob.extend(0x184d_2a50_u32.to_le_bytes());
        blob.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
        blob.extend(content);
    }
    let digest = format!("sha256:{}", sha256(&blob));
    served.manifest["layers"][0] = serde_json::json!({
        "mediaType": "application/vnd.oci.image.layer.v1.tar+zstd",
        "digest": digest,
        "size": blob.len(),
        "annotations": {"io.github.containers.zstd-chunked.manifest-position": "1:2:3:1"},
    });
    served.publish();
    let path = served.layer(0);
    served.answers.insert(path, Answer::Body(blob));
    let peer = served.start();
    env.run(["pull", "-q", PLAIN, &peer.name()]).success();
    env.run(["system", "check", "--full"]).success();
    let wanted = env.run(["image", "inspect", "--format", "{{.Digest}}", &peer.name()]).success().trimmed();
    let target = registry.name("chunked:1");
    env.run(["push", "-q", PLAIN, &peer.name(), &target]).success();
    let raw = ["inspect", "--raw", PLAIN].map(str::to_owned).into_iter().chain([format!("docker://{target}")]);
    let raw = env.other("/usr/bin/skopeo").args(raw).run().success().stdout();
    assert_eq!(format!("sha256:{}", sha256(raw.as_bytes())), wanted);
    assert!(raw.contains("zstd-chunked"));
}

/// The same by the library that Podman, Buildah and Skopeo share: what they write is pulled, loaded, run, and goes out
/// again as it came.
#[test]
fn layers_in_chunks_by_skopeo_are_pulled_loaded_and_run() {
    requires!(userns, registry, skopeo);
    let env = Env::new();
    let registry = Registry::start(&env);
    let odd = Layer::new()
        .dir("odd", 0o755)
        .file("odd/noise", 0o644, &noise(7, 300_000))
        .file("odd/same", 0o644, &noise(7, 300_000))
        .file("odd/zeros", 0o600, &vec![0; 90_000])
        .file("odd/empty", 0o644, b"")
        .hardlink("odd/hard", "odd/noise")
        .symlink("odd/soft", "noise");
    let source = env.path("source");
    ImageBuilder::busybox().layer(odd).layer(Layer::new().whiteout("odd/same")).oci_dir(&source, "1");
    let full = registry.name("chunked:1");
    let (from, to) = (format!("oci:{}:1", source.display()), format!("docker://{full}"));
    let format = ["--dest-compress", "--dest-compress-format=zstd:chunked", "--dest-tls-verify=false"];
    let skopeo = |arguments: &[&str]| env.other("/usr/bin/skopeo").args(arguments).run();
    skopeo(&[&["--insecure-policy", "copy", "-q"], &format[..], &[&from, &to]].concat()).success();
    let raw = skopeo(&["inspect", "--raw", PLAIN, &to]).success().stdout();
    assert!(raw.contains("zstd-chunked.manifest-position"), "{raw}");
    let wanted = format!("sha256:{}", sha256(raw.as_bytes()));
    let dir = env.path("dir");
    let place = format!("dir:{}", dir.display());
    skopeo(&["--insecure-policy", "copy", "-q", "--src-tls-verify=false", &to, &place]).success();

    for (what, arguments) in
        [("pulled", vec!["pull", "-q", PLAIN, &full]), ("loaded", vec!["load", "-q", "-i", dir.to_str().unwrap()])]
    {
        let got = env.run(arguments).success().trimmed();
        let name = if what == "pulled" { full.clone() } else { got.rsplit(' ').next().unwrap().to_owned() };
        env.run(["image", "inspect", "--format", "{{.Digest}}", &name]).prints(&format!("{wanted}\n"));
        let look = "cmp /odd/noise /odd/hard && cmp /odd/soft /odd/hard && test ! -e /odd/same && test ! -s /odd/empty && \
                    wc -c </odd/zeros";
        env.run(["run", "--rm", "--network=none", &name, "sh", "-c", look]).prints("90000\n");
        env.run(["system", "check", "--full"]).success();
        let again = registry.name(&format!("again/{what}:1"));
        env.run(["push", "-q", PLAIN, &name, &again]).success();
        assert_eq!(
            skopeo(&["inspect", "--raw", PLAIN, &format!("docker://{again}")]).success().stdout(),
            raw,
            "{what}"
        );
        env.run(["rmi", "-af"]).success();
    }
}

#[test]
fn layers_that_nobody_should_write_are_named() {
    requires!(userns);
    for (name, magic) in
        [("bzip2", &b"BZh91AY&SY"[..]), ("xz", b"\xfd7zXZ\0\0\0"), ("lz4", b"\x04\x22\x4d\x18\0\0\0\0")]
    {
        for media_type in ["application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.layer.v1.tar+bzip2"] {
            let env = Env::new();
            let mut served = Served::new(&ImageBuilder::scratch().layer(Layer::new().file("a", 0o644, b"a")));
            let blob = [magic, &[0; 600]].concat();
            served.manifest["layers"][0] = serde_json::json!({
                "mediaType": media_type,
                "digest": format!("sha256:{}", sha256(&blob)),
                "size": blob.len(),
            });
            served.publish();
            let path = served.layer(0);
            served.answers.insert(path, Answer::Body(blob));
            let out = env.run(["pull", "-q", PLAIN, &served.start().name()]);
            let why = if media_type.ends_with("bzip2") { "bzip2" } else { name };
            out.code(125).stderr_has(why);
            assert_eq!(std::fs::read_dir(env.graphroot().join("staging")).map_or(0, Iterator::count), 0);
        }
    }
}
