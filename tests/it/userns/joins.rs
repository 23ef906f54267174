//! `container:ID` for every kind of namespace.

use std::path::PathBuf;

use crate::harness::env::program;
use crate::harness::image::{BUSYBOX, busybox_tar};
use crate::harness::{Env, eventually, requires};

fn namespaces(text: &str) -> Vec<String> {
    text.lines().filter(|line| line.contains(":[")).map(str::to_owned).collect()
}

#[test]
fn every_kind_is_shared() {
    requires!(userns);
    let env = Env::with_busybox();
    env.run(["run", "-d", "--name=n", "--network=none", "--hostname=joined", BUSYBOX, "sleep", "600"]).success();
    for (flag, kind) in
        [("--network", "net"), ("--pid", "pid"), ("--ipc", "ipc"), ("--uts", "uts"), ("--userns", "user")]
    {
        let file = format!("/proc/self/ns/{kind}");
        let theirs = env.run(["exec", "n", "readlink", &file]).success().stdout();
        let mut words = vec!["run", "--rm"];
        if kind != "net" {
            words.push("--network=none");
        }
        let joined = format!("{flag}=container:n");
        words.extend([joined.as_str(), BUSYBOX, "readlink", &file]);
        env.run(&words).prints(&theirs);
    }
    let all = [
        "run",
        "--rm",
        "--network=container:n",
        "--pid=container:n",
        "--ipc=container:n",
        "--uts=container:n",
        BUSYBOX,
    ];
    let script = "hostname; ps | grep -c '[s]leep 600'; for k in net pid ipc uts; do readlink /proc/self/ns/$k; done";
    let out = env.run(all.iter().chain(&["sh", "-c", script]));
    out.success().stdout_has("joined\n1\n");
    let theirs = env.run(["exec", "n", "sh", "-c", script]).success().stdout();
    assert_eq!(namespaces(&out.stdout()), namespaces(&theirs));
}

/// Its file system is the host's: the kernel mounts it only for the owner of the namespace.
#[test]
fn a_cgroup_namespace_is_joined() {
    requires!(userns);
    let env = Env::with_busybox();
    env.run(["run", "-d", "--name=n", "--network=none", BUSYBOX, "sleep", "600"]).success();
    let script = "readlink /proc/self/ns/cgroup; test -e /sys/fs/cgroup/cgroup.procs && echo mounted";
    let theirs = env.run(["exec", "n", "sh", "-c", script]).success().stdout();
    for more in [&["--network=none"][..], &["--network=none", "--userns=container:n"], &["--network=container:n"]] {
        let words = [&["run", "--rm", "--cgroupns=container:n"], more, &[BUSYBOX, "sh", "-c", script]].concat();
        env.run(words).prints(&theirs);
    }
}

#[test]
fn exec_in_a_container_that_joins_another() {
    requires!(userns);
    let env = Env::with_busybox();
    env.run(["run", "-d", "--name=n", "--network=none", "--hostname=joined", BUSYBOX, "sleep", "600"]).success();
    let all = ["--network=container:n", "--pid=container:n", "--ipc=container:n", "--uts=container:n"];
    env.run(["run", "-d", "--name=second"].iter().chain(&all).chain(&[BUSYBOX, "sleep", "700"])).success();
    env.run(["run", "-d", "--name=third", "--network=container:second", BUSYBOX, "sleep", "800"]).success();
    let script = "id -u; for k in net user; do readlink /proc/self/ns/$k; done";
    let theirs = env.run(["exec", "n", "sh", "-c", script]).success().stdout();
    for name in ["second", "third"] {
        env.run(["exec", name, "sh", "-c", script]).prints(&theirs);
    }
    env.run(["exec", "second", "sh", "-c", "hostname; ps | grep -c '[s]leep [67]00'"]).prints("joined\n2\n");
}

