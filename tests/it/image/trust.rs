//! `containers-policy.json(5)` on the way in.

use super::peer::{Peer, Served};
use crate::harness::image::{ImageBuilder, Layer};
use crate::harness::{Env, requires};

const ACCEPT: &str = "[{\"type\": \"insecureAcceptAnything\"}]";

fn image() -> ImageBuilder {
    ImageBuilder::scratch().layer(Layer::new().file("a", 0o644, b"one\n"))
}

fn policy(env: &Env, text: &str) {
    let dir = env.home().join(".config/containers");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("policy.json"), text).unwrap();
}

fn refused(env: &Env, peer: &Peer, why: &str) {
    for verb in [["pull", "-q"].as_slice(), &["run", "--rm"], &["create", "--pull=always"]] {
        let arguments = verb.iter().copied().chain(["--tls-verify=false"]).map(str::to_owned).chain([peer.name()]);
        env.run(arguments).code(125).stderr_has("policy.json").stderr_has(why);
    }
    assert!(peer.requests().is_empty(), "refused before anything is asked for");
    env.run(["images", "-a", "-q"]).success().prints("");
}

#[test]
fn a_pull_that_the_policy_does_not_trust_is_refused() {
    requires!(userns);
    let env = Env::new();
    let peer = Served::new(&image()).start();
    let scope = format!("{}/web", peer.address());
    policy(&env, "{\"default\": [{\"type\": \"reject\"}]}");
    refused(&env, &peer, "its rule default: it rejects");
    for (kind, fields) in [
        ("signedBy", "\"keyType\": \"GPGKeys\", \"keyPath\": \"/k\""),
        ("sigstoreSigned with \"pki\"", "\"pki\": {\"caRootsPath\": \"/k\"}"),
    ] {
        let name = kind.split(' ').next().unwrap();
        let rule = format!("[{{\"type\": \"{name}\", {fields}}}]");
        policy(&env, &format!("{{\"default\": {ACCEPT}, \"transports\": {{\"docker\": {{\"{scope}\": {rule}}}}}}}"));
        refused(&env, &peer, &format!("({kind}), which sampan cannot check"));
    }
    policy(&env, "{\"default\": [");
    refused(&env, &peer, "is not valid");
    // A file that is named counts instead of all others.
    let other = env.write("trust.json", format!("{{\"default\": {ACCEPT}}}")).display().to_string();
    env.run(["pull", "-q", "--tls-verify=false", "--signature-policy", &other, &peer.name()]).success();
    policy(
        &env,
        &format!(
            "{{\"default\": [{{\"type\": \"reject\"}}], \"transports\": {{\"docker\": {{\"{scope}:1\": {ACCEPT}}}}}}}"
        ),
    );
    env.run(["pull", "-q", "--tls-verify=false", &peer.name()]).success();
}

#[test]
fn an_archive_that_the_policy_does_not_trust_is_refused() {
    requires!(userns);
    let env = Env::new();
    let (docker, oci, dir) = (env.path("docker.tar"), env.path("oci.tar"), env.path("layout"));
    image().docker_archive(&docker, "web:1");
    image().oci_archive(&oci, "web:1");
    image().oci_dir(&dir, "web:1");
    let rules = format!("\"oci-archive\": {{\"\": {ACCEPT}}}, \"oci\": {{\"{}\": {ACCEPT}}}", dir.display());
    policy(&env, &format!("{{\"default\": [{{\"type\": \"reject\"}}], \"transports\": {{{rules}}}}}"));
    let load = |path: &std::path::Path| env.run(["load", "-q", "-i", &path.display().to_string()]);
    load(&docker).code(125).stderr_has("its rule default");
    // A root file system is of the transport `tarball`, wherever it comes from.
    for from in [docker.to_str().unwrap(), "http://127.0.0.1:9/x.tar"] {
        env.run(["import", "-q", from, "x:1"]).code(125).stderr_has("its rule default: it rejects");
    }
    env.run(["images", "-a", "-q"]).success().prints("");
    load(&oci).success();
    load(&dir).success();
}

#[test]
fn the_transport_that_is_named_chooses_the_rule_and_not_the_content() {
    requires!(userns, skopeo);
    let env = Env::new();
    let (docker, oci, dir) = (env.path("docker.tar"), env.path("oci.tar"), env.path("dir"));
    image().docker_archive(&docker, "web:1");
    image().oci_archive(&oci, "1");
    image().oci_dir(&env.path("layout"), "1");
    let (from, to) = (format!("oci:{}:1", env.path("layout").display()), format!("dir:{}", dir.display()));
    env.other("/usr/bin/skopeo").args(["--insecure-policy", "copy", "-q", &from, &to]).run().success();
    std::fs::write(dir.join("index.json"), "junk").unwrap();
    let pull = |transport: &str, path: &std::path::Path| {
        env.run(["pull".to_owned(), "-q".to_owned(), format!("{transport}:{}", path.display())])
    };
    let load = |path: &std::path::Path| env.run(["load", "-q", "-i", &path.display().to_string()]);
    let reject = "[{\"type\": \"reject\"}]";
    let rules = format!("\"oci-archive\": {{\"\": {reject}}}, \"dir\": {{\"\": {reject}}}");
    policy(&env, &format!("{{\"default\": {ACCEPT}, \"transports\": {{{rules}}}}}"));
    pull("dir", &dir).code(125).stderr_has("its rule transports.dir");
    load(&dir).code(125).stderr_has("its rule transports.dir");
    pull("oci-archive", &docker).code(125).stderr_has("its rule transports.oci-archive");
    // Without a rule in the way it is still not what was named.
    policy(&env, &format!("{{\"default\": {ACCEPT}}}"));
    for (transport, path, why) in [
        ("oci-archive", &docker, "it has the form of docker-archive:, not of oci-archive:"),
        ("docker-archive", &oci, "it has the form of oci-archive:, not of docker-archive:"),
        ("docker-archive", &dir, "a directory is not what docker-archive: names"),
        ("oci", &oci, "a file is not what oci: names"),
        ("dir", &oci, "a file is not what dir: names"),
    ] {
        pull(transport, path).code(125).stderr_has(why);
    }
    env.run(["images", "-a", "-q"]).success().prints("");
    for (transport, path) in [("docker-archive", &docker), ("oci-archive", &oci), ("dir", &dir)] {
        pull(transport, path).success();
    }
}
