//! `load` and `import`: every form of archive, what is refused, and whose the files are.

use std::io::Write as _;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;

use super::peer::{Answer, Peer};
use crate::harness::env::program;
use crate::harness::image::{self, Compression, ImageBuilder, Layer};
use crate::harness::{Env, eventually, requires};

fn two_layers() -> ImageBuilder {
    let top = Layer::new().file("etc/top", 0o644, b"top\n").whiteout("etc/os-release").opaque("home");
    let base = image::busybox_layer().file("home/hidden", 0o644, b"x");
    ImageBuilder::scratch().layer(base).layer(top)
}

/// Directory `diff` of each layer in the store, by the number of names in it.
fn diffs(env: &Env) -> Vec<PathBuf> {
    let layers = std::fs::read_dir(env.graphroot().join("layers")).unwrap();
    layers.map(|layer| layer.unwrap().path().join("diff")).collect()
}

fn nothing_is_left(env: &Env) {
    for dir in ["staging", "trash", "layers", "blobs/sha256", "images", "refs"] {
        let path = env.graphroot().join(dir);
        let count = std::fs::read_dir(&path).map_or(0, Iterator::count);
        assert_eq!(count, 0, "{dir}");
    }
}

/// Podman fetches it; `import` does here, too.
#[test]
fn an_address_is_told_from_a_file() {
    let env = Env::new();
    let hint = "curl -fsSL http://127.0.0.1:9/a.tar | sampan load";
    env.run(["load", "-i", "http://127.0.0.1:9/a.tar"]).code(125).stderr_has(hint);
}

#[test]
fn archives_of_all_forms() {
    requires!(userns);
    let env = Env::new();
    for compression in [Compression::Plain, Compression::Gzip, Compression::Zstd] {
        let image = two_layers().compression(compression);
        let (docker, oci, dir) =
            (env.path("docker.tar"), env.path("oci.tar"), env.path(&format!("dir-{compression:?}")));
        image.docker_archive(&docker, "example.org/app:1");
        image.oci_archive(&oci, "example.org/app:2");
        image.oci_dir(&dir, "example.org/app:3");
        for (path, tag) in [(&docker, 1), (&oci, 2), (&dir, 3)] {
            let path = path.to_str().unwrap();
            env.run(["load", "-q", "-i", path]).prints(&format!("Loaded image: example.org/app:{tag}\n"));
        }
        let bytes = std::fs::read(&oci).unwrap();
        env.command(["load", "-q"]).stdin(bytes).run().prints("Loaded image: example.org/app:2\n");
    }
    assert_eq!(diffs(&env).len(), 2, "one layer is one layer, however it was compressed");
    let ids = env.run(["images", "-q", "--no-trunc"]).stdout();
    assert!(ids.lines().all(|id| Some(id) == ids.lines().next()), "{ids}");
    let run = ["run", "--rm", "--network=none", "example.org/app:2", "/bin/sh", "-c"];
    let script = "cat /etc/top; ls /home /etc/os-release; id -u";
    let output = env.run(run.into_iter().chain([script]));
    output.stdout_has("top\n").stdout_has("0\n").stderr_has("/etc/os-release");
    assert!(!output.stdout().contains("hidden"), "opaque");
}