#[test]
fn ipc_shares_memory_and_network_low_ports() {
    requires!(userns);
    let env = Env::with_busybox();
    env.run(["run", "-d", "--name=n", "--network=none", BUSYBOX, "sh", "-c", "echo shared >/dev/shm/x; sleep 600"])
        .success();
    let shown = |name| env.run(["inspect", name, "--format", "{{.HostConfig.IpcMode}}"]);
    shown("n").prints("shareable\n");
    for mode in ["private", "none", "container:n"] {
        let flag = format!("--ipc={mode}");
        env.run(["create", "--replace", "--name=shown", "--network=none", &flag, BUSYBOX, "true"]).success();
        let told = shown("shown").success().trimmed();
        assert!(told == mode || told.starts_with("container:") && mode.starts_with("container:"), "{mode}: {told}");
    }
    env.run(["rm", "shown"]).success();
    let ipc = ["run", "--rm", "--network=none", "--ipc=container:n", BUSYBOX, "sh", "-c"];
    env.run(ipc.iter().chain(&["cat /dev/shm/x; echo back >/dev/shm/y"])).prints("shared\n");
    env.run(["exec", "n", "cat", "/dev/shm/y"]).prints("back\n");
    env.run(["run", "-d", "--name=web", "--network=container:n", BUSYBOX, "httpd", "-f", "-h", "/etc", "-p", "80"])
        .success();
    let get = ["exec", "n", "wget", "-q", "-O", "-", "http://127.0.0.1/os-release"];
    crate::harness::eventually("the neighbour serves port 80", || env.run(get).is_success());
    env.run(["rm", "n"]).code(125).stderr_has("dependent");
    env.run(["run", "--rm", "--network=none", "--ipc=host", BUSYBOX, "true"]).success();
    env.run(["run", "--rm", "--network=container:absent", BUSYBOX, "true"]).code(125).stderr_has("absent");
}

#[test]
fn joined_keep_id_has_its_ids() {
    requires!(userns, subids);
    let env = Env::with_busybox();
    env.run(["run", "-d", "--name=k", "--network=none", "--userns=keep-id", BUSYBOX, "sleep", "600"]).success();
    let script = "stat -c %u /bin/busybox; cat /proc/self/uid_map";
    let theirs = env.run(["exec", "--user=0", "k", "sh", "-c", script]).success().stdout();
    env.run(["run", "--rm", "--network=none", "--pid=container:k", BUSYBOX, "sh", "-c", script]).prints(&theirs);
    // Said again: it is the same one. Another one cannot be, which shows before anything is made.
    let uid = nix::unistd::geteuid().as_raw().to_string();
    for flag in ["--pid=container:k", "--ipc=container:k"] {
        let words = ["run", "--rm", "--network=none", "--userns=keep-id", flag, BUSYBOX, "id", "-u"];
        env.run(words).prints(&format!("{uid}\n"));
        let other = env.run(["run", "--rm", "--network=none", "--userns=nomap", flag, BUSYBOX, "true"]);
        other.code(125).stderr_has("needs the user namespace of that container").stderr_has("Hint: leave out --userns");
    }
    env.run(["ps", "-aq", "--no-trunc"]).success();
    assert_eq!(env.run(["ps", "-aq"]).stdout().lines().count(), 1);
}

#[test]
fn what_is_joined_is_started_first() {
    requires!(userns);
    let env = Env::with_busybox();
    let create = |name: &str, flags: &[&str]| {
        let words = [&["create", "--name", name], flags, &[BUSYBOX, "sleep", "600"]].concat();
        env.run(words).success();
    };
    create("base", &["--network=none"]);
    create("aa", &["--network=container:base"]);
    create("top", &["--network=none", "--ipc=container:aa"]);
    let names = || env.run(["ps", "--format", "{{.Names}}", "--sort=names"]).success().stdout();
    env.run(["start", "top"]).success().prints("top\n");
    assert_eq!(names(), "aa\nbase\ntop\n");
    // Each that was named is told, whoever took it along.
    for verb in [&["start", "top", "aa", "base"][..], &["start", "--all"], &["restart", "-t0", "top", "aa", "base"]] {
        env.run(["stop", "-t0", "--all"]).success();
        let out = env.run(verb);
        assert_eq!(out.success().stdout().lines().count(), 3, "{out:?}");
        assert_eq!(names(), "aa\nbase\ntop\n", "{verb:?}");
    }
    env.run(["stop", "-t0", "--all"]).success();
    env.run(["run", "--rm", "--network=container:aa", BUSYBOX, "true"]).success();
    assert_eq!(names(), "aa\nbase\n");
    env.run(["stop", "-t0", "--all"]).success();
    // Two at once: one of them starts what both need.
    let (one, other) = (env.spawn(["start", "aa"]), env.spawn(["start", "top"]));
    one.wait().success();
    other.wait().success();
    assert_eq!(names(), "aa\nbase\ntop\n");
}

#[test]
fn an_ipc_namespace_may_be_ones_own_alone() {
    requires!(userns);
    let env = Env::with_busybox();
    for (mode, joins) in [("private", false), ("shareable", true)] {
        let ipc = format!("--ipc={mode}");
        env.run(["create", "--name", mode, "--network=none", &ipc, BUSYBOX, "sleep", "600"]).success();
        let join = format!("--ipc=container:{mode}");
        let out = env.run(["create", "--network=none", &join, BUSYBOX, "true"]);
        if joins {
            out.success();
        } else {
            out.code(125).stderr_has("its own alone").stderr_has("Hint: make that container with --ipc shareable");
        }
    }
}

