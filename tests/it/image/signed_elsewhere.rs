//! A signature that another implementation has made and attached (case B21): the crate `sigstore` 0.10, by its
//! `SignatureLayer`, `PrivateKeySigner` and `push_signature`, in Debian's registry. What lay there after that is the file.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::peer::{Answer, Peer};
use crate::harness::image::sha256;
use crate::harness::{Env, Output, requires};

const FILE: &str = include_str!("sigstore-rs.json");

/// A registry with what the other one had, changed by `change`.
fn serve(change: impl FnOnce(&mut BTreeMap<String, Vec<u8>>)) -> Peer {
    let file: Value = serde_json::from_str(FILE).unwrap();
    let text = |name: &str| file[name].as_str().unwrap().as_bytes().to_vec();
    let mut answers = BTreeMap::from([
        ("/v2/web/manifests/1".to_owned(), text("image")),
        (format!("/v2/web/manifests/sha256:{}", sha256(&text("image"))), text("image")),
        (format!("/v2/web/manifests/{}", file["tag"].as_str().unwrap()), text("signatures")),
    ]);
    for (digest, blob) in file["blobs"].as_object().unwrap() {
        answers.insert(format!("/v2/web/blobs/{digest}"), STANDARD.decode(blob.as_str().unwrap()).unwrap());
    }
    change(&mut answers);
    Peer::start(answers.into_iter().map(|(path, bytes)| (path, Answer::Body(bytes))).collect())
}

#[test]
fn b21_what_another_program_has_signed() {
    requires!(userns);
    let env = Env::new();
    let file: Value = serde_json::from_str(FILE).unwrap();
    let key = env.write("their.pub", file["public"].as_str().unwrap());
    let dir = env.home().join(".config/containers");
    std::fs::create_dir_all(dir.join("registries.d")).unwrap();
    std::fs::write(dir.join("registries.d/all.yaml"), "default-docker:\n  use-sigstore-attachments: true\n").unwrap();
    let identity = json!({"type": "exactRepository", "dockerRepository": "127.0.0.1:5795/web"});
    let rule = json!({"type": "sigstoreSigned", "keyPath": key, "signedIdentity": identity});
    let policy = json!({"default": [{"type": "reject"}], "transports": {"docker": {"": [rule]}}});
    std::fs::write(dir.join("policy.json"), policy.to_string()).unwrap();
    let pull = |peer: &Peer| -> Output { env.run(["pull", "-q", "--retry=0", "--tls-verify=false", &peer.name()]) };

    let peer = serve(|_| ());
    pull(&peer).success();
    env.run(["rmi", "-fa"]).success();

    // One byte of the payload, under a digest that fits; one of the signature; another key.
    let signatures: Value = serde_json::from_str(file["signatures"].as_str().unwrap()).unwrap();
    let layer = signatures["layers"][0].clone();
    let put = |answers: &mut BTreeMap<String, Vec<u8>>, document: &Value| {
        let path = format!("/v2/web/manifests/{}", file["tag"].as_str().unwrap());
        answers.insert(path, serde_json::to_vec(document).unwrap());
    };
    for at in [0, 40, 100, usize::try_from(layer["size"].as_u64().unwrap()).unwrap() - 1] {
        let peer = serve(|answers| {
            let mut payload = answers[&format!("/v2/web/blobs/{}", layer["digest"].as_str().unwrap())].clone();
            payload[at] ^= 1;
            let digest = format!("sha256:{}", sha256(&payload));
            let mut changed = signatures.clone();
            changed["layers"][0]["digest"] = json!(digest);
            answers.insert(format!("/v2/web/blobs/{digest}"), payload);
            put(answers, &changed);
        });
        pull(&peer).code(125).stderr_has("no key of the policy made it");
    }
    let name = "dev.cosignproject.cosign/signature";
    let signature = STANDARD.decode(layer["annotations"][name].as_str().unwrap()).unwrap();
    for at in [0, signature.len() / 2, signature.len() - 1] {
        let peer = serve(|answers| {
            let mut bytes = signature.clone();
            bytes[at] ^= 1;
            let mut changed = signatures.clone();
            changed["layers"][0]["annotations"][name] = json!(STANDARD.encode(bytes));
            put(answers, &changed);
        });
        pull(&peer).code(125).stderr_has("no key of the policy made it");
    }
    let other = crate::harness::signature::Signer::new(&env, "other");
    std::fs::copy(other.public(), &key).unwrap();
    pull(&peer).code(125).stderr_has("no key of the policy made it");
    env.run(["images", "-a", "-q"]).prints("");
}
