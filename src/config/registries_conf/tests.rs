//! Prefixes, mirrors, aliases; files that are refused.

use super::{Blocked, Location, RegistriesConf, ShortName, parse};
use std::path::Path;

fn conf(text: &str) -> RegistriesConf {
    let mut conf = RegistriesConf::default();
    conf.merge(parse(text, Path::new("registries.conf")).expect("valid").0);
    conf
}

fn route(conf: &RegistriesConf, host: &str, path: &str, by_digest: bool) -> Vec<String> {
    match conf.route(host, path, if by_digest { "@sha256:0" } else { ":1" }) {
        Ok(all) => all.iter().map(shown).collect(),
        Err(Blocked { prefix }) => vec![format!("blocked {prefix}")],
    }
}

fn shown(place: &Location) -> String {
    let Location { host, path, insecure, named } = place;
    let (named, insecure) = (if *named { "" } else { "elsewhere " }, if *insecure { " insecure" } else { "" });
    format!("{named}{host}/{path}{insecure}")
}

#[test]
fn longest_prefix_wins_and_rewrites() {
    let conf = conf(
        r#"
        unqualified-search-registries = ["docker.io"]
        [aliases]
        "fedora" = "registry.example.org/fedora"
        [[registry]]
        location = "localhost:5000"
        insecure = true
        [[registry]]
        prefix = "example.com/foo"
        location = "inner.example.net/bar"
        [[registry.mirror]]
        location = "mirror.example.net/m"
        insecure = true
        [[registry.mirror]]
        location = "digests.example.net"
        pull-from-mirror = "digest-only"
        [[registry]]
        prefix = "example.com/foo/closed"
        location = "x"
        blocked = true
        [[registry]]
        prefix = "*.wild.org"
        insecure = true
        [[registry]]
        prefix = "b.wild.org"
        [[registry]]
        prefix = "*.paths.org/team"
        location = "inner.net"
        [[registry]]
        prefix = "tags.org/x:old"
        blocked = true
    "#,
    );
    assert_eq!(route(&conf, "localhost:5000", "web", false), ["localhost:5000/web insecure"]);
    assert_eq!(route(&conf, "docker.io", "library/x", false), ["docker.io/library/x"]);
    assert_eq!(
        route(&conf, "example.com", "foo/img", false),
        ["elsewhere mirror.example.net/m/img insecure", "elsewhere inner.example.net/bar/img"]
    );
    assert_eq!(route(&conf, "example.com", "foo/img", true).len(), 3);
    assert_eq!(route(&conf, "example.com", "foobar/img", false), ["example.com/foobar/img"]);
    assert_eq!(route(&conf, "example.com", "foo/closed/a", false), ["blocked example.com/foo/closed"]);
    assert_eq!(route(&conf, "a.wild.org:80", "x", false), ["a.wild.org:80/x insecure"]);
    assert_eq!(route(&conf, "wild.org", "x", false), ["wild.org/x"]);
    assert_eq!(route(&conf, "b.wild.org", "x", false), ["b.wild.org/x"]);
    assert_eq!(route(&conf, "a.paths.org", "team/x", false), ["elsewhere inner.net/x"]);
    assert_eq!(route(&conf, "a.paths.org", "teams/x", false), ["a.paths.org/teams/x"]);
    assert_eq!(conf.route("tags.org", "x", ":old"), Err(Blocked { prefix: "tags.org/x:old".to_owned() }));
    assert_eq!(route(&conf, "tags.org", "x", false), ["tags.org/x"]);
    assert_eq!(conf.expand("fedora"), ShortName::Names(vec!["registry.example.org/fedora".to_owned()]));
    assert_eq!(conf.unqualified_search, ["docker.io"]);
}

