//! Archives of images, good and hostile (cases B02, B04, B17).
#![expect(clippy::disallowed_methods, reason = "tests write archives with the standard library")]

use std::io::Write;

use super::Archive;
use super::archived::ArchivedImage;
use crate::registry::error::Error;
use crate::registry::session::BlobSink;
use crate::types::digest::Digest;
use crate::types::platform::Platform;

/// A tar of these files; a name with `->` is a symbolic link.
fn tar(files: &[(&str, &[u8])]) -> Archive {
    let mut builder = tar::Builder::new(tempfile::tempfile().expect("temporary file"));
    for (name, content) in files {
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o644);
        if let Some((name, target)) = name.split_once("->") {
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_size(0);
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
        } else {
            header.set_size(content.len() as u64);
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        }
        header.set_cksum();
        builder.append(&header, if name.contains("->") { &b""[..] } else { *content }).expect("append");
    }
    let mut file = builder.into_inner().expect("finish");
    file.flush().expect("flush");
    Archive::from_tar(file, "test.tar").expect("index")
}

struct Buffer(Vec<u8>);

impl BlobSink for Buffer {
    fn write(&mut self, bytes: &[u8]) -> crate::sys::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

fn images(archive: &mut Archive) -> Result<Vec<ArchivedImage>, Error> {
    let form = archive.form()?;
    let mut images = archive.images(form, &Platform::new("linux", "amd64", None))?;
    match images.iter().position(|image| image.image.is_err()) {
        Some(broken) => Err(images.swap_remove(broken).image.expect_err("broken")),
        None => Ok(images),
    }
}

fn config_of(layers: &[&[u8]]) -> Vec<u8> {
    let ids: Vec<String> = layers.iter().map(|layer| Digest::of(layer).to_string()).collect();
    serde_json::json!({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": ids}})
        .to_string()
        .into_bytes()
}

#[test]
fn docker_archive_with_linked_layers() {
    let layer = vec![7_u8; 3000];
    let config = config_of(&[&layer, &layer, &layer]);
    let list =
        br#"[{"Config": "c.json", "RepoTags": ["debian:1"], "Layers": ["a/layer.tar", "b/layer.tar", "./a/../d/l"]}]"#;
    let mut archive = tar(&[
        ("a/layer.tar", &layer),
        ("b/layer.tar->../a/layer.tar", b""),
        ("d/l->../b/layer.tar", b""),
        ("c.json", &config),
        ("manifest.json", list),
    ]);
    let images = images(&mut archive).expect("images");
    assert_eq!((images.len(), images[0].names.as_slice()), (1, &["debian:1".to_owned()][..]));
    let image = images[0].image.as_ref().expect("whole");
    assert_eq!(image.manifest_digest, Digest::of(&image.manifest_bytes));
    for (descriptor, diff_id) in image.layers() {
        assert_eq!((&descriptor.digest, descriptor.size), (&diff_id.0, 3000));
        let mut blob = Buffer(Vec::new());
        archive.blob(descriptor, &mut blob).expect("blob");
        assert_eq!(blob.0, layer);
    }
    assert!(crate::registry::parse_manifest(&image.manifest_bytes, None).is_ok());
}

#[test]
fn names_of_the_older_list() {
    let config = config_of(&[]);
    let list = br#"[{"Config": "c.json", "RepoTags": null, "Layers": []}]"#;
    let repositories = br#"{"me/app": {"2": "x"}}"#;
    let mut archive = tar(&[("c.json", &config), ("manifest.json", list), ("repositories", repositories)]);
    assert_eq!(images(&mut archive).expect("images")[0].names, ["me/app:2"]);
}

#[test]
fn b17_members_outside_are_not_found() {
    let config = config_of(&[b"x"]);
    for path in ["../etc/passwd", "/etc/passwd", "a/../../etc/passwd", "link", "loop", "fifo", ""] {
        let list = format!(r#"[{{"Config": "c.json", "RepoTags": [], "Layers": [{path:?}]}}]"#);
        let mut archive = tar(&[
            ("c.json", &config),
            ("link->/etc/passwd", b""),
            ("loop->loop", b""),
            ("manifest.json", list.as_bytes()),
        ]);
        let error = images(&mut archive).expect_err(path);
        assert!(error.to_string().contains("missing"), "{path}: {error}");
    }
    let huge = vec![b' '; 5 << 20];
    assert!(matches!(images(&mut tar(&[("manifest.json", &huge)])), Err(Error::TooLarge { .. })));
    assert!(images(&mut tar(&[("x", b"")])).expect_err("nothing").to_string().contains("neither"));
}

#[test]
fn b17_layout_directories_hold_regular_files() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let at = |name: &str| dir.path().join(name);
    std::fs::create_dir_all(at("blobs/sha256")).expect("mkdir");
    std::fs::write(at("oci-layout"), r#"{"imageLayoutVersion": "1.0.0"}"#).expect("write");
    let put = |bytes: &[u8]| {
        let digest = Digest::of(bytes);
        std::fs::write(at(&format!("blobs/sha256/{}", digest.hex())), bytes).expect("write");
        digest
    };
    let config = config_of(&[b"layer"]);
    let (config_digest, layer) = (put(&config), put(b"layer"));
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config_digest.to_string(), "size": config.len()},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": layer.to_string(), "size": 5}],
    })
    .to_string();
    let manifest_digest = put(manifest.as_bytes());
    let nested = |digest: &Digest, size: usize| {
        serde_json::json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [{"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest.to_string(), "size": size,
                "platform": {"os": "linux", "architecture": "amd64"},
                "annotations": {"org.opencontainers.image.ref.name": "debian:1"}}],
        })
    };
    std::fs::write(at("index.json"), nested(&manifest_digest, manifest.len()).to_string()).expect("write");
    let load = || Archive::from_dir(dir.path()).and_then(|mut archive| images(&mut archive));
    let loaded = load().expect("images");
    assert_eq!(
        (loaded[0].names.as_slice(), &loaded[0].image.as_ref().expect("whole").manifest_digest),
        (&["debian:1".to_owned()][..], &manifest_digest)
    );

    std::fs::write(at("index.json"), nested(&manifest_digest, manifest.len() + 1).to_string()).expect("write");
    assert!(matches!(load(), Err(Error::WrongSize { .. })));
    std::fs::write(at("index.json"), nested(&manifest_digest, manifest.len()).to_string()).expect("write");
    let path = at(&format!("blobs/sha256/{}", config_digest.hex()));
    std::fs::rename(&path, at("elsewhere")).expect("rename");
    std::os::unix::fs::symlink(at("elsewhere"), &path).expect("symlink");
    load().expect_err("a blob is no link");
    std::fs::remove_file(&path).expect("unlink");
    std::fs::write(&path, config.iter().rev().copied().collect::<Vec<_>>()).expect("write");
    assert!(matches!(load(), Err(Error::WrongDigest { .. })));
}

