//! `containers.conf(5)`: what a host or a user sets for every container.

use crate::harness::{BUSYBOX, Env, Output, Terminal, eventually, requires};

fn sh(env: &Env, options: &[&str], script: &str) -> Output {
    env.run([&["run", "--rm", "--network=none"], options, &[BUSYBOX, "sh", "-c", script]].concat())
}

const BOUNDING: &str = "sed -n 's/^CapBnd:\\t//p' /proc/self/status";

/// A host that wants to give its containers less. The set is that of the time when the container was made.
#[test]
fn c14_capabilities_of_the_configuration() {
    requires!(userns);
    let env = Env::with_busybox();
    env.configure("[containers]\ndefault_capabilities = ['CHOWN', 'cap_kill']\n");
    for (options, expected) in [
        (&[][..], "0000000000000021"),
        (&["--cap-add=SETUID"], "00000000000000a1"),
        (&["--cap-drop=CHOWN"], "0000000000000020"),
        (&["--cap-drop=all"], "0000000000000000"),
        (&["--cap-drop=all", "--cap-add=SETUID"], "0000000000000080"),
    ] {
        assert_eq!(sh(&env, options, BOUNDING).success().trimmed(), expected, "{options:?}");
    }
    env.run(["create", "--name=c", "--network=none", BUSYBOX, "sh", "-c", &format!("{BOUNDING}; sleep 1000")])
        .success();
    env.configure("");
    env.run(["start", "c"]).success();
    env.run(["exec", "c", "sh", "-c", BOUNDING]).success().prints("0000000000000021\n");
    eventually("the set is told", || env.run(["logs", "c"]).trimmed() == "0000000000000021");
    let set = env.run(["inspect", "-f", "{{.BoundingCaps}}", "c"]).trimmed();
    assert_eq!(set, "[CAP_CHOWN CAP_KILL]");
    env.run(["rm", "-f", "-t0", "c"]).success();
    env.configure("[containers]\ndefault_capabilities = []\n");
    assert_eq!(sh(&env, &[], BOUNDING).success().trimmed(), "0000000000000000");
}

#[test]
fn c22_a_seccomp_profile_of_the_configuration() {
    requires!(userns);
    let env = Env::with_busybox();
    let profile = r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
        {"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":5}]}"#;
    let path = env.write("profile.json", profile);
    env.configure(&format!("[containers]\nseccomp_profile = '{}'\n", path.display()));
    let made = "mkdir /new && echo made";
    sh(&env, &[], made).code(1).stderr_has("Input/output error");
    sh(&env, &["--cap-add=all"], made).code(1).stderr_has("Input/output error");
    for free in ["--security-opt=seccomp=unconfined", "--privileged"] {
        sh(&env, &[free], made).success().prints("made\n");
    }
    // What is asked for and cannot be had is no reason to run with less.
    std::fs::remove_file(&path).unwrap();
    sh(&env, &[], made).code(125).stderr_has("profile.json");
}

#[test]
fn defaults_and_flags_over_them() {
    requires!(userns);
    let env = Env::with_busybox();
    env.write("host/file", "of the host\n");
    env.configure(
        &format!(
            "[containers]\nread_only = true\ninit = true\nvolumes = ['{0}:/a', '{0}:/b:ro']\n\
             mounts = ['type=tmpfs,dst=/t']\nannotations = ['key=value']\nenv = ['WORD=configured', {{append=true}}]\n\
             default_ulimits = ['nofile=77']\noom_score_adj = 321\npids_limit = 99\nlog_size_max = 16384\nlog_tag = 'x'\n\
             [engine]\nstop_timeout = 3\n",
            env.path("host").display()
        ),
    );
    let script = "cat /a/file; touch /b/x /x; touch /t/x && ulimit -n && cat /proc/self/oom_score_adj && echo $WORD $$";
    let out = sh(&env, &[], script);
    let expected = "of the host\n77\n321\nconfigured 2\n";
    out.success().prints(expected);
    assert_eq!(out.stderr().matches("Read-only file system").count(), 2, "{}", out.stderr());
    let volume = format!("{}:/b:rw", env.path("host").display());
    let flags = ["--read-only=false", "--init=false", "-v", &volume, "-e", "WORD=mine", "--ulimit=nofile=78"];
    let out = sh(&env, &flags, script);
    out.success().prints("of the host\n78\n321\nmine 1\n");
    assert_eq!(out.stderr(), "");
    env.run(["create", "--name=c", BUSYBOX, "true"]).success();
    let form = "{{.HostConfig.PidsLimit}} {{.HostConfig.Annotations.key}} {{.HostConfig.LogConfig.Tag}} \
        {{.HostConfig.LogConfig.Size}} {{.Config.StopTimeout}} {{.HostConfig.ReadonlyRootfs}}";
    assert_eq!(env.run(["inspect", "-f", form, "c"]).trimmed(), "99 value x 16.38kB 3 true");
}

/// A configuration that is wrong is told as such, stops what needs it and nothing else.
#[test]
fn f06_a_default_that_is_wrong() {
    requires!(userns);
    let env = Env::with_busybox();
    env.configure("[containers]\npidns = 'nowhere'\n[engine]\ndetach_keys = 'ctrl'\n");
    let out = sh(&env, &[], "true");
    out.code(125).stderr_has("Error: a default of containers.conf(5): --pid \"nowhere\": ");
    out.stderr_has("Hint: correct it in ~/.config/containers/containers.conf");
    sh(&env, &["--pid=private"], "echo runs").success().prints("runs\n");
    env.run(["ps"]).success();
}

#[test]
fn keys_of_the_configuration_detach() {
    requires!(userns);
    let env = Env::with_busybox();
    env.configure("[engine]\ndetach_keys = 'ctrl-a,d'\n");
    let run = ["run", "-it", "--name=shell", "--network=none", BUSYBOX, "sh"];
    let mut terminal = Terminal::start(&env.command(run), 24, 80);
    terminal.expect("# ");
    terminal.send("\x01d");
    assert_eq!(terminal.finish().0, 0);
    let mut terminal = Terminal::start(&env.command(["exec", "-it", "shell", "sh"]), 24, 80);
    terminal.expect("# ");
    terminal.send("\x01d");
    assert_eq!(terminal.finish().0, 0);
    let mut terminal = Terminal::start(&env.command(["attach", "--detach-keys=ctrl-b", "shell"]), 24, 80);
    terminal.send("echo $((40 + 2))\r");
    terminal.expect("42");
    terminal.send("\x02");
    assert_eq!(terminal.finish().0, 0);
    env.run(["rm", "-f", "-t0", "shell"]).success();
}
