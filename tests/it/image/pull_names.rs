//! Short names, mirrors that fail half-way, all tags.

use super::peer::{Answer, Peer, Served};
use crate::harness::image::{ImageBuilder, Layer};
use crate::harness::registry::Registry;
use crate::harness::terminal::Terminal;
use crate::harness::{Env, requires};

fn image(content: &[u8]) -> ImageBuilder {
    ImageBuilder::scratch().layer(Layer::new().file("a", 0o644, content))
}

fn configure(env: &Env, text: &str) {
    let dir = env.home().join(".config/containers");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("registries.conf"), text).unwrap();
}

fn insecure(peers: &[&Peer]) -> String {
    peers.iter().map(|peer| format!("[[registry]]\nlocation = \"{}\"\ninsecure = true\n", peer.address())).collect()
}

#[test]
fn b19_an_ambiguous_short_name_fails_closed_without_a_terminal() {
    requires!(userns);
    let env = Env::new();
    let (first, second) = (Peer::start([].into()), Served::new(&image(b"1")).start());
    let search = format!("unqualified-search-registries = [\"{}\", \"{}\"]\n", first.address(), second.address());
    let registries = insecure(&[&first, &second]);
    configure(&env, &format!("{search}{registries}"));
    for arguments in [["pull", "-q", "web:1"], ["run", "--rm", "web:1"], ["pull", "--policy=newer", "web:1"]] {
        env.run(arguments).code(125).stderr_has("could mean").stderr_has(second.address());
    }
    assert!(first.requests().is_empty() && second.requests().is_empty(), "nobody was asked");
    // Whoever wants Podman's default says so: then all are tried in turn.
    configure(&env, &format!("{search}short-name-mode = \"permissive\"\n{registries}"));
    env.run(["pull", "web:1"]).success().stderr_has("Trying to pull");
    env.run(["image", "exists", &second.name()]).success();
    // Now it is here, under the name that the search registries give it.
    env.run(["pull", "-q", "--policy=never", "web:1"]).success();
    // If nobody has it, each tells why.
    let nobody = env.run(["pull", "-q", "nothing:1"]);
    nobody.code(125).stderr_has(&first.name().replace("web", "nothing")).stderr_has(second.address());
    assert_eq!(nobody.stderr().lines().filter(|line| line.starts_with("Warning: ")).count(), 1, "{nobody}");
}

/// Loads an image of its own under each of these names.
fn load(env: &Env, names: &[&str]) -> Vec<String> {
    let path = env.path("named.tar");
    let load = |name: &&str| {
        image(name.as_bytes()).oci_archive(&path, name);
        env.run(["load", "-q", "-i", path.to_str().unwrap()]).success();
        env.run(["inspect", "-f", "{{.Id}}", name]).success().trimmed()
    };
    names.iter().map(load).collect()
}

/// Podman's order in the local store: alias, localhost, search registries, docker.io, ends of names.
#[test]
fn a_short_name_means_one_image_for_every_verb() {
    requires!(userns);
    let env = Env::new();
    configure(
        &env,
        "unqualified-search-registries = [\"one.test\", \"two.test\"]\n[aliases]\nweb = \"alias.test/w\"\n",
    );
    let mut names = vec![
        "far.test/x/web:1",
        "docker.io/library/web:1",
        "two.test/web:1",
        "one.test/web:1",
        "localhost/web:1",
        "alias.test/w:1",
    ];
    let mut ids = load(&env, &names);
    while let (Some(name), Some(id)) = (names.pop(), ids.pop()) {
        for verb in ["inspect", "tree"] {
            env.run(["image", verb, "web:1"]).success().stdout_has(&id[..12]);
        }
        env.run(["images", "-q", "--filter", "reference=web:1"]).stdout_has(&id[..12]);
        env.run(["tag", "web:1", "it:1"]).success();
        env.run(["inspect", "-f", "{{.Id}}", "it:1"]).prints(&format!("{id}\n"));
        env.run(["untag", "web:1", "it:1"]).success();
        env.run(["rmi", "web:1"]).success().stdout_has(&format!("Untagged: {name}"));
    }
    env.run(["image", "exists", "web:1"]).code(1);
}