#[test]
fn b17_plain_directories_hold_regular_files() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let at = |name: &str| dir.path().join(name);
    let config = config_of(&[b"layer"]);
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "digest": Digest::of(&config).to_string(), "size": config.len()},
        "layers": [{"mediaType": "application/vnd.docker.image.rootfs.diff.tar", "digest": Digest::of(b"layer").to_string(), "size": 5}],
    })
    .to_string();
    let load =
        || Archive::from_dir(dir.path()).and_then(|mut archive| images(&mut archive).map(|found| (archive, found)));
    std::fs::write(at("manifest.json"), &manifest).expect("write");
    load().expect_err("without a version it is what docker save writes, and that is a list");
    std::fs::write(at("version"), "Directory Transport Version: 1.1\n").expect("write");
    let name = Digest::of(&config).hex();
    std::fs::write(at(&name), &config).expect("write");
    std::fs::write(at(&Digest::of(b"layer").hex()), b"layer").expect("write");
    let (archive, found) = load().expect("images");
    assert_eq!((found.len(), found[0].names.len()), (1, 0));
    assert_eq!(found[0].image.as_ref().expect("whole").manifest_digest, Digest::of(manifest.as_bytes()));
    let mut blob = Buffer(Vec::new());
    archive.blob(&found[0].image.as_ref().expect("whole").manifest.layers[0], &mut blob).expect("blob");
    assert_eq!(blob.0, b"layer");

    for place in ["manifest.json", name.as_str()] {
        let (path, kept) = (at(place), at("kept"));
        std::fs::rename(&path, &kept).expect("rename");
        std::os::unix::fs::symlink(&kept, &path).expect("symlink");
        load().expect_err("no links are followed");
        std::fs::remove_file(&path).expect("unlink");
        std::fs::create_dir(&path).expect("mkdir");
        load().expect_err("a directory is no blob");
        std::fs::remove_dir(&path).expect("rmdir");
        let own = crate::sys::dir::Dir::open(dir.path()).expect("opened");
        own.mkfifo(std::ffi::OsStr::new(place), 0o644).expect("mkfifo");
        load().expect_err("a pipe is no blob, and nobody waits for it");
        std::fs::remove_file(&path).expect("unlink");
        std::fs::rename(&kept, &path).expect("rename");
    }
    load().expect("everything is back");
}