/// A container that runs can be looked into and joined, whatever became of those that started before it.
fn is_open(env: &Env, name: &str) {
    env.write("sent", name);
    env.run(["cp", env.path("sent").to_str().unwrap(), &format!("{name}:/tmp/received")]).success();
    env.run(["cp", &format!("{name}:/tmp/received"), "-"]).success().stdout_has(name);
    env.run(["export", name]).success().stdout_has("tmp/received");
    for flag in ["pid", "ipc", "uts", "userns"] {
        env.run(["run", "--rm", "--network=none", &format!("--{flag}=container:{name}"), BUSYBOX, "true"]).success();
    }
    env.run(["run", "--rm", &format!("--network=container:{name}"), BUSYBOX, "true"]).success();
}

/// `sampan unshare COMMAND…`, and this program in there with the same store.
fn unshared(env: &Env, command: &str) -> Vec<String> {
    let (program, root, runroot) = (program(), env.graphroot(), env.runroot());
    let sampan = format!("{} --root {} --runroot {}", program.display(), root.display(), runroot.display());
    ["unshare", "sh", "-c", &command.replace("SAMPAN", &sampan)].map(str::to_owned).to_vec()
}

/// Those who come later join the user namespace of the first, which lives as long as anybody is in it.
fn is_mountable(env: &Env, name: &str) {
    env.run(unshared(env, &format!("SAMPAN mount {name}"))).success();
}

fn offers(env: &Env) -> Vec<PathBuf> {
    let epochs = std::fs::read_dir(env.runroot()).into_iter().flatten().map(|entry| entry.unwrap().path());
    let offers = epochs.filter_map(|epoch| std::fs::read_dir(epoch.join("outer")).ok()).flatten();
    offers.map(|entry| entry.unwrap().path()).collect()
}

fn start(env: &Env, name: &str) {
    env.run(["run", "-d", "--name", name, "--network=none", BUSYBOX, "sleep", "600"]).success();
}

#[test]
fn who_made_the_user_namespace_may_end_first() {
    requires!(userns);
    let env = Env::with_busybox();
    start(&env, "first");
    start(&env, "second");
    env.run(["rm", "-f", "-t0", "first"]).success();
    start(&env, "third");
    for name in ["second", "third"] {
        is_open(&env, name);
        is_mountable(&env, name);
    }
}

#[test]
fn containers_that_start_at_once_are_open_to_one_another() {
    requires!(userns);
    let env = Env::with_busybox();
    let names = ["a", "b", "c", "d"];
    let begin = |name: &&str| env.spawn(["run", "-d", "--name", name, "--network=none", BUSYBOX, "sleep", "600"]);
    let begun: Vec<_> = names.iter().map(begin).collect();
    for run in begun {
        run.wait().success();
    }
    for name in names {
        is_mountable(&env, name);
    }
    is_open(&env, "a");
    is_open(&env, "d");
}

/// Where the offer is lost, the containers are in two of them.
#[test]
fn a_container_is_found_in_its_own_user_namespace() {
    requires!(userns);
    let env = Env::with_busybox();
    start(&env, "old");
    for offer in offers(&env) {
        std::fs::remove_file(offer).unwrap();
    }
    start(&env, "new");
    for name in ["old", "new"] {
        is_open(&env, name);
    }
    // There and back, of two of them.
    env.run(["cp", "old:/tmp/received", "new:/tmp/of-old"]).success();
    env.run(["exec", "new", "cat", "/tmp/of-old"]).prints("old");
    // A logout takes all offers away: their makers say it again.
    env.run(["rm", "-f", "-t0", "new"]).success();
    std::fs::remove_dir_all(env.runroot()).unwrap();
    eventually("it is offered again", || !offers(&env).is_empty());
    start(&env, "next");
    is_mountable(&env, "old");
    is_open(&env, "next");
}

#[test]
fn a_program_of_unshare_gets_the_whole_environment() {
    requires!(userns);
    let env = Env::new();
    let script = "X=$(printf 'a\\377b') \"$0\" unshare sh -c 'printf %s \"$X\" | od -An -tx1'";
    env.other("bash").args(["-c", script, program().to_str().unwrap()]).run().prints(" 61 ff 62\n");
}

#[test]
fn a_shell_of_unshare_can_mount_what_starts_later() {
    requires!(userns);
    let env = Env::with_busybox();
    let go = env.path("go");
    let script = format!("until [ -e {} ]; do sleep 0.05; done; SAMPAN mount late", go.display());
    let shell = env.spawn(unshared(&env, &script));
    eventually("the shell's user namespace is offered", || !offers(&env).is_empty());
    start(&env, "late");
    std::fs::write(go, "").unwrap();
    shell.wait().success();
    is_open(&env, "late");
}

