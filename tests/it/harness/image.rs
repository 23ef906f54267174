//! Images made by code, without a network: a busybox root, and archives of any layers one likes.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Name under which `Env::with_busybox` imports the busybox root.
pub(crate) const BUSYBOX: &str = "localhost/busybox:1";

/// Where fixtures are cached: `.ci/setup` makes it.
fn cache() -> PathBuf {
    std::env::var_os("SAMPAN_TEST_CACHE").map_or_else(|| PathBuf::from("/var/cache/sampan-test"), PathBuf::from)
}

/// Tar of a root file system with busybox and a link per applet; made once per test program.
pub(crate) fn busybox_tar() -> &'static Path {
    static TAR: OnceLock<PathBuf> = OnceLock::new();
    TAR.get_or_init(|| {
        let bytes = busybox_layer().finish();
        let name = format!("busybox-{}.tar", &sha256(&bytes)[..16]);
        let dir = if std::fs::metadata(cache()).is_ok() { cache() } else { std::env::temp_dir() };
        let path = dir.join(&name);
        if !path.exists() {
            let dir = if File::create(dir.join(".probe")).is_ok() { dir } else { std::env::temp_dir() };
            let temporary = dir.join(format!("{name}.{}", std::process::id()));
            std::fs::write(&temporary, bytes).unwrap();
            std::fs::rename(&temporary, dir.join(&name)).unwrap();
            return dir.join(name);
        }
        path
    })
}

/// Tar of a Debian 12 minbase, made by `.ci/fixtures`.
pub(crate) fn debian_tar() -> Result<PathBuf, String> {
    fixture("debian.tar")
}

/// Tar of a Debian 12 with nginx, PostgreSQL and OpenSSH, made by `.ci/fixtures`.
pub(crate) fn services_tar() -> Result<PathBuf, String> {
    fixture("services.tar")
}

fn fixture(name: &str) -> Result<PathBuf, String> {
    let path = cache().join(name);
    if path.exists() { Ok(path) } else { Err(format!("{} is not there: run .ci/fixtures as root", path.display())) }
}

/// The static busybox of the host.
pub(crate) fn busybox() -> &'static str {
    let found = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|path| Path::new(path).exists());
    found.expect("busybox-static is installed (.ci/setup)")
}

/// The busybox root as a layer: applets, users, an empty `/tmp`, `/root`, `/proc`, `/sys`, `/dev`.
pub(crate) fn busybox_layer() -> Layer {
    let busybox = busybox();
    let list = std::process::Command::new(busybox).arg("--list").output().unwrap();
    let mut layer = Layer::new();
    for (dir, mode) in [("bin", 0o755), ("dev", 0o755), ("etc", 0o755), ("proc", 0o555), ("sys", 0o555), ("var", 0o755)]
    {
        layer = layer.dir(dir, mode);
    }
    layer = layer.dir("root", 0o700).dir("tmp", 0o1777).dir("home", 0o755).dir("run", 0o755).dir("usr", 0o755);
    layer = layer.dir("usr/bin", 0o755).file("bin/busybox", 0o755, &std::fs::read(busybox).unwrap());
    for applet in String::from_utf8_lossy(&list.stdout).lines().filter(|applet| *applet != "busybox") {
        layer = layer.symlink(&format!("bin/{applet}"), "busybox");
    }
    layer
        .symlink("usr/bin/env", "../../bin/busybox")
        .file(
            "etc/passwd",
            0o644,
            b"root:x:0:0:root:/root:/bin/sh\nbin:x:1:1:bin:/bin:/bin/false\nuser:x:1000:1000:A User:/home:/bin/sh\n",
        )
        .file("etc/group", 0o644, b"root:x:0:\nbin:x:1:\nuser:x:1000:\nstaff:x:50:user\n")
        .file("etc/os-release", 0o644, b"NAME=busybox\nID=busybox\n")
}

/// How a layer lies in an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    Plain,
    Gzip,
    Zstd,
}

/// A layer being written, entry by entry, as a tar (times 0, owner 0:0 unless said otherwise).
pub(crate) struct Layer {
    tar: tar::Builder<Vec<u8>>,
}

impl std::fmt::Debug for Layer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Layer").field("bytes", &self.tar.get_ref().len()).finish()
    }
}

impl Layer {
    pub(crate) fn new() -> Self {
        Self { tar: tar::Builder::new(Vec::new()) }
    }