/// All that Podman takes, by path, from a pipe and from the web.
#[test]
fn archives_in_every_compression() {
    requires!(userns, bzip2, xz, zstd);
    let env = Env::new();
    let (archive, rootfs) = (env.path("image.tar"), env.path("rootfs.tar"));
    two_layers().docker_archive(&archive, "localhost/packed:1");
    std::fs::write(&rootfs, Layer::new().file("f", 0o644, &image::noise(5, 300_000)).finish()).unwrap();
    env.run(["import", "-q", rootfs.to_str().unwrap(), "plain:1"]).success();
    let layers = |name: &str| env.run(["image", "inspect", "--format", "{{.RootFS.Layers}}", name]).success().trimmed();
    let plain = layers("plain:1");
    for (program, ending) in [("gzip", "gz"), ("bzip2", "bz2"), ("xz", "xz"), ("zstd", "zst")] {
        let pack = |path: &std::path::Path| {
            env.other(program).args(["-kqf", path.to_str().unwrap()]).run().success();
            path.with_extension(format!("tar.{ending}"))
        };
        let (archive, rootfs) = (pack(&archive), pack(&rootfs));
        env.run(["load", "-q", "-i", archive.to_str().unwrap()]).prints("Loaded image: localhost/packed:1\n");
        env.run(["rmi", "packed:1"]).success();
        let piped = env.command(["load", "-q"]).stdin(std::fs::read(&archive).unwrap()).run();
        piped.prints("Loaded image: localhost/packed:1\n");
        let bytes = std::fs::read(&rootfs).unwrap();
        let web = Peer::start([("/root".to_owned(), Answer::Body(bytes.clone()))].into());
        let address = format!("http://{}/root", web.address());
        for (from, stdin) in [(rootfs.to_str().unwrap(), vec![]), ("-", bytes.clone()), (&address, vec![])] {
            env.command(["import", "-q", from, "made:1"]).stdin(stdin).run().success();
            assert_eq!(layers("made:1"), plain, "{program} from {from}");
        }
        // Cut off, it is refused.
        let part = bytes[..bytes.len() - 2000].to_vec();
        env.command(["import", "-q", "-", "cut:1"]).stdin(part.clone()).run().code(125);
        let web = Peer::start([("/root".to_owned(), Answer::Body(part))].into());
        env.run(["import", "-q", &format!("http://{}/root", web.address()), "cut:1"]).code(125);
        env.run(["image", "exists", "cut:1"]).code(1);
        assert_eq!(std::fs::read_dir(env.graphroot().join("staging")).unwrap().count(), 0, "{program}");
    }
    env.run(["system", "check", "--full"]).success();
}

#[test]
fn import_takes_instructions() {
    requires!(userns);
    let env = Env::new();
    let tar = image::busybox_tar().to_str().unwrap().to_owned();
    let changes = ["-c", "CMD [\"echo\", \"imported\"]", "-c", "ENV A=1", "-c", "WORKDIR /tmp", "-m", "why"];
    let arguments = ["import", "-q"].into_iter().chain(changes).chain([tar.as_str(), "made:1"]);
    let id = env.run(arguments).success().trimmed();
    assert!(id.starts_with("sha256:"), "{id}");
    env.run(["run", "--rm", "--network=none", "localhost/made:1"]).prints("imported\n");
    env.run(["run", "--rm", "--network=none", "made:1", "sh", "-c", "echo $A $PWD"]).prints("1 /tmp\n");
    env.run(["history", "--format", "{{.Comment}}", "made:1"]).prints("why\n");
    env.command(["import", "-q", "-", "piped"]).stdin(std::fs::read(&tar).unwrap()).run().success();
    env.run(["import", "-q", "-c", "RUN x", &tar]).code(125).stderr_has("RUN");
    env.command(["load", "-q"]).stdin(std::fs::read(&tar).unwrap()).run().code(125).stderr_has("by sampan import -\n");
    std::fs::create_dir(env.path("d")).unwrap();
    env.run(["load", "-i", "d"]).code(125).stderr_has("by tar -C \"d\" -c . | sampan import -\n");
}

#[test]
fn a_slow_import_is_synced_while_it_comes() {
    requires!(userns);
    let env = Env::new();
    let tar = image::busybox_tar().to_str().unwrap().to_owned();
    let program = crate::harness::env::program();
    let import = |end: &str| {
        let line = format!("(head -c 100000 {tar}; sleep 1; {end}) | {} import -q - slow:1", program.display());
        env.other("/bin/sh").args(["-c", &line]).run()
    };
    // The harness looks for processes that stay.
    import("true").code(125);
    import(&format!("tail -c +100001 {tar}")).success();
    env.run(["run", "--rm", "--network=none", "slow:1", "echo", "whole"]).prints("whole\n");
}

