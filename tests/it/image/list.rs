//! `images`, `image inspect` and `history`: every field and every filter.

use serde_json::json;

use crate::harness::image::{ImageBuilder, Layer};
use crate::harness::{Env, requires};

fn base() -> ImageBuilder {
    ImageBuilder::scratch().layer(Layer::new().dir("etc", 0o755).file("etc/a", 0o644, b"one\n"))
}

/// Loads an image and returns its id.
fn load(env: &Env, image: &ImageBuilder, name: &str) -> String {
    let path = env.path("image.tar");
    image.docker_archive(&path, name);
    env.run(["load", "-q", "-i", &path.to_string_lossy()]).success();
    env.run(["images", "-q", "--no-trunc", name]).success().trimmed().trim_start_matches("sha256:").to_owned()
}

/// An image of 2024 with a label; one of today built of nothing of it; one on top of the first.
fn three(env: &Env) -> (String, String, String) {
    let old = load(env, &base().config("Labels", json!({"team": "red", "x": ""})), "localhost/old:1");
    let tar = env.path("new.tar");
    std::fs::write(&tar, Layer::new().file("n", 0o644, b"new").finish()).unwrap();
    env.run(["import", "-q", &tar.to_string_lossy(), "example.org/team/new:2"]).success();
    let new = env.run(["images", "-q", "--no-trunc", "new"]).trimmed().trim_start_matches("sha256:").to_owned();
    let top = base().config("Labels", json!({"team": "blue"})).layer(Layer::new().file("etc/b", 0o644, b"two\n"));
    let top = load(env, &top, "localhost/top:1");
    (old, new, top)
}

#[test]
fn every_field_of_a_row() {
    requires!(userns);
    let env = Env::new();
    let (old, _, top) = three(&env);
    env.run(["tag", "old:1", "second:x"]).success();
    env.run(["create", "--name", "c", "old:1", "x"]).success();
    let field = |name: &str| env.run(["images", "--format", &format!("{{{{.{name}}}}}"), "second"]).success().trimmed();
    assert_eq!(field("ID"), old[..12]);
    assert_eq!(field("Id"), old);
    assert_eq!((field("Repository"), field("Tag")), ("localhost/second".to_owned(), "x".to_owned()));
    let digest = field("Digest");
    assert!(digest.starts_with("sha256:") && digest.len() == 71, "{digest}");
    assert_eq!(field("RepoDigests"), format!("[localhost/second@{digest}]"));
    for (name, value) in [
        ("CreatedAt", "2024-01-01 00:00:00 +0000 UTC"),
        ("CreatedTime", "2024-01-01 00:00:00 +0000 UTC"),
        ("Size", "4 B"),
        ("VirtualSize", "4"),
        ("SharedSize", "0"),
        ("Containers", "1"),
        ("Dangling", "false"),
        ("IsDangling", "false"),
        ("ReadOnly", "false"),
        ("IsReadOnly", "false"),
        ("Labels.team", "red"),
        ("Names", "[localhost/second:x]"),
        ("RepoTags", "[localhost/second:x]"),
        ("History", "localhost/second:x"),
        ("ParentId", ""),
    ] {
        assert_eq!(field(name), value, "{name}");
    }
    assert!(field("Created").ends_with(" ago") && field("Created") == field("CreatedSince"));
    env.run(["images", "--format", "{{.Nope}}"]).code(125).stderr_has("Nope");
    // The image that another one was built on is its parent: same layers, same steps, and more.
    let parent = env.run(["images", "--format", "{{.ParentId}}", "top"]).success().trimmed();
    assert_eq!(parent, old);
    assert_eq!(env.run(["image", "inspect", "--format", "{{.Parent}}", "top:1"]).success().trimmed(), old);
    let list = env.run(["images", "--format", "json"]).success().json();
    let list = list.as_array().unwrap();
    assert_eq!(list.len(), 3);
    let object = list.iter().find(|object| object["Id"] == old.as_str()).unwrap();
    assert_eq!(object["Names"], json!(["localhost/old:1", "localhost/second:x"]));
    assert_eq!((&object["Created"], &object["CreatedAt"]), (&json!(1_704_067_200), &json!("2024-01-01T00:00:00Z")));
    assert_eq!((&object["Containers"], &object["Size"]), (&json!(1), &json!(4)));
    let object = list.iter().find(|object| object["Id"] == top.as_str()).unwrap();
    assert_eq!((&object["ParentId"], &object["Labels"]), (&json!(old), &json!({"team": "blue"})));
}

