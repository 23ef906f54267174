//! Records of the store that are damaged, foreign, or of a later version (F07, F08, F12).

use std::path::PathBuf;

use crate::harness::image::BUSYBOX;
use crate::harness::{Env, requires};

fn create(env: &Env, name: &str) -> String {
    let name = format!("--name={name}");
    env.run(["create", &name, "--network=none", BUSYBOX, "echo", "ran"]).success().trimmed()
}

#[test]
fn f07_a_damaged_container_is_alone_with_it() {
    requires!(userns);
    let env = Env::with_busybox();
    env.run(["run", "-d", "--name=runs", "--network=none", BUSYBOX, "sleep", "600"]).success();
    let whole = std::fs::read(config(&env, &create(&env, "model"))).unwrap();
    let mut texts: Vec<Vec<u8>> = (0..8).map(|part| whole[..whole.len() * part / 8].to_vec()).collect();
    texts.extend([vec![0; 4096], b"[]".to_vec(), b"{\"version\": 1}".to_vec(), vec![0xff; 64]]);
    for (count, text) in texts.iter().enumerate() {
        let id = create(&env, "broken");
        std::fs::write(config(&env, &id), text).unwrap();
        env.run(["ps", "--format", "{{.Names}}"]).success().prints("runs\n").stderr_has(&id[..12]);
        env.run(["exec", "runs", "true"]).success();
        env.run(["images", "-q"]).success();
        env.run(["start", &id]).code(125).stderr_has("damaged");
        env.run(["inspect", &id]).code(125);
        assert!(!env.run(["system", "check"]).is_success(), "check names the damage of {count}");
        // The name is a link to the damaged file: it still says who is meant.
        env.run(["start", "broken"]).code(125).stderr_has("damaged");
        let word = if count % 2 == 0 { "broken" } else { id.as_str() };
        env.run(["rm", word]).prints(&format!("{word}\n"));
        env.run(["container", "exists", "broken"]).code(1);
    }
    env.run(["system", "check"]).success();
}

fn config(env: &Env, id: &str) -> PathBuf {
    env.graphroot().join("containers").join(id).join("config.json")
}

#[test]
fn f07_a_damaged_image_is_alone_with_it() {
    requires!(userns);
    let env = Env::with_busybox();
    let record = std::fs::read_dir(env.graphroot().join("images")).unwrap().flatten().next().unwrap().path();
    let whole = std::fs::read(&record).unwrap();
    create(&env, "made-before");
    std::fs::write(&record, &whole[..100]).unwrap();
    env.run(["ps", "-a", "--format", "{{.Names}}"]).prints("made-before\n");
    env.run(["images"]).stderr_has("damaged");
    let out = env.run(["run", "--rm", BUSYBOX, "true"]);
    out.code(125).stderr_has("damaged").stderr_has("Hint: ");
    assert!(!out.stderr().contains("Trying to pull") && !out.stderr().contains('\u{1b}'), "{out}");
    env.run(["start", "-a", "made-before"]).prints("ran\n");
    std::fs::write(&record, whole).unwrap();
    env.run(["run", "--rm", "--network=none", BUSYBOX, "true"]).success();
}

#[test]
fn f08_foreign_files_are_left_alone() {
    requires!(userns);
    let env = Env::with_busybox();
    create(&env, "k");
    let outside = env.write("outside/file", "untouched");
    let dirs = ["containers/stray", "images/stray"].map(|name| env.graphroot().join(name));
    for dir in &dirs {
        std::fs::create_dir(dir).unwrap();
    }
    let backup = env.graphroot().join("containers/backup~");
    std::fs::write(&backup, "x").unwrap();
    let link = env.graphroot().join("containers").join("a".repeat(64));
    std::os::unix::fs::symlink(outside.parent().unwrap(), &link).unwrap();
    env.run(["ps", "-a", "--format", "{{.Names}}"]).success().prints("k\n");
    env.run(["images", "-q"]).success();
    env.run(["system", "check"]).code(2).stdout_has("stray");
    env.run(["system", "check", "--repair"]).code(2);
    env.run(["container", "exists", &"a".repeat(64)]).code(1);
    assert_eq!(std::fs::read_to_string(outside).unwrap(), "untouched");
    for dir in dirs {
        std::fs::remove_dir(dir).unwrap();
    }
    std::fs::remove_file(backup).unwrap();
    std::fs::remove_file(link).unwrap();
}