#[test]
fn what_is_sent_goes_where_the_name_says() {
    let conf = conf(
        r#"
        [[registry]]
        prefix = "vendor.org/team"
        location = "inner.net/mirror"
        insecure = true
        [[registry.mirror]]
        location = "vendor.org/cache"
        [[registry]]
        location = "closed.org"
        blocked = true
        [[registry]]
        prefix = "closed.org/login"
        location = "closed.org/login"
        [[registry]]
        prefix = "open.org/tags:old"
        location = "inner.net/x"
        insecure = true
    "#,
    );
    // A mirror on the registry's own host is as good as the registry.
    assert_eq!(
        route(&conf, "vendor.org", "team/x", false),
        ["vendor.org/cache/x", "elsewhere inner.net/mirror/x insecure"]
    );
    let itself = |host: &str, path: &str, suffix: &str| match conf.itself(host, path, suffix) {
        Ok(place) => shown(&place),
        Err(Blocked { prefix }) => format!("blocked {prefix}"),
    };
    assert_eq!(itself("vendor.org", "team/x", ":1"), "vendor.org/team/x insecure");
    assert_eq!(itself("vendor.org", "x", ":1"), "vendor.org/x");
    assert_eq!(itself("vendor.org", "", ""), "vendor.org/");
    assert_eq!(itself("closed.org", "", ""), "blocked closed.org");
    assert_eq!(itself("closed.org", "login", ""), "closed.org/login");
    assert_eq!(itself("open.org", "tags", ":old"), "open.org/tags insecure");
    assert_eq!(itself("open.org", "tags", ":new"), "open.org/tags");
}

#[test]
fn a_place_that_is_itself_blocked_is_skipped() {
    let text = |mirrors: &str| {
        format!(
            "[[registry]]\nprefix = 'closed.org'\nlocation = 'closed.org'\nblocked = true\n[[registry]]\nprefix = 'closed.org/open'\n\
             location = 'closed.org/open'\n[[registry]]\nprefix = 'a.org'\nlocation = 'closed.org/a'\n{mirrors}"
        )
    };
    let mirror = |location: &str| format!("[[registry.mirror]]\nlocation = '{location}'\n");
    let all = |mirrors: &str| route(&conf(&text(mirrors)), "a.org", "x", false);
    assert_eq!(all(""), ["blocked closed.org"]);
    assert_eq!(all(&mirror("closed.org/m")), ["blocked closed.org"]);
    assert_eq!(
        all(&(mirror("closed.org/m") + &mirror("closed.org/open") + &mirror("b.org"))),
        ["elsewhere closed.org/open/x", "elsewhere b.org/x"]
    );
}

#[test]
fn of_two_prefixes_as_long_the_one_without_a_wild_card_counts() {
    let plain = "[[registry]]\nprefix = 'b.example.test'\nblocked = true\n";
    let wild = "[[registry]]\nprefix = '*.example.test'\ninsecure = true\n";
    for text in [format!("{plain}{wild}"), format!("{wild}{plain}")] {
        let conf = conf(&text);
        assert_eq!(route(&conf, "b.example.test", "x", false), ["blocked b.example.test"], "{text}");
        assert_eq!(route(&conf, "c.example.test", "x", false), ["c.example.test/x insecure"]);
    }
}

#[test]
fn a_slash_at_the_end_of_a_prefix_is_none() {
    let conf =
        conf("[[registry]]\nprefix = 'a.org/team/'\nlocation = 'b.org/x/'\n[[registry.mirror]]\nlocation = 'c.org/'");
    assert_eq!(route(&conf, "a.org", "team/x", false), ["elsewhere c.org/x", "elsewhere b.org/x/x"]);
    let blocked = "[[registry]]\nprefix = 'closed.org/'\nlocation = 'closed.org'\nblocked = true";
    assert_eq!(route(&self::conf(blocked), "closed.org", "x", false), ["blocked closed.org"]);
}

#[test]
fn of_one_prefix_the_first_in_a_file_counts_and_the_last_file() {
    let two = "[[registry]]\nprefix = 'a.org'\nlocation = 'b.org'\n[[registry]]\nprefix = 'a.org'\nlocation = 'c.org'";
    let mut conf = conf(two);
    assert_eq!(route(&conf, "a.org", "x", false), ["elsewhere b.org/x"]);
    let later = "[[registry]]\nprefix = 'a.org'\nlocation = 'b.org'\nblocked = true";
    conf.merge(parse(later, Path::new("later.conf")).expect("valid").0);
    assert_eq!(route(&conf, "a.org", "x", false), ["blocked a.org"]);
}

