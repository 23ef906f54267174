//! The way to write to a repository, and what a manifest looks like in the other format or with other layers.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::error::Error;
use super::manifest::{self, Manifest};
use super::pull::{Access, session, tag_or_digest};
use super::session::Session;
use crate::config::auth_file::Credentials;
use crate::config::registries_conf::{Location, RegistriesConf};
use crate::types::descriptor::Descriptor;
use crate::types::digest::Digest;
use crate::types::media_type;
use crate::types::reference::Reference;

/// A session with the repository that `reference` itself names, whatever pulls are led to. Logged in by the first of
/// [`Session::open_for_push`].
pub(crate) fn push_session(
    reference: &Reference,
    access: &Access,
    configuration: &RegistriesConf,
) -> Result<Session, Error> {
    let own = configuration.itself(reference.domain(), reference.path(), &reference.suffix());
    session(own.map_err(|blocked| Error::blocked(reference, blocked))?, access)
}

/// A session with a registry itself, for `login`: with these credentials, and with no others.
pub(crate) fn login_session(
    host: &str,
    path: &str,
    access: &Access,
    credentials: Credentials,
    configuration: &RegistriesConf,
) -> Result<Session, Error> {
    let own = configuration.itself(host, path, "").map_err(|blocked| Error::blocked(&host, blocked))?;
    session(own, &Access { credentials: Some(credentials), ..access.clone() })
}

/// A session with a registry, whatever for.
pub(crate) fn session_at(location: Location, access: &Access) -> Result<Session, Error> {
    session(location, access)
}

/// Under which name a manifest goes there.
pub(crate) fn target(reference: &Reference) -> String {
    tag_or_digest(reference)
}

/// `--format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ManifestFormat {
    Oci,
    /// Docker's schema 2.
    Docker,
}

/// An image manifest as it is stored, and as it may be changed.
#[derive(Debug, Clone)]
pub(crate) struct KeptManifest {
    document: Value,
    pub(crate) config: Descriptor,
    pub(crate) layers: Vec<Descriptor>,
    pub(crate) format: ManifestFormat,
}

impl KeptManifest {
    /// Reads the stored bytes.
    pub(crate) fn parse(bytes: &[u8], media_type: &str) -> Result<Self, Error> {
        let wrong = |why| Error::Invalid { what: "the stored manifest".to_owned(), why };
        let image = match manifest::parse(bytes, Some(media_type)).map_err(wrong)? {
            Manifest::Image(image) => image,
            Manifest::Index(_) => return Err(wrong("it is an index".to_owned())),
        };
        let document = serde_json::from_slice(bytes).map_err(|error| wrong(error.to_string()))?;
        let docker = image.media_type == media_type::DOCKER_MANIFEST;
        let format = if docker { ManifestFormat::Docker } else { ManifestFormat::Oci };
        Ok(Self { document, config: image.config, layers: image.layers, format })
    }

    /// The manifest in `format` with these layers in the place of the old ones: bytes and media type. Annotations have
    /// no place in schema 2.
    pub(crate) fn rewritten(&self, format: ManifestFormat, layers: &[Descriptor]) -> (Vec<u8>, &'static str) {
        let (own, config) = match format {
            ManifestFormat::Oci => (media_type::OCI_MANIFEST, media_type::OCI_CONFIG),
            ManifestFormat::Docker => (media_type::DOCKER_MANIFEST, media_type::DOCKER_CONFIG),
        };
        let old = self.document["layers"].as_array().map(Vec::as_slice).unwrap_or_default();
        let layers: Vec<Value> = layers
            .iter()
            .enumerate()
            .map(|(index, layer)| {
                let media_type = media_type(format, &layer.media_type);
                let mut new = json!({"mediaType": media_type, "digest": layer.digest, "size": layer.size});
                // Those of an unchanged blob stay; a changed one has lost what they told of its bytes.
                if format == ManifestFormat::Oci
                    && layer.digest == self.layers[index].digest
                    && let Some(annotations) = old.get(index).and_then(|layer| layer.get("annotations"))
                {
                    new["annotations"] = annotations.clone();
                }
                new
            })
            .collect();
        let mut document = json!({
            "schemaVersion": 2,
            "mediaType": own,
            "config": {"mediaType": config, "digest": self.config.digest, "size": self.config.size},
            "layers": layers,
        });
        if format == ManifestFormat::Oci {
            for key in ["annotations", "artifactType", "subject"] {
                if let Some(value) = self.document.get(key) {
                    document[key] = value.clone();
                }
            }
        }
        (document.to_string().into_bytes(), own)
    }
}

