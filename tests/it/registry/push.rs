//! `push` to Debian's registry, read back by skopeo and by ourselves.

use std::path::Path;

use serde_json::Value;

use crate::harness::image::sha256;
use crate::harness::token::{READER, TokenServer, WRITER, certificates};
use crate::harness::{Compression, Env, ImageBuilder, Layer, Registry, requires};

const PLAIN: &str = "--tls-verify=false";
const OCI: &str = "application/vnd.oci.image.manifest.v1+json";
const DOCKER: &str = "application/vnd.docker.distribution.manifest.v2+json";

fn image() -> ImageBuilder {
    // Not compressible, and larger than what goes in one request.
    let noise: Vec<u8> = (0_u32..700_000).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    ImageBuilder::scratch()
        .layer(Layer::new().dir("etc", 0o755).file("etc/a", 0o644, b"one\n"))
        .layer(Layer::new().file("noise", 0o600, &noise))
        .layer(Layer::new().whiteout("etc/a").file("etc/b", 0o755, b"two\n"))
        .compression(Compression::Gzip)
}

/// The manifest of a name, by skopeo.
fn raw(env: &Env, name: &str, more: &[&str]) -> Vec<u8> {
    let name = format!("docker://{name}");
    let out = env.other("/usr/bin/skopeo").args([&["inspect", "--raw", PLAIN], more, &[&name]].concat()).run();
    out.success().stdout().into_bytes()
}

fn manifest(env: &Env, name: &str) -> Value {
    serde_json::from_slice(&raw(env, name, &[])).unwrap()
}

/// Loads an image under a name; returns the digest of its manifest.
fn loaded(env: &Env, image: &ImageBuilder, name: &str) -> String {
    let path = env.path("image.tar");
    image.oci_archive(&path, "1");
    let out = env.run(["load", "-q", "-i", path.to_str().unwrap()]);
    let id = out.success().trimmed().rsplit(' ').next().unwrap().to_owned();
    env.run(["tag", &id, name]).success();
    env.run(["image", "inspect", "--format", "{{.Digest}}", name]).success().trimmed()
}

fn pushed(env: &Env, arguments: &[&str]) -> String {
    let file = env.path("digest");
    let out = env.run([&["push", PLAIN, "--digestfile", file.to_str().unwrap()], arguments].concat());
    out.success();
    std::fs::read_to_string(file).unwrap()
}

#[test]
fn byte_for_byte_in_both_formats() {
    requires!(userns, registry, skopeo);
    let env = Env::new();
    let registry = Registry::start(&env);
    let other = Registry::start(&env);
    for (name, compression) in [("gzip", Compression::Gzip), ("zstd", Compression::Zstd)] {
        let env = Env::new();
        let full = registry.name(&format!("team/{name}:1"));
        let digest = loaded(&env, &image().compression(compression), &full);
        assert_eq!(pushed(&env, &[&full]), digest);
        assert_eq!(format!("sha256:{}", sha256(&raw(&env, &full, &[]))), digest);
        // Somebody else's tool copies it to the other registry, we push it there, too: nothing is left to send.
        let copy = other.name(&format!("copy/{name}:1"));
        let args = ["copy", "--insecure-policy", "--src-tls-verify=false", "--dest-tls-verify=false"];
        let (from, to) = (format!("docker://{full}"), format!("docker://{copy}"));
        env.other("/usr/bin/skopeo").args([&args[..], &[&from, &to]].concat()).run().success();
        let out = env.run(["push", PLAIN, &full, &copy]);
        assert_eq!(out.success().stderr().matches("exists").count(), 4, "{out}");
        assert_eq!(format!("sha256:{}", sha256(&raw(&env, &copy, &[]))), digest);
    }
    // Schema 2, as skopeo sends it, pulled and pushed.
    let archive = env.path("docker.tar");
    image().docker_archive(&archive, "docker:1");
    let full = registry.push(&format!("docker-archive:{}", archive.display()), "team/docker:1");
    env.run(["pull", "-q", PLAIN, &full]).success();
    let copy = other.name("copy/docker:1");
    let digest = pushed(&env, &[&full, &format!("docker://{copy}")]);
    assert_eq!(raw(&env, &full, &[]), raw(&env, &copy, &[]));
    assert_eq!(env.run(["image", "inspect", "--format", "{{.Digest}}", &full]).trimmed(), digest);
    // By digest only what has that digest.
    env.run(["push", PLAIN, &full, &format!("{}@{digest}", other.name("pinned"))]).success();
    let wrong = format!("{}@sha256:{}", other.name("pinned"), "0".repeat(64));
    env.run(["push", PLAIN, &full, &wrong]).code(125).stderr_has("cannot be pushed as");
}