#[test]
fn f12_a_later_version_is_refused() {
    requires!(userns);
    let env = Env::with_busybox();
    let version = env.graphroot().join("VERSION");
    let before = std::fs::read(&version).unwrap();
    std::fs::write(&version, "999\n").unwrap();
    for words in [&["ps"][..], &["images"], &["run", "--rm", BUSYBOX, "true"]] {
        env.run(words).code(125).stderr_has("format").stderr_has("newer sampan");
    }
    std::fs::write(&version, before).unwrap();
    let id = create(&env, "later");
    let text = std::fs::read_to_string(config(&env, &id)).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut later = value.clone();
    later["version"] = 99.into();
    std::fs::write(config(&env, &id), later.to_string()).unwrap();
    env.run(["start", "later"]).code(125).stderr_has("version 99").stderr_has("newer sampan");
    // It stands in nobody's way.
    create(&env, "other");
    env.run(["rm", "other"]).success();
    assert_ne!(env.run(["system", "check", "--repair"]).exit_code(), Some(125));
    env.run(["container", "exists", &id]).code(0);
    std::fs::write(config(&env, &id), text).unwrap();
    env.run(["rm", "later"]).success();
}

#[test]
fn f11_clocks_that_were_wrong() {
    requires!(userns);
    let env = Env::with_busybox();
    for (name, time) in [("past", "1970-01-01T00:00:00Z"), ("future", "2200-01-01T00:00:00Z")] {
        let id = create(&env, name);
        let mut value: serde_json::Value = serde_json::from_slice(&std::fs::read(config(&env, &id)).unwrap()).unwrap();
        value["created"] = time.into();
        std::fs::write(config(&env, &id), value.to_string()).unwrap();
    }
    create(&env, "now");
    env.run(["ps", "-a", "--format", "{{.Names}}", "--sort=created"]).prints("past\nnow\nfuture\n");
    env.run(["ps", "-a"]).success();
    env.run(["inspect", "past", "future"]).success();
    env.run(["start", "-a", "future"]).prints("ran\n");
    env.run(["wait", "future"]).prints("0\n");
    env.run(["container", "prune", "--force"]).success();
    env.run(["ps", "-aq"]).prints("");
}

/// A directory, a FIFO, a circle of links: what a slip of the hand or another tool leaves in the place of a file.
#[test]
fn f08_what_is_no_file_holds_up_nobody() {
    requires!(userns);
    let env = Env::with_busybox();
    let fifo = |path: &std::path::Path| nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    env.run(["create", "--name=whole", "-v=/data", "--network=none", BUSYBOX, "true"]).success();
    let volume = env.run(["volume", "ls", "-q"]).success().trimmed();
    let holder = env.graphroot().join("volumes").join(&volume).join("holder");
    std::fs::remove_file(&holder).unwrap();
    fifo(&holder);
    let names = env.graphroot().join("names");
    std::fs::create_dir(names.join("directory")).unwrap();
    fifo(&names.join("fifo"));
    std::os::unix::fs::symlink("circle", names.join("circle")).unwrap();
    let broken = config(&env, &create(&env, "broken"));
    std::fs::remove_file(&broken).unwrap();
    fifo(&broken);
    env.run(["ps", "-a", "--format", "{{.Names}}"]).success().prints("whole\n").stderr_has("cannot be read");
    env.run(["images", "-q"]).success();
    env.run(["system", "df"]).success();
    let found = env.run(["system", "check"]);
    found
        .code(2)
        .stdout_has("names/directory")
        .stdout_has("names/fifo")
        .stdout_has("names/circle")
        .stdout_has("holder");
    // The sweep goes past them, and takes away nothing of theirs.
    env.run(["image", "prune", "--force"]).success();
    env.run(["volume", "inspect", &volume]).success();
    env.run(["system", "check", "--repair"]).code(2).stdout_has("names/circle");
    std::fs::remove_file(names.join("circle")).unwrap();
    env.run(["system", "check"]).success();
    env.run(["rm", "broken", "whole"]).success();
}

/// A power cut leaves the definition of a `--rm` container without content. One that has ended with a record is another:
/// its files are kept.
#[test]
fn f07_what_a_container_with_a_blank_definition_has_written_is_kept() {
    requires!(userns);
    let env = Env::with_busybox();
    env.run(["run", "--name=ended", "--network=none", "-v=/data", BUSYBOX, "sh", "-c", "echo kept >/root/kept"])
        .success();
    let id = env.run(["ps", "-aq", "--no-trunc"]).success().trimmed();
    std::fs::write(config(&env, &id), "").unwrap();
    // As after a reboot.
    std::fs::remove_dir_all(env.runroot()).unwrap();
    env.run(["ps", "-aq"]).success().prints("").stderr_has(&id[..12]);
    assert_eq!(env.run(["volume", "ls", "-q"]).success().stdout().lines().count(), 1);
    env.run(["system", "check", "--repair"]).code(1).stdout_has("keeps its files");
    let kept = env.graphroot().join("aside").join(&id).join("upper/root/kept");
    assert_eq!(std::fs::read_to_string(kept).unwrap(), "kept\n");
    assert_eq!(env.run(["volume", "ls", "-q"]).success().stdout().lines().count(), 1);
}
