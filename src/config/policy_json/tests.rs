//! Most specific rule, and files that trust nobody.

use std::path::Path;

use super::{Policy, path_scopes, registry_scopes};

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
                "docker.io/both": [{"type": "insecureAcceptAnything"}, {"type": "sigstoreSigned", "keyPath": "/k"}],
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
    for trusted in ["web", "bad:good", "a.example.org/x", "a.b.example.org:5000/x/y"] {
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
fn what_is_not_understood_trusts_nobody() {
    for text in [
        "",
        "{}",
        "[]",
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
