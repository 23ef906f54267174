//! A store without room: no blocks (G08), no inodes (A28), few descriptors and processes (G14).
//!
//! The full disk is a tmpfs in a mount namespace of the test's own; there the caller is the only id.

use crate::harness::env::program;
use crate::harness::image::{BUSYBOX, ImageBuilder, Layer, busybox_tar, noise};
use crate::harness::{Env, Output, Registry, requires};

/// Runs `script` with a tmpfs of these options at `$D` and a store in it; `s` is the program, and `say` prints a mark and
/// the exit code of a command.
fn on_small_disk(env: &Env, options: &str, script: &str) -> Output {
    let disk = env.path("disk");
    std::fs::create_dir_all(&disk).unwrap();
    let prelude = format!(
        "D={}; mount -t tmpfs -o mode=700,{options} tmpfs $D || exit 99
         s() {{ {} --root $D/store \"$@\"; }}
         say() {{ mark=$1; shift; \"$@\"; echo \"$mark=$?\"; }}
         fill() {{ dd if=/dev/zero of=$D/filler bs=4096 2>/dev/null; echo x >$D/more; }}
         T={}; B={BUSYBOX}
         {script}",
        disk.display(),
        program().display(),
        busybox_tar().display()
    );
    env.other("unshare").args(["--map-root-user", "--mount", "sh", "-c", &prelude]).run()
}

#[test]
fn g08_a_full_disk_is_said_and_can_be_cleared() {
    requires!(userns);
    let env = Env::new();
    let script = "
        s import $T $B >/dev/null || exit 98
        s create --name old --network=none $B true >/dev/null || exit 97
        s run -d --name runs --network=none $B sleep 600 >/dev/null || exit 96
        fill
        say import s import $T other:1
        say run s run --rm --network=none $B true
        say create s create --name new --network=none $B true
        say ps s ps -a --format '{{.Names}}'
        say images s images -q
        say exec s exec runs true
        say logs s logs runs
        say stop s stop -t0 runs
        say wait s wait runs
        say rm s rm old runs
        say rmi s rmi $B
        say left s ps -aq
        rm $D/filler $D/more
        say again s import $T $B
        say works s run --rm --network=none $B echo works
        say check s system check --repair
        say clean s system check
        ls -A $D/store/staging $D/store/trash";
    let out = on_small_disk(&env, "size=7m", script);
    out.success();
    // The exit code is known, though there was no room for its record.
    out.stdout_has("stop=0\n137\nwait=0\n");
    for line in [
        "import=125",
        "run=125",
        "create=125",
        "ps=0",
        "images=0",
        "exec=0",
        "logs=0",
        "wait=0",
        "rm=0",
        "rmi=0",
        "left=0",
        "again=0",
    ] {
        out.stdout_has(&format!("{line}\n"));
    }
    out.stdout_has("works\n").stdout_has("works=0\n").stdout_has("clean=0\n");
    out.stderr_has("ENOSPC").stderr_has("Hint: ");
    assert!(!out.stderr().contains("panicked"), "{out}");
}

/// What has come of a pull that has no room is in nobody's way.
#[test]
fn g08_a_pull_without_room_gives_back_what_it_took() {
    requires!(userns, registry);
    let env = Env::new();
    let registry = Registry::start(&env);
    let pushed = |name: &str, sizes: &[usize]| {
        let layer = |image: ImageBuilder, size: &usize| {
            image.layer(Layer::new().file(&format!("f{size}"), 0o644, &noise(*size as u64, *size)))
        };
        let dir = env.path(name);
        sizes.iter().fold(ImageBuilder::scratch(), layer).oci_dir(&dir, "1");
        registry.push(&format!("oci:{}:1", dir.display()), &format!("{name}:1"));
        registry.name(&format!("{name}:1"))
    };
    let (large, small) = (pushed("large", &[1_000_000, 12_000_000, 11_000_000]), pushed("small", &[2_000_000]));
    let script = format!(
        "pull() {{ s pull -q --tls-verify=false --retry=0 $1 >/dev/null; }}
         say large pull {large}
         say kept ls -A $D/store/partial $D/store/staging
         say small pull {small}
         s rmi {small} >/dev/null
         say again pull {large}
         say kept ls -A $D/store/partial
         say clean s system check"
    );
    let out = on_small_disk(&env, "size=8m", &script);
    let disk = env.path("disk");
    let (partial, staging) = (disk.join("store/partial"), disk.join("store/staging"));
    let lists = format!("{}:\n\n{}:\n", partial.display(), staging.display());
    out.success().prints(&format!("large=125\n{lists}kept=0\nsmall=0\nagain=125\nkept=0\nclean=0\n"));
    out.stderr_has("ENOSPC").stderr_has("Hint: free some space").stderr_has("system prune --all");
}

/// What fills the runroot is often not ours (`/run/user/UID` is the session's). Then containers can still be ended, the word of
/// their end counts for the monitor, and those that are to run start again.
#[test]
fn r13_a_full_runroot_keeps_nobody_from_ending_a_container() {
    requires!(userns);
    let env = Env::new();
    let script = "
        mkdir $D/run && mount -t tmpfs -o mode=700,size=2m tmpfs $D/run || exit 99
        r() { s --runroot $D/run/s \"$@\"; }
        r import $T $B >/dev/null || exit 98
        for c in stopped killed removed again; do
          r run -d --name $c --restart=always --network=none $B sleep 600 >/dev/null || exit 97
        done
        r run -d --name greedy --network=none $B sh -c 'head -c 4000000 /dev/zero >>/etc/hosts; sleep 600' >/dev/null || exit 96
        for i in $(seq 100); do
          [ $(r exec greedy wc -c </dev/null /etc/hosts | cut -d' ' -f1) -gt 4000000 ] && echo grew && break
          sleep 0.1
        done
        dd if=/dev/zero of=$D/run/filler bs=4096 2>/dev/null
        say run r run --rm --network=none $B true
        say stop r stop -t0 stopped
        say kill r kill killed && r wait killed
        say rm r rm -f -t0 removed
        p=$(r inspect --format '{{.State.Pid}}' again)
        kill -9 $p
        for i in $(seq 100); do
          q=$(r inspect --format '{{.State.Pid}}' again)
          [ \"$q\" -gt 0 ] && [ $q != $p ] && break
          sleep 0.1
        done
        echo runs $(r ps --format '{{.Names}}' | sort)
        say rms r rm -f -t0 again stopped killed greedy | grep =
        say left r ps -aq
        rm $D/run/filler
        say clean s --runroot $D/run/s system check";
    let out = on_small_disk(&env, "size=64m", script);
    for line in ["grew", "run=125", "stop=0", "kill=0", "rm=0", "runs again greedy", "rms=0\nleft=0", "clean=0"] {
        out.stdout_has(&format!("{line}\n"));
    }
    out.success().stderr_has("/run/s\" is full: ").stderr_has("ENOSPC").stderr_has("Hint: make room there");
}

#[test]
fn a28_no_inodes_left() {
    requires!(userns);
    let env = Env::new();
    let script = "
        mkdir $D/others && (cd $D/others && seq 2920 | xargs touch) || exit 98
        say import s import $T $B
        say load s load -i $A
        say pull s pull oci-archive:$O
        say staging ls -A $D/store/staging
        say images s images -q
        say left ls -A $D/store/trash
        say layers ls -A $D/store/layers
        rm -r $D/others
        say check s system check
        say again s import $T $B
        say loads s load -i $A
        say pulls s pull oci-archive:$O
        say works s run --rm --network=none $B true";
    let image = ImageBuilder::busybox();
    image.docker_archive(&env.path("docker.tar"), "many:1");
    image.oci_archive(&env.path("oci.tar"), "many:1");
    let script = format!("A={} O={}\n{script}", env.path("docker.tar").display(), env.path("oci.tar").display());
    let out = on_small_disk(&env, "size=64m,nr_inodes=3000", &script);
    out.success()
        .stdout_has("import=125\nload=125\npull=125\nstaging=0\nimages=0\nleft=0\nlayers=0\ncheck=0\n")
        .stdout_has("again=0\n")
        .stdout_has("loads=0\n")
        .stdout_has("pulls=0\n")
        .stdout_has("works=0\n");
    out.stderr_has("ENOSPC").stderr_has("Hint: ");
}

#[test]
fn g14_few_descriptors() {
    requires!(userns);
    let env = Env::with_busybox();
    let program = program().to_string_lossy().into_owned();
    let mut worked = 0;
    for limit in [4, 8, 12, 16, 24, 32, 64] {
        let limit = format!("--nofile={limit}:");
        let words = [&limit, &program, "run", "--rm", "--network=none", BUSYBOX, "echo", "ok"];
        let out = env.other("prlimit").args(words).run();
        assert!(matches!(out.exit_code(), Some(0 | 125)), "{out}");
        assert!(!out.stderr().contains("panicked"), "{out}");
        worked += usize::from(out.is_success());
        assert!(out.is_success() || out.stderr().starts_with("Error: "), "{out}");
    }
    assert!(worked > 0, "64 descriptors are enough");
    env.run(["ps", "-aq"]).prints("");
}

#[test]
fn g14_few_processes() {
    requires!(userns);
    let env = Env::with_busybox();
    let program = program().to_string_lossy().into_owned();
    let tar = busybox_tar().to_string_lossy().into_owned();
    // Processes are those of the user, whoever else is at work.
    for count in [1, 2, 3, 5, 8, 12] {
        let limit = format!("--nproc={count}:");
        for words in [&["run", "--rm", "--network=none", BUSYBOX, "echo", "ok"][..], &["import", &tar, "again:1"]] {
            let words = [&limit[..], &program].into_iter().chain(words.iter().copied());
            let out = env.other("prlimit").args(words).run();
            assert!(matches!(out.exit_code(), Some(0 | 125)), "{limit} {out}");
            assert!(!out.stderr().contains("panicked"), "{limit} {out}");
            let errors = out.stderr().lines().filter(|line| line.starts_with("Error: ")).count();
            assert_eq!(errors, usize::from(!out.is_success()), "{limit} {out}");
            // It is not the kernel that forbids namespaces.
            assert!(!out.stderr().contains("refuses user namespaces"), "{limit} {out}");
        }
        env.run(["ps", "-aq"]).prints("");
    }
    env.run(["rmi", "-i", "-f", "again:1"]).success();
    env.run(["system", "check", "--full"]).success();
}

#[test]
fn without_a_subordinate_range_a_user_gets_a_container() {
    requires!(userns);
    let env = Env::new();
    let script = "
        mount --bind /dev/null /etc/subuid && mount --bind /dev/null /etc/subgid || exit 99
        s import $T $B >/dev/null && s run --rm --network=none $B id -u
        say adopt s run --rm --network=none --uidmap 0:0:5000 $B true";
    let out = on_small_disk(&env, "size=64m", script);
    out.success().stdout_has("0\n").stdout_has("adopt=125\n").stderr_has("single-id mode").stderr_has("Error: ");
}

/// That it cannot look is no damage of what it looks at.
#[test]
fn g14_a_check_without_descriptors_finds_no_damage() {
    requires!(userns);
    let env = Env::with_busybox();
    for count in 5..24 {
        for flag in ["--quick", "--full"] {
            let words =
                [&format!("--nofile={count}"), program().to_str().unwrap(), "system", "check", flag].map(String::from);
            let out = env.other("prlimit").args(words).run();
            assert!(matches!(out.exit_code(), Some(0 | 125)), "{count} descriptors: {out}");
        }
    }
    env.run(["system", "check", "--full"]).success();
}

/// Errors of the disk have made it read-only (G13): what the containers have written can still be had.
#[test]
fn g13_files_come_out_of_a_store_that_cannot_be_written() {
    requires!(userns);
    let env = Env::new();
    let script = "
        s import $T $B >/dev/null || exit 98
        s run --name c --network=none $B sh -c 'echo kept >/root/kept; rm /etc/passwd' || exit 97
        mount -o remount,bind,ro $D || exit 96
        say ps s ps -aq
        s cp c:/root/kept $D.kept; echo kept=$(cat $D.kept)
        s export c >$D.tar; echo export=$?
        echo exported=$(tar -xOf $D.tar root/kept)
        echo gone=$(tar -tf $D.tar | grep -c etc/passwd)
        say check s system check --full
        say write s cp $T c:/root/
        say remove s rm c; s ps -aq | wc -l";
    let out = on_small_disk(&env, "size=64m", script);
    out.stdout_has("ps=0\n").stdout_has("kept=kept\n").stdout_has("export=0\nexported=kept\ngone=0\n");
    out.stdout_has("check=0\n").stdout_has("write=125\n").stdout_has("remove=125\n1\n").stderr_has("EROFS");
}

/// The hint of a full disk names the disk that is full: the store has nothing to do with where the user has things written.
#[test]
fn g08_room_is_asked_for_where_it_lacks() {
    requires!(userns);
    let env = Env::new();
    let script = "
        s import $T $B >/dev/null || exit 98
        s create --name c --network=none $B true >/dev/null || exit 97
        mkdir $D/out && mount -t tmpfs -o mode=700,size=64k tmpfs $D/out || exit 99
        say export s export -o $D/out/c.tar c
        s export c >$D/out/stream; echo stream=$?; rm $D/out/stream
        say cp s cp c:/bin $D/out/
        rm -rf $D/out/*
        s cp c:/bin - >$D/out/stream; echo archive=$?; rm $D/out/stream
        say save s save -q -o $D/out/i.tar $B
        echo outside=$(ls -A $D/out)
        echo half >&2
        dd if=/dev/zero of=$D/large bs=4096 2>/dev/null; rm $D/store/staging/* 2>/dev/null
        say into s cp $D/large c:/large
        echo end >&2";
    let out = on_small_disk(&env, "size=12m", script);
    out.success().stdout_has("outside=\n");
    for line in ["export=125", "stream=125", "cp=125", "archive=125", "save=125", "into=125"] {
        out.stdout_has(&format!("{line}\n"));
    }
    let stderr = out.stderr();
    let (outside, inside) = stderr.split_once("half\n").expect("both parts");
    let count = |text: &str, what: &str| text.lines().filter(|line| line.contains(what)).count();
    let full = "No space left on device";
    assert_eq!((count(outside, full), count(outside, "Hint: make room where it goes")), (5, 5), "{out}");
    assert_eq!((count(inside, full), count(inside, "Hint: free some space")), (1, 1), "{out}");
}
