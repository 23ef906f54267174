//! `--storage-opt additionalimagestore=`: images of another store, which is never written.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::harness::image::{BUSYBOX, busybox_tar};
use crate::harness::{Env, Output, Registry, requires};

/// Every file of a tree with its size and time of change.
fn listing(dir: &Path) -> Vec<(PathBuf, u64, std::time::SystemTime)> {
    let mut found = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
            let metadata = entry.path().symlink_metadata().unwrap();
            found.push((entry.path(), metadata.len(), metadata.modified().unwrap()));
            if metadata.is_dir() {
                dirs.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

/// A store with the image [`BUSYBOX`] beside the store of the test.
fn shared(env: &Env) -> PathBuf {
    let root = env.path("shared");
    let (root_text, run) = (root.to_string_lossy().into_owned(), env.path("shared-run").to_string_lossy().into_owned());
    let tar = busybox_tar().to_string_lossy().into_owned();
    env.run(["--root", &root_text, "--runroot", &run, "import", "-q", &tar, BUSYBOX]).success();
    root
}

fn with(env: &Env, store: &Path, arguments: &[&str]) -> Output {
    let option = format!("additionalimagestore={}", store.display());
    let mut all = vec!["--storage-opt", &option];
    all.extend(arguments);
    env.run(all)
}

fn only_file(dir: &Path) -> PathBuf {
    std::fs::read_dir(dir).unwrap().next().unwrap().unwrap().path()
}

#[test]
fn images_of_another_store_run_and_stay_as_they_are() {
    requires!(userns);
    let env = Env::new();
    let store = shared(&env);
    let before = listing(&store);
    let sampan = |arguments: &[&str]| with(&env, &store, arguments);
    env.run(["images", "-q"]).prints("");
    sampan(&["images", "--format", "{{.Repository}}:{{.Tag}} {{.ReadOnly}} {{.IsReadOnly}}"])
        .prints(&format!("{BUSYBOX} true true\n"));
    sampan(&["images"]).stdout_has("R/O");
    assert_eq!(sampan(&["images", "-q", "--filter", "readonly=true"]).success().trimmed().lines().count(), 1);
    sampan(&["images", "-q", "--filter", "readonly=false"]).prints("");
    sampan(&["image", "exists", BUSYBOX]).success();
    sampan(&["image", "inspect", "--format", "{{.Os}}", BUSYBOX]).prints("linux\n");
    sampan(&["history", BUSYBOX]).success();
    sampan(&["run", "--rm", "--network=none", BUSYBOX, "/bin/sh", "-c", "echo hello > /x; cat /x"]).prints("hello\n");
    sampan(&["create", "--name", "c", BUSYBOX, "true"]).success();
    let mount = format!("--mount=type=image,src={BUSYBOX},dst=/i");
    sampan(&["create", "--name", "d", &mount, "--network=none", BUSYBOX, "cat", "/i/etc/group"]).success();
    // A container once made needs the other store no more.
    env.run(["start", "-a", "c"]).success();
    env.run(["start", "-a", "d"]).success().stdout_has("root:x:0:");
    sampan(&["image", "diff", BUSYBOX]).success().stdout_has("A /bin\n");
    for refused in [&["rmi", BUSYBOX][..], &["rmi", "-f", BUSYBOX], &["tag", BUSYBOX, "mine"], &["untag", BUSYBOX]] {
        sampan(refused)
            .code(125)
            .stderr_has("is in the read-only store")
            .stderr_has(&format!("Hint: sampan save --format oci-archive {BUSYBOX} | sampan load"));
    }
    sampan(&["rmi", "--all"]).success();
    sampan(&["image", "prune", "-af"]).prints("");
    sampan(&["system", "check"]).success();
    sampan(&["rm", "c", "d"]).success();
    let tree = sampan(&["image", "tree", BUSYBOX]).success().stdout();
    assert!(!tree.contains("Size:      0B") && tree.contains(&format!("Top Layer of: [{BUSYBOX}]")), "{tree}");
    // What was unpacked stays as long as the store is named.
    let usage = |arguments: &[&str]| {
        let rows = sampan(arguments).success().json();
        rows[0]["RawReclaimable"].as_u64().unwrap()
    };
    assert!(usage(&["system", "df", "--format=json"]) < 1 << 20);
    assert_eq!(listing(&store), before);
    // An own image of that name comes first.
    let tar = busybox_tar().to_string_lossy().into_owned();
    env.run(["import", "-q", "-m", "mine", &tar, BUSYBOX]).success();
    sampan(&["history", "--format", "{{.Comment}}", BUSYBOX]).prints("mine\n");
    assert_eq!(sampan(&["images", "-q"]).success().trimmed().lines().count(), 2);
    sampan(&["rmi", BUSYBOX]).success();
    assert_eq!(listing(&store), before);
    // Its layers wait for the next use; whoever makes room takes them.
    env.run(["system", "check"]).success();
    sampan(&["rmi", "-af"]).success();
    env.run(["image", "prune", "-f"]).success();
    assert_eq!(std::fs::read_dir(env.graphroot().join("layers")).unwrap().count(), 0);
}

#[test]
fn images_of_another_store_go_out_as_they_are() {
    requires!(userns, registry, skopeo);
    let env = Env::new();
    let store = shared(&env);
    let registry = Registry::start(&env);
    let wanted = with(&env, &store, &["image", "inspect", "--format", "{{.Digest}}", BUSYBOX]).success().trimmed();
    let layout = env.path("layout");
    with(&env, &store, &["save", "-q", "--format=oci-dir", "-o", layout.to_str().unwrap(), BUSYBOX]).success();
    assert!(std::fs::read_to_string(layout.join("index.json")).unwrap().contains(&wanted));
    let archive = env.path("x.tar");
    with(&env, &store, &["save", "-q", "-o", archive.to_str().unwrap(), BUSYBOX]).success();
    let target = registry.name("x:1");
    with(&env, &store, &["push", "-q", "--tls-verify=false", "--compression-format=zstd", BUSYBOX, &target]).success();
    env.run(["pull", "-q", "--tls-verify=false", &target]).success();
    env.run(["run", "--rm", "--network=none", &target, "true"]).success();
    // What is damaged there does not get out.
    let blobs = std::fs::read_dir(store.join("blobs/sha256")).unwrap().flatten();
    let largest = blobs.max_by_key(|blob| blob.metadata().unwrap().len()).unwrap().path();
    let mut bytes = std::fs::read(&largest).unwrap();
    bytes[1000] ^= 1;
    std::fs::write(&largest, bytes).unwrap();
    let out = env.path("y.tar");
    with(&env, &store, &["save", "-q", "--format=oci-archive", "-o", out.to_str().unwrap(), BUSYBOX]).code(125);
    assert!(!out.exists());
}

/// The cure that the error names: an image of one's own.
#[test]
fn an_image_of_another_store_is_tagged_when_it_came_here() {
    requires!(userns);
    let env = Env::new();
    let store = shared(&env);
    let wanted = with(&env, &store, &["inspect", "--format", "{{.Digest}}", BUSYBOX]).success().trimmed();
    with(&env, &store, &["tag", BUSYBOX, "mine:1"]).code(125).stderr_has("Hint: sampan save");
    let archive = env.path("x.tar");
    with(&env, &store, &["save", "-q", "--format=oci-archive", "-o", archive.to_str().unwrap(), BUSYBOX]).success();
    with(&env, &store, &["load", "-q", "-i", archive.to_str().unwrap()]).success();
    with(&env, &store, &["tag", BUSYBOX, "mine:1"]).success();
    env.run(["inspect", "--format", "{{.Digest}}", "mine:1"]).prints(&format!("{wanted}\n"));
}

/// A subordinate id of ours is another user of the kernel's: it reads what we share, and nothing more.
#[test]
fn another_user_shares_the_store() {
    requires!(userns, subids);
    let env = Env::new();
    let store = shared(&env);
    let before = listing(&store);
    let (home, program) = (env.path("other"), crate::harness::env::program());
    let script = |command: &str| {
        let option = format!("--storage-opt additionalimagestore={}", store.display());
        let roots = format!("--root {0}/root --runroot {0}/run", home.display());
        format!(
            "install -d -m 700 -o 1 -g 1 {0}; cd {0}; exec setpriv --reuid=1 --regid=1 --clear-groups env HOME={0} \
             {1} {roots} {option} {command}",
            home.display(),
            program.display()
        )
    };
    let run = |command: &str| {
        let words = ["--user", "--map-root-user", "--map-auto", "--", "sh", "-c", &script(command)].map(str::to_owned);
        env.other("unshare").args(words).run()
    };
    // Closed as every store is.
    run("images").code(125).stderr_has("EACCES");
    let open = env.other("chmod").args(["-R", "a+rX", store.to_str().unwrap()]).run();
    open.success();
    let above = [env.root().to_str().unwrap(), store.parent().unwrap().to_str().unwrap()];
    env.other("chmod").args([&["a+x"][..], &above].concat()).run().success();
    run("images --format '{{.Repository}}:{{.Tag}} {{.ReadOnly}}'").prints(&format!("{BUSYBOX} true\n"));
    run(&format!("run --rm --network=none {BUSYBOX} /bin/sh -c 'echo hello > /x; cat /x; id -u'"))
        .success()
        .stdout_has("hello\n0\n");
    run(&format!("rmi {BUSYBOX}")).code(125).stderr_has("is in the read-only store");
    run("system check --full").success();
    assert_eq!(listing(&store), before);
}

#[test]
fn stores_that_cannot_be_used_are_one_line() {
    requires!(userns);
    let env = Env::new();
    let store = shared(&env);
    let refused = |words: &str| {
        let output = with(&env, &store, &["images"]);
        output.code(125).stderr_has(words);
        assert_eq!(output.stderr().lines().filter(|line| line.starts_with("Error: ")).count(), 1, "{output}");
    };
    let version = store.join("VERSION");
    std::fs::write(&version, "99\n").unwrap();
    refused("has format \"99\"");
    std::fs::write(&version, "1\n").unwrap();
    std::fs::set_permissions(&version, std::fs::Permissions::from_mode(0o000)).unwrap();
    refused("open store");
    std::fs::remove_file(&version).unwrap();
    refused("there is no store of sampan in");
    env.run(["--storage-opt", "additionalimagestore=rel", "images"]).code(125).stderr_has("absolute");
    env.run(["--storage-opt", "size=1", "images"])
        .code(125)
        .stderr_has("additionalimagestore=PATH and sync=filesystem|none");
}

#[test]
fn a_hostile_store_gives_no_digest_another_content() {
    requires!(userns);
    let env = Env::new();
    let store = shared(&env);
    let record = only_file(&store.join("images"));
    let honest = std::fs::read_to_string(&record).unwrap();
    // A record that says more than its configuration.
    std::fs::write(&record, honest.replacen("\"architecture\"", "\"author\":\"evil\",\"architecture\"", 1)).unwrap();
    with(&env, &store, &["run", "--rm", "--network=none", BUSYBOX, "true"])
        .code(125)
        .stderr_has("not what its digests say");
    // One that claims the chain id of some other layer.
    let chain = honest.split("\"chain\":\"sha256:").nth(1).unwrap()[..64].to_owned();
    let forged =
        honest.replacen(&format!("\"chain\":\"sha256:{chain}"), &format!("\"chain\":\"sha256:{}", "0".repeat(64)), 1);
    std::fs::write(&record, forged).unwrap();
    with(&env, &store, &["run", "--rm", "--network=none", BUSYBOX, "true"])
        .code(125)
        .stderr_has("not what its digests say");
    std::fs::write(&record, "{").unwrap();
    with(&env, &store, &["images"]).success().stderr_has("Error: ");
    std::fs::write(&record, &honest).unwrap();
    // A layer that is another one.
    let largest = std::fs::read_dir(store.join("blobs/sha256"))
        .unwrap()
        .flatten()
        .max_by_key(|blob| blob.metadata().unwrap().len());
    let largest = largest.unwrap().path();
    let other = std::fs::read(&largest).unwrap();
    std::fs::write(&largest, &other[..other.len() / 2]).unwrap();
    with(&env, &store, &["run", "--rm", "--network=none", BUSYBOX, "true"]).code(125);
    assert!(std::fs::read_dir(env.graphroot().join("layers")).map_or(0, Iterator::count) == 0);
    std::fs::write(&largest, &other).unwrap();
    let unpacked = || std::fs::read_dir(env.graphroot().join("layers")).map_or(0, Iterator::count);
    with(&env, &store, &["run", "--rm", "--network=none", BUSYBOX, "true"]).success();
    // What was unpacked stays while the store is used, and is swept when it is not.
    with(&env, &store, &["system", "check", "--repair"]).success();
    assert_eq!(unpacked(), 1);
    env.run(["system", "check"]).success();
    env.run(["image", "prune", "-f"]).success();
    assert_eq!(unpacked(), 0);
}

#[test]
fn a_hostile_store_holds_nobody() {
    requires!(userns);
    let env = Env::new();
    let store = shared(&env);
    let mut files = vec![store.join("VERSION"), only_file(&store.join("images"))];
    files.extend(std::fs::read_dir(store.join("blobs/sha256")).unwrap().map(|blob| blob.unwrap().path()));
    let mut refused = 0;
    for file in files {
        let aside = env.path("aside");
        std::fs::rename(&file, &aside).unwrap();
        nix::unistd::mkfifo(&file, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let mut run = || {
            let out = with(&env, &store, &["run", "--rm", "--network=none", BUSYBOX, "true"]);
            assert!(matches!(out.exit_code(), Some(0 | 125)), "{file:?}: {out}");
            refused += usize::from(!out.is_success());
        };
        run();
        std::fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &file).unwrap();
        run();
        std::fs::remove_file(&file).unwrap();
        std::fs::rename(&aside, &file).unwrap();
        env.run(["rmi", "-af"]).success();
        env.run(["image", "prune", "-f"]).success();
    }
    // VERSION, record, configuration and layer; of the manifest nobody asks.
    assert!(refused >= 2 * 4, "{refused}");
    with(&env, &store, &["run", "--rm", "--network=none", BUSYBOX, "true"]).success();
}