#[test]
fn bad_files_are_refused() {
    for text in [
        "[[registry]]\nprefix = 'https://a.org'\nlocation = 'a.org'\nblocked = true",
        "[[registry]]\nprefix = '/'",
        "[[registry]]\nlocation = 'a.org'\nblocked = true\n[[registry]]\nprefix = 'b.org'\nlocation = 'a.org/'",
        "[[registry]]\nlocation = 'a.org'\n[[registry]]\nprefix = 'b.org'\nlocation = 'a.org'\ninsecure = true",
        "[[registry]]\nprefix = '*.a.org'\nblocked = true\n[[registry]]\nprefix = '*.a.org/'",
        "[[registry]]
",
        "[registries.search]
registries = []",
        "unqualified-search-registries = 3",
        "[",
        "unqualified-search-registries = ['https://a.org']",
        "short-name-mode = 'sometimes'",
        "[[registry]]
location = 'https://a.org'",
        "[[registry]]
prefix = 'a.*.org'",
        "[[registry]]
location = 'a.org'
[[registry.mirror]]
insecure = true",
        "[[registry]]
location = 'a.org'
mirror-by-digest-only = true
[[registry.mirror]]
location = 'b.org'
\
         pull-from-mirror = 'all'",
        "[aliases]
        tagged = 'example.org/name:1'",
        "[aliases]
'a.org/x' = 'b.org/x'",
        "[aliases]
'x:1' = 'b.org/x'",
        "[aliases]
x = 'x'",
    ] {
        assert!(parse(text, Path::new("registries.conf")).is_err(), "{text:?}");
    }
}

#[test]
fn b19_short_names_are_asked_for_unless_one_is_meant() {
    let ask = |mode: &str| {
        let conf = conf(&format!("unqualified-search-registries = ['a.org', 'b.org/']\n{mode}\n[aliases]\nz = ''"));
        conf.expand("z")
    };
    let names = vec!["a.org/z".to_owned(), "b.org/z".to_owned()];
    assert_eq!(ask(""), ShortName::Ask { names: names.clone(), or_all: false });
    assert_eq!(ask("short-name-mode = 'enforcing'"), ask(""));
    assert_eq!(ask("short-name-mode = 'permissive'"), ShortName::Ask { names: names.clone(), or_all: true });
    assert_eq!(ask("short-name-mode = 'disabled'"), ShortName::Names(names));
    assert_eq!(conf("").expand("z"), ShortName::Names(Vec::new()));
}

#[test]
fn keys_that_nobody_reads_are_told() {
    let beyond = |text: &str| parse(text, Path::new("registries.conf")).expect("valid").1;
    let all = r#"
        unqualified-search-registries = ["a.org"]
        short-name-mode = "disabled"
        credential-helpers = ["containers-auth.json"]
        additional-layer-store-auth-helper = "x"
        [aliases]
        "any" = "a.org/any"
        [[registry]]
        prefix = "a.org"
        location = "b.org"
        insecure = true
        blocked = false
        mirror-by-digest-only = false
        [[registry.mirror]]
        location = "c.org"
        insecure = true
        pull-from-mirror = "all"
    "#;
    assert_eq!(beyond(all), [""; 0]);
    let wrong = "searched = 1\n[[registry]]\nlocation = 'a.org'\nblockd = true\n[[registry.mirror]]\nlocation = 'b'\ninsecur = 1";
    assert_eq!(beyond(wrong), ["searched", "registry.blockd", "registry.mirror.insecur"]);
}

#[test]
fn no_list_is_not_an_empty_list() {
    assert_eq!(conf("").expand("web"), ShortName::Names(Vec::new()));
    let none = "unqualified-search-registries = []\n";
    assert_eq!(conf(none).expand("web"), ShortName::Nowhere);
    let disabled = conf(&format!("{none}short-name-mode = 'disabled'"));
    assert_eq!(disabled.expand("web"), ShortName::Nowhere);
    let alias = conf(&format!("{none}[aliases]\nweb = 'example.org/web'"));
    assert_eq!(alias.expand("web"), ShortName::Names(vec!["example.org/web".to_owned()]));
}