#[test]
fn tables_as_podman_prints_them() {
    requires!(userns);
    let env = Env::new();
    let (old, new, top) = three(&env);
    let digest = env.run(["images", "--format", "{{.Digest}}", "top"]).success().trimmed();
    let table = env.run(["images", "--noheading", "--no-trunc", "--digests", "--history", "top"]).success().trimmed();
    let columns: Vec<&str> = table.split("  ").map(str::trim).filter(|column| !column.is_empty()).collect();
    let id = format!("sha256:{top}");
    assert_eq!(columns[..4], ["localhost/top", "1", digest.as_str(), id.as_str()], "{table}");
    assert_eq!(columns[5..], ["8 B", "localhost/top:1"], "{table}");
    let heading = env.run(["images", "--digests", "--history"]).success().trimmed();
    let heading: Vec<&str> =
        heading.lines().next().unwrap().split("  ").map(str::trim).filter(|c| !c.is_empty()).collect();
    assert_eq!(heading, ["REPOSITORY", "TAG", "DIGEST", "IMAGE ID", "CREATED", "SIZE", "HISTORY"]);
    let sorted = |key: &str| env.run(["images", "--sort", key, "--format", "{{.Repository}}"]).success().stdout();
    assert_eq!(sorted("repository"), "example.org/team/new\nlocalhost/old\nlocalhost/top\n");
    assert_eq!(sorted("size"), "example.org/team/new\nlocalhost/old\nlocalhost/top\n");
    assert!(
        sorted("created").starts_with("example.org/team/new\n") && sorted("tag").ends_with("example.org/team/new\n")
    );
    env.run(["images", "--sort", "nope"]).code(125);
    let mut ids = [&old, &new, &top].map(|id| id[..12].to_owned());
    ids.sort();
    assert_eq!(env.run(["images", "-q", "--sort", "id"]).success().trimmed().lines().collect::<Vec<_>>(), ids);
    // One id however many names.
    env.run(["tag", "top:1", "a", "b"]).success();
    assert_eq!(env.run(["images", "-q"]).success().trimmed().lines().count(), 3);
    env.run(["images", "--filter", "id=x", "old"]).code(125);
    env.run(["image", "ls", "-n", "--format", "{{.Tag}}", "old"]).prints("1\n");
}

