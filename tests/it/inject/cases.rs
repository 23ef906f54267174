//! The commands that are disturbed, as shell scripts: `$S` is the program, `$I` an image with a shell.

use crate::harness::image::{Layer, busybox};
use crate::harness::{Env, ImageBuilder, Registry};

/// A command, what it needs before, and the same once more with the same names.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: &'static str,
    /// Once, in a new store.
    pub(super) setup: &'static str,
    /// Before each disturbance.
    pub(super) before: &'static str,
    /// What is disturbed.
    pub(super) act: &'static str,
    /// Must work afterwards at once, take what is there as whole, and leave what was there at the start.
    pub(super) again: &'static str,
    /// Only points in processes of these names, where another case has the rest.
    pub(super) only: &'static [&'static str],
}

const NOTHING: &str = "true";
const IMPORTED: &str = "$S import root.tar localhost/new:1 >/dev/null; $S run --rm --network=none localhost/new:1 sh -c 'test -s /etc/big'";

/// Waits until no check is to come: the container has ended, or is well, or nobody looks after it (any more). Not for ever, for a
/// disturbed check may have said nothing.
macro_rules! until {
    ($over:literal) => {
        concat!("i=0; until ", $over, " || [ $i = 40 ]; do i=$((i+1)); sleep 0.05; done")
    };
}
/// A container of the same name is checked, and well.
const WELL: &str = "$S rm -f -i -t0 c; $S volume rm hv || true;
    $S run -d --name=c --network=none --health-cmd=true --health-interval=100ms $I sleep 600; $S wait --condition=healthy c; $S rm -f -t0 c";

macro_rules! case {
    ($name:literal, $setup:expr, $before:expr, $act:expr, $again:expr) => {
        Case { name: $name, setup: $setup, before: $before, act: $act, again: $again, only: &[] }
    };
}