#[test]
fn owners_are_those_of_the_image() {
    requires!(userns, subids);
    let env = Env::new();
    let layer = image::busybox_layer()
        .owned("srv", 0o4750, 33, 34, b"x")
        .owned("far", 0o644, 4_000_000, 0, b"x")
        .pax(&[("SCHILY.xattr.security.capability", &CAPABILITY)])
        .file("ping", 0o755, b"x");
    let path = env.path("owners.tar");
    ImageBuilder::scratch().layer(layer).docker_archive(&path, "owners:1");
    let output = env.run(["load", "-i", path.to_str().unwrap()]);
    output.success().stderr_has("4000000");
    let script = "stat -c '%u %g %a' /srv; stat -c '%u %g' /far /ping";
    let run = ["run", "--rm", "--network=none", "owners:1", "sh", "-c", script];
    env.run(run).prints("33 34 4750\n65534 0\n0 0\n");
    let diff = &diffs(&env)[0];
    assert_ne!(std::fs::metadata(diff.join("srv")).unwrap().uid(), std::fs::metadata(diff).unwrap().uid());
}

/// `cap_net_raw+ep`, revision 2.
const CAPABILITY: [u8; 20] = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

#[test]
fn refused_archives_leave_nothing() {
    requires!(userns);
    let env = Env::new();
    let hostile = |name: &str, layer: Layer| {
        let path = env.path(name);
        ImageBuilder::scratch().layer(layer).docker_archive(&path, "evil:1");
        path
    };
    let mut dots = tar::Header::new_gnu();
    dots.set_size(0);
    dots.as_mut_bytes()[..7].copy_from_slice(b"../evil");
    for (path, why) in [
        (hostile("a02", Layer::new().raw(dots, b"")), "\"..\""),
        (hostile("a06", Layer::new().hardlink("h", "etc/passwd")), "not in this layer"),
        (hostile("a08", Layer::new().file(".wh...", 0o644, b"")), "whiteout"),
    ] {
        env.run(["load", "-i", path.to_str().unwrap()]).code(125).stderr_has(why);
        nothing_is_left(&env);
    }
    // A layer that is not what the configuration says (A26), and one that was cut off (A25).
    let path = env.path("a26");
    let image = ImageBuilder::scratch().layer(Layer::new().file("x", 0o644, b"one"));
    image.docker_archive(&path, "evil:1");
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(3).position(|window| window == b"one").unwrap();
    bytes[at] = b'0';
    std::fs::write(&path, &bytes).unwrap();
    env.run(["load", "-i", path.to_str().unwrap()]).code(125).stderr_has("sha256:");
    nothing_is_left(&env);
    std::fs::write(&path, &bytes[..at]).unwrap();
    env.run(["load", "-i", path.to_str().unwrap()]).code(125).stderr_has("cut off");
    env.run(["load", "-i", "/etc/passwd"]).code(125).stderr_has("does not match any of the supported image formats");
    // As after a command in the same pipe that has failed.
    env.run(["load"]).code(125).stderr_has("it is empty");
    std::fs::write(&path, "").unwrap();
    env.run(["load", "-i", path.to_str().unwrap()]).code(125).stderr_has("it is empty");
    env.run(["load", "-i", "/nonexistent"]).code(125).stderr_has("/nonexistent");
    env.run(["import", "/etc"]).code(125).stderr_has("it is a directory").stderr_has("Hint: tar -C \"/etc\" -c .");
    nothing_is_left(&env);
}

