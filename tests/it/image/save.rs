//! `save` and what others make of it; what others write and `load` makes of it; `export` and `import`.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::harness::env::program;
use crate::harness::image::{self, Compression, ImageBuilder, Layer, sha256};
use crate::harness::{Env, eventually, requires};

const FORMATS: [&str; 4] = ["docker-archive", "oci-archive", "oci-dir", "docker-dir"];

fn two_layers(compression: Compression) -> ImageBuilder {
    let top = Layer::new().file("etc/top", 0o644, b"top\n").whiteout("etc/os-release").hardlink("etc/other", "etc/top");
    ImageBuilder::busybox().layer(top).compression(compression)
}

/// Loads it, and returns its id.
fn loaded(env: &Env, image: &ImageBuilder, name: &str) -> String {
    let path = env.path(&format!("in-{}", name.replace([':', '/'], "-")));
    image.oci_archive(&path, name);
    env.run(["load", "-q", "-i", path.to_str().unwrap()]).success();
    env.run(["inspect", "--format", "{{.Id}}", name]).success().trimmed()
}

/// How another tool calls what `save --format FORMAT -o PATH` wrote.
fn transport(format: &str, path: &Path) -> String {
    let transport = match format {
        "oci-dir" => "oci",
        "docker-dir" => "dir",
        other => other,
    };
    format!("{transport}:{}", path.display())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn saved_images_load_again() {
    requires!(userns);
    for compression in [Compression::Plain, Compression::Gzip, Compression::Zstd] {
        let (env, other) = (Env::new(), Env::new());
        let name = format!("example.org/app:{compression:?}").to_lowercase();
        let id = loaded(&env, &two_layers(compression), &name);
        let digest = env.run(["inspect", "--format", "{{.Digest}}", &name]).trimmed();
        for format in FORMATS {
            let (path, again) = (env.path(&format!("{compression:?}-{format}")), env.path("again"));
            env.run(["save", "-q", "--format", format, "-o", text(&path), &name]).prints("");
            if path.is_file() {
                env.run(["save", "-q", "--format", format, "-o", text(&again), &name]).success();
                assert!(std::fs::read(&path).unwrap() == std::fs::read(&again).unwrap(), "{format}: other bytes");
                let bytes = env.run(["save", "-q", "--format", format, &name]);
                bytes.success();
            }
            // A plain directory says no names.
            let line = if format == "docker-dir" { format!("sha256:{id}") } else { name.clone() };
            other.run(["load", "-q", "-i", text(&path)]).prints(&format!("Loaded image: {line}\n"));
            other.run(["inspect", "--format", "{{.Id}}", &id]).prints(&format!("{id}\n"));
            if format.starts_with("oci") {
                other.run(["inspect", "--format", "{{.Digest}}", &name]).prints(&format!("{digest}\n"));
            }
            other.run(["run", "--rm", "--network=none", &id, "cat", "/etc/other"]).prints("top\n");
            other.run(["rmi", "-f", &id]).success();
        }
    }
}

#[test]
fn archives_of_several_images() {
    requires!(userns);
    let (env, other) = (Env::new(), Env::new());
    loaded(&env, &two_layers(Compression::Gzip), "example.org/app:gzip");
    loaded(&env, &ImageBuilder::busybox().compression(Compression::Zstd), "example.org/app:zstd");
    let many = env.path("many");
    let names = ["example.org/app:gzip", "example.org/app:zstd"];
    for format in ["docker-archive", "oci-archive"] {
        env.run(["save", "-q", "-m", "--format", format, "-o", text(&many), names[0], names[1]]).success();
        let lines: Vec<String> = names.iter().map(|name| format!("Loaded image: {name}\n")).collect();
        other.run(["load", "-q", "-i", text(&many)]).prints(&lines.concat());
        other.run(["rmi", "-fa"]).success();
        let place = format!("{format}:{}:{}", many.display(), names[1]);
        other.run(["pull", "-q", &place]).success();
        other.run(["images", "--format", "{{.Repository}}:{{.Tag}}"]).prints("example.org/app:zstd\n");
        other.run(["rmi", "-fa"]).success();
    }
    env.run(["save", "-q", "-o", text(&many), names[0], "more:1"]).success();
    let lines = format!("Loaded image: {}\nLoaded image: localhost/more:1\n", names[0]);
    other.run(["load", "-q", "-i", text(&many)]).prints(&lines);
    // A second image in a layout that is there; its first one stays.
    let layout = env.path("layout");
    for name in names {
        env.run(["save", "-q", "--format", "oci-dir", "-o", text(&layout), name]).success();
    }
    let index: Value = serde_json::from_slice(&std::fs::read(layout.join("index.json")).unwrap()).unwrap();
    assert_eq!(index["manifests"].as_array().map(Vec::len), Some(2), "{index}");
    env.run(["system", "check"]).success();
}

#[test]
fn other_tools_read_what_we_save() {
    requires!(userns, skopeo, umoci);
    for compression in [Compression::Plain, Compression::Gzip, Compression::Zstd] {
        let env = Env::new();
        let name = format!("example.org/app:{compression:?}").to_lowercase();
        let id = loaded(&env, &two_layers(compression), &name);
        let digest = env.run(["inspect", "--format", "{{.Digest}}", &name]).trimmed();
        for format in FORMATS {
            let path = env.path(&format!("{compression:?}-{format}"));
            env.run(["save", "-q", "--format", format, "-o", text(&path), &name]).success();
            let from = transport(format, &path);
            let copy = env.path(&format!("copy-{compression:?}-{format}"));
            let to = format!("dir:{}", copy.display());
            let preserve = if format == "docker-archive" { vec![] } else { vec!["--preserve-digests"] };
            let arguments = ["copy", "-q"].into_iter().chain(preserve).chain([from.as_str(), to.as_str()]);
            env.other("skopeo").args(arguments).run().success();
            let manifest = std::fs::read(copy.join("manifest.json")).unwrap();
            let value: Value = serde_json::from_slice(&manifest).unwrap();
            assert_eq!(value["config"]["digest"], format!("sha256:{id}"), "{format}");
            if format.starts_with("oci") {
                assert_eq!(format!("sha256:{}", sha256(&manifest)), digest, "{format}: the manifest is another one");
            }
        }
        // umoci 0.4 knows no zstd.
        if compression != Compression::Zstd {
            let image = format!("{}:{name}", env.path(&format!("{compression:?}-oci-dir")).display());
            let bundle = env.path(&format!("bundle-{compression:?}"));
            env.other("umoci").args(["unpack", "--rootless", "--image", &image, text(&bundle)]).run().success();
            assert_eq!(std::fs::read(bundle.join("rootfs/etc/other")).unwrap(), b"top\n");
            assert!(!bundle.join("rootfs/etc/os-release").exists());
        }
    }
}

#[test]
fn we_load_what_other_tools_write() {
    requires!(userns, skopeo);
    for (at, compression) in [Compression::Plain, Compression::Gzip, Compression::Zstd].into_iter().enumerate() {
        let env = Env::new();
        let image = two_layers(compression);
        let source = env.path(&format!("source-{at}"));
        image.oci_dir(&source, "1");
        let id = sha256(&image.image_config());
        for format in ["oci", "v2s2"] {
            if format == "v2s2" && compression == Compression::Zstd {
                continue;
            }
            for transport in ["docker-archive", "oci-archive", "oci", "dir"] {
                if (format == "v2s2" && transport.starts_with("oci"))
                    || (format == "oci" && transport.starts_with("docker"))
                {
                    continue;
                }
                let path = env.path(&format!("{transport}-{format}-{at}"));
                let suffix = if transport == "dir" { "" } else { ":example.org/app:1" };
                let (from, to) =
                    (format!("oci:{}:1", source.display()), format!("{transport}:{}{suffix}", path.display()));
                let arguments = ["copy", "-q", "--format", format, from.as_str(), to.as_str()];
                env.other("skopeo").args(arguments).run().success();
                let place = format!("{transport}:{}", path.display());
                env.run(["pull", "-q", &place]).prints(&format!("{id}\n"));
                env.run(["load", "-q", "-i", text(&path)]).success();
                if transport != "docker-archive" {
                    let digest =
                        env.other("skopeo").args(["inspect", "--format", "{{.Digest}}", &place]).run().trimmed();
                    env.run(["inspect", "--format", "{{.Digest}}", &digest]).prints(&format!("{digest}\n"));
                }
                env.run(["run", "--rm", "--network=none", &id, "cat", "/etc/other"]).prints("top\n");
            }
        }
        env.run(["system", "check"]).success();
    }
}

/// Docker's forms keep an image of schema 2 as it is; OCI's can hold OCI manifests only, with the same configuration and
/// the same blobs.
#[test]
fn a_pulled_image_of_schema_2_is_saved_as_it_came() {
    requires!(userns, registry, skopeo);
    let env = Env::new();
    let registry = crate::harness::Registry::start(&env);
    let source = env.path("source");
    two_layers(Compression::Gzip).oci_dir(&source, "1");
    let full = registry.name("app:1");
    let remote = format!("docker://{full}");
    let skopeo = |arguments: &[&str]| env.other("/usr/bin/skopeo").args(arguments).run();
    let copy = ["--insecure-policy", "copy", "-q", "--src-tls-verify=false", "--dest-tls-verify=false"];
    let from = format!("oci:{}:1", source.display());
    skopeo(&[&copy[..], &["--format=v2s2", &from, &remote]].concat()).success();
    let theirs = env.path("theirs");
    skopeo(&[&copy[..], &[&remote, &format!("dir:{}", theirs.display())]].concat()).success();
    env.run(["pull", "-q", "--tls-verify=false", &full]).success();

    let ours = env.path("ours");
    env.run(["save", "-q", "--format=docker-dir", "-o", text(&ours), &full]).success();
    let files = |dir: &Path| {
        let names = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
        let mut all: Vec<_> =
            names.map(|path| (path.file_name().unwrap().to_owned(), sha256(&std::fs::read(&path).unwrap()))).collect();
        all.sort();
        all
    };
    assert_eq!(files(&ours), files(&theirs), "docker-dir is what skopeo copies");
    let manifest: Value = serde_json::from_slice(&std::fs::read(ours.join("manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["mediaType"], "application/vnd.docker.distribution.manifest.v2+json");
    for format in ["oci-dir", "oci-archive"] {
        let (path, place) = (env.path(format), transport(format, &env.path(format)));
        env.run(["save", "-q", "--format", format, "-o", text(&path), &full]).success();
        let raw = skopeo(&["inspect", "--raw", &place]).success().stdout();
        let saved: Value = serde_json::from_str(&raw).unwrap();
        // The manifest that skopeo makes of it, field by field.
        let converted = env.path(&format!("{format}-theirs"));
        skopeo(&[&copy[..], &[&remote, &transport("oci-dir", &converted)]].concat()).success();
        let raw = skopeo(&["inspect", "--raw", &transport("oci-dir", &converted)]).success().stdout();
        let wanted: Value = serde_json::from_str(&raw).unwrap();
        for field in ["config", "layers", "schemaVersion"] {
            assert_eq!(saved[field], wanted[field], "{format}");
        }
        assert_eq!(saved["config"]["digest"], manifest["config"]["digest"]);
    }
    // The layers of a docker-archive are plain in both.
    let (archive, again) = (env.path("a.tar"), env.path("again"));
    env.run(["save", "-q", "-o", text(&archive), &full]).success();
    skopeo(&[&copy[..], &[&transport("docker-archive", &archive), &format!("dir:{}", again.display())]].concat())
        .success();
    let raw = std::fs::read(again.join("manifest.json")).unwrap();
    let unpacked: Value = serde_json::from_slice(&raw).unwrap();
    assert_eq!(unpacked["config"]["digest"], manifest["config"]["digest"]);
}

#[test]
fn a_plain_directory_of_podmans_is_read() {
    requires!(userns);
    let (env, other) = (Env::new(), Env::new());
    let id = loaded(&env, &two_layers(Compression::Plain), "example.org/app:1");
    let path = env.path("dir");
    env.run(["save", "-q", "--format=docker-dir", "-o", text(&path), "example.org/app:1"]).success();
    // Podman and Skopeo call the layers of schema 2 gzip, which here are tars as they are in their store.
    let manifest = path.join("manifest.json");
    let honest = std::fs::read_to_string(&manifest).unwrap();
    let theirs = honest.replace("diff.tar\"", "diff.tar.gzip\"");
    assert_ne!(honest, theirs);
    std::fs::write(&manifest, &theirs).unwrap();
    other.run(["load", "-q", "-i", text(&path)]).prints(&format!("Loaded image: sha256:{id}\n"));
    other.run(["run", "--rm", "--network=none", &id, "cat", "/etc/other"]).prints("top\n");
    other.run(["rmi", &id]).success();
    other.run(["pull", "-q", &format!("dir:{}", path.display())]).prints(&format!("{id}\n"));
    // What goes out says what it is.
    let again = other.path("again");
    other.run(["save", "-q", "--format=docker-dir", "-o", text(&again), &id]).success();
    assert_eq!(std::fs::read_to_string(again.join("manifest.json")).unwrap(), honest);
    other.run(["system", "check", "--full"]).success();
    // A label that is wrong and a layer that is not the tar of its digest stay an error.
    std::fs::write(&manifest, honest.replace("diff.tar\"", "diff.tar.zstd\"")).unwrap();
    Env::new().run(["load", "-q", "-i", text(&path)]).code(125).stderr_has("labelled zstd");
}

#[test]
fn a_file_that_is_replaced_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt as _;
    let env = Env::new();
    loaded(&env, &two_layers(Compression::Gzip), "localhost/x:1");
    for mode in [0o600, 0o666] {
        let path = env.write("x.tar", "old");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        env.run(["save", "-q", "-o", path.to_str().unwrap(), "localhost/x:1"]).success();
        let stat = std::fs::metadata(&path).unwrap();
        assert!(stat.permissions().mode() & 0o777 == mode && stat.len() > 100, "{stat:?}");
    }
}

#[test]
fn a_save_that_fails_leaves_nothing() {
    requires!(userns);
    let env = Env::with_busybox();
    let out = env.path("target");
    std::fs::create_dir(&out).unwrap();
    let names = || std::fs::read_dir(&out).unwrap().count();
    let full = env.run(["save", "-q", "-o", "/dev/full", image::BUSYBOX]);
    full.code(125).stderr_has("ENOSPC").stderr_has("Hint: make room where it goes");
    assert_eq!(full.stderr().lines().filter(|line| line.starts_with("Error")).count(), 1, "{full}");
    for format in FORMATS {
        let path = out.join("x");
        env.run(["save", "-q", "--format", format, "-o", text(&path), "nosuch:1"]).code(125).stderr_has("nosuch");
        assert_eq!(names(), 0, "{format}");
        // The limit of its files is in the middle of a layer.
        let program = crate::harness::env::program();
        let limited = ["--fsize=500000", text(&program), "save", "-q", "--format", format, "-o"];
        let limited = limited.into_iter().map(str::to_owned).chain([text(&path).to_owned(), image::BUSYBOX.to_owned()]);
        env.other("prlimit").args(limited).run().code(125).stderr_has("EFBIG");
        assert_eq!(names(), 0, "{format}");
    }
    // A blob that is damaged in the store does not get out of it.
    let layer = std::fs::read_dir(env.graphroot().join("blobs/sha256")).unwrap().map(|entry| entry.unwrap().path());
    let layer = layer.max_by_key(|path| path.metadata().unwrap().len()).unwrap();
    let mut bytes = std::fs::read(&layer).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&layer, &bytes).unwrap();
    for format in FORMATS {
        let path = out.join("x");
        env.run(["save", "-q", "--format", format, "-o", text(&path), image::BUSYBOX]).code(125).stderr_has("damaged");
        assert_eq!(names(), 0, "{format}");
    }
    let something = env.path("something");
    std::fs::create_dir_all(something.join("dear")).unwrap();
    for format in ["oci-dir", "docker-dir"] {
        let arguments = ["save", "--format", format, "-o", text(&something), image::BUSYBOX];
        env.run(arguments).code(125).stderr_has("something else");
    }
    env.run(["save", "--format", "oci-dir", image::BUSYBOX]).code(125).stderr_has("--output");
    bytes[middle] ^= 1;
    std::fs::write(&layer, bytes).unwrap();
    env.run(["system", "check", "--full"]).success();
}

/// Entries of a tar as GNU tar tells them, without the root itself: no container has the times of that.
fn entries(env: &Env, path: &Path) -> String {
    let listed = env.other("tar").args(["tvnf", text(path), "--full-time"]).run();
    let listed = listed.success().stdout();
    // The width of a column is that of its longest text so far, and the root's time is no business of ours.
    let narrow = |line: &str| line.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    listed.lines().filter(|line| !line.ends_with(" ./")).fold(String::new(), |all, line| all + &narrow(line) + "\n")
}

#[test]
fn exported_and_imported_trees_are_the_same() {
    requires!(userns, subids);
    let env = Env::with_busybox();
    let script = "mkdir -p /d/sub; echo hi >/d/f; ln /d/f /d/g; ln -s f /d/s; ln /d/s /d/t; mkfifo /d/p; \
                  dd if=/dev/zero of=/d/sparse bs=1 count=1 seek=9000000 2>/dev/null; chown 5:6 /d/f; chmod 4751 /d/f; \
                  chmod 1777 /d/sub; touch -t 200102030405.06 /d/s /d/g; rm /etc/os-release; \
                  touch \"/d/a b\" \"/d/$(printf 'n\\nl')\"; touch /d/$(yes long | head -n 50 | tr -d '\\n')";
    let run = ["run", "--name=one", "--network=none", image::BUSYBOX, "sh", "-ec", script];
    env.run(run).success();
    let (first, second) = (env.path("first.tar"), env.path("second.tar"));
    env.run(["export", "-o", text(&first), "one"]).prints("");
    env.run(["import", "-q", text(&first), "back:1"]).success();
    env.run(["create", "--name=two", "back:1", "true"]).success();
    env.run(["export", "-o", text(&second), "two"]).prints("");
    let (before, after) = (entries(&env, &first), entries(&env, &second));
    let differing: Vec<_> = before.lines().zip(after.lines()).filter(|(one, other)| one != other).take(3).collect();
    assert!(before == after, "{differing:#?}, {} and {} lines", before.lines().count(), after.lines().count());
    for line in ["-rwsr-x--x 5/6", "link to d/f", "drwxrwxrwt 0/0", "d/s -> f", "2001-02-03 04:05:06"] {
        assert!(before.contains(line), "{line}\n{before}");
    }
    assert!(!before.contains("etc/os-release"), "{before}");
    assert!(std::fs::metadata(&first).unwrap().len() < 5_000_000, "holes are not data");
    env.run(["rm", "one", "two"]).success();
}

#[test]
fn a_running_container_is_exported_without_its_mounts() {
    requires!(userns, subids);
    let env = Env::with_busybox();
    let volume = env.path("volume");
    std::fs::create_dir(&volume).unwrap();
    std::fs::write(volume.join("secret"), "x").unwrap();
    let bind = format!("{}:/mnt", volume.display());
    let run = ["run", "-d", "--name=one", "--network=none", "--userns=keep-id", "--tmpfs=/t", "-v", &bind];
    let script = "touch /tmp/mine /t/gone; touch /tmp/ready; exec sleep 600";
    env.run(run.into_iter().chain([image::BUSYBOX, "sh", "-c", script])).success();
    crate::harness::eventually("the container is ready", || {
        env.run(["exec", "one", "test", "-e", "/tmp/ready"]).is_success()
    });
    let tar = env.path("one.tar");
    env.run(["export", "-o", text(&tar), "one"]).prints("");
    let listed = entries(&env, &tar);
    let (uid, gid) = (nix::unistd::getuid(), nix::unistd::getgid());
    let mine = listed.lines().find(|line| line.ends_with(" tmp/mine")).unwrap_or_else(|| panic!("{listed}"));
    assert!(mine.contains(&format!(" {uid}/{gid} ")), "{mine}");
    for absent in ["secret", "t/gone", "proc/1", "dev/null", "sys/kernel"] {
        assert!(!listed.contains(absent), "{absent}\n{listed}");
    }
    env.run(["rm", "-f", "-t", "0", "one"]).success();
}

/// Whatever ends a command that writes a directory, nothing is left of what it has written. Its disk is slow here.
#[test]
fn a_directory_that_is_not_whole_goes_with_its_writer() {
    requires!(userns, strace);
    let env = Env::new();
    let other = ImageBuilder::scratch().layer(Layer::new().file("a", 0o644, b"a"));
    let other = loaded(&env, &other, "localhost/other:1");
    let slow_push = |to: &str| {
        // `-D`: the child is the command itself, for the signals.
        let strace = env.other("strace").args(["-D", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync"]);
        let slow = strace.args(["-e", "inject=fdatasync:delay_enter=700000", program().to_str().unwrap()]);
        slow.args(["push", "-q", &other, to]).spawn()
    };
    let out = env.path("out");
    std::fs::create_dir(&out).unwrap();
    let names = |dir: &Path| -> Vec<String> {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
    };
    let target = out.join("x");
    let oci = format!("oci:{}", target.display());
    for place in [&oci, &format!("dir:{}", target.display())] {
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGKILL] {
            let writer = slow_push(place);
            eventually("it has begun", || !names(&out).is_empty());
            writer.signal(signal);
            assert!(writer.wait().died_by(signal));
            eventually("it is gone", || names(&out).is_empty());
        }
    }
    // A blob that comes to a layout has no name before it is whole.
    let small = loaded(&env, &two_layers(Compression::Gzip), "localhost/small:1");
    env.run(["push", "-q", &small, &oci]).success();
    let blobs = target.join("blobs/sha256");
    let before = names(&blobs).len();
    let writer = slow_push(&oci);
    let open = PathBuf::from(format!("/proc/{}/fd", writer.pid()));
    let nameless = |entry: &std::fs::DirEntry| {
        std::fs::read_link(entry.path()).is_ok_and(|file| file.to_string_lossy().contains("/blobs/sha256/#"))
    };
    eventually("it writes", || std::fs::read_dir(&open).into_iter().flatten().flatten().any(|entry| nameless(&entry)));
    writer.signal(Signal::SIGTERM);
    assert!(writer.wait().died_by(Signal::SIGTERM));
    assert!(!names(&blobs).iter().any(|name| name.contains(".tmp")));
    env.run(["push", "-q", &other, &oci]).success();
    assert_eq!(names(&blobs).len(), before + 3);
    // What the killed ones held of the store is let go of by the next sweep.
    env.run(["image", "prune", "-f"]).success();
}

#[test]
fn writers_of_one_layout_wait_for_each_other_and_clean_up_after_the_dead() {
    requires!(userns);
    let env = Env::new();
    let path = env.path("image.tar");
    ImageBuilder::scratch().layer(Layer::new().file("a", 0o644, &vec![7; 100_000])).oci_archive(&path, "1");
    env.run(["load", "-q", "-i", path.to_str().unwrap()]).success();
    let id = env.run(["images", "-q"]).success().trimmed();
    for round in 0..3 {
        let layout = env.path(&format!("layout{round}"));
        // As a killed one leaves it: beside the place and, once it is a layout, in it.
        std::fs::create_dir_all(env.path(&format!(".layout{round}.0123456789ab.tmp/blobs"))).unwrap();
        if round == 1 {
            std::fs::create_dir(&layout).unwrap();
        }
        let writers: Vec<_> = (0..5)
            .map(|at| {
                env.spawn(["push".to_owned(), "-q".to_owned(), id.clone(), format!("oci:{}:{at}", layout.display())])
            })
            .collect();
        for writer in writers {
            assert!(writer.wait().is_success());
        }
        let blobs = layout.join("blobs/sha256");
        std::fs::write(blobs.join(format!(".{}.0123456789ab.tmp", "0".repeat(64))), "half").unwrap();
        env.run(["push", "-q", &id, &format!("oci:{}:last", layout.display())]).success();
        let index: serde_json::Value =
            serde_json::from_slice(&std::fs::read(layout.join("index.json")).unwrap()).unwrap();
        assert_eq!(index["manifests"].as_array().map(Vec::len), Some(6), "{index}");
        assert_eq!(std::fs::read_dir(&blobs).unwrap().count(), 3);
        let left: Vec<_> = std::fs::read_dir(layout.parent().unwrap()).unwrap().flatten().collect();
        let left = left.iter().filter(|entry| entry.file_name().to_string_lossy().ends_with(".tmp")).count();
        assert_eq!(left, 0);
    }
    // A single file has no name before it is whole, and what is there stays until then.
    let target = env.path("archive.tar");
    std::fs::write(env.path(".archive.tar.0123456789ab.tmp"), "half").unwrap();
    for _ in 0..2 {
        env.run(["save", "-q", "-o", target.to_str().unwrap(), &id]).success();
        assert!(!env.path(".archive.tar.0123456789ab.tmp").exists());
    }
}

/// As Podman: the archive has the name that is asked for in full, or else the image's own.
#[test]
fn a_docker_archive_that_is_pushed_to_keeps_the_name() {
    requires!(userns);
    let env = Env::new();
    loaded(&env, &two_layers(Compression::Gzip), "localhost/app:1");
    for (name, full) in [("", "localhost/app:1"), (":foo/bar:1", "docker.io/foo/bar:1")] {
        let path = env.path(if name.is_empty() { "own.tar" } else { "other.tar" });
        let place = format!("docker-archive:{}{name}", path.display());
        env.run(["push", "-q", "app:1", &place]).success();
        for arguments in [["load", "-i", text(&path)], ["pull", "-q", &place]] {
            env.run(arguments).success();
            env.run(["image", "exists", full]).success();
            if name.is_empty() {
                continue;
            }
            env.run(["rmi", full]).success().stdout_has(&format!("Untagged: {full}"));
        }
    }
    // A directory says no name, and takes none from anything.
    let place = format!("dir:{}", env.path("d").display());
    env.run(["push", "-q", "app:1", &place]).success();
    let id = env.run(["inspect", "-f", "{{.Id}}", "app:1"]).trimmed();
    env.run(["rmi", "app:1"]).success();
    env.run(["pull", "-q", &place]).prints(&format!("{id}\n"));
    env.run(["images", "--format", "{{.Repository}}"]).prints("<none>\n");
}

/// What decompresses a layer is a process of its own: why it broke off is told, not that the archive is short.
#[test]
fn a_layer_that_cannot_be_decompressed_is_named_with_the_reason() {
    requires!(userns);
    let env = Env::new();
    let (source, out) = (env.path("source.tar"), env.path("out.tar"));
    let built = ImageBuilder::scratch().layer(Layer::new().file("f", 0o644, &image::noise(5, 3_000_000)));
    built.compression(Compression::Gzip).oci_archive(&source, "example.org/app:1");
    env.run(["load", "-q", "-i", text(&source)]).success();
    let blobs = env.graphroot().join("blobs/sha256");
    let size = |path: &Path| std::fs::metadata(path).unwrap().len();
    let blob = std::fs::read_dir(blobs).unwrap().map(|entry| entry.unwrap().path()).find(|path| size(path) > 2_000_000);
    let blob = blob.expect("the layer");
    let whole = std::fs::read(&blob).unwrap();
    let mut damaged = whole.clone();
    damaged[1_500_000..1_600_000].fill(0xff);
    let replace = |bytes: &[u8]| {
        std::fs::remove_file(&blob).unwrap();
        std::fs::write(&blob, bytes).unwrap();
        std::fs::set_permissions(&blob, Permissions::from_mode(0o600)).unwrap();
    };
    replace(&damaged);
    let layer = format!("layer sha256:{}: ", blob.file_name().unwrap().to_str().unwrap());
    env.run(["save", "-q", "-o", text(&out), "example.org/app:1"]).code(125).stderr_has(&layer).stderr_has("gzip");
    assert!(!out.exists());
    let target = format!("oci:{}:1", env.path("pushed").display());
    let push = ["push", "-q", "--compression-format=zstd", "--force-compression", "example.org/app:1", &target];
    env.run(push).code(125).stderr_has(&layer).stderr_has("gzip");
    replace(&whole);
    env.run(["save", "-q", "-o", text(&out), "example.org/app:1"]).success();
    env.run(push).success();
    env.run(["system", "check", "--full"]).success();
}