#[test]
fn nobody_guesses_where_an_image_shall_go() {
    let env = Env::new();
    loaded(&env, &image(), "zzz.invalid/team/x:1");
    let id = env.run(["image", "inspect", "--format", "{{.Id}}", "zzz.invalid/team/x:1"]).trimmed();
    // One name: there.
    for text in ["x:1", "team/x:1", &id] {
        env.run(["push", "-q", "--retry=0", text]).code(125).stderr_has("push to zzz.invalid/team/x:1");
    }
    env.run(["tag", "zzz.invalid/team/x:1", "aaa.invalid/team/x:1"]).success();
    for text in ["x:1", "team/x:1", &id] {
        let out = env.run(["push", "-q", "--retry=0", text]);
        out.code(125).stderr_has("aaa.invalid/team/x:1, zzz.invalid/team/x:1").stderr_has("Hint: sampan push");
    }
    env.run(["push", "-q", "--retry=0", "zzz.invalid/team/x:1"]).code(125).stderr_has("push to zzz.invalid/team/x:1");
    // The same of lists.
    let list = env.run(["manifest", "create", "zzz.invalid/l:1", "zzz.invalid/team/x:1"]).success().trimmed();
    env.run(["tag", "zzz.invalid/l:1", "mine:1"]).success();
    for text in ["zzz.invalid/l:1", &list] {
        env.run(["push", "-q", "--retry=0", text]).code(125).stderr_has("push to zzz.invalid/l:1");
    }
    env.run(["tag", "zzz.invalid/l:1", "aaa.invalid/l:1"]).success();
    env.run(["push", "-q", "--retry=0", &list]).code(125).stderr_has("aaa.invalid/l:1, zzz.invalid/l:1");
}

#[test]
fn a_blob_that_was_not_fetched() {
    requires!(userns, registry, skopeo);
    let (env, publisher) = (Env::new(), Env::new());
    let registry = Registry::start(&env);
    let (gzip, zstd) = (registry.name("team/gzip:1"), registry.name("team/zstd:1"));
    loaded(&publisher, &image(), &gzip);
    pushed(&publisher, &[&gzip]);
    let digest = pushed(&publisher, &["--compression-format=zstd", &gzip, &zstd]);
    // The layers of the second are those of the first: only its documents are fetched.
    for name in [&gzip, &zstd] {
        env.run(["pull", "-q", PLAIN, name]).success();
    }
    // The registry still has its blobs: byte for byte, by mounting.
    assert_eq!(pushed(&env, &[&zstd, &registry.name("other/zstd:1")]), digest);
    // Another registry has not: they are fetched from where the image came from.
    let elsewhere = Registry::start(&env);
    let copy = elsewhere.name("copy:1");
    assert_eq!(pushed(&env, &[&zstd, &copy]), digest);
    assert!(manifest(&env, &copy)["layers"].to_string().contains("tar+zstd"));
    let reader = Env::new();
    reader.run(["pull", "-q", PLAIN, &copy]).success();
}

