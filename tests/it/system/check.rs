//! `system check`: each invariant is broken in its own way, named, repaired, and found no more.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::harness::image::{self, BUSYBOX, Compression, ImageBuilder, Layer};
use crate::harness::{Env, eventually, requires};

/// A file capability: cap_net_raw, permitted and effective.
const CAPABILITY: [u8; 20] = [1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// Everything that an index must remember: kinds, modes, owners, attributes, links, whiteouts, parents that a layer
/// does not describe.
fn rich() -> ImageBuilder {
    let base = image::busybox_layer()
        .dir("srv/", 0o2750)
        .dir("shared/", 0o1777)
        .owned("srv/owned", 0o4755, 33, 34, b"owned")
        .owned("far", 0o600, 4_000_000, 0, b"far")
        .file("ping", 0o755, b"ping")
        .pax(&[("SCHILY.xattr.security.capability", &CAPABILITY)])
        .file("noted", 0o644, b"noted")
        .pax(&[("SCHILY.xattr.user.note", b"a note")])
        .file("first", 0o640, b"one file")
        .hardlink("second", "first")
        .symlink("link", "../outside")
        .dir("closed/", 0)
        .file("closed/in", 0, b"x")
        .file("home/hidden", 0o644, b"x");
    let top = Layer::new()
        .file("srv/new", 0o644, b"new")
        .file("shared/a/b", 0o644, b"deep")
        .whiteout("etc/os-release")
        .opaque("home");
    ImageBuilder::scratch().layer(base).layer(top).compression(Compression::Gzip)
}

fn load(env: &Env) {
    let path = env.path("rich.tar");
    rich().oci_archive(&path, "example.org/rich:1");
    env.run(["load", "-q", "-i", path.to_str().unwrap()]).success();
}

fn children(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The layer that has this file, and the file.
fn layer_with(env: &Env, file: &str) -> (PathBuf, PathBuf) {
    let mut layers = children(&env.graphroot().join("layers"));
    layers.retain(|layer| layer.join("diff").join(file).symlink_metadata().is_ok());
    let layer = layers.pop().unwrap();
    let file = layer.join("diff").join(file);
    (layer, file)
}

/// What is damaged is named with `words`, repaired, and found no more.
#[track_caller]
fn repaired(env: &Env, invariant: &str, words: &[&str]) {
    let found = env.run(["system", "check", "--full"]);
    found.code(2).stdout_has(invariant);
    for word in words {
        found.stdout_has(word);
    }
    let repair = env.run(["system", "check", "--full", "--repair"]);
    repair.code(1).stdout_has(invariant).stdout_has("(repaired)");
    env.run(["system", "check", "--full"]).prints("").success();
}

fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn i03_every_way_of_unpacking_is_clean() {
    requires!(userns);
    let mut env = Env::new();
    load(&env);
    env.run(["system", "check", "--full"]).prints("").success();
    // The same layers for another map of ids; copies of them.
    for options in [&["--userns=keep-id"][..], &["--userns=nomap"], &["--net=none"]] {
        let words = ["run", "--rm"].iter().chain(options).chain(&["example.org/rich:1", "true"]);
        env.run(words).success();
    }
    let copy = ["--storage-driver=copy", "create", "--name=copied", "--network=none", "example.org/rich:1", "true"];
    env.run(copy).success();
    env.run(["--storage-driver=copy", "start", "-a", "copied"]).success();
    env.run(["system", "check", "--full"]).prints("").success();
    env.run(["rm", "copied"]).success();
    env.run(["rmi", "-a", "-f"]).success();
    // Owners live in attributes.
    env.hide_programs(&["newuidmap", "newgidmap"]);
    load(&env);
    env.run(["system", "check", "--full"]).prints("").success();
    let (_, file) = layer_with(&env, "srv/owned");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    repaired(&env, "I3", &["srv/owned: mode 755 instead of 4755"]);
}

#[test]
fn i03_a_damaged_layer_is_rebuilt_from_its_blob() {
    requires!(userns);
    let env = Env::new();
    load(&env);
    let (layer, _) = layer_with(&env, "first");
    let diff = layer.join("diff");
    let mode = |name: &str, mode: u32| {
        std::fs::set_permissions(diff.join(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let cases: &[(&str, &dyn Fn())] = &[
        ("bin/busybox: its content is another", &|| flip(&diff.join("bin/busybox"), 4000)),
        ("noted: 3 bytes instead of 5", &|| std::fs::write(diff.join("noted"), b"abc").unwrap()),
        ("noted: is missing", &|| std::fs::remove_file(diff.join("noted")).unwrap()),
        ("more: is not of this layer", &|| std::fs::write(diff.join("more"), b"").unwrap()),
        ("srv: mode 755 instead of 2750", &|| mode("srv", 0o755)),
        ("/: mode 700 instead of 755", &|| mode("", 0o700)),
        ("link: leads to \"elsewhere\"", &|| {
            std::fs::remove_file(diff.join("link")).unwrap();
            std::os::unix::fs::symlink("elsewhere", diff.join("link")).unwrap();
        }),
        ("second: is not a link to \"first\"", &|| {
            std::fs::copy(diff.join("first"), diff.join("third")).unwrap();
            std::fs::rename(diff.join("third"), diff.join("second")).unwrap();
        }),
        ("ping: is a directory, not a file", &|| {
            std::fs::remove_file(diff.join("ping")).unwrap();
            std::fs::create_dir(diff.join("ping")).unwrap();
        }),
        ("idx", &|| flip(&layer.join("idx"), 200)),
        ("meta.json", &|| std::fs::write(layer.join("meta.json"), b"{").unwrap()),
        ("meta.json is missing", &|| std::fs::remove_file(layer.join("meta.json")).unwrap()),
    ];
    for (words, damage) in cases {
        damage();
        let invariant = if words.starts_with("meta.json") && !words.contains("missing") { "I1" } else { "I3" };
        repaired(&env, invariant, &[words]);
        // Everything that only content tells is for the full look.
        env.run(["run", "--rm", "--network=none", "example.org/rich:1", "cat", "/shared/a/b"]).prints("deep");
    }
    std::fs::remove_dir_all(&diff).unwrap_or_else(|_| std::fs::rename(&diff, env.path("diff")).unwrap());
    repaired(&env, "I3", &["diff is missing"]);
    // Directories that the upper layer does not describe are still those of the layer below.
    let (top, _) = layer_with(&env, "srv/new");
    assert_eq!(top.join("diff/srv").metadata().unwrap().permissions().mode() & 0o7777, 0o2750);
    std::fs::rename(&top, env.graphroot().join("trash/top")).unwrap();
    repaired(&env, "I5", &[]);
    let (top, _) = layer_with(&env, "srv/new");
    assert_eq!(top.join("diff/srv").metadata().unwrap().permissions().mode() & 0o7777, 0o2750);
    env.run(["run", "--rm", "--network=none", "example.org/rich:1", "ls", "/etc/os-release"]).code(1);
}

#[test]
fn i03_a_layer_in_use_is_left_alone() {
    requires!(userns);
    let env = Env::with_busybox();
    env.run(["run", "-d", "--name=uses", "--network=none", BUSYBOX, "sleep", "600"]).success();
    let (_, file) = layer_with(&env, "bin/busybox");
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(file.with_file_name("added"), b"").unwrap();
    env.run(["system", "check", "--repair"]).code(2).stdout_has("container uses runs on it: stop that first");
    env.run(["exec", "uses", "true"]).success();
    env.run(["rm", "-f", "-t0", "uses"]).success();
    repaired(&env, "I3", &["bin/added"]);
    assert!(std::fs::read(&file).unwrap() == whole);
}

#[test]
fn i02_i05_blobs_and_images() {
    requires!(userns);
    let env = Env::new();
    load(&env);
    let mut blobs = children(&env.graphroot().join("blobs/sha256"));
    blobs.sort_by_key(|path| path.metadata().unwrap().len());
    let largest = blobs.pop().unwrap();
    flip(&largest, 5000);
    env.run(["system", "check"]).prints("").success();
    // The layer has no blob any more: that is named as long as it is so, and damage is not repaired. It can be read.
    let left = |env: &Env, words: &[&str]| {
        let out = env.run(["system", "check", "--repair"]);
        out.code(2).stdout_has("cannot be saved or pushed: pull or load example.org/rich:1 again");
        for word in words {
            out.stdout_has(word);
        }
        env.run(["system", "check"]).code(2).stdout_has("pull or load example.org/rich:1 again");
        env.run(["run", "--rm", "--network=none", "example.org/rich:1", "cat", "/shared/a/b"]).prints("deep");
        out.stdout().lines().count()
    };
    left(&env, &["I2", "I5"]);
    env.run(["save", "-o", "saved.tar", "example.org/rich:1"]).code(125);
    let (_, file) = layer_with(&env, "first");
    std::fs::write(&file, b"another").unwrap();
    assert_eq!(left(&env, &["I3", "first: 7 bytes instead of 8", "no blob of it is here"]), 2);
    assert!(std::fs::read(&file).unwrap() == b"another");
    // Blob and layer at once, with a container on it.
    load(&env);
    env.run(["system", "check", "--full"]).prints("").success();
    assert!(std::fs::read(layer_with(&env, "first").1).unwrap() == b"one file");
    env.run(["create", "--name=on", "--network=none", "example.org/rich:1", "cat", "/first"]).success();
    flip(&largest, 5000);
    let (layer, _) = layer_with(&env, "first");
    std::fs::set_permissions(layer.join("diff/etc"), std::fs::Permissions::from_mode(0o700)).unwrap();
    left(&env, &["I2", "I3", "etc: mode 700 instead of 755 (not repaired: no blob of it is here: pull or load"]);
    env.run(["start", "-a", "on"]).prints("one file");
    load(&env);
    env.run(["system", "check", "--full"]).prints("").success();
    env.run(["rm", "on"]).success();
    // Documents cannot be made up.
    let digest = env.run(["images", "--format", "{{.Digest}}"]).trimmed();
    let manifest = env.graphroot().join("blobs/sha256").join(digest.strip_prefix("sha256:").unwrap());
    flip(&manifest, 10);
    // Who asks for repairs has everything read, unless it is to be quick.
    env.run(["system", "check", "--repair", "--quick"]).prints("").success();
    let left = env.run(["system", "check", "--repair"]);
    left.code(2).stdout_has("its manifest sha256:").stdout_has("load example.org/rich:1 again");
    load(&env);
    env.run(["system", "check", "--full"]).prints("").success();
}

#[test]
fn i01_i05_i06_records_of_images() {
    requires!(userns);
    let env = Env::with_busybox();
    let record = children(&env.graphroot().join("images")).remove(0);
    let before = env.run(["image", "inspect", BUSYBOX, "--format", "{{.Id}} {{.Digest}} {{.RootFS.Layers}}"]).trimmed();
    let value: serde_json::Value = serde_json::from_slice(&std::fs::read(&record).unwrap()).unwrap();
    let mut other = value.clone();
    other["layers"][0]["chain"] = format!("sha256:{}", "0".repeat(64)).into();
    for (damage, invariant) in
        [(&b"{"[..], "I1"), (b"", "I1"), (b"{\"version\":1}", "I1"), (other.to_string().as_bytes(), "I5")]
    {
        std::fs::write(&record, damage).unwrap();
        env.run(["ps", "-a"]).success();
        repaired(&env, invariant, &["image"]);
        let after = env.run(["image", "inspect", BUSYBOX, "--format", "{{.Id}} {{.Digest}} {{.RootFS.Layers}}"]);
        assert_eq!(after.trimmed(), before);
    }
    std::fs::remove_file(&record).unwrap();
    repaired(&env, "I6", &["leads to no image"]);
    env.run(["run", "--rm", "--network=none", BUSYBOX, "true"]).success();
    let name = children(&env.graphroot().join("refs")).remove(0);
    std::fs::write(&name, b"\0").unwrap();
    repaired(&env, "I1", &["tag the image again"]);
    env.run(["image", "exists", &value["id"].as_str().unwrap()[..12]]).success();
}

/// What a power cut leaves of `rmi` of an image that nobody has synced: its name, and blobs without their content.
#[test]
fn i06_a_removal_that_was_cut_off_is_finished_if_nothing_whole_can_come_back() {
    requires!(userns);
    let env = Env::new();
    for lost in ["layer", "config"] {
        load(&env);
        let record = children(&env.graphroot().join("images")).remove(0);
        let value: serde_json::Value = serde_json::from_slice(&std::fs::read(&record).unwrap()).unwrap();
        let blob = match lost {
            "layer" => value["layers"][0]["blob"].as_str().unwrap().strip_prefix("sha256:").unwrap(),
            _ => value["id"].as_str().unwrap(),
        };
        std::fs::write(env.graphroot().join("blobs/sha256").join(blob), "").unwrap();
        std::fs::remove_file(&record).unwrap();
        let out = env.run(["system", "check", "--repair"]);
        out.code(1).stdout_has("leads to no image");
        env.run(["images", "-aq"]).prints("");
        env.run(["system", "check", "--full"]).prints("").success();
    }
}

/// A record that is wrong in one place costs no blob, whoever sweeps first.
#[test]
fn i05_a_wrong_record_costs_no_blob() {
    requires!(userns);
    let env = Env::new();
    load(&env);
    let record = children(&env.graphroot().join("images")).remove(0);
    let whole: serde_json::Value = serde_json::from_slice(&std::fs::read(&record).unwrap()).unwrap();
    let blobs = || children(&env.graphroot().join("blobs/sha256"));
    let before = blobs();
    let layer = &whole["layers"][0];
    let digest = layer["blob"].as_str().unwrap();
    let other = format!("{}{}", &digest[..70], if digest.ends_with('0') { '1' } else { '0' });
    let damages: [(&str, &str, serde_json::Value); 5] = [
        ("/layers/0", "blob", other.into()),
        ("/layers/0", "blob", serde_json::Value::Null),
        ("/layers/0", "size", (layer["size"].as_u64().unwrap() + 1).into()),
        ("", "media_type", "application/vnd.oci.image.index.v1+json".into()),
        ("", "index", format!("sha256:{}", whole["id"].as_str().unwrap()).into()),
    ];
    for (place, field, wrong) in damages {
        let is_lost = wrong.is_null();
        let mut damaged = whole.clone();
        damaged.pointer_mut(place).unwrap()[field] = wrong;
        std::fs::write(&record, damaged.to_string()).unwrap();
        let pruned = env.run(["image", "prune", "-f"]);
        assert!(is_lost || pruned.stderr().contains("its record is not what its manifest"), "{pruned}");
        assert_eq!(blobs(), before, "{field}");
        repaired(&env, "I5", &["image"]);
        assert_eq!(blobs(), before, "{field}");
        let mended: serde_json::Value = serde_json::from_slice(&std::fs::read(&record).unwrap()).unwrap();
        assert_eq!((&mended["layers"], &mended["index"]), (&whole["layers"], &whole["index"]), "{field}");
    }
    // One that nobody can read now is no damaged one.
    let largest = before.iter().max_by_key(|path| path.metadata().unwrap().len()).unwrap();
    std::fs::set_permissions(largest, std::fs::Permissions::from_mode(0o0)).unwrap();
    repaired(&env, "I13", &["locks us out", "I2", "EACCES"]);
    env.run(["save", "-q", "-o", env.path("saved.tar").to_str().unwrap(), "example.org/rich:1"]).success();
}

/// A name that cannot be read may be that of any image without one.
#[test]
fn f07_a_damaged_name_costs_no_image() {
    requires!(userns);
    let env = Env::with_busybox();
    let id = env.run(["images", "-q"]).trimmed();
    env.run(["manifest", "create", "localhost/l:1", BUSYBOX]).success();
    let name = children(&env.graphroot().join("refs")).remove(0);
    let list = children(&env.graphroot().join("lists")).remove(0);
    let whole = (std::fs::read(&name).unwrap(), std::fs::read(&list).unwrap());
    std::fs::write(&list, b"").unwrap();
    env.run(["manifest", "inspect", "localhost/l:1"]).code(125).stderr_has("Hint: sampan system check");
    std::fs::write(&list, whole.1).unwrap();
    std::fs::write(&name, b"").unwrap();
    env.run(["images"])
        .success()
        .stdout_has("<none>")
        .stderr_has("Error: parse")
        .stderr_has("Hint: sampan system check");
    env.run(["run", "--rm", "--network=none", BUSYBOX, "true"]).code(125).stderr_has("Hint: sampan system check");
    for prune in [&["image", "prune", "-f"][..], &["image", "prune", "-a", "-f"], &["system", "prune", "-f"]] {
        env.run(prune).success().stderr_has("nobody knows whose name this is: parse");
        env.run(["image", "exists", &id]).success();
    }
    std::fs::write(&name, whole.0).unwrap();
    env.run(["run", "--rm", "--network=none", BUSYBOX, "true"]).success();
    env.run(["system", "check", "--full"]).prints("").success();
}

#[test]
fn i01_manifest_lists() {
    requires!(userns);
    let env = Env::with_busybox();
    env.run(["manifest", "create", "localhost/l:1", BUSYBOX]).success();
    env.run(["system", "check", "--full"]).prints("").success();
    let lists = env.graphroot().join("lists");
    let record = children(&lists).remove(0);
    std::fs::write(&record, b"{").unwrap();
    std::fs::write(lists.join("localhost+l:1.0123456789ab.tmp"), b"{").unwrap();
    env.run(["images"]).success();
    repaired(&env, "I1", &["make the list again", "left by a write that was killed"]);
    assert_eq!(children(&lists), [] as [PathBuf; 0]);
    // Nobody wonders any more what it may have needed.
    let pruned = env.run(["image", "prune", "-f"]);
    assert!(!pruned.success().stderr().contains("nobody knows"), "{pruned}");
    env.run(["manifest", "create", "localhost/l:1", BUSYBOX]).success();
}

#[test]
fn i07_i08_i14_containers() {
    requires!(userns);
    let env = Env::with_busybox();
    let words = ["create", "--name=c", "--network=none", "-v", "data:/data", BUSYBOX, "echo", "ran"];
    let id = env.run(words).success().trimmed();
    let dir = env.graphroot().join("containers").join(&id);
    let layer = children(&env.graphroot().join("layers")).remove(0);
    let cases: &[(&str, &str, &dyn Fn())] = &[
        ("I7", "is missing", &|| std::fs::rename(&layer, env.graphroot().join("trash/layer")).unwrap()),
        ("I7", "volume data is missing", &|| {
            std::fs::rename(env.graphroot().join("volumes/data"), env.graphroot().join("trash/data")).unwrap();
        }),
        ("I7", "_data is missing", &|| std::fs::remove_dir_all(env.graphroot().join("volumes/data/_data")).unwrap()),
        ("I8", "does not lead to it", &|| std::fs::remove_file(env.graphroot().join("names/c")).unwrap()),
        ("I8", "leads to no container", &|| {
            std::fs::write(
                env.graphroot().join("names/ghost"),
                format!("{{\"version\":1,\"id\":\"{}\"}}", "a".repeat(64)),
            )
            .unwrap();
            std::fs::set_permissions(env.graphroot().join("names/ghost"), std::fs::Permissions::from_mode(0o600))
                .unwrap();
        }),
        ("I14", "upper is missing", &|| std::fs::rename(dir.join("upper"), env.graphroot().join("trash/u")).unwrap()),
        ("I14", "upper is missing", &|| {
            std::fs::remove_dir_all(dir.join("upper")).unwrap();
            std::os::unix::fs::symlink("/tmp", dir.join("upper")).unwrap();
        }),
        ("I14", "work is missing", &|| std::fs::rename(dir.join("work"), env.graphroot().join("trash/w")).unwrap()),
        ("I13", "mode 755 lets others in", &|| {
            std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o755)).unwrap();
        }),
    ];
    for (invariant, words, damage) in cases {
        damage();
        repaired(&env, invariant, &[words]);
        env.run(["start", "-a", "c"]).prints("ran\n");
    }
    env.run(["create", "--name=ghost", BUSYBOX, "true"]).success();
}

/// A lock is a file; what is none is told, and holds nobody up.
#[test]
fn i13_a_fifo_as_monitor_lock_holds_nobody() {
    requires!(userns);
    let env = Env::with_busybox();
    let id = env.run(["create", "--name=c", "--network=none", BUSYBOX, "echo", "ran"]).success().trimmed();
    env.run(["start", "-a", "c"]).prints("ran\n");
    let lock = env.graphroot().join("containers").join(&id).join("monitor.lock");
    std::fs::remove_file(&lock).unwrap();
    nix::unistd::mkfifo(&lock, nix::sys::stat::Mode::S_IRWXU).unwrap();
    env.run(["ps", "-a"]).stderr_has("cannot be read (lock");
    repaired(&env, "I13", &["not a file"]);
    env.run(["start", "-a", "c"]).prints("ran\n");
}

#[test]
fn i10_i11_what_is_left_of_a_run() {
    requires!(userns);
    let mut env = Env::with_busybox();
    env.expect_leaks();
    let id = env.run(["run", "-d", "--name=m", "--network=none", BUSYBOX, "sleep", "600"]).success().trimmed();
    let pid = |field: &str| {
        let format = format!("{{{{.State.{field}}}}}");
        env.run(["inspect", "m", "--format", &format]).success().trimmed().parse().map(Pid::from_raw).unwrap()
    };
    let (init, monitor) = (pid("Pid"), pid("ConmonPid"));
    kill(monitor, Signal::SIGKILL).unwrap();
    eventually("it is unsupervised", || env.run(["system", "check"]).stdout().contains("without its monitor"));
    kill(init, Signal::SIGKILL).unwrap();
    eventually("it is lost", || env.run(["system", "check"]).stdout().contains("nobody saw its end"));
    repaired(&env, "I10", &["nobody saw its end"]);
    env.run(["ps", "-a", "--format", "{{.Status}}"]).stdout_has("Exited");
    // Volatile files of nobody.
    let epoch = children(&env.runroot()).into_iter().find(|path| path.is_dir()).unwrap();
    std::fs::write(epoch.join("ports/tcp-any-8080-8080"), format!("{id} m")).unwrap();
    std::fs::create_dir(epoch.join("ctr").join("b".repeat(64))).unwrap();
    std::fs::create_dir_all(env.runroot().join("0123456789abcdef/ctr")).unwrap();
    for word in ["port of no running container", "volatile directory of no container", "of an earlier boot"] {
        env.run(["system", "check"]).code(2).stdout_has(word);
    }
    repaired(&env, "I11", &["I16"]);
    // Its state says that it runs in a cgroup that is populated, long after its end.
    env.run(["rm", "m"]).success();
    if let Some(cgroup) = env.cgroup() {
        let id = env.run(["run", "-d", "--name=n", "--network=none", BUSYBOX, "true"]).success().trimmed();
        env.run(["wait", "n"]).success();
        let state = epoch.join("ctr").join(&id).join("state.json");
        let text = std::fs::read_to_string(&state).unwrap();
        let state: serde_json::Value = serde_json::from_str(&text).unwrap();
        if let Some(path) = state["cgroup"]["path"].as_str() {
            assert!(Path::new(path).starts_with(cgroup));
            std::fs::create_dir(path).unwrap();
            let mut sleeper = std::process::Command::new("sleep").arg("600").spawn().unwrap();
            std::fs::write(Path::new(path).join("cgroup.procs"), sleeper.id().to_string()).unwrap();
            env.run(["system", "check"]).code(2).stdout_has("I11").stdout_has("does not run, but its cgroup");
            env.run(["system", "check", "--repair"]).code(1);
            assert!(!sleeper.wait().unwrap().success());
            env.run(["system", "check"]).success();
        }
    }
}

#[test]
fn i12_mounts_in_the_store() {
    requires!(userns);
    let env = Env::with_busybox();
    let layer = children(&env.graphroot().join("layers")).remove(0).join("diff/tmp");
    let script = format!(
        "mount -t tmpfs none {layer} && exec {program} system check",
        layer = layer.display(),
        program = crate::harness::env::program().display()
    );
    let output = env.other("unshare").args(["-Urm", "sh", "-c", &script]).run();
    output.stdout_has("I12").stdout_has(&format!("umount {}", layer.display()));
}

#[test]
fn f07_listing_works_on_a_damaged_store() {
    requires!(userns);
    let env = Env::with_busybox();
    env.run(["volume", "create", "good"]).success();
    env.run(["volume", "create", "bad"]).success();
    env.run(["create", "--name=good", "--network=none", BUSYBOX, "true"]).success();
    let bad = env.run(["create", "--name=bad", "--network=none", BUSYBOX, "true"]).success().trimmed();
    let graph = env.graphroot();
    for path in [format!("containers/{bad}/config.json"), "volumes/bad/meta.json".to_owned()] {
        std::fs::write(graph.join(path), b"\xff\0{").unwrap();
    }
    std::fs::write(children(&graph.join("refs")).remove(0).with_file_name("x"), b"{").unwrap();
    std::fs::set_permissions(graph.join("refs/x"), std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::remove_dir_all(graph.join("lists")).unwrap();
    let all = |env: &Env| {
        env.run(["ps", "-a", "--format", "{{.Names}}"]).success().prints("good\n");
        env.run(["images", "--format", "{{.Repository}}"]).success().stdout_has("busybox");
        env.run(["volume", "ls", "-q"]).success().prints("good\n");
        for noun in ["container", "volume"] {
            env.run([noun, "inspect", "good"]).success();
        }
        env.run(["image", "inspect", BUSYBOX]).success();
        env.run(["info"]).success();
    };
    all(&env);
    let report = env.run(["system", "check", "--json"]).code(2).json();
    assert_eq!(report, env.run(["system", "check", "--format", "json"]).code(2).json());
    let findings = report["Findings"].as_array().unwrap();
    assert!(findings.len() >= 4, "{findings:#?}");
    assert!(findings.iter().all(|finding| finding["Repaired"] == false && finding["Subject"].is_string()));
    env.run(["system", "check", "--repair"]).code(1);
    env.run(["volume", "ls", "-q"]).prints("bad\ngood\n");
    env.run(["system", "check"]).prints("").success();
}

/// A layer and its blob are both gone: that is told as what it is, to the user who runs the image, too, and the same image
/// that is loaded again mends it.
#[test]
fn what_nothing_can_repair_is_not_called_repaired() {
    requires!(userns);
    let env = Env::new();
    let archive = env.path("image.tar");
    crate::harness::image::ImageBuilder::busybox().docker_archive(&archive, "localhost/web:1");
    let load = || env.run(["load", "-q", "-i", archive.to_str().unwrap()]);
    load().success();
    for dir in ["layers", "blobs/sha256"] {
        for entry in std::fs::read_dir(env.graphroot().join(dir)).unwrap().flatten() {
            // The layer and its blob; documents are small.
            if entry.path().is_dir() {
                std::fs::remove_dir_all(entry.path()).unwrap();
            } else if entry.metadata().unwrap().len() > 100_000 {
                std::fs::remove_file(entry.path()).unwrap();
            }
        }
    }
    let out = env.run(["system", "check", "--repair"]);
    out.code(2).stdout_has("pull or load localhost/web:1 again");
    assert!(!out.stdout().contains("cannot be saved"), "once is enough: {out}");
    for line in out.stdout().lines().filter(|line| line.contains("again")) {
        assert!(!line.contains("(repaired)"), "{out}");
    }
    let out = env.run(["run", "--rm", "--network=none", "localhost/web:1", "true"]);
    out.code(125).stderr_has("its blob is not in the store").stderr_has("Hint: sampan system check --repair tells");
    load().success();
    env.run(["run", "--rm", "--network=none", "localhost/web:1", "true"]).success();
    env.run(["system", "check", "--full"]).success();
}

/// A repair may bring back what another one needs: that is for the same `--repair`.
#[test]
fn a_layer_whose_image_has_to_be_repaired_first_is_repaired_with_it() {
    requires!(userns);
    let env = Env::new();
    load(&env);
    let (_, file) = layer_with(&env, "noted");
    for record in children(&env.graphroot().join("images")) {
        std::fs::write(record, b"{").unwrap();
    }
    std::fs::write(file, b"abc").unwrap();
    let found = env.run(["system", "check", "--full"]);
    found.code(2).stdout_has("no blob of it is here");
    env.run(["system", "check", "--full", "--repair"]).code(1);
    env.run(["system", "check", "--full"]).prints("").success();
}

/// What is missing from a container and cannot be had again is not repaired because it is told in other words.
#[test]
fn a_container_whose_layer_is_lost_is_not_called_repaired() {
    requires!(userns);
    let env = Env::with_busybox();
    env.run(["create", "--name=c", "--network=none", BUSYBOX, "true"]).success();
    for layer in children(&env.graphroot().join("layers")) {
        std::fs::remove_dir_all(layer).unwrap();
    }
    let size = |path: &PathBuf| std::fs::metadata(path).unwrap().len();
    let blob = children(&env.graphroot().join("blobs/sha256")).into_iter().max_by_key(size).unwrap();
    flip(&blob, 100_000);
    let out = env.run(["system", "check", "--full", "--repair"]);
    out.code(2);
    let text = out.stdout();
    let lost: Vec<_> = text.lines().filter(|line| line.starts_with("I7: ") || line.starts_with("I5: ")).collect();
    assert!(lost.iter().any(|line| line.starts_with("I7: ")), "{out}");
    assert!(lost.iter().all(|line| !line.contains("(repaired)")), "{out}");
    env.run(["rm", "c"]).success();
    env.run(["rmi", "-a"]).success();
}