/// Whoever owns the name elsewhere is not asked, and his image not run.
#[test]
fn a_pull_of_what_is_here_goes_by_its_full_name() {
    requires!(userns);
    let env = Env::new();
    let (here, other) = (Peer::start([].into()), Served::new(&image(b"1")).start());
    let search = format!("unqualified-search-registries = [\"{}\"]\n", other.address());
    configure(&env, &format!("{search}{}", insecure(&[&here, &other])));
    let name = format!("{}/x/web:1", here.address());
    let id = &load(&env, &[&name])[0];
    let asked = |arguments: &[&str]| {
        let before = here.requests().len();
        env.run(arguments).code(125).stderr_has(&name);
        assert!(here.requests().len() > before, "{arguments:?}");
    };
    asked(&["pull", "-q", "--retry=0", "x/web:1"]);
    asked(&["create", "--pull=always", "--retry=0", "web:1", "x"]);
    asked(&["pull", "-q", "--retry=0", "--platform=linux/s390x", "web:1"]);
    env.run(["create", "--pull=newer", "--retry=0", "web:1", "x"]).success();
    // Nobody listens there: it is where names are from that nobody else gave.
    env.run(["tag", &name, "localhost/mine:1"]).success();
    env.run(["pull", "-q", "--retry=0", "mine:1"])
        .code(125)
        .stderr_has("pull localhost/mine:1")
        .stderr_has("as docker.io/library/NAME");
    env.run(["untag", &name, "localhost/mine:1"]).success();
    // No registry knows ids.
    let (short, whole) = (&id[..12], format!("sha256:{id}"));
    let before = here.requests().len();
    for id in [short, id, &whole, &format!("sha256:{}", "0".repeat(64))] {
        env.run(["pull", "-q", id]).code(125).stderr_has("is an id").stderr_has("Hint: ");
        env.run(["create", "--pull=always", id, "x"]).code(125).stderr_has("is an id");
    }
    env.run(["create", "--pull=newer", short, "x"]).success();
    env.run(["create", "--platform=linux/s390x", short, "x"]).code(125).stderr_has("is here for");
    env.run(["create", &format!("sha256:{}", "0".repeat(64)), "x"]).code(125).stderr_has(": image not known");
    // A record that cannot be read still has its name: what is written anew is that image.
    let digest = env.run(["inspect", "-f", "{{.Digest}}", short]).trimmed();
    let record = env.graphroot().join("images").join(format!("{}.json", digest.trim_start_matches("sha256:")));
    assert_eq!(here.requests().len(), before);
    let whole = std::fs::read(&record).unwrap();
    std::fs::write(&record, "x").unwrap();
    asked(&["pull", "-q", "--retry=0", "web:1"]);
    std::fs::write(&record, whole).unwrap();
    assert!(other.requests().is_empty(), "{:?}", other.requests());
}

#[test]
fn what_comes_from_no_registry_is_told_with_the_way_round() {
    let env = Env::new();
    for name in ["docker-daemon:x:1", "containers-storage:localhost/app:1", "docker-daemon:x"] {
        for verb in [&["pull", "-q"][..], &["run"]] {
            env.run([verb, &[name]].concat()).code(125).stderr_has("do not come from a registry");
        }
    }
}

#[test]
fn b19_on_a_terminal_the_user_chooses_once() {
    requires!(userns);
    let env = Env::new();
    let (first, second) = (Peer::start([].into()), Served::new(&image(b"1")).start());
    let search = format!("unqualified-search-registries = [\"{}\", \"{}\"]\n", first.address(), second.address());
    configure(&env, &format!("{search}{}", insecure(&[&first, &second])));
    let mut terminal = Terminal::start(&env.command(["pull", "web:1"]), 24, 80);
    terminal.expect("Number [1-2]");
    terminal.send("2\n");
    assert_eq!(terminal.finish().0, 0);
    assert!(first.requests().is_empty());
    let kept = std::fs::read_to_string(env.home().join(".cache/containers/short-name-aliases.conf")).unwrap();
    assert!(kept.contains(second.address()), "{kept}");
    env.run(["pull", "-q", "web:1"]).success();
    assert!(first.requests().is_empty());
}

#[test]
fn drop_ins_alias_and_are_refused_when_wrong() {
    requires!(userns);
    let env = Env::new();
    let peer = Served::new(&image(b"1")).start();
    configure(&env, &insecure(&[&peer]));
    let dir = env.home().join(".config/containers/registries.conf.d");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("10-x.conf"), format!("[aliases]\nshort = \"{}/web\"\n", peer.address())).unwrap();
    env.run(["pull", "-q", "short:1"]).success();
    env.run(["image", "exists", &peer.name()]).success();
    std::fs::write(dir.join("20-x.conf"), "[aliases]\nshort = 'no registry'\n").unwrap();
    env.run(["pull", "-q", "short:1"]).code(125).stderr_has("20-x.conf");
}

#[test]
fn a_layer_that_the_mirror_lacks_comes_from_the_registry() {
    requires!(userns);
    let env = Env::new();
    let origin = Served::new(&image(b"1")).start();
    let mut half = Served::new(&image(b"1"));
    let path = half.layer(0);
    let bytes = half.body(&path);
    half.answers.insert(path, Answer::Cut(bytes.len(), bytes[..20].to_vec()));
    let mirror = half.start();
    configure(
        &env,
        &format!("{}[[registry.mirror]]\nlocation = \"{}\"\ninsecure = true\n", insecure(&[&origin]), mirror.address()),
    );
    env.run(["pull", "-q", "--retry=0", &origin.name()]).success();
    assert_eq!((mirror.asked("/blobs/"), origin.asked("/blobs/"), origin.asked("/manifests/")), (2, 1, 0));
    let range = origin.requests().concat().to_ascii_lowercase();
    assert!(range.contains("range: bytes=20-"), "it goes on where the mirror stopped: {range}");
}