pub(super) const CASES: [Case; 36] = [
    case!("import", NOTHING, NOTHING, "exec $S import root.tar localhost/new:1",
        "if $S image exists localhost/new:1; then $S run --rm --network=none localhost/new:1 sh -c 'test -s /etc/big'; $S rmi localhost/new:1; fi;
         $S import root.tar localhost/new:1; $S run --rm --network=none localhost/new:1 sh -c 'test -s /etc/big -a -s /tmp/linked'; $S rmi localhost/new:1"),
    // The name leads to a whole image at every moment: to the one before, or to this one.
    case!("import_over", NOTHING, IMPORTED, "exec $S import -m over root.tar localhost/new:1",
        "$S run --rm --network=none localhost/new:1 sh -c 'test -s /etc/big'; $S rmi localhost/new:1; $S image prune -f; $S import root.tar localhost/new:1;
         $S run --rm --network=none localhost/new:1 sh -c 'test -s /etc/big -a -s /tmp/linked'; $S rmi localhost/new:1"),
    // What a command without a sync leaves to the next one that syncs.
    case!("import_none", NOTHING, NOTHING, "exec $S --storage-opt sync=none import root.tar localhost/new:1",
        "if $S image exists localhost/new:1; then $S run --rm --network=none localhost/new:1 sh -c 'test -s /etc/big'; $S rmi localhost/new:1; fi;
         $S import root.tar localhost/new:1; test -z \"$(ls $STORE/unsynced)\"; $S run --rm --network=none localhost/new:1 sh -c 'test -s /etc/big -a -s /tmp/linked'; $S rmi localhost/new:1"),
    case!("load", NOTHING, NOTHING, "exec $S load -i two.tar",
        "if $S image exists localhost/two:1; then $S run --rm --network=none localhost/two:1 sh -c 'test -s /etc/big -a ! -e /etc/gone'; $S rmi localhost/two:1; fi;
         $S load -i two.tar; $S run --rm --network=none localhost/two:1 sh -c 'test -s /etc/big -a ! -e /etc/gone'; $S rmi localhost/two:1"),
    case!("pull", NOTHING, NOTHING, "exec $S pull --tls-verify=false $R/two:1",
        "if $S image exists $R/two:1; then $S run --rm --network=none $R/two:1 sh -c 'test -s /etc/big -a ! -e /etc/gone'; $S rmi $R/two:1; fi;
         $S pull --tls-verify=false $R/two:1; $S run --rm --network=none $R/two:1 sh -c 'test -s /etc/big -a ! -e /etc/gone'; $S rmi $R/two:1"),
    case!("tag", NOTHING, NOTHING, "exec $S tag $I localhost/tagged:1",
        "if $S image exists localhost/tagged:1; then $S untag localhost/tagged:1 localhost/tagged:1; fi; $S tag $I localhost/tagged:1;
         $S untag localhost/tagged:1 localhost/tagged:1; $S image exists $I"),
    Case { name: "rmi", setup: NOTHING, before: IMPORTED, act: "exec $S rmi -f localhost/new:1",
        again: "if $S image exists localhost/new:1; then $S run --rm --network=none localhost/new:1 sh -c 'test -s /etc/big'; $S rmi localhost/new:1; fi;
         $S import root.tar localhost/new:1; $S run --rm --network=none localhost/new:1 sh -c 'test -s /etc/big'; $S rmi localhost/new:1", only: &[] },
    case!("create", NOTHING, NOTHING, "exec $S create --name=c -v vol:/v --network=none $I true",
        "if $S container exists c; then $S start -a c; $S rm c; fi; $S volume rm vol || true;
         $S create --name=c -v vol:/v --network=none $I true; $S start -a c; $S rm c; $S volume rm vol"),
    case!("run", NOTHING, NOTHING, "exec $S run -d --name=c --network=none $I sleep 600",
        "$S rm -f -i -t0 c; $S run -d --name=c --network=none $I sleep 600; $S exec c true; $S rm -f -t0 c"),
    case!("run_port", NOTHING, NOTHING, "exec $S run -d --name=c -p 127.0.0.1:$PORT:80 $I sleep 600",
        "$S rm -f -i -t0 c; $S run -d --name=c -p 127.0.0.1:$PORT:80 $I sleep 600; $S exec c true; $S rm -f -t0 c"),
    case!("run_rm", NOTHING, NOTHING, "exec $S run --rm --name=c --network=none -v /anon $I true",
        "$S rm -f -i -t0 -v c; $S run --rm --name=c --network=none -v /anon $I true; if $S container exists c; then exit 9; fi"),
    case!("start", NOTHING, "$S create --name=c --network=none $I sleep 600", "exec $S start c",
        "if ! $S ps --filter name=c | grep -q Up; then $S start c; fi; $S exec c true; $S rm -f -t0 c; $S run --rm --name=c --network=none $I true"),
    case!("stop", NOTHING, "$S run -d --name=c --network=none $I sleep 600", "exec $S stop -t0 c",
        "$S stop -t0 c; $S start c; $S exec c true; $S rm -f -t0 c; $S run --rm --name=c --network=none $I true"),
    // One whose monitor was killed: the command does the monitor's work.
    case!("stop_lost", NOTHING, "$S run -d --name=c --network=none $I sleep 600; kill -9 $($S inspect -f '{{.State.ConmonPid}}' c);
         until $S ps | grep -q unsupervised; do sleep 0.01; done",
        "exec $S stop -t0 c", "$S stop -t0 c; $S start c; $S exec c true; $S rm -f -t0 c; $S run --rm --name=c --network=none $I true"),
    Case { name: "life", setup: NOTHING, before: NOTHING,
        act: "$S run -d --name=c --network=none $I sleep 600 || true; $S stop -t0 c || true; $S rm c || true",
        again: "$S rm -f -i -t0 c; $S run -d --name=c --network=none $I sleep 600; $S exec c true; $S rm -f -t0 c", only: &["sampan-monitor"] },
    Case { name: "life_rm_port", setup: NOTHING, before: NOTHING,
        act: "$S run -d --rm --name=c -p 127.0.0.1:$PORT:80 $I sleep 600 || true; $S stop -t0 c || true",
        again: "$S rm -f -i -t0 c; $S run -d --name=c -p 127.0.0.1:$PORT:80 $I sleep 600; $S exec c true; $S rm -f -t0 c", only: &["sampan-monitor"] },
    // The first container of a boot: which driver there is is found out, and noted for all that follow.
    case!("probe", NOTHING, "rm -f $RUN/*/driver", "exec $S create --name=p --network=none $I true",
        "$S rm -f -i p; $S create --name=p --network=none $I true; test \"$($S inspect -f '{{.GraphDriver.Name}}' p)\" = overlay; $S start -a p; $S rm p"),
    case!("rm", NOTHING, "$S create --name=c --network=none -v /anon $I true; $S start -a c", "exec $S rm -v c",
        "if $S container exists c; then $S start -a c; $S rm -v c; fi; $S run --rm --name=c --network=none -v /anon $I true"),
    case!("rm_force", NOTHING, "$S run -d --name=c --network=none $I sleep 600", "exec $S rm -f -t0 c",
        "$S rm -f -i -t0 c; $S run --rm --name=c --network=none $I true"),
    case!("volume_create", NOTHING, NOTHING, "exec $S volume create v",
        "if $S volume exists v; then $S volume rm v; fi; $S volume create v; $S volume rm v"),
    case!("volume_rm", NOTHING, "$S volume create v; $S run --rm --network=none -v v:/v $I sh -c 'echo 1 >/v/1'", "exec $S volume rm v",
        "if $S volume exists v; then $S run --rm --network=none -v v:/v $I sh -c 'test -s /v/1'; $S volume rm v; fi; $S volume create v; $S volume rm v"),
    // What a container needs, asked to go.
    case!("in_use", NOTHING,
        "$S import root.tar localhost/new:1 >/dev/null; $S create --name=c -v v:/v --network=none localhost/new:1 sh -c 'test -s /etc/big'",
        "$S volume rm v || true; $S rmi localhost/new:1 || true",
        "$S start -a c; $S rm c; $S volume rm v; $S rmi localhost/new:1"),
    case!("exec", "$S run -d --name=keeper --network=none $I sleep 6000", NOTHING, "exec $S exec keeper true", "$S exec keeper true"),
    case!(
        "exec_detached",
        NOTHING,
        "$S run -d --name=k --network=none $I sleep 6000",
        "exec $S exec -d k true",
        "$S exec -d k true; $S exec k true; $S rm -f -t0 k"
    ),
    case!("restart", NOTHING, "$S run -d --name=c --network=none $I sleep 600", "exec $S restart -t0 c",
        "$S restart -t0 c; $S exec c true; $S rm -f -t0 c; $S run --rm --name=c --network=none $I true"),
    // A check by hand, whose supervisor is a child of the command.
    case!("healthcheck", NOTHING, "$S run -d --name=c --network=none --health-cmd=true --health-interval=disable $I sleep 600",
        "exec $S healthcheck run c",
        "$S healthcheck run c; $S wait --condition=healthy c; $S exec c true; $S rm -f -t0 c; $S run --rm --name=c --network=none $I true"),
    Case { name: "health_stop", setup: NOTHING, before: NOTHING,
        act: concat!("$S run -d --name=c --network=none --stop-timeout=0 --health-interval=500ms --health-retries=1",
            " --health-cmd='exit 1' --health-on-failure=stop $I sleep 600 || true; ", until!("! $S ps | grep -q -e '(starting)' -e '(unhealthy)'"), "; $S rm -f -i -t0 c || true"),
        again: WELL, only: &["sampan-monitor", "sampan-health"] },
    // The second run is well, for the first has left a mark.
    Case { name: "health_restart", setup: NOTHING, before: NOTHING,
        act: concat!("if $S run -d --name=c --network=none --stop-timeout=0 --health-interval=500ms --health-retries=1 -v hv:/v",
            " --health-cmd='test -e /v/1 || { : >/v/1; exit 1; }' --health-on-failure=restart $I sleep 600; then
            M=$($S inspect -f '{{.State.ConmonPid}}' c); ", until!("$S ps | grep -q -e '(healthy)' -e unsupervised || ! kill -0 ${M#0}"),
            "; fi; $S rm -f -i -t0 c || true; $S volume rm hv || true"),
        again: WELL, only: &["sampan-monitor", "sampan-health"] },
    // A machine that went down with a container running, one with --rm, and a pull under way.
    case!("recover", NOTHING,
        "$S run -d --name=c --network=none $I sleep 600; $S run -d --rm --name=d --network=none $I sleep 600; $S volume create v;
         kill -9 $($S inspect -f '{{.State.ConmonPid}} {{.State.Pid}}' c d);
         while $S ps | grep -q Up; do sleep 0.01; done;
         for id in $($S inspect -f '{{.Id}}' c d); do rmdir $CG/sampan-$id || true; done;
         rm -rf $RUN; mkdir -p $STORE/staging/dead/tree $STORE/trash/dead/tree",
        "exec $S ps -a", "$S start c; $S exec c true; $S rm -f -t0 c; $S volume rm v; $S run --rm --name=d --network=none $I true"),
    case!("repair", NOTHING,
        // Of `c` the name is left, of `d` nothing.
        "$S create --name=c --network=none $I true; $S create --name=d --network=none $I true;
         mkdir -p $STORE/staging/dead/tree $STORE/trash/dead/tree; D=$($S inspect -f '{{.Id}}' d);
         rm $STORE/containers/$($S inspect -f '{{.Id}}' c)/config.json; echo { >$STORE/containers/$D/config.json",
        "exec $S system check --repair", "$S system check --repair || test $? = 1; $S start -a c; $S rm c; $S container prune -f;
         $S run --rm --name=d --network=none $I true"),
    case!("prune", NOTHING, "$S create --name=c --network=none $I true; $S volume create v", "exec $S container prune -f",
        "$S rm -i -f c; $S volume rm v; $S run --rm --name=c --network=none $I true"),
    // Volumes that get what the image has: half of it is never taken for what the user put there.
    case!("fill", NOTHING, NOTHING, "exec $S run --rm --name=c --network=none -v fv:/bin -v gv:/tmp $I true",
        "$S rm -f -i -t0 c; $S run --rm --name=c --network=none -v fv:/bin -v gv:/tmp $I sh -c 'busybox cmp /tmp/linked /etc/big && test -x /bin/true -a -x /bin/sleep';
         $S volume rm fv gv"),
    // Among the processes of another.
    case!("join", "$S run -d --name=keeper --network=none $I sleep 6000", NOTHING,
        "exec $S run --rm --name=joiner --network=none --pid=container:keeper $I true",
        "$S rm -f -i -t0 joiner; $S run --rm --name=joiner --network=none --pid=container:keeper $I true; $S exec keeper true"),
    case!("rename", NOTHING, "$S create --name=old --network=none $I true", "exec $S rename old new",
        "if $S container exists new; then $S rename new old; fi; $S start -a old; $S rename old new; $S rm new; $S run --rm --name=old --network=none $I true"),
    case!("list_create", NOTHING, NOTHING, "exec $S manifest create localhost/l:1 $I",
        "if $S manifest exists localhost/l:1; then $S manifest inspect localhost/l:1; $S manifest rm localhost/l:1; fi;
         $S manifest create localhost/l:1 $I; $S manifest push localhost/l:1 oci-archive:l.tar; $S manifest rm localhost/l:1; $S image exists $I"),
    // The list is as it was or as it becomes, and what it needs is there.
    case!("list_add", NOTHING, "$S manifest create localhost/l:1", "exec $S manifest add --all localhost/l:1 $I",
        "$S manifest add localhost/l:1 $I; $S manifest push localhost/l:1 oci-archive:l.tar; $S manifest rm localhost/l:1; $S image exists $I"),
];

/// The case of this name.
pub(super) fn case(name: &str) -> &'static Case {
    static TABLE: [Case; 36] = CASES;
    TABLE.iter().find(|case| case.name == name).unwrap()
}

/// What must be so if the command answered 0, whatever happened to it.
pub(super) fn done(name: &str) -> &'static str {
    match name {
        "import" | "import_none" => "$S image exists localhost/new:1",
        "import_over" => "$S history localhost/new:1 | grep -q over",
        "load" => "$S image exists localhost/two:1",
        "pull" => "$S image exists $R/two:1",
        "tag" => "$S image exists localhost/tagged:1",
        "rmi" => "if $S image exists localhost/new:1; then exit 9; fi",
        "create" => "$S container exists c; $S volume exists vol",
        "stop" | "stop_lost" => "if $S ps --filter name=c | grep Up; then exit 9; fi",
        "rm" | "rm_force" | "prune" => "if $S container exists c; then exit 9; fi",
        "in_use" => "$S volume exists v; $S image exists localhost/new:1",
        "volume_create" => "$S volume exists v",
        "fill" => "$S volume exists fv; $S volume exists gv",
        "rename" => "$S container exists new; if $S container exists old; then exit 9; fi",
        "list_create" | "list_add" => "$S manifest exists localhost/l:1",
        "volume_rm" => "if $S volume exists v; then exit 9; fi",
        _ => NOTHING,
    }
}

/// A store with a small image, the archives that the cases read, and (for pull) a registry.
pub(super) fn world(case: &Case) -> (Env, Option<Registry>) {
    let mut env = Env::new();
    let root = root_layer();
    env.write("root.tar", root.finish());
    let second =
        Layer::new().file("etc/.wh.gone", 0o600, b"").file("etc/more", 0o644, &vec![b'x'; 70_000]).dir("empty", 0o755);
    ImageBuilder::scratch().layer(root_layer()).layer(second).docker_archive(&env.path("two.tar"), "localhost/two:1");
    let registry = (case.name == "pull").then(|| {
        let registry = Registry::start(&env);
        registry.push(&format!("docker-archive:{}", env.path("two.tar").display()), "two:1");
        registry
    });
    env.set("R", registry.as_ref().map_or_else(String::new, |registry| registry.address().to_owned()));
    env.set("S", crate::harness::env::program().to_string_lossy());
    env.set("I", "localhost/small:1");
    env.set("RUN", env.runroot().to_string_lossy());
    env.set("CG", env.cgroup().map_or_else(String::new, |dir| dir.to_string_lossy().into_owned()));
    env.set("STORE", env.graphroot().to_string_lossy());
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).unwrap().port();
    env.set("PORT", port.to_string());
    env.run(["import", "root.tar", "localhost/small:1"]).success();
    (env, registry)
}

/// Few entries, so that an exhaustive run ends: a shell, a file of some size, a hard link, one to be whited out.
fn root_layer() -> Layer {
    let mut layer = Layer::new();
    for dir in ["bin", "dev", "etc", "proc", "sys", "tmp"] {
        layer = layer.dir(dir, 0o755);
    }
    layer = layer.file("bin/busybox", 0o755, &std::fs::read(busybox()).unwrap());
    for applet in ["sh", "true", "sleep", "test"] {
        layer = layer.symlink(&format!("bin/{applet}"), "busybox");
    }
    layer
        .file("etc/big", 0o644, &vec![b'b'; 100_000])
        .file("etc/gone", 0o644, b"gone")
        .hardlink("tmp/linked", "etc/big")
}

/// A case that only some test of its own knows is tried at no other point.
#[test]
fn every_case_is_tried() {
    for Case { name, .. } in CASES {
        assert!(super::kills::TRIED.contains(&name), "kills.rs does not try {name}");
        // It differs from `life` by what happens after the end alone.
        assert!(super::errors::TRIED.contains(&name) || name == "life_rm_port", "errors.rs does not try {name}");
    }
}