    pub(crate) fn dir(self, path: &str, mode: u32) -> Self {
        self.entry(tar::EntryType::Directory, path, mode, &[])
    }

    pub(crate) fn file(self, path: &str, mode: u32, bytes: &[u8]) -> Self {
        self.entry(tar::EntryType::Regular, path, mode, bytes)
    }

    pub(crate) fn symlink(mut self, path: &str, target: &str) -> Self {
        let mut header = header(tar::EntryType::Symlink, 0o777, 0);
        self.tar.append_link(&mut header, path, target).unwrap();
        self
    }

    pub(crate) fn hardlink(mut self, path: &str, target: &str) -> Self {
        let mut header = header(tar::EntryType::Link, 0o644, 0);
        self.tar.append_link(&mut header, path, target).unwrap();
        self
    }

    /// `.wh.NAME`: the lower layers' file is gone.
    pub(crate) fn whiteout(self, path: &str) -> Self {
        let path = Path::new(path);
        let name = format!(".wh.{}", path.file_name().unwrap().to_string_lossy());
        self.file(&path.with_file_name(name).to_string_lossy(), 0o644, &[])
    }

    /// `.wh..wh..opq`: the lower layers' directory is empty.
    pub(crate) fn opaque(self, dir: &str) -> Self {
        self.file(&format!("{dir}/.wh..wh..opq"), 0o644, &[])
    }

    pub(crate) fn owned(mut self, path: &str, mode: u32, uid: u64, gid: u64, bytes: &[u8]) -> Self {
        let mut header = header(tar::EntryType::Regular, mode, bytes.len());
        header.set_uid(uid);
        header.set_gid(gid);
        self.tar.append_data(&mut header, path, bytes).unwrap();
        self
    }

    /// PAX records (`SCHILY.xattr.user.x`, …) for the entry that follows.
    pub(crate) fn pax(mut self, records: &[(&str, &[u8])]) -> Self {
        self.tar.append_pax_extensions(records.iter().copied()).unwrap();
        self
    }

    /// Any header and data: hostile archives. The checksum is set here.
    pub(crate) fn raw(mut self, mut header: tar::Header, bytes: &[u8]) -> Self {
        header.set_cksum();
        self.tar.append(&header, bytes).unwrap();
        self
    }

    /// The plain tar.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.tar.into_inner().unwrap()
    }

    fn entry(mut self, kind: tar::EntryType, path: &str, mode: u32, bytes: &[u8]) -> Self {
        let mut header = header(kind, mode, bytes.len());
        self.tar.append_data(&mut header, path, bytes).unwrap();
        self
    }
}

fn header(kind: tar::EntryType, mode: u32, size: usize) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size as u64);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}

/// An image to be written as an archive or a layout.
#[derive(Debug)]
pub(crate) struct ImageBuilder {
    layers: Vec<Vec<u8>>,
    compression: Compression,
    config: Value,
    steps: Vec<String>,
}

