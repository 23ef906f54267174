//! `search`: the catalogue and the tags of Debian's registry.

use serde_json::json;

use crate::harness::token::{TokenServer, WRITER};
use crate::harness::{Env, ImageBuilder, Layer, Registry, requires};

const PLAIN: &str = "--tls-verify=false";

#[test]
fn repositories_and_tags() {
    requires!(registry);
    let env = Env::new();
    let registry = Registry::start(&env);
    let dir = env.path("a");
    ImageBuilder::scratch().layer(Layer::new().file("x", 0o644, b"x")).oci_dir(&dir, "1");
    let from = format!("oci:{}:1", dir.display());
    for name in ["team/web:1", "team/web:2", "team/web:latest", "team/database:1", "other/cobweb:1"] {
        registry.push(&from, name);
    }
    let host = registry.address();
    let search = |more: &[&str], term: &str| {
        let term = format!("{host}/{term}");
        env.run([&["search", PLAIN], more, &[&term]].concat())
    };
    let names = |more: &[&str], term: &str| {
        let out = search(&[more, &["--format", "{{.Name}}"]].concat(), term);
        out.success().stdout().replace(&format!("{host}/"), "")
    };
    assert_eq!(names(&[], "web"), "other/cobweb\nteam/web\n");
    assert_eq!(names(&["--limit", "1"], "web"), "other/cobweb\n");
    assert_eq!(names(&["--limit", "0"], "web"), "other/cobweb\nteam/web\n");
    assert_eq!(names(&[], "nothing"), "");
    search(&[], "nothing").success().prints("");
    assert_eq!(names(&["--filter", "stars=1"], "web"), "");
    assert_eq!(names(&["--filter", "is-official=false"], "data"), "team/database\n");
    search(&["--filter", "colour=red"], "web").code(125);
    let table = search(&[], "team").success().stdout();
    assert!(table.starts_with("NAME") && table.contains("DESCRIPTION") && table.contains("team/web"), "{table}");
    let found = search(&["--format", "json"], "team/web").json();
    assert_eq!(found[0]["Name"], json!(format!("{host}/team/web")));
    // In the order of the registry, which knows none.
    let out = search(&["--list-tags", "--format", "{{.Tag}}"], "team/web").success().stdout();
    let mut tags: Vec<&str> = out.lines().collect();
    tags.sort_unstable();
    assert_eq!(tags, ["1", "2", "latest"]);
    let tags = search(&["--list-tags", "--limit=2", "--format", "json"], "team/web").json();
    assert_eq!(tags[0]["Name"], json!(format!("{host}/team/web")));
    assert_eq!(tags[0]["Tags"].as_array().unwrap().len(), 2);
    search(&["--list-tags"], "team/web").success().stdout_has("TAG");
    search(&["--list-tags"], "team/absent").code(125).stderr_has("not found");
    env.run(["search", PLAIN, "127.0.0.1:1/web"]).code(125).stderr_has("Connection refused");
}

#[test]
fn with_the_scopes_of_a_token() {
    requires!(registry);
    let env = Env::new();
    let tokens = TokenServer::start(&env, 300);
    let registry = Registry::start_with(&env, "", &tokens.registry_lines());
    let creds = format!("{}:{}", WRITER.0, WRITER.1);
    let term = registry.name("web");
    env.run(["search", PLAIN, "--creds", &creds, &term]).success();
    assert!(tokens.requests().iter().any(|line| line.contains("scope=registry:catalog:")), "{:?}", tokens.requests());
    env.run(["search", PLAIN, &term]).code(125).stderr_has("denied");
}