/// Whoever is joined may have been started anew since: its old pid may be anybody's by then.
#[test]
fn a_restart_policy_joins_where_the_other_is_now() {
    requires!(userns);
    let env = Env::with_busybox();
    start(&env, "server");
    let (app, go) = (env.path("app"), env.path("app/go"));
    std::fs::create_dir(&app).unwrap();
    let volume = format!("{}:/app", app.display());
    let script = "until [ -e /app/go ]; do sleep 0.05; done; rm /app/go; exit 3";
    let words =
        ["run", "-d", "--name=app", "--restart=always", "--ipc=container:server", "--network=container:server", "-v"];
    env.run(words.iter().chain(&[volume.as_str(), BUSYBOX, "sh", "-c", script])).success();
    env.run(["restart", "-t0", "server"]).success();
    std::fs::write(&go, "").unwrap();
    let is_again = || env.run(["inspect", "-f", "{{.RestartCount}} {{.State.Running}}", "app"]).trimmed() == "1 true";
    eventually("the policy has its way", is_again);
    for kind in ["net", "ipc", "user"] {
        let file = format!("/proc/self/ns/{kind}");
        let theirs = env.run(["exec", "server", "readlink", &file]).success().stdout();
        env.run(["exec", "app", "readlink", &file]).prints(&theirs);
    }
    // Nobody to join: that is the end, and told.
    env.run(["stop", "-t0", "server"]).success();
    std::fs::write(&go, "").unwrap();
    let error = || env.run(["inspect", "-f", "{{.State.Running}} {{.State.Error}}", "app"]).stdout();
    eventually("it ends", || error().starts_with("false ") && error().contains("it does not run"));
    env.run(["start", "app"]).success();
}

#[test]
fn what_others_join_is_not_taken_from_them() {
    requires!(userns);
    let env = Env::with_busybox();
    env.run(["run", "-d", "--name=server", "--network=none", "-v", "pv:/v", "-v", "/data", BUSYBOX, "sleep", "600"])
        .success();
    env.run(["run", "-d", "--name=app", "--network=container:server", BUSYBOX, "sleep", "600"]).success();
    let dependent = "has dependent containers";
    env.run(["run", "-d", "--replace", "--name=server", "--network=none", BUSYBOX, "true"])
        .code(125)
        .stderr_has(dependent);
    env.run(["volume", "rm", "-f", "pv"]).code(125).stderr_has(dependent);
    env.run(["import", "-q", busybox_tar().to_str().unwrap(), "localhost/other:1"]).success();
    env.run(["run", "-d", "--name=aside", "--network=container:app", "localhost/other:1", "sleep", "600"]).success();
    env.run(["rmi", "-f", BUSYBOX]).code(125).stderr_has(dependent);
    env.run(["container", "exists", "app"]).success();
    env.run(["rm", "-f", "-t0", "aside"]).success();
    env.run(["stop", "-t0", "server"]).success();
    env.run(["container", "prune", "-f"]).success();
    env.run(["container", "exists", "server"]).success();
    env.run(["restart", "-t0", "app"]).success();
    env.run(["stop", "-t0", "app", "server"]).success();
    env.run(["container", "prune", "-f"]).success();
    env.run(["ps", "-aq"]).prints("");
}

/// All that use an image go with it, who joins another before that one.
#[test]
fn an_image_goes_with_containers_that_join_one_another() {
    requires!(userns);
    let env = Env::with_busybox();
    env.run(["run", "-d", "--name=server", "--network=none", BUSYBOX, "sleep", "600"]).success();
    env.run(["run", "-d", "--name=app", "--network=container:server", BUSYBOX, "sleep", "600"]).success();
    env.run(["rmi", "-f", BUSYBOX]).success();
    env.run(["ps", "-aq"]).prints("");
}

/// Nobody removes it for its monitor as long as others need it.
#[test]
fn a_lost_container_of_rm_stays_for_those_who_join_it() {
    requires!(userns);
    let mut env = Env::with_busybox();
    env.lose("server");
    env.run(["create", "--name=app", "--network=container:server", BUSYBOX, "sleep", "600"]).success();
    env.run(["wait", "server"]).success().stderr_has("has dependent containers");
    env.run(["container", "exists", "server"]).success();
    env.run(["rm", "app", "server"]).success();
}

#[test]
fn replace_keeps_the_volumes() {
    requires!(userns);
    let env = Env::with_busybox();
    let make = ["run", "-d", "--replace", "--name=server", "--network=none", "-v", "/data", BUSYBOX, "sleep", "600"];
    env.run(make).success();
    env.run(make).success();
    assert_eq!(env.run(["volume", "ls", "-q"]).stdout().lines().count(), 2);
}
