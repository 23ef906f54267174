//! The harness itself: what it promises to the tests.

use super::{
    Background, Command, Compression, Env, ImageBuilder, Layer, Output, Registry, Terminal, eventually, requires,
};

#[test]
fn leaked_process_is_found_by_its_mark() {
    requires!(user);
    let mut env = Env::new();
    env.expect_leaks();
    env.other("/bin/sh").args(["-c", "env -i setsid sleep 1000 & exit 7"]).run().code(7);
    eventually("the leak shows", || env.processes().iter().any(|process| process.command.contains("sleep 1000")));
    let problems = super::leaks::find(&env);
    assert!(problems.iter().any(|problem| problem.contains("sleep 1000")), "{problems:?}");
}

#[test]
fn tree_with_foreign_ids_is_removed() {
    requires!(user, subids);
    let env = Env::new();
    let dir = env.path("other");
    std::fs::create_dir(&dir).unwrap();
    let script = "mkdir \"$0/x\" && touch \"$0/x/y\" && chown -R 7:7 \"$0/x\" && chmod 0700 \"$0/x\"";
    env.other("unshare")
        .args(["--user", "--map-root-user", "--map-auto", "sh", "-c", script])
        .args([&dir])
        .run()
        .success();
    let root = env.root().to_owned();
    drop(env);
    assert!(!root.exists());
}

#[test]
fn terminal_shows_and_types() {
    requires!(user);
    let env = Env::new();
    let mut terminal =
        Terminal::start(&env.other("/bin/sh").args(["-c", "stty size; read x; echo got $x; exit 3"]), 33, 77);
    terminal.expect("33 77");
    terminal.send("word\n");
    terminal.expect("got word");
    assert_eq!(terminal.finish().0, 3);
}

#[test]
fn filters_hide_what_differs() {
    let env = Env::new();
    let filters = super::filters::Filters::new(&env);
    let id = "0123456789ab";
    let text = format!("{} {id} Up 3 seconds ago in {}", super::image::sha256(b""), env.path("x").display());
    assert_eq!(filters.apply(&text), "[id] [short-id] Up [time] ago in [work]/x");
}

#[test]
fn words_that_may_begin_an_id_are_refused() {
    let asks = |words: &[&str]| super::env::asks_by_chance(&words.iter().map(Into::into).collect::<Vec<_>>());
    for name in ["c", "d0", "0123456789a"] {
        assert!(asks(&["container", "exists", name]) && asks(&["volume", "exists", name]), "{name}");
    }
    for name in ["box", "c-1", "c:1", "0123456789ab", &"a".repeat(64)] {
        assert!(!asks(&["container", "exists", name]) && !asks(&["image", "exists", name]), "{name}");
    }
    // Of what is there the name counts before any id.
    assert!(!asks(&["container", "rm", "c"]));
}

#[test]
fn registry_serves_a_built_image() {
    requires!(registry);
    let env = Env::new();
    let registry = Registry::start(&env);
    ImageBuilder::busybox().oci_dir(&env.path("layout"), "1");
    let name = registry.push(&format!("oci:{}:1", env.path("layout").display()), "busybox:1");
    env.other("skopeo").args(["inspect", "--tls-verify=false", &format!("docker://{name}")]).run().success();
}

#[test]
fn archives_are_read_by_skopeo() {
    requires!(skopeo);
    let env = Env::new();
    let inspect = |from: String| -> Output {
        let command: Command<'_> = env.other("skopeo").args(["inspect", "--raw", &from]);
        let running: Background = command.spawn();
        running.wait()
    };
    let path = |name: &str| env.path(name).display().to_string();
    for compression in [Compression::Plain, Compression::Gzip, Compression::Zstd] {
        let image = ImageBuilder::scratch()
            .layer(Layer::new().dir("etc", 0o755).file("etc/a", 0o644, b"1").hardlink("etc/b", "etc/a"))
            .layer(Layer::new().whiteout("etc/a").pax(&[("SCHILY.xattr.user.x", b"y")]).owned("c", 0o600, 5, 6, b""))
            .compression(compression);
        image.docker_archive(&env.path("docker.tar"), "x:1");
        image.oci_dir(&env.path("oci"), "1");
        inspect(format!("docker-archive:{}", path("docker.tar"))).success().stdout_has("layers");
        inspect(format!("oci:{}:1", path("oci"))).success().stdout_has("manifest.v1+json");
    }
}
