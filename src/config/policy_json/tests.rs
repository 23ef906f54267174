//! Most specific rule, and files that trust nobody.

use std::path::Path;

use super::{KeySource, Policy, path_scopes, registry_scopes};

fn policy(text: &str) -> Result<Policy, String> {
    Policy::parse(Path::new("/p.json"), text.as_bytes()).map_err(|error| error.to_string())
}

#[test]
fn the_most_specific_rule_counts() {
    let policy = policy(
        r#"{"default": [{"type": "reject"}], "transports": {
            "docker": {
                "docker.io": [{"type": "insecureAcceptAnything"}],
                "docker.io/library/bad": [{"type": "reject"}],
                "docker.io/library/bad:good": [{"type": "insecureAcceptAnything"}],
                "docker.io/signed": [{"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/k"}],
                "docker.io/both": [{"type": "sigstoreSigned", "keyPath": "/k"}, {"type": "reject"}],
                "docker.io/key": [
                    {"type": "sigstoreSigned", "keyPaths": ["/k", "/l"]}, {"type": "insecureAcceptAnything"},
                    {"type": "sigstoreSigned", "keyData": "QUJD", "signedIdentity": {"type": "matchRepository"}}
                ],
                "*.example.org": [{"type": "insecureAcceptAnything"}],
                "closed.example.org": [{"type": "reject"}]
            },
            "docker-archive": {"": [{"type": "insecureAcceptAnything"}]},
            "oci": {"/srv/images": [{"type": "insecureAcceptAnything"}]}
        }}"#,
    )
    .expect("valid");
    let scope = |name: &str| {
        let scopes = registry_scopes(&name.parse().expect(name));
        policy.admit("docker", &scopes).err().map(|refusal| refusal.scope)
    };
    for trusted in ["web", "bad:good", "key/x", "a.example.org/x", "a.b.example.org:5000/x/y"] {
        assert_eq!(scope(trusted), None, "{trusted}");
    }
    for (refused, rule) in [
        ("bad", "transports.docker.\"docker.io/library/bad\""),
        ("signed/x", "transports.docker.\"docker.io/signed\""),
        ("both/x", "transports.docker.\"docker.io/both\""),
        ("closed.example.org/x", "transports.docker.\"closed.example.org\""),
        ("example.org/x", "default"),
        ("other.net/x", "default"),
    ] {
        assert_eq!(scope(refused).as_deref(), Some(rule), "{refused}");
    }
    assert!(policy.admit("docker-archive", &[]).is_ok());
    assert!(policy.admit("oci-archive", &[]).is_err());
    assert!(policy.admit("oci", &path_scopes(Path::new("/srv/images/web"))).is_ok());
    assert!(policy.admit("oci", &path_scopes(Path::new("/srv/imagesx"))).is_err());
}

#[test]
fn b21_signatures_are_asked_for_where_a_key_is_given() {
    let rule = |rule: &str| {
        let policy = policy(&format!("{{\"default\": [{rule}]}}"))?;
        policy.admit("docker", &[]).map_err(|refusal| refusal.why.to_string())
    };
    let keys = |text: &str| rule(text).expect(text).signatures.remove(0).1.keys;
    let (one, two) = (KeySource::Path("/k".into()), KeySource::Path("/l".into()));
    assert_eq!(keys(r#"{"type": "sigstoreSigned", "keyPath": "/k"}"#), std::slice::from_ref(&one));
    assert_eq!(keys(r#"{"type": "sigstoreSigned", "keyPaths": ["/k", "/l"]}"#), [one, two]);
    assert_eq!(keys(r#"{"type": "sigstoreSigned", "keyDatas": ["QUJD", "QQ=="]}"#).len(), 2);
    let both = r#"{"type": "sigstoreSigned", "keyPath": "/k"}, {"type": "sigstoreSigned", "keyPath": "/l"}"#;
    let wanted = rule(both).expect("valid");
    assert_eq!(wanted.signatures.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 2], "both of them");
    for (beyond, why) in [
        (r#""keyPath": "/k", "rekorPublicKeyPath": "/r""#, "Rekor"),
        (r#""keyPath": "/k", "rekorPublicKeyDatas": ["QQ=="]"#, "Rekor"),
        (r#""fulcio": {"caPath": "/c", "oidcIssuer": "i", "subjectEmail": "e"}, "rekorPublicKeyPath": "/r""#, "Fulcio"),
        (r#""pki": {"caRootsPath": "/c"}"#, "certificate"),
    ] {
        let refused = rule(&format!("{{\"type\": \"sigstoreSigned\", {beyond}}}")).expect_err(beyond);
        assert!(refused.contains(why) && refused.contains("cannot check"), "{refused}");
    }
}

#[test]
fn what_is_not_understood_trusts_nobody() {
    for text in [
        r#"{"default": [{"type": "sigstoreSigned"}]}"#,
        r#"{"default": [{"type": "sigstoreSigned", "keyPath": ""}]}"#,
        r#"{"default": [{"type": "sigstoreSigned", "keyPaths": []}]}"#,
        r#"{"default": [{"type": "sigstoreSigned", "keyData": "!"}]}"#,
        r#"{"default": [{"type": "sigstoreSigned", "keyPath": "/k", "keyData": "QUJD"}]}"#,
        r#"{"default": [{"type": "sigstoreSigned", "keyPath": "/k", "keyPath": "/l"}]}"#,
        r#"{"default": [{"type": "sigstoreSigned", "keypath": "/k"}]}"#,
        r#"{"default": [{"type": "sigstoreSigned", "keyPath": "/k", "signedIdentity": {"type": "any"}}]}"#,
        r#"{"default": [{"type": "insecureAcceptAnything", "keyPath": "/k"}]}"#,
        r#"{"default": [{"type": "reject", "type": "insecureAcceptAnything"}]}"#,
        "",
        "{}",
        "[]",
        r#"[[{"type": "insecureAcceptAnything"}]]"#,
        r#"{"default": []}"#,
        r#"{"default": [{"type": "acceptSome"}]}"#,
        r#"{"default": [{}]}"#,
        r#"{"default": [{"type": "reject"}], "more": 1}"#,
        r#"{"default": [{"type": "reject"}], "default": [{"type": "insecureAcceptAnything"}]}"#,
        r#"{"default": [{"type": "reject"}], "transports": {"docker": {"a": [{"type": "reject"}], "a": [{"type": "insecureAcceptAnything"}]}}}"#,
        r#"{"default": [{"type": "insecureAcceptAnything"}], "transports": {"docker": {"a": []}}}"#,
    ] {
        assert!(policy(text).is_err(), "{text}");
    }
}
