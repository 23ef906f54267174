//! Entry points of `fuzz/` into headers and archives.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use crate::types::descriptor::Descriptor;
use crate::types::media_type;
use crate::types::platform::Platform;

use super::archive::{OciItem, merged_index};
use super::push::{KeptManifest, ManifestFormat, rewritten_list};
use super::{Archive, Manifest, auth, download, manifest, reply, search, session, signature, tags, upload, url};

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

/// What `getent` says.
pub(crate) fn addresses(text: &str) {
    let found = super::resolver::parse(text);
    let once: std::collections::BTreeSet<_> = found.iter().collect();
    assert_eq!(once.len(), found.len());
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

/// Answers of registries: tokens, errors, tags, what a search finds; and manifests and indexes that are written anew for a
/// push or into a layout, which are understood again as what they were.
pub(crate) fn answers(bytes: &[u8]) {
    if let Ok(token) = auth::token_in(bytes, "registry.example") {
        assert!(token.expose().bytes().all(|byte| byte.is_ascii_graphic()) && !token.is_empty());
    }
    assert!(!reply::detail_in(bytes).chars().any(char::is_control));
    let any = "localhost/x".parse().expect("a name");
    for tag in tags::tags_in(bytes, &any).unwrap_or_default() {
        assert!(any.with_tag(&tag).is_some() && !tag.contains(['/', ':', '@']), "{tag:?}");
    }
    drop(serde_json::from_slice::<search::Found>(bytes));
    drop(serde_json::from_slice::<search::Page>(bytes));
    let formats = [ManifestFormat::Oci, ManifestFormat::Docker];
    for own in [media_type::OCI_MANIFEST, media_type::DOCKER_MANIFEST] {
        let Ok(kept) = KeptManifest::parse(bytes, own) else { continue };
        for format in formats {
            let (written, media_type) = kept.rewritten(format, &kept.layers);
            let again = KeptManifest::parse(&written, media_type).expect("what was written anew");
            let blobs = |of: &KeptManifest| {
                let all = std::iter::once(&of.config).chain(&of.layers);
                all.map(|blob| (blob.digest.clone(), blob.size)).collect::<Vec<_>>()
            };
            assert_eq!(blobs(&kept), blobs(&again));
        }
    }
    if let Ok(Manifest::Index(entries)) = manifest::parse(bytes, None) {
        for format in [None, Some(formats[0]), Some(formats[1])] {
            // What is passed over when it is read may be no text.
            let Ok((written, media_type)) = rewritten_list(bytes, format, &BTreeMap::new()) else { continue };
            let again = manifest::parse(&written, Some(&media_type)).expect("what was written anew");
            assert!(matches!(again, Manifest::Index(others) if others.len() == entries.len()));
        }
    }
    let descriptor = Descriptor {
        media_type: media_type::OCI_MANIFEST.to_owned(),
        digest: crate::types::digest::Digest::of(b"x"),
        size: 1,
    };
    let item = OciItem { descriptor, platform: None, names: vec!["n".to_owned()] };
    if let Ok(index) = merged_index(&[item], Some(bytes)) {
        let named = index["manifests"].as_array().into_iter().flatten();
        let named = named.filter(|entry| entry["annotations"]["org.opencontainers.image.ref.name"] == "n");
        assert_eq!(named.count(), 1, "a name leads to one image");
    }
}

/// A directory of images, as `load` and `pull oci:` read it.
pub(crate) fn layout(dir: &Path) {
    let Ok(mut archive) = Archive::from_dir(dir) else { return };
    drop(archive.signatures(None));
    images(&mut archive);
}

/// An archive of images, and the documents in it.
pub(crate) fn archive(file: File) {
    if let Ok(mut archive) = Archive::from_tar(file, "fuzz") {
        images(&mut archive);
    }
}

fn images(archive: &mut Archive) {
    let Ok(form) = archive.form() else { return };
    drop(archive.expect_form(form));
    drop(archive.images(form, &Platform::new("linux", "amd64", None)));
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
