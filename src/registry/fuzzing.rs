//! Entry points of `fuzz/` into headers and archives.

use std::fs::File;

use crate::types::platform::Platform;

use super::{Archive, auth, download, manifest, reply, session, signature, tags, upload, url};

/// Header values: challenges with their realms, locations, links, ranges, waits; and what is shown of an error.
pub(crate) fn headers(text: &str) {
    drop(auth::challenges(text));
    for insecure in [false, true] {
        if let Ok(realm) = auth::checked_realm(text, "registry.example", insecure) {
            let https = realm.scheme_str() == Some("https");
            assert!(https || insecure, "credentials in the clear: {realm}");
        }
    }
    std::hint::black_box(session::retry_after(Some(text)));
    assert!(!download::is_asked_for(Some(text), 5, 10) || text.trim().starts_with("bytes "), "{text:?}");
    std::hint::black_box(upload::range_end(text));
    if let Some(query) = tags::next_query(text) {
        assert!(query.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#'), "{query:?}");
    }
    assert!(!reply::printable(text, 300).chars().any(char::is_control), "{text:?}");
    let base = url::parse("https://registry.example:5000/v2/a/blobs/uploads/").expect("a URL");
    if let Ok(target) = url::join(&base, text) {
        let origin = url::Origin::of(&target).expect("every joined URL has an origin");
        assert!(!origin.host().is_empty(), "{target}");
    }
}

/// A manifest or index, and the choice among its entries.
pub(crate) fn manifest(bytes: &[u8], declared: Option<&str>) {
    if let Ok(manifest::Manifest::Index(entries)) = manifest::parse(bytes, declared) {
        let platform = Platform::new("linux", "arm64", Some("v8"));
        drop(manifest::available(&entries));
        if let Some(chosen) = manifest::choose(&entries, &platform) {
            assert_eq!(manifest::choose(&entries, &platform), Some(chosen), "the choice is deterministic");
        }
    }
}

/// An archive of images, and the documents in it.
pub(crate) fn archive(file: File) {
    if let Ok(mut archive) = Archive::from_tar(file, "fuzz") {
        drop(archive.images(&Platform::new("linux", "amd64", None)));
    }
}

/// Signatures that nobody made with a key count for nothing, whatever their form.
pub(crate) fn signature(data: &[u8]) {
    drop(signature::parse_attachments(data, None));
    drop(signature::Payload::parse(data));
    drop(signature::Key::from_pem(data));
    if let Ok(Some(attachment)) = signature::from_file(data) {
        let identity = crate::config::policy_json::SignedIdentity::MatchRepository;
        let (image, name) = (crate::types::digest::Digest::of(b""), "h/x:1".parse().expect("a name"));
        assert!(signature::check(&[attachment], &[], &identity, &image, Some(&name)).is_err());
    }
}
