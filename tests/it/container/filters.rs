//! `--filter` of `ps` and of the verbs that choose containers by it.

use crate::harness::image::BUSYBOX;
use crate::harness::{Env, requires};

#[test]
fn filters_mean_what_podmans_mean() {
    requires!(userns);
    let env = Env::with_busybox();
    let create = |name: &str, flags: &[&str]| {
        let name = format!("--name={name}");
        env.run(["create", &name].iter().chain(flags).chain(&[BUSYBOX, "sleep", "600"])).success();
    };
    create("web", &["--network=none", "--label=app=x", "--volume=data:/srv"]);
    create("web2", &["--network=none", "--label=app.kind=y", "--restart=always"]);
    create("db-1", &["--network=container:web"]);
    for (filter, names) in [
        ("name=^(web|db-1)$", "db-1 web"),
        ("name=w[eb]+2", "web2"),
        // Docker's names.
        ("name=/web", "web web2"),
        ("name=^/web$", "web"),
        ("label=app=", "web"),
        ("label=ap*", "web web2"),
        ("label=a*=x", "web"),
        ("label=app=x*", ""),
        ("volume=data", "web"),
        ("volume=data:/srv", "web"),
        ("volume=data:/other", ""),
        ("network=container:web", "db-1"),
        ("restart-policy=none", "db-1 web"),
        ("should-start-on-boot=1", "web2"),
        ("command=^sleep$", "db-1 web web2"),
        ("id=^[0-9a-f]{64}$", "db-1 web web2"),
        ("status=stopped", ""),
    ] {
        let list = env.run(["ps", "-a", "--sort=names", "--format={{.Names}}", "--filter", filter]);
        let shown = list.success().stdout();
        assert_eq!(shown.split_whitespace().collect::<Vec<_>>().join(" "), names, "{filter}");
    }
    env.run(["start", "web"]).success();
    env.run(["stop", "-t0", "web"]).success();
    env.run(["ps", "-a", "--format={{.Names}}", "--filter=status=stopped"]).prints("web\n");
    env.run(["rm", "--filter=name=^(db-1|web)$"]).success();
    env.run(["ps", "-aq", "--format={{.Names}}"]).prints("web2\n");
    for (filter, why) in [("name=(web", "no regular expression"), ("names=web", "unknown key: id, name, label")] {
        env.run(["ps", "--filter", filter]).code(125).stderr_has(why);
    }
}

/// A filter restricts what is chosen otherwise: it adds nothing, and what it does not let through is no error.
#[test]
fn filters_restrict_what_is_named_and_all() {
    requires!(userns);
    let env = Env::with_busybox();
    for (name, label) in [("one", "k=1"), ("two", "k=2"), ("three", "k=1")] {
        let name = format!("--name={name}");
        env.run(["create", &name, "--label", label, "--network=none", BUSYBOX, "sleep", "600"]).success();
    }
    let id = |name: &str| env.run(["inspect", "-f", "{{.Id}}", name]).success().trimmed();
    env.run(["start", "--filter=label=k=1", "one", "two"]).success().prints("one\n");
    env.run(["start", "--filter=label=k=1", "nobody"]).code(125).stderr_has("nobody");
    // Of all that pass, those that did not run.
    env.run(["start", "--all", "--filter=label=k=1"]).success().prints(&format!("{}\n", id("three")));
    env.run(["start", "--all"]).success().prints(&format!("{}\n", id("two")));
    env.run(["stop", "-t0", "--filter=label=k=2", "one", "two"]).success().prints("two\n");
    env.run(["rm", "-f", "-t0", "--filter=label=k=2", "--filter=name=t"]).success();
    assert_eq!(env.run(["ps", "-q", "--external"]).success().stdout().lines().count(), 2);
    let gone = env.run(["rm", "-f", "-t0", "--all", "--filter=label=k=2"]).success().stdout();
    assert_eq!(gone, "");
    env.run(["kill", "-s", "-KILL", "one"]).success();
    let why = "StopSignal SIGTERM failed to stop container three in 1 seconds, resorting to SIGKILL";
    env.run(["stop", "-t1", "three"]).success().stderr_has(why);
    env.run(["create", "--name=/four", BUSYBOX, "true"]).success();
    env.run(["container", "exists", "four"]).success();
}
