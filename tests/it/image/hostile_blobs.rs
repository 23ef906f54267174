//! Section A of the catalogue of bad input, the cases about whole layers (A23–A27), through all doors: `pull`, `load` of
//! both archives, `import`. Nothing of them stays.

use serde_json::{Value, json};

use super::hostile::tree_of;
use super::peer::{Answer, Peer};
use crate::harness::image::{Layer, noise, sha256};
use crate::harness::{Env, requires};

/// A layer as it comes, and as what.
#[derive(Clone)]
struct Blob {
    bytes: Vec<u8>,
    media_type: String,
    /// What the manifest says; the true ones if not set.
    digest: Option<String>,
    size: Option<usize>,
}

/// An image, the ways in by which it must be refused, and why.
struct Case {
    name: String,
    layers: Vec<Blob>,
    diff_ids: Vec<String>,
    doors: &'static [&'static str],
    why: &'static str,
}

const ALL: &[&str] = &["pull", "oci", "docker", "import"];
/// Ways in where somebody says what a layer is.
const DESCRIBED: &[&str] = &["pull", "oci"];
/// An import has no configuration that could be wrong.
const CONFIGURED: &[&str] = &["pull", "oci", "docker"];

fn id(bytes: &[u8]) -> String {
    format!("sha256:{}", sha256(bytes))
}

fn blob(bytes: Vec<u8>, suffix: &str) -> Blob {
    let media_type = format!("application/vnd.oci.image.layer.v1.tar{suffix}");
    Blob { bytes, media_type, digest: None, size: None }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, bytes).unwrap();
    gzip.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

/// A tar whose one file has 300 MiB of zeros, in 20 kB.
fn bomb() -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_path("zeros").unwrap();
    header.set_mode(0o644);
    header.set_size(300 << 20);
    header.set_cksum();
    let zeros = zstd(&vec![0; 1 << 20]);
    [zstd(header.as_bytes()), zeros.repeat(300)].concat()
}

fn cases() -> Vec<Case> {
    let tar = Layer::new().dir("d", 0o755).file("d/f", 0o644, &noise(7, 20_000)).finish();
    let (packed, other) = (gzip(&tar), Layer::new().file("other", 0o644, b"x").finish());
    let one = |name: &str, layer: Blob, doors: &'static [&'static str], why: &'static str| Case {
        name: name.to_owned(),
        layers: vec![layer],
        diff_ids: vec![id(&tar)],
        doors,
        why,
    };
    let mut cases = vec![one("a23 bomb", blob(bomb(), "+zstd"), ALL, "decompression bomb")];
    // The first entry is refused while the other end has megabytes to give.
    let mut dots = tar::Header::new_gnu();
    dots.as_mut_bytes()[..4].copy_from_slice(b"../x");
    dots.set_size(0);
    let long = Layer::new().raw(dots, b"").file("long", 0o644, &noise(1, 16 << 20)).finish();
    cases.push(one("a24 plain", blob(long.clone(), ""), ALL, "leads out of the layer"));
    cases.push(one("a24 gzip", blob(gzip(&long), "+gzip"), ALL, "leads out of the layer"));
    for (form, bytes, suffix) in
        [("plain", tar.clone(), ""), ("gzip", packed.clone(), "+gzip"), ("zstd", zstd(&tar), "+zstd")]
    {
        for cut in [bytes.len() / 3, bytes.len() - 1500, bytes.len() - 1] {
            if form == "plain" && cut > bytes.len() - 1500 {
                continue;
            }
            cases.push(one(&format!("a25 {form} cut at {cut}"), blob(bytes[..cut].to_vec(), suffix), ALL, ""));
        }
    }
    cases.push(one("a25 garbage behind gzip", blob([&packed[..], b"garbage"].concat(), "+gzip"), ALL, "decompress"));
    let truth = || blob(packed.clone(), "+gzip");
    cases.push(one("a26 digest", Blob { digest: Some(id(b"other")), ..truth() }, DESCRIBED, ""));
    cases.push(one("a26 size + 1", Blob { size: Some(packed.len() + 1), ..truth() }, DESCRIBED, ""));
    cases.push(one("a26 size - 1", Blob { size: Some(packed.len() - 1), ..truth() }, DESCRIBED, ""));
    let ids = |name: &str, layers: Vec<Blob>, diff_ids: Vec<String>| Case {
        name: name.to_owned(),
        layers,
        diff_ids,
        doors: CONFIGURED,
        why: "",
    };
    cases.push(ids("a26 diff id", vec![truth()], vec![id(b"other")]));
    cases.push(ids("a26 too few diff ids", vec![truth(), blob(gzip(&other), "+gzip")], vec![id(&tar)]));
    cases.push(ids("a26 too many diff ids", vec![truth()], vec![id(&tar), id(&other)]));
    cases.push(ids("a26 order", vec![truth(), blob(gzip(&other), "+gzip")], vec![id(&other), id(&tar)]));
    for (name, bytes, suffix) in [
        ("zstd as gzip", zstd(&tar), "+gzip"),
        ("plain as gzip", tar.clone(), "+gzip"),
        ("gzip as plain", packed.clone(), ""),
        ("gzip as zstd", packed.clone(), "+zstd"),
        ("erofs", packed.clone(), "+erofs"),
        ("encrypted", packed.clone(), "+gzip+encrypted"),
        ("unknown", packed.clone(), "+new"),
    ] {
        cases.push(one(&format!("a27 {name}"), blob(bytes, suffix), DESCRIBED, ""));
    }
    for (name, magic) in [("xz", &b"\xfd7zXZ\0"[..]), ("bzip2", b"BZh91AY&SY"), ("lz4", b"\x04\x22\x4d\x18")] {
        let bytes = [magic, &noise(3, 2000)].concat();
        cases.push(one(&format!("a27 {name}"), blob(bytes.clone(), ""), DESCRIBED, "not supported"));
        cases.push(one(&format!("a27 {name} in a docker archive"), blob(bytes.clone(), ""), &["docker"], "sha256:"));
        cases.push(one(&format!("a27 damaged {name}"), blob(bytes, ""), &["import"], ""));
    }
    cases
}

