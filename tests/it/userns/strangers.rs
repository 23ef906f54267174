//! A container that joins the user namespace of another one, whose processes have power over it from its birth on: what
//! they see before its program runs.

use std::path::Path;

use crate::harness::env::program;
use crate::harness::image::BUSYBOX;
use crate::harness::{Env, Output, eventually, requires};

const OF_THE_HOST: &str = "of-the-host";

/// Looks at every process that comes, which it stops meanwhile (`kill` is Yes), by all that a shell can reach.
fn spy(secret: &str, stop: bool) -> String {
    let (stop, cont) = if stop { ("kill -STOP $n || continue", "kill -CONT $n") } else { (":", ":") };
    format!(
        "exec 2>/dev/null; seen=' '; for p in /proc/[0-9]*; do seen=\"$seen${{p#/proc/}} \"; done; echo ready
         while :; do for p in /proc/[0-9]*; do n=${{p#/proc/}}; case $seen in *\" $n \"*) continue;; esac
           {stop}; seen=\"$seen$n \"
           read x <$p/root{secret} && echo root: $x
           cat $p/cmdline $p/environ | tr '\\0' ' '; echo; ls -l $p/exe $p/cwd $p/fd; grep -o '/sampan' $p/maps
           {cont}
         done; done"
    )
}

/// Starts containers while another one, started with `options`, looks at them; what that one has seen.
fn seen(options: &[&str], stop: bool, starts: usize, joined: &[&str]) -> String {
    let mut env = Env::with_busybox();
    env.set("SECRET", OF_THE_HOST);
    let secret = env.write("secret", format!("{OF_THE_HOST}\n"));
    let script = spy(secret.to_str().unwrap(), stop);
    let mut words = vec!["run", "-d", "--name=spy", "--network=none"];
    words.extend(options);
    words.extend([BUSYBOX, "sh", "-c", &script]);
    env.run(&words).success();
    eventually("the spy looks", || env.run(["logs", "spy"]).stdout().contains("ready"));
    for n in 0..starts {
        // Several ways: they end at different places of the sequence.
        let way: &[&str] = match n % 4 {
            0 => &[],
            1 => &["--init"],
            2 => &["--user=1000"],
            _ => &["-t"],
        };
        let mut words = vec!["run", "--rm"];
        words.extend(joined);
        words.extend(way);
        words.extend([BUSYBOX, "sh", "-c", "exit 7"]);
        env.run(&words).code(7);
    }
    let logs = env.run(["logs", "spy"]).success().stdout();
    env.run(["rm", "-f", "-t", "0", "spy"]).success();
    logs
}

fn assert_nothing_of_the_host(seen: &str) {
    for line in seen.lines() {
        for leak in [OF_THE_HOST, "--rm", "/sampan", "/var/tmp", "XDG_"] {
            assert!(!line.contains(leak), "{leak:?} in {line:?}");
        }
    }
}

#[test]
fn whoever_may_trace_sees_nothing_of_the_host() {
    requires!(userns);
    let seen = seen(&["--cap-add=SYS_PTRACE"], true, 12, &["--network=none", "--pid=container:spy"]);
    assert!(seen.lines().count() > 12, "{seen}");
    assert_nothing_of_the_host(&seen);
}

#[test]
fn whoever_may_not_trace_sees_nothing_of_the_host() {
    requires!(userns);
    for stop in [true, false] {
        let seen = seen(&[], stop, 12, &["--network=none", "--pid=container:spy"]);
        assert!(seen.lines().count() > 12, "the spy is blind: {seen}");
        assert_nothing_of_the_host(&seen);
    }
}

#[test]
fn whoever_sees_the_hosts_processes_sees_nothing_of_their_files() {
    requires!(userns);
    // Its command lines are the host's own, as `--pid=host` says.
    let seen = seen(&["--cap-add=SYS_PTRACE", "--pid=host"], false, 12, &["--network=container:spy"]);
    assert!(seen.lines().count() > 12, "the spy is blind: {seen}");
    assert!(!seen.contains(&format!("root: {OF_THE_HOST}")), "a file");
    assert!(!seen.contains(&format!("SECRET={OF_THE_HOST}")), "the environment");
}

/// Tries over and over to open a file of the host by way of the newest processes there.
fn prowler(secret: &str) -> String {
    format!(
        "exec 2>/dev/null
         while :; do read a b c d last </proc/loadavg; n=$last
           while [ $n -gt $((last - 30)) ]; do
             for way in root fd/3/../.. fd/4/../.. fd/5/../.. fd/6/../.. fd/7/../.. fd/8/../..; do
               read x </proc/$n/$way{secret} && echo $way: $x
             done
             n=$((n - 1))
           done
         done"
    )
}

/// Does `act` while a container `spy` that has these options looks at the host's processes. Its init is the one that `by` executes.
fn assert_prowls_in_vain(env: &Env, options: &[&str], by: &str, act: impl Fn()) {
    let secret = env.write("secret", format!("{OF_THE_HOST}\n"));
    let prowler = prowler(secret.to_str().unwrap());
    let script = format!("({prowler}) & exec {by} sh -c 'echo ready; exec sleep 600'");
    let mut words = vec!["run", "-d", "--name=spy", "--network=none", "--pid=host"];
    words.extend(options);
    words.extend([BUSYBOX, "sh", "-c", &script]);
    env.run(&words).success();
    eventually("the spy looks", || env.run(["logs", "spy"]).stdout().contains("ready"));
    act();
    let seen = env.run(["logs", "spy"]).success().stdout();
    env.run(["rm", "-f", "-t", "0", "spy"]).success();
    assert!(!seen.contains(OF_THE_HOST), "{seen}");
}

/// `program exec` into the spy, slowly: each of the calls by which it becomes another takes a while before and after it.
fn exec_slowly(env: &Env, program: &Path, words: &[&str]) -> Output {
    let calls = "setns,unshare,prctl,execveat";
    let inject = format!("inject={calls}:delay_enter=20000:delay_exit=20000");
    let mut strace = env.other("strace").args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={calls}")]);
    strace = strace.args(["-e", &inject, program.to_str().unwrap(), "exec"]);
    strace.args(words).run()
}

#[test]
fn a_network_helper_is_not_among_those_whose_user_namespace_is_shared() {
    requires!(userns, pasta);
    let env = Env::with_busybox();
    let slirp4netns = requires::met("slirp4netns");
    assert_prowls_in_vain(&env, &["--cap-add=SYS_PTRACE"], "", || {
        for network in ["pasta", "slirp4netns"].into_iter().filter(|helper| *helper == "pasta" || slirp4netns) {
            for shared in ["--userns=container:spy", "--ipc=container:spy"] {
                let script = "grep -vc -e Inter -e face -e lo: /proc/net/dev";
                let network = format!("--network={network}");
                env.run(["run", "--rm", shared, &network, BUSYBOX, "sh", "-c", script]).prints("1\n");
            }
        }
    });
}

/// In single-id mode all have the same kernel uid, the one that owns the namespace of another user's program.
#[test]
fn exec_with_the_only_id_shows_nothing_of_the_host() {
    requires!(userns, strace);
    let mut env = Env::with_busybox();
    env.hide_programs(&["newuidmap", "newgidmap"]);
    assert_prowls_in_vain(&env, &[], "", || {
        for _ in 0..3 {
            let out = exec_slowly(&env, &program(), &["-u", "33", "spy", "cat", "/proc/self/uid_map"]);
            let map = out.success().stdout();
            assert_eq!(map.split_whitespace().collect::<Vec<_>>(), ["33", "0", "1"]);
        }
    });
}

/// Init has gone into a user namespace of its own making, so that the container's is what is next above.
#[test]
fn exec_finds_the_outer_user_namespace_whatever_init_has_made() {
    requires!(userns, strace);
    let env = Env::with_busybox();
    // In reach of the container's root, so that who joins executes it anew.
    let binary = env.home().join("sampan");
    std::fs::copy(program(), &binary).unwrap();
    let options = ["--cap-add=SYS_PTRACE", "--cap-add=SYS_ADMIN"];
    assert_prowls_in_vain(&env, &options, "unshare -r", || {
        exec_slowly(&env, &binary, &["spy", "true"]).success();
    });
}

/// Where it can be looked at, by who kills it at the right moment, it has no root of the host any more.
#[test]
fn who_joins_builds_its_root_without_the_hosts() {
    requires!(userns, overlay);
    let env = Env::with_busybox();
    env.run(["run", "-d", "--name=a", "--network=none", BUSYBOX, "sleep", "600"]).success();
    env.run(["volume", "create", "v"]).success();
    let data = env.run(["volume", "inspect", "-f", "{{.Mountpoint}}", "v"]).trimmed();
    let held = std::fs::File::open(&data).unwrap();
    // The container's init waits for it when it fills the volume.
    held.lock().unwrap();
    let words =
        ["run", "-d", "--name=b", "--network=container:a", "-v", "v:/etc", "--device=/dev/zero:/dev/nought", BUSYBOX];
    let start = env.spawn(words.iter().chain(&["sh", "-c", "cat /etc/os-release; exec sleep 600"]));
    let pid = || env.run(["inspect", "-f", "{{.State.Pid}}", "b"]).stdout().trim().parse::<u32>().unwrap_or(0);
    eventually("it builds its root", || pid() > 0);
    // Device, root and place of each.
    let mounts = |process: &str| -> Vec<Vec<String>> {
        let text = std::fs::read_to_string(format!("/proc/{process}/mountinfo")).unwrap();
        text.lines().map(|line| line.split(' ').skip(2).take(3).map(str::to_owned).collect()).collect()
    };
    let of_the_host = mounts("self");
    let mut seen = mounts(&pid().to_string());
    seen.retain(|mount| of_the_host.contains(mount));
    let kernels = ["/proc", "/sys", "/dev/"];
    seen.retain(|mount| !kernels.iter().any(|place| mount[2].starts_with(place)));
    assert_eq!(seen, <[Vec<String>; 0]>::default());
    held.unlock().unwrap();
    start.wait().success();
    env.run(["exec", "b", "sh", "-c", "mount | grep -c ' /etc '; ls -l /dev/nought | cut -c1"]).prints("1\nc\n");
    env.run(["rm", "-f", "-t0", "b", "a"]).success();
}

#[test]
fn a_container_in_anothers_pid_namespace_is_whole() {
    requires!(userns);
    let env = Env::with_busybox();
    env.run(["run", "-d", "--name=n", "--network=none", BUSYBOX, "sleep", "600"]).success();
    let join = "--pid=container:n";
    let run = |options: &[&str], script: &str| {
        let mut words = vec!["run", "--rm", "--network=none", join];
        words.extend(options);
        words.extend([BUSYBOX, "sh", "-c", script]);
        env.run(words)
    };
    run(&[], "ps | grep -c '[s]leep 600'; mount | grep -c '^proc on /proc '; ls /proc/self/fd")
        .prints("1\n1\n0\n1\n2\n3\n");
    run(&["-t"], "tty; exit 3").code(3).stdout_has("/dev/pts/0");
    run(&["--init"], "tr '\\0' ' ' </proc/$PPID/cmdline; exit 4").code(4).stdout_has("sampan-init");
    run(&["--user=1000", "--oom-score-adj=200"], "id -u; cat /proc/self/oom_score_adj").prints("1000\n200\n");
    run(&["--read-only", "--sysctl=net.ipv4.ip_forward=1"], "cat /proc/sys/net/ipv4/ip_forward").prints("1\n");
    run(&[], "no-such-program").code(127);
    run(&["--workdir=/absent"], "true").code(126);
    env.run(["run", "-d", "--name=two", "--network=none", join, "--ulimit=nofile=99", BUSYBOX, "sleep", "700"])
        .success();
    env.run(["exec", "two", "sh", "-c", "ps | grep -c '[s]leep [67]00'"]).prints("2\n");
    env.run(["stop", "-t0", "two"]).success();
    env.run(["start", "two"]).success();
    env.run(["kill", "two"]).success();
    env.run(["wait", "two"]).prints("137\n");
    env.run(["run", "-d", "--name=x", "--network=none", join, BUSYBOX, "no-such-program"]).code(127);
    env.run(["rm", "-f", "-t0", "two", "x", "n"]).success();
}
