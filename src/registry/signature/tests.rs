//! Real keys and signatures, made by `openssl`, and everything that is nearly one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::attachment::{Attachment, MOST, from_file, parse, tag};
use super::check::{Distrust, Misfit, check};
use super::key::{BadKey, Key};
use super::payload::Payload;
use crate::config::policy_json::SignedIdentity;
use crate::types::digest::Digest;

/// `openssl ecparam -name prime256v1`, and what it signed: [`SIGNED`].
const P256: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE+Vc3QSz++FOAbOWxvGh0yllSD24PWPqO34vx98UlrE8QOge+xSYCKRxBaO+0SipGMs7Q1GI32FHe8LpEQrhbKg==";
const P256_SIGNATURE: &str =
    "MEYCIQCxXukiJzxXC8NlMzKeKs60l/sbkfQahtv/4SFrAAEZjgIhAO3m7MySEhvT5vvsFlcMJmhhOqZK9Ruz0ZbKyVRyZC0N";
const P384: &str = "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEKw0ef3eOLPNmLeuIDyuEeovhppJ/yBfef7cPXL/fMf1E428J6JT8F5Eq2Msvt8JotWZEoDcIdbCoauMK19svxo07zVD/cyfa6g8GFhYjjzQ93qU34x4K9+ub6eB9IjY2";
const P384_SIGNATURE: &str = "MGUCMQC1CLFPMy0CBb0jDv/8O/wyejCgDV1XoQ7b9R+LJNxEpg3Dt8UV8Hqp935g6hOO45QCMEBAjtp3tdgspOOpabSD6LX+huNPbVApjyjjBCfEmFivzASl+xjWltYrLt1sJjpFSg==";
const ED25519: &str = "MCowBQYDK2VwAyEAPLk6MD1+7GP4cNqU7yrgTufLqaLRExW0EVQQdD1adwA=";
const ED25519_SIGNATURE: &str =
    "a5A5h6mp6aqdWcYvmUpC56tDkKyqwtqaqnvN3N0DXnpKRxpLXAe8/oGNjn/IdQ0KNc3ceW/MFMJ4a+Lb4kAOAQ==";
const RSA: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEArN+KatY3tbf7OZhqrhwyOGYCyynQ27Q3r70MYVtPFWxNk6CRqd1D+cdeXUw7TjBkpSajEw+KDb9E8z6zpGym9vQuU2/AtwuUBBb5+bi+gQSAGdKUgyFRJ/52nVWdddMzJxQu3jUl3khFq6m3ph1tugdsORGUAVZEatX0ilfe2bm1/LdAyPPxxqcFPEuxj3VgudrkaE5fcBjtmSNwoPU8r3mO2VNlFxTNLYVo2em7vwwWPFds1+Be+vzv11Jrb08HyLdXftpQLcg58QALRKebPI1Y2V3fTf7SF+MnHgOOF+eJ3F9ImeYupRAIk7dRbQ0tZ/sfYhaGnrwymFJk9H9ofQIDAQAB";
const RSA_SIGNATURE: &str = "mFpRk9Y2Jx8bMSV7efZh7ZIVKwc9lN0fadEmkAgNg26MaFtkUQQtGx6zjpn9EsChUJzHDn20pqS4/mcy/aHw2mmFj4xZK/2hWdhHcYOeRuqXGLCYdtW98kcUPO+pn4+GhSiVqTyY4OkI5xqcybzvfn9ntEGo/V8pW79/cLKYNil6UB0+ed/jrXp0cP3i/GewLCq/iRF6UBSyWIQ+Cvil5YNz3IM5pKddFvhCVvaDnpMArLSKzBPfsQDQIUtyx6UGsF3jUzHRE8d9ys3k5ObuqdGi/kx1uEHtB0wJYDn3iiruSuyaa/WA6S7AilryczQQmq9veQAJ3BWAC83rWf5dAg==";
/// A curve that is not known here.
const P521: &str = "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQAvmx8mYZJPvU8oe5HDAmiSHB1uBVIFGPJfceRcxqLGzNZUd18j0G8GfQ8IGISzUl54tD2vpYpwsCJv8aKEiV4oS8AcDEPpswfFbLsyHtgBY4Vx5Vc2h2IP7wmUnHDMnJ8RcpQA28MyeTgUibuN85/LA2NR1DOxAbIWx8KbrrUuE28mzA=";
const SIGNED: &str = concat!(
    r#"{"critical":{"identity":{"docker-reference":"h:5000/web:1"},"image":{"docker-manifest-digest":""#,
    "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    r#""},"type":"cosign container image signature"},"optional":null}"#
);

fn pem(base64: &str) -> String {
    format!("-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----\n")
}