#[test]
fn other_formats_and_compressions() {
    requires!(userns, registry, skopeo);
    let env = Env::new();
    let registry = Registry::start(&env);
    let source = "localhost/source:1";
    loaded(&env, &image().compression(Compression::Plain), source);
    let id = env.run(["image", "inspect", "--format", "{{.Id}}", source]).trimmed();
    let cases: [(&str, &[&str], &str, &str); 5] = [
        ("default", &[], OCI, "tar+gzip"),
        ("docker", &["--format", "v2s2"], DOCKER, "tar.gzip"),
        ("zstd", &["--compression-format", "zstd"], OCI, "tar+zstd"),
        ("level", &["--compression-format=zstd", "--compression-level=9", "--format=oci"], OCI, "tar+zstd"),
        ("forced", &["--force-compression", "--compression-level", "1"], OCI, "tar+gzip"),
    ];
    for (name, flags, kind, layers) in cases {
        let full = registry.name(&format!("form/{name}:1"));
        let digest = pushed(&env, &[flags, &[source, &full]].concat());
        let found = manifest(&env, &full);
        assert_eq!(found["mediaType"], kind, "{name}");
        let all = found["layers"].as_array().unwrap();
        assert!(all.iter().all(|layer| layer["mediaType"].as_str().unwrap().ends_with(layers)), "{name}: {found}");
        // The same again gives the same bytes.
        assert_eq!(pushed(&env, &[flags, &[source, &full]].concat()), digest, "{name}");
        // Skopeo reads and checks every blob; its plain layers have our diff ids.
        let dir = format!("dir:{}", env.path(&format!("dir-{name}")).display());
        let from = format!("docker://{full}");
        let copy = ["copy", "--insecure-policy", "--src-tls-verify=false", "--dest-decompress", &from, &dir];
        env.other("/usr/bin/skopeo").args(copy).run().success();
        let reader = Env::new();
        let out = reader.run(["pull", "-q", PLAIN, &full]);
        assert_eq!(out.success().trimmed(), id, "the configuration stays the same");
    }
    env.run(["push", PLAIN, "--format=v2s2", "--compression-format=zstd", source, &registry.name("x")]).code(125);
    env.run(["push", PLAIN, "--compression-format=xz", source, &registry.name("x")]).code(125);
    // Back from zstd to gzip.
    let zstd = registry.name("form/zstd:1");
    let reader = Env::new();
    reader.run(["pull", "-q", PLAIN, &zstd]).success();
    let gzip = registry.name("form/back:1");
    pushed(&reader, &["--compression-format=gzip", &zstd, &gzip]);
    assert!(manifest(&env, &gzip)["layers"].to_string().contains("tar+gzip"));
    // What was pulled as zstd, and is here as a plain layer alone, is not sent plain where there is no zstd.
    let twin = Env::new();
    loaded(&twin, &image().compression(Compression::Plain), source);
    twin.run(["pull", "-q", PLAIN, &zstd]).success();
    let docker = registry.name("form/zstd-docker:1");
    pushed(&twin, &["--format=v2s2", &zstd, &docker]);
    let found = manifest(&env, &docker);
    assert_eq!(found["layers"].to_string().matches("tar.gzip").count(), 3, "{found}");
    // Other places than registries.
    let layout = format!("oci:{}:v1", env.path("layout").display());
    env.run(["push", "-q", source, &layout]).success();
    env.other("/usr/bin/skopeo").args(["inspect", &layout]).run().success();
    env.run(["push", source, "docker-daemon:x:1"]).code(125);
}

#[test]
fn blobs_are_mounted_with_the_scopes_of_a_token() {
    requires!(userns, registry);
    let mut env = Env::new();
    let tokens = TokenServer::start(&env, 300);
    let registry = Registry::start_with(&env, "", &tokens.registry_lines());
    let login = |env: &Env, (user, password): (&str, &str)| {
        let command = env.command(["login", PLAIN, "-u", user, "--password-stdin", registry.address()]);
        command.stdin(password).run().success();
    };
    let (first, second) = (registry.name("team/first:1"), registry.name("team/second:1"));
    let digest = loaded(&env, &image(), &first);
    env.run(["push", PLAIN, &first]).code(125).stderr_has("denied").stderr_has("sampan login");
    login(&env, READER);
    env.run(["push", PLAIN, &first]).code(125).stderr_has("denied");
    login(&env, WRITER);
    assert_eq!(pushed(&env, &[&first]), digest);
    let out = env.run(["push", PLAIN, &first, &second]);
    assert_eq!(out.success().stderr().matches("mounted").count(), 3, "{out}");
    let scopes = "scope=repository:team/second:pull,push&scope=repository:team/first:pull";
    assert!(tokens.requests().iter().any(|line| line.contains(scopes)), "{:?}", tokens.requests());
    // One login covers all processes of a push.
    let count = tokens.requests().len();
    assert_eq!(pushed(&env, &[&first, &registry.name("team/third:1")]), digest);
    assert_eq!(tokens.requests().len(), count + 1, "{:?}", tokens.requests());
    // What cannot be mounted is sent.
    let reader = env.command(["push", PLAIN, "--creds", "alice:s3cret", &first, &registry.name("public/x:1")]).run();
    reader.success();
    env.run(["logout", "--all"]).success();
    let fresh = Env::new();
    fresh.run(["pull", "-q", PLAIN, &registry.name("public/x:1")]).success();
    fresh.run(["pull", "-q", PLAIN, &first]).code(125);
    // Nothing that is logged holds a secret.
    env.set("RUST_LOG", "trace");
    let out =
        env.run(["--log-level=trace", "push", PLAIN, "--creds", "alice:s3cret", &first, &registry.name("team/x:1")]);
    assert!(!out.success().stderr().contains("s3cret") && !out.stderr().contains("Bearer ey"), "{out}");
}