#[test]
fn a_mirror_for_digests_only_is_not_asked_for_tags() {
    requires!(userns);
    let env = Env::new();
    let (origin, mirror) = (Served::new(&image(b"1")).start(), Served::new(&image(b"1")).start());
    let conf = format!(
        "[[registry]]\nlocation = \"{}\"\ninsecure = true\nmirror-by-digest-only = true\n\
         [[registry.mirror]]\nlocation = \"{}\"\ninsecure = true\n",
        origin.address(),
        mirror.address()
    );
    configure(&env, &conf);
    env.run(["pull", "-q", &origin.name()]).success();
    assert!(mirror.requests().is_empty());
    let digest = env.run(["image", "inspect", "--format", "{{.Digest}}", &origin.name()]).success().trimmed();
    env.run(["rmi", "-a", "-f"]).success();
    let before = origin.requests().len();
    // The tag beside a digest says nothing.
    env.run(["pull", "-q", &format!("{}@{digest}", origin.name())]).success();
    assert_eq!(origin.requests().len(), before);
    env.run(["image", "exists", &format!("{}/web@{digest}", origin.address())]).success();
}

#[test]
fn all_tags() {
    requires!(userns, registry);
    let env = Env::new();
    let registry = Registry::start(&env);
    for tag in ["1", "2", "latest"] {
        let dir = env.path(tag);
        image(tag.as_bytes()).oci_dir(&dir, "1");
        registry.push(&format!("oci:{}:1", dir.display()), &format!("team/web:{tag}"));
    }
    let name = registry.name("team/web");
    let ids = env.run(["pull", "-q", "--tls-verify=false", "--all-tags", &name]).success().stdout();
    assert_eq!(ids.lines().count(), 3, "{ids}");
    for tag in ["1", "2", "latest"] {
        env.run(["image", "exists", &format!("{name}:{tag}")]).success();
    }
    env.run(["pull", "-a", &format!("{name}:1")]).code(125).stderr_has("--all-tags");
    env.run(["pull", "-a", &format!("oci:{}:1", env.path("1").display())]).code(125).stderr_has("--all-tags");
    let absent = env.run(["pull", "-a", "--tls-verify=false", &registry.name("team/nothing")]);
    absent.code(125).stderr_has("Hint: look at its spelling");
    // A tag whose manifest is gone, in the middle: the others come, and the command fails.
    let storage = registry.address().replace("127.0.0.1:", "registry-");
    let link = format!("{storage}/docker/registry/v2/repositories/team/web/_manifests/tags/2/current/link");
    std::fs::write(env.path(&link), format!("sha256:{}", "00".repeat(32))).unwrap();
    env.run(["rmi", "-fa"]).success();
    let partly = env.run(["pull", "-q", "--tls-verify=false", "--all-tags", &name]);
    partly.code(125).stderr_has(&format!("{name}:2")).stderr_has("not found in the registry");
    assert_eq!(partly.stdout().lines().count(), 2, "{}", partly.stdout());
    for (tag, code) in [("1", 0), ("2", 1), ("latest", 0)] {
        env.run(["image", "exists", &format!("{name}:{tag}")]).code(code);
    }
}

#[test]
fn a_layer_that_is_here_in_other_clothes_is_not_fetched() {
    requires!(userns);
    let env = Env::new();
    let base = || Layer::new().file("base", 0o644, &[7; 5000]);
    let peer = Served::new(&ImageBuilder::scratch().layer(base())).start();
    env.run(["pull", "-q", "--tls-verify=false", &peer.name()]).success();
    // The same tar above another layer, and compressed in another way.
    let other = ImageBuilder::scratch()
        .compression(crate::harness::image::Compression::Zstd)
        .layer(Layer::new().file("first", 0o644, b"first"))
        .layer(base());
    let peer = Served::new(&other).start();
    env.run(["pull", "-q", "--tls-verify=false", &peer.name()]).success();
    assert_eq!(peer.asked("/blobs/"), 2, "config and first layer: {:?}", peer.requests());
}

#[test]
fn one_that_is_not_there_keeps_no_other_back() {
    requires!(userns);
    let env = Env::new();
    let (first, last) = (Served::new(&image(b"1")).start(), Served::new(&image(b"2")).start());
    let nope = format!("{}/nope:1", first.address());
    let out =
        env.run(["pull", "-q", "--tls-verify=false", "--retry=0", &first.name(), &nope, &last.name(), "oci:nope"]);
    assert_eq!(out.code(125).stdout().lines().count(), 2, "{out}");
    out.stderr_has("nope:1").stderr_has("read \"nope\"");
    env.run(["image", "exists", &last.name()]).success();
}
