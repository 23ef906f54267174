//! `pull` from a real registry.

use crate::harness::image::{Compression, ImageBuilder, Layer};
use crate::harness::registry::Registry;
use crate::harness::{Env, requires};

fn three_layers() -> ImageBuilder {
    ImageBuilder::scratch()
        .layer(Layer::new().dir("etc", 0o755).file("etc/a", 0o644, b"one\n").file("etc/b", 0o600, b"two\n"))
        .layer(Layer::new().whiteout("etc/a").file("etc/c", 0o755, b"three\n"))
        .layer(Layer::new().dir("srv", 0o750).file("srv/d", 0o644, &vec![b'x'; 3 << 20]))
}

/// Files below a directory of the store, as paths.
fn entries(env: &Env, below: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut todo = vec![env.graphroot().join(below)];
    while let Some(dir) = todo.pop() {
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            found.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    found.sort();
    found
}

#[test]
fn every_compression_and_manifest_kind() {
    requires!(userns, registry);
    let env = Env::new();
    let registry = Registry::start(&env);
    for (name, compression) in [("plain", Compression::Plain), ("gzip", Compression::Gzip), ("zstd", Compression::Zstd)]
    {
        let dir = env.path(name);
        three_layers().compression(compression).oci_dir(&dir, "1");
        let full = registry.push(&format!("oci:{}:1", dir.display()), &format!("team/{name}:1"));
        let out = env.run(["pull", "--tls-verify=false", "-q", &full]);
        let id = out.success().trimmed();
        env.run(["image", "inspect", "--format", "{{.Id}} {{len .RootFS.Layers}}", &full]).prints(&format!("{id} 3\n"));
        env.run(["image", "exists", &full]).success();
    }
    // The three have the same diff ids, so the layers are there once.
    assert_eq!(entries(&env, "layers").len(), 3);
    assert_eq!(entries(&env, "staging"), [""; 0]);
    let docker = env.path("docker.tar");
    three_layers().docker_archive(&docker, "docker:1");
    let full = registry.push(&format!("docker-archive:{}", docker.display()), "team/docker:1");
    env.run(["pull", "--tls-verify=false", "-q", &full]).success();
    let manifest = env.run(["image", "inspect", "--format", "{{.ManifestType}}", &full]);
    manifest.prints("application/vnd.docker.distribution.manifest.v2+json\n");
}

#[test]
fn policies() {
    requires!(userns, registry);
    let env = Env::new();
    let registry = Registry::start(&env);
    let push = |name: &str, layer: &[u8]| {
        let dir = env.path(name);
        ImageBuilder::scratch().layer(Layer::new().file("x", 0o644, layer)).oci_dir(&dir, "1");
        registry.push(&format!("oci:{}:1", dir.display()), "web:1")
    };
    let full = push("first", b"1");
    let pull = |policy: &str| env.run(["pull", "-q", "--tls-verify=false", "--policy", policy, &full]);
    pull("never").code(125).stderr_has("image not known");
    let first = pull("missing").success().trimmed();
    push("second", b"2");
    assert_eq!(pull("missing").success().trimmed(), first);
    assert_eq!(pull("never").success().trimmed(), first);
    let second = pull("newer").success().trimmed();
    assert_ne!(second, first);
    assert_eq!(pull("newer").success().trimmed(), second);
    push("third", b"3");
    let third = pull("always").success().trimmed();
    assert_ne!(third, second);
    // The old ones have lost their name.
    env.run(["images", "--filter", "dangling=true", "-q"]).success().stdout_has(&first[..12]);
    drop(registry);
    assert_eq!(pull("newer").success().trimmed(), third, "an unreachable registry is no error for newer");
    pull("always").code(125).stderr_has("Connection refused").stderr_has("Hint: look at the spelling");
    pull("sometimes").code(125).stderr_has("invalid pull policy");
}

#[test]
fn a_layer_that_is_there_is_not_fetched() {
    requires!(userns, registry);
    let env = Env::new();
    let registry = Registry::start(&env);
    let dir = env.path("a");
    three_layers().oci_dir(&dir, "1");
    let full = registry.push(&format!("oci:{}:1", dir.display()), "a:1");
    env.run(["pull", "-q", "--tls-verify=false", &full]).success();
    let dir = env.path("b");
    three_layers().layer(Layer::new().file("new", 0o644, b"new")).oci_dir(&dir, "1");
    let full = registry.push(&format!("oci:{}:1", dir.display()), "b:1");
    let out = env.run(["pull", "--tls-verify=false", &full]);
    assert_eq!(out.success().stderr().matches("exists").count(), 3, "{out}");
}

#[test]
fn by_digest_and_by_mirror() {
    requires!(userns, registry);
    let env = Env::new();
    let registry = Registry::start(&env);
    let dir = env.path("a");
    three_layers().oci_dir(&dir, "1");
    let full = registry.push(&format!("oci:{}:1", dir.display()), "copies/web:1");
    env.run(["pull", "-q", "--tls-verify=false", &full]).success();
    let digest = env.run(["image", "inspect", "--format", "{{.Digest}}", &full]).success().trimmed();
    let pinned = format!("{}@{digest}", registry.name("copies/web"));
    env.run(["pull", "-q", "--tls-verify=false", &pinned]).success();
    // A registry that nobody can reach, with a mirror that needs no TLS.
    let conf = format!(
        "unqualified-search-registries = [\"origin.invalid\"]\n[[registry]]\nprefix = \"origin.invalid\"\n\
         location = \"origin.invalid\"\n[[registry.mirror]]\nlocation = \"{}/copies\"\ninsecure = true\n\
         [[registry]]\nlocation = \"closed.invalid\"\nblocked = true\n",
        registry.address()
    );
    let dir = env.home().join(".config/containers");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("registries.conf"), conf).unwrap();
    // Else it would be the end of a name that is here.
    env.run(["rmi", "-fa"]).success();
    env.run(["pull", "-q", "web:1"]).success();
    env.run(["image", "exists", "origin.invalid/web:1"]).success();
    env.run(["pull", "-q", "closed.invalid/x"]).code(125).stderr_has("blocks").stderr_has("Hint: the rule");
}

#[test]
fn quiet_hides_no_warning() {
    requires!(userns, registry);
    let env = Env::new();
    let registry = Registry::start(&env);
    let name = registry.name("far:1");
    let tar = env.write("one.tar", Layer::new().file("a", 0o644, b"1").finish());
    env.run(["import", "-q", "--arch=s390x", tar.to_str().unwrap(), &name]).success();
    env.run(["push", "-q", "--tls-verify=false", &name]).success();
    for quiet in [true, false] {
        env.run(["rmi", "--all"]).success();
        let pull = ["pull", "--tls-verify=false", &name].into_iter().chain(quiet.then_some("--quiet"));
        let output = env.run(pull);
        output
            .success()
            .stderr_has("Warning: image platform (linux/s390x) does not match the expected platform (linux/");
        assert_eq!(output.stderr().lines().count() == 1, quiet, "{output}");
    }
}