fn key(base64: &str) -> Key {
    Key::from_pem(pem(base64).as_bytes()).expect("a key")
}

fn attachment(payload: &str, signature: &str) -> Attachment {
    Attachment { payload: payload.into(), signature: Some(signature.to_owned()) }
}

fn checked(attachments: &[Attachment], keys: &[Key], name: &str) -> Result<(), Distrust> {
    let name = name.parse().expect(name);
    check(attachments, keys, &SignedIdentity::default(), &Digest::of(b"abc"), Some(&name))
}

fn misfit(result: Result<(), Distrust>) -> Misfit {
    match result {
        Err(Distrust::NoneFits(mut all)) if all.len() == 1 => all.remove(0),
        other => panic!("{other:?}"),
    }
}

#[test]
fn b21_keys_of_all_known_kinds_verify_their_own_signatures_only() {
    let all = [(P256, P256_SIGNATURE), (P384, P384_SIGNATURE), (ED25519, ED25519_SIGNATURE), (RSA, RSA_SIGNATURE)];
    for (index, (own, signature)) in all.iter().enumerate() {
        let attached = [attachment(SIGNED, signature)];
        for (other, (pem, _)) in all.iter().enumerate() {
            let result = checked(&attached, &[key(pem)], "h:5000/web:1");
            if index == other {
                assert_eq!(result, Ok(()), "{index}");
            } else {
                assert_eq!(misfit(result), Misfit::Key, "{index} by {other}");
            }
        }
        // Any of several keys, any of several signatures.
        let keys = [key(all[(index + 1) % 4].0), key(own)];
        let several = [attachment(SIGNED, "AAAA"), attachment("{}", signature), attached[0].clone()];
        assert_eq!(checked(&several, &keys, "h:5000/web:1"), Ok(()), "{index}");
        let changed = attachment(&SIGNED.replace("web:1", "web:2"), signature);
        assert_eq!(misfit(checked(&[changed], &[key(own)], "h:5000/web:2")), Misfit::Key);
    }
}

#[test]
fn b21_signatures_that_do_not_count() {
    let keys = [key(P256)];
    let try_one = |attachment: Attachment| misfit(checked(&[attachment], &keys, "h:5000/web:1"));
    assert_eq!(checked(&[], &keys, "h:5000/web:1"), Err(Distrust::Unsigned));
    assert_eq!(
        checked(&[attachment(SIGNED, P256_SIGNATURE)], &[], "h:5000/web:1"),
        Err(Distrust::NoneFits(vec![Misfit::Key]))
    );
    assert_eq!(try_one(Attachment { payload: SIGNED.into(), signature: None }), Misfit::Absent);
    assert!(matches!(try_one(attachment(SIGNED, &P256_SIGNATURE[..41])), Misfit::Base64(_)));
    for cut in ["", &P256_SIGNATURE[..40]] {
        assert_eq!(try_one(attachment(SIGNED, cut)), Misfit::Key, "{cut}");
    }
    for (name, fits) in [("h:5000/web:2", false), ("h:5000/other:1", false), ("h:5001/web:1", false)] {
        let result = checked(&[attachment(SIGNED, P256_SIGNATURE)], &keys, name);
        assert_eq!(result.is_ok(), fits, "{name}");
        assert!(matches!(misfit(result), Misfit::Name { .. }), "{name}");
    }
    let other = Digest::of(b"abd");
    let name = "h:5000/web:1".parse().expect("a name");
    let result = check(&[attachment(SIGNED, P256_SIGNATURE)], &keys, &SignedIdentity::default(), &other, Some(&name));
    assert_eq!(misfit(result), Misfit::Image(Digest::of(b"abc")));
    // What is told of many stays one line.
    let many = vec![attachment(SIGNED, "AAAA"); 50];
    let told = checked(&many, &keys, "h:5000/web:1").expect_err("refused").to_string();
    assert!(told.ends_with("; and 47 more") && told.len() < 300, "{told}");
}

#[test]
fn keys_that_are_none() {
    let bad = |text: &str| Key::from_pem(text.as_bytes()).expect_err(text);
    assert!(matches!(bad(&pem(P521)), BadKey::Kind));
    assert!(matches!(bad(&pem(&P256[..80])), BadKey::Der(_)));
    assert!(matches!(bad(&pem("AAAA")), BadKey::Der(_)));
    for text in ["", "ssh-ed25519 AAAA", P256, &pem("!"), &pem(P256).replace("PUBLIC", "PRIVATE"), &pem(P256)[..60]] {
        assert!(matches!(bad(text), BadKey::Pem(_)), "{text}");
    }
}