/// The documents of the image.
fn documents(case: &Case) -> (Vec<u8>, Value) {
    let config = json!({
        "architecture": if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" }, "os": "linux", "config": {},
        "rootfs": {"type": "layers", "diff_ids": case.diff_ids},
    });
    let config = serde_json::to_vec(&config).unwrap();
    let layers: Vec<Value> = case
        .layers
        .iter()
        .map(|layer| {
            let digest = layer.digest.clone().unwrap_or_else(|| id(&layer.bytes));
            json!({"mediaType": layer.media_type, "digest": digest, "size": layer.size.unwrap_or(layer.bytes.len())})
        })
        .collect();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": id(&config), "size": config.len()},
        "layers": layers,
    });
    (config, manifest)
}

/// The blobs by the digests that they are asked for with.
fn blobs(case: &Case, config: &[u8]) -> Vec<(String, Vec<u8>)> {
    let layers =
        case.layers.iter().map(|layer| (layer.digest.clone().unwrap_or_else(|| id(&layer.bytes)), layer.bytes.clone()));
    layers.chain([(id(config), config.to_vec())]).collect()
}

fn oci_archive(case: &Case) -> Vec<u8> {
    let (config, manifest) = documents(case);
    let manifest = serde_json::to_vec(&manifest).unwrap();
    let index = json!({"schemaVersion": 2, "manifests": [{
        "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": id(&manifest), "size": manifest.len(),
        "annotations": {"org.opencontainers.image.ref.name": "evil:1"},
    }]});
    let tar = Layer::new().file("oci-layout", 0o644, br#"{"imageLayoutVersion":"1.0.0"}"#).file(
        "index.json",
        0o644,
        &serde_json::to_vec(&index).unwrap(),
    );
    let all = blobs(case, &config).into_iter().chain([(id(&manifest), manifest)]);
    all.fold(tar, |tar, (digest, bytes)| tar.file(&format!("blobs/{}", digest.replace(':', "/")), 0o644, &bytes))
        .finish()
}

fn docker_archive(case: &Case) -> Vec<u8> {
    let (config, _) = documents(case);
    let names: Vec<String> = (0..case.layers.len()).map(|at| format!("{at}/layer.tar")).collect();
    let manifest = json!([{"Config": "config.json", "RepoTags": ["evil:1"], "Layers": names}]);
    let tar = Layer::new().file("config.json", 0o644, &config);
    let tar = names.iter().zip(&case.layers).fold(tar, |tar, (name, layer)| tar.file(name, 0o644, &layer.bytes));
    tar.file("manifest.json", 0o644, &serde_json::to_vec(&manifest).unwrap()).finish()
}

fn peer(case: &Case) -> Peer {
    let (config, manifest) = documents(case);
    let bytes = serde_json::to_vec(&manifest).unwrap();
    let mut answers: std::collections::BTreeMap<_, _> = blobs(case, &config)
        .into_iter()
        .map(|(digest, bytes)| (format!("/v2/web/blobs/{digest}"), Answer::Body(bytes)))
        .collect();
    answers.insert("/v2/web/manifests/1".to_owned(), Answer::Body(bytes));
    Peer::start(answers)
}

#[test]
fn section_a_whole_layers_through_all_doors() {
    requires!(userns);
    let env = Env::new();
    let sentinel = env.path("sentinel");
    std::fs::create_dir_all(sentinel.join("sub")).unwrap();
    std::fs::write(sentinel.join("f"), "untouched").unwrap();
    let before = tree_of(&sentinel);
    for case in cases() {
        for door in case.doors {
            let at = format!("{}, {door}", case.name);
            let output = match *door {
                "pull" => env.run(["pull", "-q", "--tls-verify=false", "--retry=0", &peer(&case).name()]),
                // From a pipe, whose other end must not wait for us.
                "oci" => env.command(["load", "-q"]).stdin(oci_archive(&case)).run(),
                "docker" => {
                    let path = env.write("docker.tar", docker_archive(&case));
                    env.run(["load", "-q", "-i", path.to_str().unwrap()])
                }
                _ => env.command(["import", "-q", "-", "evil:1"]).stdin(case.layers[0].bytes.clone()).run(),
            };
            assert_eq!(output.exit_code(), Some(125), "{at}: {output}");
            assert!(output.stderr().contains(case.why), "{at}: {output}");
            let told = output.stderr().lines().filter(|line| line.starts_with("Error: ")).count();
            assert!(told == 1 && !output.stderr().contains("panicked"), "{at}: {output}");
            for dir in ["images", "refs", "layers", "blobs/sha256", "staging", "trash"] {
                let left: Vec<_> =
                    std::fs::read_dir(env.graphroot().join(dir)).into_iter().flatten().flatten().collect();
                assert!(left.is_empty(), "{at}: {dir}: {left:?}");
            }
            assert_eq!(before, tree_of(&sentinel), "{at}: the sentinel has changed");
        }
    }
    env.run(["system", "check"]).success();
}