/// A list with other manifests in the place of those that it names, and its media type: that of `format`, if it is given.
/// Annotations have no place in Docker's.
pub(crate) fn rewritten_list(
    bytes: &[u8],
    format: Option<ManifestFormat>,
    changed: &BTreeMap<Digest, Descriptor>,
) -> Result<(Vec<u8>, String), Error> {
    let wrong = |why: &str| Error::Invalid { what: "the list".to_owned(), why: why.to_owned() };
    let mut document: Value = serde_json::from_slice(bytes).map_err(|error| wrong(&error.to_string()))?;
    if let Some(format) = format {
        document["mediaType"] = json!(match format {
            ManifestFormat::Oci => media_type::OCI_INDEX,
            ManifestFormat::Docker => media_type::DOCKER_LIST,
        });
        if format == ManifestFormat::Docker
            && let Some(object) = document.as_object_mut()
        {
            object.remove("annotations");
        }
    }
    let entries = document.get_mut("manifests").and_then(Value::as_array_mut);
    for entry in entries.ok_or_else(|| wrong("it has no \"manifests\""))? {
        let digest: Option<Digest> = entry["digest"].as_str().and_then(|text| text.parse().ok());
        if let Some(now) = digest.and_then(|digest| changed.get(&digest)) {
            entry["mediaType"] = json!(now.media_type);
            entry["digest"] = json!(now.digest);
            entry["size"] = json!(now.size);
        }
        if format == Some(ManifestFormat::Docker)
            && let Some(object) = entry.as_object_mut()
        {
            object.remove("annotations");
        }
    }
    let media_type = document["mediaType"].as_str().unwrap_or(media_type::OCI_INDEX).to_owned();
    Ok((document.to_string().into_bytes(), media_type))
}

/// What a layer is called in a format.
pub(crate) fn media_type(format: ManifestFormat, layer: &str) -> String {
    let foreign = layer.contains("foreign") || layer.contains("nondistributable");
    let compression = if layer.ends_with("gzip") {
        "gzip"
    } else if layer.ends_with("zstd") {
        "zstd"
    } else {
        ""
    };
    match format {
        ManifestFormat::Oci => {
            let kind = if foreign { "nondistributable." } else { "" };
            let joint = if compression.is_empty() { "" } else { "+" };
            format!("application/vnd.oci.image.layer.{kind}v1.tar{joint}{compression}")
        }
        ManifestFormat::Docker => {
            let kind = if foreign { "foreign." } else { "" };
            let joint = if compression.is_empty() { "" } else { "." };
            format!("application/vnd.docker.image.rootfs.{kind}diff.tar{joint}{compression}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{KeptManifest, ManifestFormat, media_type};
    use crate::registry::manifest::parse;
    use crate::types::digest::Digest;
    use crate::types::media_type::{DOCKER_MANIFEST, OCI_MANIFEST};

    #[test]
    fn media_types_of_both_formats() {
        let pairs = [
            ("application/vnd.oci.image.layer.v1.tar", "application/vnd.docker.image.rootfs.diff.tar"),
            ("application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.docker.image.rootfs.diff.tar.gzip"),
            ("application/vnd.oci.image.layer.v1.tar+zstd", "application/vnd.docker.image.rootfs.diff.tar.zstd"),
            (
                "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
                "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
            ),
        ];
        for (oci, docker) in pairs {
            for name in [oci, docker] {
                assert_eq!(media_type(ManifestFormat::Oci, name), oci);
                assert_eq!(media_type(ManifestFormat::Docker, name), docker);
            }
        }
    }

    #[test]
    fn there_and_back() {
        let digest = Digest::of(b"x");
        let text = format!(
            r#"{{"schemaVersion":2,"mediaType":"{OCI_MANIFEST}","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{digest}","size":1}},"layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"{digest}","size":1,"annotations":{{"a":"b"}}}}],"annotations":{{"k":"v"}}}}"#
        );
        let kept = KeptManifest::parse(text.as_bytes(), OCI_MANIFEST).expect("valid");
        assert_eq!(kept.format, ManifestFormat::Oci);
        let (docker, kind) = kept.rewritten(ManifestFormat::Docker, &kept.layers);
        assert_eq!(kind, DOCKER_MANIFEST);
        parse(&docker, Some(kind)).expect("a valid manifest");
        assert!(!String::from_utf8_lossy(&docker).contains("annotations"));
        let (oci, kind) = kept.rewritten(ManifestFormat::Oci, &kept.layers);
        parse(&oci, Some(kind)).expect("a valid manifest");
        let (old, new): (serde_json::Value, serde_json::Value) =
            (serde_json::from_str(&text).expect("JSON"), serde_json::from_slice(&oci).expect("JSON"));
        assert_eq!(old, new);
        let mut layers = kept.layers.clone();
        layers[0].digest = Digest::of(b"y");
        let (changed, _) = kept.rewritten(ManifestFormat::Oci, &layers);
        assert!(!String::from_utf8_lossy(&changed).contains(r#""a":"b""#), "annotations of other bytes");
    }
}