#[test]
fn a_token_that_runs_out_is_renewed() {
    requires!(userns, registry);
    let env = Env::new();
    // As if it had run out on the way.
    let tokens = TokenServer::start(&env, -10);
    let registry = Registry::start_with(&env, "", &tokens.registry_lines());
    let full = registry.name("team/slow:1");
    let digest = loaded(&env, &image().compression(Compression::Plain), &full);
    let pushed =
        pushed(&env, &["--creds", "alice:s3cret", "--compression-format=zstd", "--compression-level=5", &full]);
    assert_ne!(pushed, digest);
    assert!(tokens.requests().len() > 1);
    env.run(["pull", "-q", PLAIN, "--creds", "alice:s3cret", &full]).success();
}

#[test]
fn tls_with_a_private_authority() {
    requires!(userns, registry, skopeo);
    let env = Env::new();
    let dir = env.path("certs");
    certificates(&dir);
    let path = |name: &str| dir.join(name).display().to_string();
    let tls = format!("  tls:\n    certificate: {}\n    key: {}\n", path("server.crt"), path("server.key"));
    let registry = Registry::start_with(&env, &tls, "");
    let full = registry.name("team/tls:1");
    let digest = loaded(&env, &image(), &full);
    env.run(["push", &full]).code(125).stderr_has("establish TLS").stderr_has("Hint:");
    let own = env.path("own");
    std::fs::create_dir(&own).unwrap();
    std::fs::copy(dir.join("ca.crt"), Path::new(&own).join("ca.crt")).unwrap();
    let own = own.to_str().unwrap();
    env.run(["push", "-q", "--cert-dir", own, &full]).success();
    assert_eq!(format!("sha256:{}", sha256(&raw(&env, &full, &[]))), digest);
    env.run(["pull", "-q", "--cert-dir", own, &full]).success();
}

#[test]
fn damage_and_absence_are_told() {
    requires!(userns, registry);
    let env = Env::new();
    let registry = Registry::start(&env);
    let full = registry.name("team/damaged:1");
    loaded(&env, &image(), &full);
    env.run(["push", PLAIN, &registry.name("team/absent:1")]).code(125).stderr_has("absent");
    env.run(["push", PLAIN, &full, "A/B"]).code(125).stderr_has("lower case");
    let blobs = env.graphroot().join("blobs/sha256");
    let largest = std::fs::read_dir(&blobs).unwrap().flatten().max_by_key(|entry| entry.metadata().unwrap().len());
    let largest = largest.unwrap().path();
    let mut bytes = std::fs::read(&largest).unwrap();
    let middle = bytes.len() / 2;
    let flip = |bytes: &mut Vec<u8>| {
        bytes[middle] ^= 1;
        std::fs::write(&largest, bytes).unwrap();
    };
    flip(&mut bytes);
    env.run(["push", PLAIN, &full]).code(125).stderr_has("damaged in the store");
    // The store is checked at the end.
    flip(&mut bytes);
    assert_eq!(std::fs::read_dir(env.graphroot().join("staging")).unwrap().count(), 0);
}

#[test]
fn a_push_goes_where_the_name_says_whatever_pulls_are_led_to() {
    requires!(userns, registry, skopeo);
    let env = Env::new();
    let (registry, elsewhere) = (Registry::start(&env), Registry::start(&env));
    let name = registry.name("team/a:1");
    let digest = loaded(&env, &image(), &name);
    let conf = format!(
        "[[registry]]\nprefix = \"{0}/team\"\nlocation = \"{1}/inner\"\ninsecure = true\n[[registry]]\nprefix = \"{0}/closed\"\n\
         location = \"{1}\"\nblocked = true\n",
        registry.address(),
        elsewhere.address()
    );
    let dir = env.home().join(".config/containers");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("registries.conf"), conf).unwrap();
    env.run(["push", "-q", &name]).success();
    let tags = env.run(["search", "--list-tags", "--format", "{{.Tag}}", &registry.name("team/a")]);
    tags.success().prints("1\n");
    env.run(["push", "-q", &name, &registry.name("closed/a:1")]).code(125).stderr_has("blocks everything");
    // What is fetched comes from where the configuration leads.
    env.run(["pull", "-q", "--policy=always", &name]).code(125).stderr_has(elsewhere.address());
    // Skopeo reads the same file.
    std::fs::remove_file(dir.join("registries.conf")).unwrap();
    assert_eq!(format!("sha256:{}", sha256(&raw(&env, &name, &[]))), digest);
}
