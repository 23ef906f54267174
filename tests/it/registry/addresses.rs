//! Registries at an address of IPv6, in everything that names one.

use std::path::Path;

use crate::harness::token::certificates;
use crate::harness::{Env, ImageBuilder, Layer, Registry, requires};

#[test]
fn a_registry_at_an_address_of_ipv6() {
    requires!(registry, ipv6);
    let env = Env::new();
    let dir = env.path("certs");
    certificates(&dir);
    let users = env.write("htpasswd", "alice:$2y$05$abcdefghijklmnopqrstuuLK7U1u6pVRmL7L1BBM2aS35PSZnDXlK\n");
    let path = |name: &str| dir.join(name).display().to_string();
    let tls = format!("  tls: {{certificate: {}, key: {}}}\n", path("server.crt"), path("server.key"));
    let basic = format!("auth:\n  htpasswd: {{realm: basic, path: {}}}\n", users.display());
    let registry = Registry::start_at("[::1]", &env, &tls, &basic);
    let plain = Registry::start_at("[::1]", &env, "", "");
    let host = registry.address();

    let standing = env.home().join(".config/containers/certs.d").join(host);
    std::fs::create_dir_all(&standing).unwrap();
    std::fs::copy(Path::new(&path("ca.crt")), standing.join("ca.crt")).unwrap();
    env.run(["login", "-u", "alice", "-p", "s3cret", host]).success();
    env.run(["login", "--get-login", host]).success().prints("alice\n");

    let image = env.path("a");
    ImageBuilder::scratch().layer(Layer::new().file("x", 0o644, b"x")).oci_dir(&image, "1");
    let source = format!("oci:{}:1", image.display());
    env.run(["pull", "-q", &source]).success();
    let id = env.run(["images", "-q", "--no-trunc"]).success().stdout();
    let (name, open) = (registry.name("team/a:1"), plain.name("team/a:1"));
    env.run(["push", "-q", id.trim(), &name]).success();
    // Plain http has to be allowed; then it is the mirror of a name that leads nowhere.
    env.run(["push", "-q", id.trim(), &open])
        .code(125)
        .stderr_has("does not speak TLS")
        .stderr_has("--tls-verify=false");
    let conf = format!(
        "unqualified-search-registries = [\"{host}\"]\n[[registry]]\nlocation = \"{0}\"\ninsecure = true\n[[registry]]\nprefix = \
         \"example.invalid/base\"\nlocation = \"{0}/nothing\"\ninsecure = true\n[[registry.mirror]]\nlocation = \"{0}/team\"\n\
         insecure = true\n",
        plain.address()
    );
    std::fs::write(env.home().join(".config/containers/registries.conf"), conf).unwrap();
    env.run(["push", "-q", id.trim(), &open]).success();
    env.run(["rmi", "-fa"]).success();
    // Short names are those of the search registries, here, too.
    env.run(["manifest", "inspect", "team/a:1"]).success();
    let tags = env.run(["search", "--list-tags", "--format", "{{.Name}} {{.Tag}}", "team/a"]);
    tags.success().prints(&format!("{} 1\n", registry.name("team/a")));
    for name in [name.as_str(), &open, "example.invalid/base/a:1", "team/a:1"] {
        env.run(["pull", "-q", "--policy=always", name]).success();
    }
    let names = env.run(["images", "--format", "{{.Repository}}:{{.Tag}}"]).success().stdout();
    assert!(names.contains(&format!("{name}\n")) && names.contains(&format!("{open}\n")), "{names}");
    let tags = env.run(["search", "--list-tags", "--format", "{{.Name}} {{.Tag}}", &registry.name("team/a")]);
    tags.success().prints(&format!("{} 1\n", registry.name("team/a")));
    env.run(["manifest", "inspect", &name]).success();
    env.run(["logout", host]).success();
    env.run(["pull", "-q", "--policy=always", &name]).code(125).stderr_has("sampan login");
}