#[test]
fn every_filter() {
    requires!(userns);
    let env = Env::new();
    let (old, new, top) = three(&env);
    env.run(["create", "--name", "c", "top:1", "x"]).success();
    env.run(["tag", "old:1", "localhost/deep/old:3"]).success();
    let digest = env.run(["images", "--format", "{{.Digest}}", "new"]).success().trimmed();
    let passing = |filters: &[&str]| {
        let mut arguments = vec!["images", "-q", "--sort", "repository", "--no-trunc"];
        arguments.extend(filters.iter().flat_map(|filter| ["--filter", filter]));
        let mut ids: Vec<String> = env.run(arguments).success().trimmed().lines().map(str::to_owned).collect();
        ids.sort();
        ids
    };
    let all = |images: &[&String]| {
        let mut ids: Vec<String> = images.iter().map(|id| format!("sha256:{id}")).collect();
        ids.sort();
        ids
    };
    for (filters, images) in [
        (&["before=new:2"][..], &[&old, &top][..]),
        (&["since=old:1"], &[&new]),
        (&["after=old:1"], &[&new]),
        (&["until=2025-01-01"], &[&old, &top]),
        (&["until=24h"], &[&old, &top]),
        (&["label=team"], &[&old, &top]),
        (&["label=team=red"], &[&old]),
        (&["label=team", "label=x"], &[&old]),
        (&["label!=team=red"], &[&new, &top]),
        (&["label!=team"], &[&new]),
        // The key is a pattern, the value is none.
        (&["label=te*"], &[&old, &top]),
        (&["label=te*=red"], &[&old]),
        (&["label=team=r*"], &[]),
        (&["label!=team=r*"], &[&old, &new, &top]),
        (&["reference=old:[1-2]"], &[&old]),
        (&["reference=*/*[^d]:1"], &[&top]),
        (&["dangling=true"], &[]),
        (&["dangling=false"], &[&old, &new, &top]),
        (&["reference=old"], &[&old]),
        (&["reference=localhost/*:1"], &[&old, &top]),
        (&["reference=*/*/old"], &[&old]),
        (&["reference=old", "reference=new"], &[&old, &new]),
        (&["reference!=old"], &[&new, &top]),
        (&["readonly=true"], &[]),
        (&["readonly=false"], &[&old, &new, &top]),
        (&["containers=true"], &[&top]),
        (&["containers=false"], &[&old, &new]),
        (&["intermediate=true"], &[]),
        (&["intermediate=false"], &[&old, &new, &top]),
        (&["manifest=true"], &[]),
        (&["label=team", "containers=true"], &[&top]),
    ] {
        assert_eq!(passing(filters), all(images), "{filters:?}");
    }
    assert_eq!(passing(&[&format!("id={}", &old[..9])]), all(&[&old]));
    assert_eq!(passing(&[&format!("digest={digest}")]), all(&[&new]));
    // What other commands find, `images` finds, too, with all its names.
    let pinned = format!("example.org/team/new@{digest}");
    for text in [&pinned, &digest, &new[..10].to_owned(), &format!("sha256:{new}")] {
        assert_eq!(passing(&[&format!("reference={text}")]), all(&[&new]), "{text}");
        env.run(["images", "-q", "--no-trunc", text]).prints(&format!("sha256:{new}\n"));
    }
    let names = env.run(["images", "--format", "{{.Repository}}:{{.Tag}}", &old[..8]]);
    names.prints("localhost/deep/old:3\nlocalhost/old:1\n");
    // Whoever removes what is shown removes what he named: one pattern shows the names that fit it.
    let shown = |filters: &[&str]| {
        let mut arguments = vec!["images", "--sort", "repository", "--format", "{{.Repository}}:{{.Tag}}"];
        arguments.extend(filters.iter().flat_map(|filter| ["--filter", filter]));
        env.run(arguments).success().trimmed()
    };
    assert_eq!(shown(&["reference=localhost/deep/old:3"]), "localhost/deep/old:3");
    assert_eq!(shown(&["reference=*/o*:1", "label=team=red"]), "localhost/old:1");
    assert_eq!(shown(&["reference=deep/old", "reference=new"]).lines().count(), 3);
    env.run(["images", "--filter", "before=nope"]).code(125).stderr_has("image not known");
    env.run(["images", "--filter", "dangling=perhaps"]).code(125);
    // Without its names, `old` is what `top` was built on; `new` is just dangling.
    env.run(["untag", "old:1"]).success();
    env.run(["untag", "new:2"]).success();
    assert_eq!(passing(&["intermediate=true"]), all(&[&old]));
    assert_eq!(passing(&["dangling=true"]), all(&[&new]));
    assert_eq!(passing(&[]), all(&[&new, &top]));
    assert_eq!(env.run(["images", "-qa"]).success().trimmed().lines().count(), 3);
}

/// What an image has, by the reference.
const FIELDS: [&str; 23] = [
    "Id",
    "Digest",
    "RepoTags",
    "RepoDigests",
    "Parent",
    "Comment",
    "Created",
    "Config",
    "Version",
    "Author",
    "Architecture",
    "Os",
    "Size",
    "VirtualSize",
    "GraphDriver",
    "RootFS",
    "Labels",
    "Annotations",
    "ManifestType",
    "User",
    "History",
    "NamesHistory",
    "Healthcheck",
];

