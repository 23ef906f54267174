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