impl ImageBuilder {
    /// No layer, and the config of `FROM scratch`.
    pub(crate) fn scratch() -> Self {
        let config =
            json!({"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], "Cmd": ["/bin/sh"]});
        Self { layers: Vec::new(), compression: Compression::Plain, config, steps: Vec::new() }
    }

    /// One layer with busybox.
    pub(crate) fn busybox() -> Self {
        Self::scratch().layer(busybox_layer())
    }

    pub(crate) fn layer(self, layer: Layer) -> Self {
        self.layer_tar(layer.finish())
    }

    /// A layer that is already a tar, or is meant not to be one.
    pub(crate) fn layer_tar(mut self, tar: Vec<u8>) -> Self {
        self.layers.push(tar);
        self
    }

    pub(crate) fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Sets a field of the container config: `("Entrypoint", json!(["/bin/echo"]))`.
    pub(crate) fn config(mut self, name: &str, value: Value) -> Self {
        self.config[name] = value;
        self
    }

    /// A step of the history after the layers, without one of its own: `LABEL k=v`.
    pub(crate) fn step(mut self, text: &str) -> Self {
        self.steps.push(text.to_owned());
        self
    }

    /// The image config (whose digest is the image id) as bytes.
    pub(crate) fn image_config(&self) -> Vec<u8> {
        let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
        let diff_ids: Vec<_> = self.layers.iter().map(|layer| format!("sha256:{}", sha256(layer))).collect();
        let created = "2024-01-01T00:00:00Z";
        let layers = (0..self.layers.len()).map(|at| json!({"created": created, "created_by": format!("layer {at}")}));
        let steps = self.steps.iter().map(|step| json!({"created": created, "created_by": step, "empty_layer": true}));
        let history: Vec<_> = layers.chain(steps).collect();
        let config = json!({
            "created": "2024-01-01T00:00:00Z", "architecture": architecture, "os": "linux", "config": self.config,
            "rootfs": {"type": "layers", "diff_ids": diff_ids}, "history": history,
        });
        serde_json::to_vec(&config).unwrap()
    }

    /// `docker save`'s form, with this tag.
    pub(crate) fn docker_archive(&self, path: &Path, tag: &str) {
        let config = self.image_config();
        let config_name = format!("{}.json", sha256(&config));
        let names: Vec<_> = self.layers.iter().map(|layer| format!("{}/layer.tar", sha256(layer))).collect();
        let manifest = json!([{"Config": config_name, "RepoTags": [tag], "Layers": names}]);
        let mut tar = Layer::new().file(&config_name, 0o644, &config);
        for (name, layer) in names.iter().zip(&self.layers) {
            tar = tar.file(name, 0o644, &self.pack(layer));
        }
        std::fs::write(path, tar.file("manifest.json", 0o644, &serde_json::to_vec(&manifest).unwrap()).finish())
            .unwrap();
    }

    /// An OCI layout in a directory, with this tag.
    pub(crate) fn oci_dir(&self, path: &Path, tag: &str) {
        for (name, bytes) in self.oci_files(tag) {
            let file = path.join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, bytes).unwrap();
        }
    }

    /// An OCI layout in a tar, with this tag.
    pub(crate) fn oci_archive(&self, path: &Path, tag: &str) {
        let files = self.oci_files(tag).into_iter();
        let tar = files.fold(Layer::new(), |tar, (name, bytes)| tar.file(&name, 0o644, &bytes));
        std::fs::write(path, tar.finish()).unwrap();
    }

    /// Name and bytes of every file of an OCI layout.
    pub(crate) fn oci_files(&self, tag: &str) -> Vec<(String, Vec<u8>)> {
        let suffix = match self.compression {
            Compression::Plain => "",
            Compression::Gzip => "+gzip",
            Compression::Zstd => "+zstd",
        };
        let media = |kind: &str| format!("application/vnd.oci.image.{kind}");
        let mut files = Vec::new();
        let mut blob = |kind: String, bytes: Vec<u8>| {
            let descriptor =
                json!({"mediaType": kind, "digest": format!("sha256:{}", sha256(&bytes)), "size": bytes.len()});
            files.push((format!("blobs/sha256/{}", sha256(&bytes)), bytes));
            descriptor
        };
        let config = blob(media("config.v1+json"), self.image_config());
        let layers: Vec<_> =
            self.layers.iter().map(|layer| blob(media(&format!("layer.v1.tar{suffix}")), self.pack(layer))).collect();
        let manifest =
            json!({"schemaVersion": 2, "mediaType": media("manifest.v1+json"), "config": config, "layers": layers});
        let mut descriptor = blob(media("manifest.v1+json"), serde_json::to_vec(&manifest).unwrap());
        descriptor["annotations"] = json!({"org.opencontainers.image.ref.name": tag});
        let index = json!({"schemaVersion": 2, "mediaType": media("index.v1+json"), "manifests": [descriptor]});
        files.push(("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()));
        files.push(("index.json".to_owned(), serde_json::to_vec(&index).unwrap()));
        files
    }

    fn pack(&self, layer: &[u8]) -> Vec<u8> {
        match self.compression {
            Compression::Plain => layer.to_vec(),
            Compression::Gzip => {
                let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                gzip.write_all(layer).unwrap();
                gzip.finish().unwrap()
            }
            Compression::Zstd => zstd::encode_all(layer, 1).unwrap(),
        }
    }
}

/// A header with a name and a link of any bytes, which no checked setter would take.
pub(crate) fn raw_header(kind: tar::EntryType, mode: u32, name: &[u8], link: &[u8], size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    let old = header.as_old_mut();
    old.name[..name.len()].copy_from_slice(name);
    old.linkname[..link.len()].copy_from_slice(link);
    header
}

/// Bytes that no compression makes smaller.
pub(crate) fn noise(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    std::iter::repeat_with(next).flatten().take(count).collect()
}

/// Hexadecimal digest.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