#[test]
fn what_is_signed_is_exact() {
    let parsed = Payload::parse(SIGNED.as_bytes()).expect("valid");
    assert_eq!((parsed.digest, parsed.name.as_str()), (Digest::of(b"abc"), "h:5000/web:1"));
    for more in [r#"{"creator":"x","timestamp":1,"more":{"a":[]}}"#, "{}"] {
        assert!(Payload::parse(SIGNED.replace("null", more).as_bytes()).is_ok(), "{more}");
    }
    for (from, to) in [
        (r#","optional":null"#, ""),
        ("null", "[]"),
        ("null", r#"{"creator":1}"#),
        ("null", r#"{"timestamp":1.5}"#),
        ("null", r#"null,"more":1"#),
        ("null", r#"null,"optional":null"#),
        (r#""type":"#, r#""type":"atomic container signature","type":"#),
        ("cosign container", "atomic container"),
        ("sha256:", "sha255:"),
        (r#"{"docker-reference":"h:5000/web:1"}"#, "{}"),
        (r#""docker-reference""#, r#""Docker-Reference""#),
        (r#""docker-reference":"h:5000/web:1""#, r#""docker-reference":"a","docker-reference":"b""#),
    ] {
        let text = SIGNED.replace(from, to);
        assert_ne!(text, SIGNED);
        assert!(Payload::parse(text.as_bytes()).is_err(), "{text}");
    }
    for text in ["", "[]", "null", &format!("{SIGNED}x"), &format!("[{SIGNED}]")] {
        assert!(Payload::parse(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn manifests_of_attachments() {
    const OCI: &str = "application/vnd.oci.image.manifest.v1+json";
    let digest = Digest::of(b"abc");
    assert_eq!(tag(&digest), format!("sha256-{}.sig", digest.hex()));
    let layer = |kind: &str, size: u64| {
        format!(
            r#"{{"mediaType":"{kind}","digest":"{digest}","size":{size},"annotations":{{"dev.cosignproject.cosign/signature":"c2ln"}}}}"#
        )
    };
    let signing = "application/vnd.dev.cosign.simplesigning.v1+json";
    let document = |layers: &[String]| {
        format!(r#"{{"schemaVersion":2,"mediaType":"{OCI}","config":{{}},"layers":[{}]}}"#, layers.join(","))
    };
    let both = document(&[layer("application/vnd.dsse.envelope.v1+json", 9), layer(signing, 3)]);
    let found = parse(both.as_bytes(), Some(OCI)).expect("valid");
    assert_eq!(found.len(), 1, "another attachment is none of ours");
    assert_eq!((found[0].0.size, found[0].1.as_deref()), (3, Some("c2ln")));
    assert!(parse(both.as_bytes(), Some("application/vnd.oci.image.index.v1+json")).is_err());
    assert!(parse(both.replace(OCI, "x").as_bytes(), None).is_err());
    assert!(parse(both.replace(":2,", ":1,").as_bytes(), None).is_err());
    assert!(parse(document(&vec![layer(signing, 1); MOST]).as_bytes(), None).is_ok());
    assert!(parse(document(&vec![layer(signing, 1); MOST + 1]).as_bytes(), None).is_err());
    assert!(parse(document(&[layer(signing, u64::MAX), layer(signing, 1)]).as_bytes(), None).is_err());
    assert!(parse(&vec![b' '; 5 << 20], None).is_err());
    for text in ["", "{}", "[]", "null", &document(&["{}".to_owned()])] {
        assert!(parse(text.as_bytes(), None).is_err(), "{text}");
    }
}

#[test]
fn files_of_a_directory() {
    let stored = |kind: &str, payload: &str| {
        format!(
            "\0sigstore-json\n{{\"mimeType\":\"{kind}\",\"payload\":\"{payload}\",\
             \"annotations\":{{\"dev.cosignproject.cosign/signature\":\"c2ln\"}}}}"
        )
    };
    let signing = "application/vnd.dev.cosign.simplesigning.v1+json";
    let found = from_file(stored(signing, &STANDARD.encode(SIGNED)).as_bytes()).expect("valid").expect("ours");
    assert_eq!((found.payload.as_slice(), found.signature.as_deref()), (SIGNED.as_bytes(), Some("c2ln")));
    for other in [stored("text/plain", "").into_bytes(), b"\xa3\x01".to_vec(), b"\0simple-signing\n\xa3".to_vec()] {
        assert_eq!(from_file(&other), Ok(None));
    }
    for bad in ["", "\0", "\0sigstore-json", "\0sigstore-json\n", "\0new\n{}", &stored(signing, "!")] {
        assert!(from_file(bad.as_bytes()).is_err(), "{bad:?}");
    }
}
