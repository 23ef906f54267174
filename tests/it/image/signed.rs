//! Policies that want a signature of sigstore's (case B21).

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::peer::{Answer, Peer, Served};
use crate::harness::image::{Compression, ImageBuilder, Layer, sha256};
use crate::harness::signature::{Signed, Signer, attach, attachments, stored, tag};
use crate::harness::{Env, Output, Registry, requires};

fn image() -> ImageBuilder {
    // Compressed, so that skopeo leaves it as it is.
    ImageBuilder::scratch().layer(Layer::new().file("a", 0o644, b"one\n")).compression(Compression::Gzip)
}

fn containers(env: &Env, name: &str, text: &str) {
    let path = env.home().join(".config/containers").join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Everything is rejected but what this rule of a transport admits.
fn rule(env: &Env, transport: &str, requirements: &Value) {
    let policy = json!({"default": [{"type": "reject"}], "transports": {transport: {"": requirements}}});
    containers(env, "policy.json", &policy.to_string());
}

fn look_for_attachments(env: &Env) {
    containers(env, "registries.d/all.yaml", "default-docker:\n  use-sigstore-attachments: true\n");
}

fn by(key: &Path) -> Value {
    json!({"type": "sigstoreSigned", "keyPath": key})
}

/// The image with this manifest of signatures, and their blobs.
fn serve(manifest: Option<Answer>, blobs: Vec<Vec<u8>>) -> Peer {
    let mut served = Served::new(&image());
    let digest = digest(&served);
    if let Some(answer) = manifest {
        served.answers.insert(format!("/v2/web/manifests/{}", tag(&digest)), answer);
    }
    for blob in blobs {
        served.answers.insert(format!("/v2/web/blobs/sha256:{}", sha256(&blob)), Answer::Body(blob));
    }
    served.start()
}

fn digest(served: &Served) -> String {
    format!("sha256:{}", sha256(&serde_json::to_vec(&served.manifest).unwrap()))
}

fn serve_signed(signed: &[Signed]) -> Peer {
    let (manifest, blobs) = attachments(signed);
    serve(Some(Answer::Body(manifest.to_string().into_bytes())), blobs)
}

fn pull(env: &Env, name: &str) -> Output {
    env.run(["pull", "-q", "--retry=0", "--tls-verify=false", name])
}

/// Refused with a hint, before a layer is asked for, and nothing stays.
fn refused(env: &Env, peer: &Peer, why: &str) {
    let layer = Served::new(&image()).layer(0);
    pull(env, &peer.name()).code(125).stderr_has(why);
    assert_eq!(peer.asked(&layer), 0, "{why}: a layer was fetched");
    env.run(["images", "-a", "-q"]).success().prints("");
}

/// The name in a signature is that of the image, wherever the peer listens.
const ANY_TAG: &str = "exactRepository";

fn for_web(key: &Path) -> Value {
    json!({"type": "sigstoreSigned", "keyPath": key,
        "signedIdentity": {"type": ANY_TAG, "dockerRepository": "registry.example/web"}})
}

#[test]
fn b21_only_an_image_that_the_key_has_signed_is_pulled() {
    requires!(userns);
    let env = Env::new();
    let (ours, theirs) = (Signer::new(&env, "ours"), Signer::new(&env, "theirs"));
    let digest = digest(&Served::new(&image()));
    let good = ours.sign(&digest, "registry.example/web:1");
    look_for_attachments(&env);
    rule(&env, "docker", &json!([for_web(ours.public())]));

    refused(&env, &serve(None, vec![]), "the image has no such signature");
    refused(&env, &serve_signed(&[]), "the image has no such signature");
    let wrong = theirs.sign(&digest, "registry.example/web:1");
    refused(&env, &serve_signed(std::slice::from_ref(&wrong)), "no key of the policy made it");
    let other = ours.sign(&format!("sha256:{}", "ab".repeat(32)), "registry.example/web:1");
    refused(&env, &serve_signed(&[other]), "it is for the image sha256:abab");
    let other = ours.sign(&digest, "registry.example/other:1");
    refused(&env, &serve_signed(&[other]), "\"registry.example/other:1\", which does not count for this one");
    let cut = Signed { signature: good.signature[..41].to_owned(), ..good.clone() };
    refused(&env, &serve_signed(&[cut]), "it is no base64");
    let cut = Signed { signature: good.signature[..40].to_owned(), ..good.clone() };
    refused(&env, &serve_signed(&[cut]), "no key of the policy made it");
    let changed = Signed { payload: good.payload.replace("web:1", "web:2"), ..good.clone() };
    refused(&env, &serve_signed(&[changed, wrong.clone()]), "signature 2: no key of the policy made it");

    // Among others it is found.
    let peer = serve_signed(&[wrong, good]);
    pull(&env, &peer.name()).success();
    env.run(["images", "-q"]).success();
    env.run(["image", "exists", &peer.name()]).success();
}

#[test]
fn b21_hostile_attachments() {
    requires!(userns);
    let env = Env::new();
    let ours = Signer::new(&env, "ours");
    let good = ours.sign(&digest(&Served::new(&image())), "registry.example/web:1");
    look_for_attachments(&env);
    rule(&env, "docker", &json!([for_web(ours.public())]));
    let (manifest, blobs) = attachments(std::slice::from_ref(&good));
    let body = |value: &Value| Some(Answer::Body(value.to_string().into_bytes()));
    let with = |change: &dyn Fn(&mut Value)| {
        let mut changed = manifest.clone();
        change(&mut changed);
        serve(body(&changed), blobs.clone())
    };

    refused(&env, &with(&|m| m["layers"][0]["annotations"] = json!({})), "it is not there");
    refused(&env, &with(&|m| m["layers"][0]["mediaType"] = "text/plain".into()), "the image has no such signature");
    refused(&env, &with(&|m| m["layers"][0]["size"] = 1.into()), "the registry sent");
    refused(&env, &with(&|m| m["layers"][0]["size"] = (5 << 20).into()), "larger than 1048576 bytes");
    refused(&env, &with(&|m| m["mediaType"] = "text/plain".into()), "signatures are in an OCI manifest");
    let many = |m: &mut Value| m["layers"] = vec![m["layers"][0].clone(); 129].into();
    refused(&env, &with(&many), "129 signatures, at most 128");
    refused(&env, &serve(body(&manifest), vec![]), "not found in the registry");
    refused(&env, &serve(Some(Answer::Body(vec![b' '; 5 << 20])), vec![]), "is larger than");
    refused(&env, &serve(Some(Answer::Endless), vec![]), "is larger than");
    refused(&env, &serve(Some(Answer::Cut(5000, b"{".to_vec())), vec![]), "read from registry");
    let denied = b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".to_vec();
    refused(&env, &serve(Some(Answer::Raw(denied)), vec![]), "access denied");
    // Another blob in the place of the one that was signed.
    let name = format!("/v2/web/blobs/sha256:{}", sha256(good.payload.as_bytes()));
    let mut answers: BTreeMap<String, Answer> = Served::new(&image()).answers;
    let served = Served::new(&image());
    answers.insert(format!("/v2/web/manifests/{}", tag(&digest(&served))), body(&manifest).unwrap());
    answers.insert(name, Answer::Body(good.payload.replace("web:1", "web:2").into_bytes()));
    refused(&env, &Peer::start(answers), "the registry sent other content");
}

#[test]
fn b21_keys_and_requirements() {
    requires!(userns);
    let env = Env::new();
    let (ours, theirs) = (Signer::new(&env, "ours"), Signer::new(&env, "theirs"));
    let digest = digest(&Served::new(&image()));
    let peer = serve_signed(&[ours.sign(&digest, "registry.example/web:1")]);
    let identity = json!({"type": ANY_TAG, "dockerRepository": "registry.example/web"});
    let rules = |rules: &Value| rule(&env, "docker", rules);

    // Nobody said that signatures lie in the registry.
    rules(&json!([for_web(ours.public())]));
    refused(&env, &peer, "none is looked for at 127.0.0.1");
    pull(&env, &peer.name()).stderr_has("Hint:").stderr_has("use-sigstore-attachments: true");
    look_for_attachments(&env);

    // All requirements must be met.
    rules(&json!([for_web(ours.public()), for_web(theirs.public())]));
    refused(&env, &peer, "requirement 2 (sigstoreSigned by key ");
    pull(&env, &peer.name()).stderr_has("theirs.pub").stderr_has("Hint:").stderr_has("cosign sign --key");
    // The name is of another registry.
    rules(&json!([by(ours.public())]));
    refused(&env, &peer, "matchRepoDigestOrExact");
    pull(&env, &peer.name()).stderr_has("Hint:").stderr_has("matchRepository");
    // Keys that are none, even beside a good one.
    let broken = env.write("broken.pub", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
    let text = env.write("text.pub", "no key\n");
    for (path, why) in
        [(&broken, "it is not valid"), (&text, "no public key in PEM"), (&env.path("absent.pub"), "ENOENT")]
    {
        let keys = json!([ours.public(), path]);
        rules(&json!([{"type": "sigstoreSigned", "keyPaths": keys, "signedIdentity": identity}]));
        refused(&env, &peer, why);
        pull(&env, &peer.name()).stderr_has(&path.display().to_string()).stderr_has("Hint:");
    }
    for beyond in ["fulcio", "pki", "rekorPublicKeyPath"] {
        let mut requirement = json!({"type": "sigstoreSigned", beyond: {}});
        if beyond.starts_with("rekor") {
            requirement["keyPath"] = json!(ours.public());
        }
        rules(&json!([requirement]));
        refused(&env, &peer, "which sampan cannot check");
    }

    // Any of several keys; data in the policy itself.
    let pem = std::fs::read(ours.public()).unwrap();
    let data = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, pem);
    rules(&json!([
        {"type": "sigstoreSigned", "keyPaths": [theirs.public(), ours.public()], "signedIdentity": identity},
        {"type": "sigstoreSigned", "keyData": data, "signedIdentity": identity},
        {"type": "insecureAcceptAnything"},
    ]));
    pull(&env, &peer.name()).success();
}

#[test]
fn b21_a_mirror_does_not_change_the_name_that_must_be_signed() {
    requires!(userns);
    let env = Env::new();
    let ours = Signer::new(&env, "ours");
    let digest = digest(&Served::new(&image()));
    rule(&env, "docker", &json!([by(ours.public())]));
    let through = |peer: &Peer| {
        let conf = format!(
            "[[registry]]\nprefix = \"registry.example\"\nlocation = \"127.0.0.1:1\"\ninsecure = true\n\
             [[registry.mirror]]\nlocation = \"{}\"\ninsecure = true\n",
            peer.address()
        );
        containers(&env, "registries.conf", &conf);
        // Where attachments are is said of the place that is asked.
        let place = format!("docker:\n  \"{}\":\n    use-sigstore-attachments: true\n", peer.address());
        containers(&env, "registries.d/mirror.yaml", &place);
        env.run(["pull", "-q", "--retry=0", "registry.example/web:1"])
    };
    let mirrored = serve_signed(&[ours.sign(&digest, "mirror.example/web:1")]);
    through(&mirrored).code(125).stderr_has("mirror.example/web:1");
    let signed = serve_signed(&[ours.sign(&digest, "registry.example/web:1")]);
    through(&signed).success();
    // By its digest any tag will do.
    let name = format!("registry.example/web@{digest}");
    let tagged = serve_signed(&[ours.sign(&digest, "registry.example/web:7")]);
    through(&tagged).code(125);
    env.run(["pull", "-q", "--retry=0", &name]).success();
}

#[test]
fn b21_directories_hold_signatures_and_archives_do_not() {
    requires!(userns, skopeo);
    let env = Env::new();
    let ours = Signer::new(&env, "ours");
    let (archive, dir) = (env.path("oci.tar"), env.path("dir"));
    image().oci_archive(&archive, "web:1");
    let layout = env.path("layout");
    image().oci_dir(&layout, "1");
    let copy = |policy: &[&str], from: &str, to: &str| {
        env.other("/usr/bin/skopeo").args([policy, &["copy", "-q", from, to]].concat()).run()
    };
    let (from, to) = (format!("oci:{}:1", layout.display()), format!("dir:{}", dir.display()));
    copy(&["--insecure-policy"], &from, &to).success();
    let digest = format!("sha256:{}", sha256(&std::fs::read(dir.join("manifest.json")).unwrap()));
    let load = |path: &Path| env.run(["load", "-q", "-i", &path.display().to_string()]);
    let requirement = for_web(ours.public());

    rule(&env, "oci-archive", &json!([requirement]));
    load(&archive).code(125).stderr_has("images of oci-archive cannot hold one").stderr_has("Hint:");
    rule(&env, "dir", &json!([requirement]));
    let policy = env.home().join(".config/containers/policy.json").display().to_string();
    let other = format!("dir:{}", env.path("other").display());
    for (signature, trusted) in [
        (None, false),
        (Some(ours.sign(&digest, "registry.example/other:1")), false),
        (Some(ours.sign(&digest, "registry.example/web:1")), true),
    ] {
        if let Some(signature) = signature {
            std::fs::write(dir.join("signature-1"), stored(&signature)).unwrap();
        }
        let loaded = load(&dir);
        assert_eq!(loaded.is_success(), trusted, "{loaded}");
        agrees(&copy(&["--policy", &policy], &to, &other), trusted);
    }
}

/// Skopeo is of one mind with us. Debian's has the check of sigstore's signatures taken out: it reads the files, finds the
/// signature, and says so.
fn agrees(skopeo: &Output, trusted: bool) {
    if !skopeo.stderr().contains("Debian-local change: sigstore disabled") {
        assert_eq!(skopeo.is_success(), trusted, "{skopeo}");
    }
}

/// The same registry, policy.json and registries.d for us and for skopeo.
#[test]
fn b21_skopeo_accepts_and_refuses_the_same() {
    requires!(userns, registry);
    let env = Env::new();
    let registry = Registry::start(&env);
    let (ours, theirs) = (Signer::new(&env, "ours"), Signer::new(&env, "theirs"));
    look_for_attachments(&env);
    rule(&env, "docker", &json!([by(ours.public())]));
    let layout = env.path("layout");
    image().oci_dir(&layout, "1");
    let index: Value = serde_json::from_slice(&std::fs::read(layout.join("index.json")).unwrap()).unwrap();
    let digest = index["manifests"][0]["digest"].as_str().unwrap().to_owned();
    let containers = env.home().join(".config/containers");

    let verdicts = |repository: &str, wanted: bool| {
        let full = registry.name(repository);
        let to = format!("dir:{}", env.path(&repository.replace([':', '/'], "-")).display());
        let (policy, sections) = (containers.join("policy.json"), containers.join("registries.d"));
        let files = ["--policy", policy.to_str().unwrap(), "--registries.d", sections.to_str().unwrap()];
        let copy = ["copy", "-q", "--src-tls-verify=false", &format!("docker://{full}"), &to];
        let skopeo = env.other("/usr/bin/skopeo").args([&files[..], &copy].concat()).run();
        agrees(&skopeo, wanted);
        let pulled = pull(&env, &full);
        assert_eq!(pulled.is_success(), wanted, "{full}: {pulled}");
    };
    let from = format!("oci:{}:1", layout.display());
    for (name, signer, signed_as, trusted) in [
        ("good", &ours, "good:1", true),
        ("stranger", &theirs, "stranger:1", false),
        ("tag", &ours, "tag:2", false),
        ("repository", &ours, "good:1", false),
        ("untagged", &ours, "untagged", false),
    ] {
        registry.push(&from, &format!("{name}:1"));
        // No signature is there yet.
        verdicts(&format!("{name}:1"), false);
        attach(&registry.name(name), &digest, &[signer.sign(&digest, &registry.name(signed_as))]);
        verdicts(&format!("{name}:1"), trusted);
    }
    // What cosign writes: a repository, and it counts where the policy says so.
    let requirement =
        json!({"type": "sigstoreSigned", "keyPath": ours.public(), "signedIdentity": {"type": "matchRepository"}});
    rule(&env, "docker", &json!([requirement]));
    verdicts("untagged:1", true);
    verdicts("stranger:1", false);
    // Of an index the image of the platform must be signed.
    let list = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": digest,
            "size": index["manifests"][0]["size"],
            "platform": {"os": "linux", "architecture": if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" }},
        }],
    });
    let list = list.to_string();
    registry.push(&from, "list:base");
    ureq::put(format!("http://{}/v2/list/manifests/1", registry.address()))
        .content_type("application/vnd.oci.image.index.v1+json")
        .send(list.as_bytes())
        .unwrap();
    let of_list = format!("sha256:{}", sha256(list.as_bytes()));
    attach(&registry.name("list"), &of_list, &[ours.sign(&of_list, &registry.name("list"))]);
    verdicts("list:1", false);
    attach(&registry.name("list"), &digest, &[ours.sign(&digest, &registry.name("list"))]);
    verdicts("list:1", true);
}
