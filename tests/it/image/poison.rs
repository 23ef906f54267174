//! Names that an archive brings along (case B18).

use std::collections::BTreeSet;

use crate::harness::{BUSYBOX, Env, ImageBuilder, Layer, requires};

fn names(env: &Env) -> BTreeSet<String> {
    let out = env.run(["images", "--format", "{{.Repository}}:{{.Tag}}"]);
    out.success().stdout().lines().map(str::to_owned).collect()
}

#[test]
fn b18_an_archive_sets_only_names_that_are_told() {
    requires!(userns);
    let env = Env::with_busybox();
    let image = ImageBuilder::busybox().layer(Layer::new().file("evil", 0o644, b"x"));
    let path = env.path("evil.tar");
    let load = || env.run(["load", "-i", path.to_str().unwrap()]);
    for tag in ["docker.io/library/alpine:latest", "example.org/a/b:2"] {
        let before = names(&env);
        image.docker_archive(&path, tag);
        let out = load();
        let told = out.success().stdout();
        image.oci_archive(&path, tag);
        let told = told + &load().stdout();
        for name in names(&env).difference(&before) {
            assert!(told.contains(name.as_str()) || name.contains("<none>"), "{name} was set, told was {told:?}");
        }
    }
    let before = names(&env);
    for tag in ["../../etc/x:1", "a b:1", "x/UPPER:1", "-x:1", "x:\u{1b}[31m", "localhost/x:../y", ""] {
        image.docker_archive(&path, tag);
        let out = load();
        let code = out.exit_code();
        assert!(matches!(code, Some(0 | 125)), "{tag:?}: {code:?}");
        // Whatever is wrong with it, the archive is named.
        assert!(code == Some(0) || out.stderr().contains("evil.tar"), "{tag:?}: {}", out.stderr());
        let new: Vec<String> = names(&env).difference(&before).cloned().collect();
        assert!(new.iter().all(|name| name.contains("<none>")), "{tag:?} became {new:?}");
    }
    env.run(["run", "--rm", "--network=none", BUSYBOX, "ls", "/evil"]).code(1);
}
