//! Manifests, indexes and configurations as an attacker would write them.

use crate::registry::manifest::{Manifest, available, choose, parse};
use crate::types::descriptor::DOCUMENT_LIMIT;
use crate::types::platform::Platform;

const OCI: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const DOCKER: &str = "application/vnd.docker.distribution.manifest.v2+json";

fn digest(fill: &str) -> String {
    format!("sha256:{}", fill.repeat(32))
}

fn config() -> String {
    let media_type = "application/vnd.oci.image.config.v1+json";
    format!(r#""config":{{"mediaType":"{media_type}","digest":"{}","size":10}}"#, digest("aa"))
}

fn layer(size: &str) -> String {
    let media_type = "application/vnd.oci.image.layer.v1.tar+gzip";
    format!(r#"{{"mediaType":"{media_type}","digest":"{}","size":{size}}}"#, digest("bb"))
}

fn manifest() -> String {
    format!(r#"{{"schemaVersion":2,{},"layers":[{}]}}"#, config(), layer("5"))
}

fn entry(digest: &str, platform: &str) -> String {
    format!(r#"{{"mediaType":"{OCI}","digest":"{digest}","size":7{platform}}}"#)
}

fn index(entries: &[String]) -> String {
    format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{}]}}"#, entries.join(","))
}

fn refused(text: &str, declared: Option<&str>, why: &str) {
    let error = parse(text.as_bytes(), declared).expect_err(text);
    assert!(error.contains(why), "{error:?} does not say {why:?}");
}

#[test]
fn good_documents_are_read() {
    let with_type = manifest().replacen('{', &format!(r#"{{"mediaType":"{OCI}","#), 1);
    for (text, declared) in [
        (manifest(), Some(OCI)),
        (manifest(), None),
        (with_type.clone(), Some("application/json")),
        (with_type, Some("application/vnd.oci.image.manifest.v1+json; charset=utf-8")),
    ] {
        assert!(matches!(parse(text.as_bytes(), declared), Ok(Manifest::Image(image)) if image.layers.len() == 1));
    }
    let text = index(&[entry(&digest("cc"), "")]);
    assert!(matches!(parse(text.as_bytes(), Some(INDEX)), Ok(Manifest::Index(entries)) if entries.len() == 1));
}

#[test]
fn b02_digests_are_checked_at_parse() {
    for bad in ["sha256:../../x", "sha256:AA", "md5:d41d8cd98f00b204e9800998ecf8427e", "", "sha256:00\\u0000"] {
        let text = manifest().replace(&digest("bb"), bad);
        assert!(parse(text.as_bytes(), None).is_err(), "{bad}");
        let text = manifest().replace(&digest("aa"), bad);
        assert!(parse(text.as_bytes(), None).is_err(), "{bad}");
        assert!(parse(index(&[entry(bad, "")]).as_bytes(), None).is_err(), "{bad}");
    }
}

#[test]
fn b03_type_confusion() {
    let both = format!(r#"{{"schemaVersion":2,"manifests":[],{},"layers":[]}}"#, config());
    refused(&both, None, "ambiguous");
    refused(&both, Some(INDEX), "ambiguous");
    let typed = manifest().replacen('{', &format!(r#"{{"mediaType":"{OCI}","#), 1);
    refused(&typed, Some(DOCKER), "ambiguous");
    refused(&typed, Some(INDEX), "ambiguous");
    refused(&manifest(), Some(INDEX), "has no \"manifests\"");
    refused(&index(&[]).replace(INDEX, OCI), None, "lacks");
    refused(r#"{"schemaVersion":1,"fsLayers":[]}"#, None, "schema 1");
    refused(&manifest().replace("schemaVersion\":2", "schemaVersion\":3"), None, "schemaVersion");
    refused(&manifest().replace("vnd.oci.image.config.v1+json", "x"), None, "artifact");
    refused(&manifest().replace("tar+gzip", "tar+gzip+encrypted"), None, "unknown media type");
}

#[test]
fn b04_choice_is_deterministic() {
    let platform = |arch: &str, variant: &str| {
        let variant = if variant.is_empty() { String::new() } else { format!(r#","variant":"{variant}""#) };
        format!(r#","platform":{{"os":"linux","architecture":"{arch}"{variant}}}"#)
    };
    let text = index(&[
        entry(&digest("01"), &platform("unknown", "")),
        entry(&digest("02"), &platform("arm64", "v8")),
        entry(&digest("03"), &platform("amd64", "")),
        entry(&digest("04"), &platform("amd64", "")),
        entry(&digest("05"), &platform("arm", "v6")),
        entry(&digest("06"), &platform("arm", "v5")),
    ]);
    let Ok(Manifest::Index(entries)) = parse(text.as_bytes(), None) else { panic!("an index") };
    let chosen = |text: &str| {
        let wanted: Platform = text.parse().expect(text);
        choose(&entries, &wanted).map(|entry| entry.descriptor.digest.hex()[..2].to_owned())
    };
    assert_eq!(chosen("linux/amd64").as_deref(), Some("03"));
    assert_eq!(chosen("linux/amd64/v3").as_deref(), Some("03"));
    assert_eq!(chosen("linux/aarch64").as_deref(), Some("02"));
    assert_eq!(chosen("linux/arm/v7").as_deref(), Some("05"));
    assert_eq!(chosen("linux/arm/v5").as_deref(), Some("06"));
    assert_eq!(chosen("windows/amd64"), None);
    assert!(available(&entries).contains("linux/arm64/v8"));
}

#[test]
fn b06_foreign_urls_are_not_kept() {
    let foreign = layer("5")
        .replace("layer.v1", "layer.nondistributable.v1")
        .replace('{', r#"{"urls":["http://169.254.169.254/","file:///etc/passwd"],"#);
    let text = format!(r#"{{"schemaVersion":2,{},"layers":[{foreign}]}}"#, config());
    // The type has no place for them: the layer is asked for at the registry.
    assert!(matches!(parse(text.as_bytes(), None), Ok(Manifest::Image(_))));
}

#[test]
fn b12_json_bombs() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    refused(&deep, None, "not a JSON object");
    refused(&format!(r#"{{"annotations":{deep}}}"#), None, "");
    refused(&index(&[entry(&digest("cc"), &format!(r#","x":{deep}"#))]), None, "recursion limit");
    // What nobody reads is skipped without recursion.
    assert!(parse(manifest().replacen('{', &format!(r#"{{"x":{deep},"#), 1).as_bytes(), None).is_ok());
    for size in ["-1", "9223372036854775808", "1e400", "1.5", "null", "\"5\""] {
        let text = format!(r#"{{"schemaVersion":2,{},"layers":[{}]}}"#, config(), layer(size));
        assert!(parse(text.as_bytes(), None).is_err(), "size {size}");
    }
    refused(&manifest().replacen('{', &format!("{{{},", config()), 1), None, "duplicate");
    refused(&format!(r#"{{"schemaVersion":2,{},"layers":null}}"#, config()), None, "lacks");
    refused(&format!(r#"{{"schemaVersion":2,{},"layers":[null]}}"#, config()), None, "invalid type");
    refused(r#"{"schemaVersion":2,"mediaType":"\ud800"}"#, None, "hex escape");
    refused(&manifest().replace("\"config\":{", "\"config\":{\"digest\":\"\","), None, "");
    let long = vec![b' '; usize::try_from(DOCUMENT_LIMIT).expect("fits") + 1];
    assert!(parse(&long, None).is_err());
}