#[test]
fn inspect_and_history() {
    requires!(userns);
    let env = Env::new();
    let id = load(
        &env,
        &base()
            .layer(Layer::new().file("b", 0o644, b"two\n"))
            .config("Labels", json!({"k": "v"}))
            .config("User", json!("7"))
            .config("Healthcheck", json!({"Test": ["CMD", "true"]})),
        "localhost/i:1",
    );
    let report = env.run(["image", "inspect", "i:1"]).success().json();
    let report = &report[0];
    for name in FIELDS {
        assert!(report.get(name).is_some(), "{name}");
    }
    assert_eq!((&report["Id"], &report["User"], &report["Labels"]), (&json!(id), &json!("7"), &json!({"k": "v"})));
    assert_eq!(report["RootFS"]["Layers"].as_array().unwrap().len(), 2);
    assert_eq!(report["Created"], "2024-01-01T00:00:00Z");
    env.run(["image", "inspect", "--format", "{{.Config.User}} {{len .RootFS.Layers}}", "i:1"]).prints("7 2\n");
    // Every field of the reference is there for a template, by its name in JSON and by that in Go.
    for name in FIELDS.iter().chain(&["ID", "HealthCheck"]) {
        let out = env.run(["image", "inspect", "--format", &format!("{{{{.{name}}}}}"), "i:1"]);
        assert!(
            out.is_success() && out.stdout() != "\n" || ["Parent", "Comment", "Version", "Author"].contains(name),
            "{name}: {out}"
        );
    }
    env.run(["inspect", "--format", "{{.ID}} {{.HealthCheck.Test}}", "i:1"]).prints(&format!("{id} [CMD true]\n"));
    // What JSON leaves out is there for a template.
    for inspect in [&["image", "inspect"][..], &["inspect"]] {
        env.run(inspect.iter().chain(&["--format", "{{.Config.ExposedPorts}} {{.Config.StopSignal}}.", "i:1"]))
            .prints("map[] .\n");
    }
    // Times print as Go prints them; `json` prints what JSON has, `null` for a list that is not set included.
    let date = "2024-01-01 00:00:00 +0000 UTC";
    for (format, shown) in [
        ("{{.Created}}", date.to_owned()),
        ("{{json .Created}}", "\"2024-01-01T00:00:00Z\"".to_owned()),
        ("{{.Config.Entrypoint}} {{json .Config.Entrypoint}}", "[] null".to_owned()),
        (
            "{{range .History}}{{.Created}} {{.CreatedBy}} {{.EmptyLayer}};{{end}}",
            format!("{date} layer 0 false;{date} layer 1 false;"),
        ),
    ] {
        env.run(["image", "inspect", "--format", format, "i:1"]).prints(&format!("{shown}\n"));
    }
    env.run(["image", "inspect", "i:1", "nope"]).code(125).stderr_has("nope");
    env.run(["history", "--format", "{{.CreatedBy}}|{{.Size}}|{{.CreatedAt}}", "i:1"])
        .prints("layer 1|4 B|2024-01-01 00:00:00 +0000 UTC\nlayer 0|4 B|2024-01-01 00:00:00 +0000 UTC\n");
    env.run(["history", "--human=false", "--format", "{{.Created}} {{.ID}}", "i:1"])
        .prints(&format!("2024-01-01T00:00:00Z {}\n2024-01-01T00:00:00Z <missing>\n", &id[..12]));
    env.run(["history", "-q", "--no-trunc", "i:1"]).prints(&format!("{id}\n<missing>\n"));
    let steps = env.run(["history", "--format", "json", "i:1"]).success().json();
    assert_eq!(
        (&steps[0]["id"], &steps[0]["size"], &steps[0]["Created"]),
        (&json!(id), &json!(4), &json!("2024-01-01T00:00:00Z"))
    );
    env.run(["history", "i:1"]).stdout_has("CREATED BY");
    // A step whose image is here has its id and its names.
    let below = load(&env, &base(), "localhost/below:1");
    let names = env.run(["history", "--no-trunc", "--format", "{{.ID}} {{.Tags}}", "i:1"]);
    names.prints(&format!("{id} [localhost/i:1]\n{below} [localhost/below:1]\n"));
    // A template that ends its line itself has no second end.
    env.run(["image", "inspect", "--format", "{{.Os}}\\n", "i:1"]).prints("linux\n");
    env.run(["images", "--format", "{{.Tag}}\n", "i:1"]).prints("1\n");
}

/// `LABEL` beside a child: it has no child of its own, whatever layers it shares.
#[test]
fn a_nameless_sibling_is_seen() {
    requires!(userns);
    let env = Env::new();
    let child = || base().layer(Layer::new().file("b", 0o644, b"two\n"));
    load(&env, &base(), "localhost/base:1");
    let middle = load(&env, &child(), "localhost/child:1");
    load(&env, &child().layer(Layer::new().file("c", 0o644, b"3\n")), "localhost/grandchild:1");
    let sibling = child().config("Labels", json!({"k": "v"})).step("LABEL k=v");
    let sibling = load(&env, &sibling, "localhost/sibling:1");
    env.run(["untag", "sibling:1"]).success();
    let short = format!("{}\n", &sibling[..12]);
    env.run(["images", "-q", "-f", "dangling=true"]).prints(&short);
    env.run(["images", "-q"]).stdout_has(&short);
    // Of two steps more nobody says what was between them.
    let two = child().step("ENV a=b").step("LABEL k=v");
    let two = load(&env, &two.config("Env", json!(["a=b"])), "localhost/two:1");
    env.run(["rmi", "-f", "grandchild:1"]).success();
    env.run(["untag", "child:1"]).success();
    env.run(["images", "-q", "-f", "intermediate=true"]).prints(&format!("{}\n", &middle[..12]));
    env.run(["image", "prune", "-f"]).prints(&format!("{sibling}\n{middle}\n"));
    env.run(["image", "exists", &two]).success();
}
