//! `system doctor`: it tries everything out, says what is lost, and leaves nothing behind.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::harness::{Env, requires};

/// The finding of a need.
#[track_caller]
fn finding(report: &Value, need: &str) -> Value {
    let found = report["Findings"].as_array().unwrap().iter().find(|finding| finding["Need"] == need);
    found.cloned().unwrap_or_else(|| panic!("nothing of {need:?} in {report:#}"))
}

#[test]
fn every_need_is_judged() {
    requires!(userns, subids, overlay, slirp4netns);
    let env = Env::new();
    let out = env.run(["system", "doctor", "--format=json"]);
    let report = out.json();
    let mut missing = false;
    for finding in report["Findings"].as_array().unwrap() {
        let text = |name: &str| finding[name].as_str().unwrap().to_owned();
        let fine = text("Verdict") == "fine";
        assert!(!text("Found").is_empty(), "{finding}");
        assert_eq!((fine, fine), (text("Lost").is_empty(), text("Cure").is_empty()), "{finding}");
        missing |= text("Verdict") == "missing";
    }
    out.code(i32::from(missing));
    for need in [
        "kernel",
        "user namespaces",
        "namespaces",
        "/proc",
        "newuidmap, newgidmap",
        "subordinate ids",
        "overlay",
        "network",
    ] {
        let finding = finding(&report, need);
        assert_ne!(finding["Verdict"], "missing", "{finding}");
    }
    for need in ["store", "XDG_RUNTIME_DIR", "fuse-overlayfs", "linger", "low ports", "ping", "inotify", "keyring"] {
        finding(&report, need);
    }
    let out = env.run(["system", "doctor"]);
    out.stdout_has("NEED").stdout_has("VERDICT");
    assert_eq!(out.exit_code(), Some(i32::from(missing)));
    let names = env.run(["system", "doctor", "--format", "{{.Need}} {{.Verdict}}"]).stdout();
    assert!(names.lines().any(|line| line == "user namespaces fine"), "{names}");
}

#[test]
fn a_file_that_is_not_read_is_told() {
    requires!(userns);
    let env = Env::new();
    let path = env.home().join(".config/containers/storage.conf");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, "[storage]\ngraphroot = \"/elsewhere\"\n").unwrap();
    let found = finding(&env.run(["system", "doctor", "--format=json"]).json(), "storage.conf");
    let text = found["Found"].as_str().unwrap();
    assert!(text.contains(path.to_str().unwrap()) && text.contains("--root"), "{found}");
    // The same in every build of the same sources.
    let built = option_env!("SOURCE_DATE_EPOCH").unwrap_or("0");
    // Without a side, the client is meant; a line break that is there is not doubled.
    let version = env!("CARGO_PKG_VERSION");
    env.run(["version", "--format", "{{.Version}}\\n"]).prints(&format!("{version}\n"));
    env.run(["version", "--format", "{{.Server.Version}} {{.OsArch}}"]).success().stdout_has(version);
    env.run(["version", "--format", "{{.Client.GoVersion}}"]).success().stdout_has("rustc ");
    env.run(["version", "--format", "{{.Nope}}"]).code(125).stderr_has("Nope");
    env.run(["version", "--format", "{{.Client.Built}} {{.Server.Built}}"]).prints(&format!("{built} {built}\n"));
    let said = "{{.Host.RemoteSocket.Exists}} {{.Host.EventLogger}} {{.Registries}} {{.Store.GraphOptions}} {{.Plugins.Volume}}";
    env.run(["info", "--format", said]).prints("false none map[search:[]] map[] [local]\n");
    let times = ["info", "--format", "{{.Version.BuiltTime}}={{.Version.Built}}"];
    let time = env.run(times).success().stdout();
    assert!(built != "0" || time == "Thu Jan  1 00:00:00 1970=0\n", "{time}");
    env.run(["info", "--format", "{{.Store.GraphRoot}}"]).prints(&format!("{}\n", env.graphroot().display()));
}

#[test]
fn what_is_hidden_is_missed() {
    requires!(userns, subids);
    let mut env = Env::new();
    env.hide_programs(&["newuidmap", "pasta", "slirp4netns", "fuse-overlayfs"]);
    let out = env.run(["system", "doctor", "--format=json"]);
    out.code(1);
    let report = out.json();
    let mappers = finding(&report, "newuidmap, newgidmap");
    assert_eq!(mappers["Verdict"], "degraded");
    assert!(mappers["Cure"].as_str().unwrap().contains("apt install uidmap"), "{mappers}");
    let network = finding(&report, "network");
    assert_eq!(network["Verdict"], "missing");
    assert!(network["Cure"].as_str().unwrap().contains("apt install passt"), "{network}");
    finding(&report, "supplementary groups");
}

#[test]
fn a_home_that_cannot_be_written() {
    requires!(userns, user);
    let env = Env::new();
    let mode = |mode| std::fs::set_permissions(env.home(), std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o500);
    let out = env.run(["system", "doctor", "--format=json"]);
    mode(0o700);
    out.code(1);
    let store = finding(&out.json(), "store");
    assert_eq!(store["Verdict"], "missing");
    assert!(store["Cure"].as_str().unwrap().contains("--root"), "{store}");
}

/// In a user namespace of our own, whose settings are ours to change.
#[track_caller]
fn within(env: &Env, prepare: &str, arguments: &str) -> crate::harness::Output {
    let script = format!("{prepare} && {} {arguments}", crate::harness::env::program().display());
    env.other("unshare").args(["--user", "--map-root-user", "--mount", "sh", "-c", &script]).run()
}

#[test]
fn shut_gates_are_found_and_hinted_at() {
    requires!(userns, user);
    let env = Env::new();
    let shut = "echo 0 > /proc/sys/user/max_user_namespaces";
    let out = within(&env, shut, "system doctor --format=json");
    out.code(1);
    let namespaces = finding(&out.json(), "user namespaces");
    assert_eq!(namespaces["Verdict"], "missing");
    assert!(namespaces["Cure"].as_str().unwrap().contains("sysctl user.max_user_namespaces="), "{namespaces}");
    // K-B3: what an outer container does to its /proc.
    let covered = "mount --bind /dev/null /proc/keys";
    let out = within(&env, covered, "system doctor --format=json");
    out.code(1);
    let proc = finding(&out.json(), "/proc");
    assert_eq!(proc["Verdict"], "missing");
    let cure = proc["Cure"].as_str().unwrap().to_owned();
    assert!(cure.contains("unmask=ALL"), "{cure}");
    let tar = crate::harness::image::busybox_tar().display();
    let run = format!("import {tar} b && {} run --rm --network=none b true", crate::harness::env::program().display());
    let out = within(&env, covered, &run);
    out.code(125).stderr_has(&format!("Hint: {cure}"));
}