#[test]
fn a_broken_image_of_an_archive_keeps_nobody_from_another() {
    requires!(userns);
    let env = Env::new();
    let layout = env.path("layout");
    for name in ["good", "bad"] {
        let dir = env.path(name);
        ImageBuilder::scratch().layer(Layer::new().file(name, 0o644, b"x")).oci_dir(&dir, "1");
        let id = env.run(["pull", "-q", &format!("oci:{}:1", dir.display())]).success().stdout();
        env.run(["tag", id.trim(), &format!("localhost/{name}:1")]).success();
    }
    let bad = env.run(["inspect", "--format", "{{.Id}}", "localhost/bad:1"]).success().stdout();
    let save = ["save", "-q", "-m", "--format=oci-dir", "-o", "layout", "localhost/good:1", "localhost/bad:1"];
    env.run(save).success();
    env.run(["rmi", "-fa"]).success();
    std::fs::remove_file(layout.join("blobs/sha256").join(bad.trim())).unwrap();
    // What is told is what is wrong with the image that is meant.
    env.run(["pull", "-q", "oci:layout:localhost/bad:1"]).code(125).stderr_has(bad.trim());
    env.run(["load", "-q", "-i", "layout"]).code(125).stderr_has(bad.trim());
    env.run(["images", "-aq"]).success().prints("");
    env.run(["pull", "-q", "oci:layout:localhost/good:1"]).success();
}

/// An image that was imported may lose its name to the next one at once, and be pruned: its import has succeeded. Its last
/// steps, from the removal of its lease on, come late here; what the prune left to that lease goes with it (I15).
#[test]
fn an_import_whose_image_is_pruned_at_once() {
    requires!(userns, strace);
    let env = Env::new();
    let tar = image::busybox_tar();
    let tar = tar.to_str().unwrap();
    let strace = env.other("strace").args(["-qq", "-o", "/dev/null", "-e", "trace=unlink,unlinkat"]);
    let late = strace.args(["-e", "inject=unlink,unlinkat:delay_exit=300000", program().to_str().unwrap()]);
    let first = late.args(["import", "-q", tar, "name"]).spawn();
    eventually("it has its name", || env.run(["image", "exists", "name"]).is_success());
    env.run(["import", "-q", tar, "name"]).success();
    let one_is_left = || {
        env.run(["image", "prune", "--force"]).success();
        env.run(["images", "-q"]).success().stdout().lines().count() == 1
    };
    eventually("the first one is pruned", one_is_left);
    first.wait().success().stdout_has("sha256:");
    env.run(["system", "check"]).success();
}

/// Seccomp filters of a process.
fn filters(pid: &str) -> u32 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let filters = status.lines().find_map(|line| line.strip_prefix("Seccomp_filters:"));
    filters.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
}

/// What decompresses bytes of others can do nothing else (T-09): it has the seccomp filters of a worker.
#[test]
fn what_reads_a_compressed_archive_is_caged() {
    requires!(userns, xz);
    let env = Env::new();
    let (rootfs, fifo) = (env.path("rootfs.tar"), env.path("fifo"));
    std::fs::write(&rootfs, Layer::new().file("f", 0o644, &image::noise(5, 300_000)).finish()).unwrap();
    env.other("xz").args(["-k", rootfs.to_str().unwrap()]).run().success();
    let packed = std::fs::read(env.path("rootfs.tar.xz")).unwrap();
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let fifo = fifo.to_str().unwrap();
    // Of an import, what unpacks the layer is caged, too.
    for (arguments, count) in [(&["load", "-i", fifo][..], 1), (&["import", fifo, "packed:1"], 2)] {
        let reads = env.spawn(arguments);
        let mut open = std::fs::File::options();
        open.write(true);
        // Refused as long as nobody reads there.
        let mut first = None;
        eventually("it reads", || {
            first = open.custom_flags(nix::libc::O_NONBLOCK).open(fifo).ok();
            first.is_some()
        });
        let mut writer = open.custom_flags(0).open(fifo).unwrap();
        drop(first);
        writer.write_all(&packed[..100_000]).unwrap();
        // Two of its own, beside those that the test may have.
        let caged = |pid: i32| filters(&pid.to_string()) == filters("self") + 2;
        eventually("who decompresses is caged", || {
            env.processes().iter().filter(|process| caged(process.pid)).count() == count
        });
        drop(writer);
        reads.wait().code(125).stderr_has(fifo).stderr_has("decompress the archive");
    }
    nothing_is_left(&env);
}
