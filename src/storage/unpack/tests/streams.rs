//! Compression, truncation, digests, labels: A24–A27.

use std::io::Write;
use std::os::fd::AsFd as _;

use super::Ground;
use super::limits::gzip;
use crate::storage::layer_content::Content;
use crate::storage::unpack::tar_builder::{HeaderBuilder, TarBuilder};
use crate::storage::unpack::{Caged, Compression, Error, Flavour, Limits, Plan, Threads, open_archive, unpack};
use crate::sys::descriptor;
use crate::sys::root::RootDir;
use crate::types::digest::{DiffId, Digest};
use crate::types::failure::chain;
use crate::types::idmap::{IdMap, IdMaps};

fn layer() -> Vec<u8> {
    let content: Vec<u8> =
        (0..200_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    TarBuilder::default().dir("d", 0o755).file("d/big", &content).file("small", b"1").symlink("l", "small").end()
}

#[test]
fn all_compressions_give_the_same_layer() {
    let tar = layer();
    let diff_id = DiffId(Digest::of(&tar));
    let zstd = zstd::encode_all(&tar[..], 3).expect("compress");
    for (bytes, compression) in
        [(tar.clone(), Compression::None), (gzip(&tar), Compression::Gzip), (zstd, Compression::Zstd)]
    {
        let ground = Ground::new();
        let unpacked = ground.unpack_with(&bytes, |plan| plan.diff_id = Some(&diff_id)).expect("unpack");
        assert_eq!((unpacked.compression, unpacked.compressed), (compression, bytes.len() as u64));
        assert_eq!((unpacked.diff_id, unpacked.size, unpacked.entries), (diff_id.clone(), 800_001, 5));
        let index = ground.index();
        let big = index.iter().find(|entry| entry.path.as_os_str() == "d/big").expect("big");
        assert_eq!(big.content, Some(Content::of(&ground.read("d/big"))));
    }
}

#[test]
fn a24_nobody_waits_for_the_other() {
    // The tar is refused at its first entry while the other half has megabytes to go, and the writer of the pipe too.
    let (pipe, _filled) = descriptor::pipe().expect("pipe");
    for threads in [Threads::OneUntil(pipe.as_fd()), Threads::Two] {
        refused_at_once(threads);
    }
}

fn refused_at_once(threads: Threads<'_>) {
    let mut tar = TarBuilder::default().file("../x", b"").bytes;
    tar.resize(64 << 20, 1);
    let (reader, mut writer) = std::io::pipe().expect("pipe");
    let feeder = std::thread::spawn(move || writer.write_all(&tar).is_err());
    let ids = IdMaps { uid: IdMap::single(0, 0), gid: IdMap::single(0, 0) };
    let ground = Ground::new();
    let root = RootDir::open(&ground.path("diff")).expect("open");
    let source = std::os::fd::OwnedFd::from(reader).into();
    let plan = Plan { threads, ..Plan::layer(&ids) };
    unpack::<Vec<u8>>(source, &root, None, &plan).expect_err("refused");
    assert!(feeder.join().expect("feeder"), "the feeder got EPIPE");
}

#[test]
fn a25_truncated_blobs_are_refused() {
    let tar = layer();
    let diff_id = DiffId(Digest::of(&tar));
    for bytes in [tar.clone(), gzip(&tar), zstd::encode_all(&tar[..], 3).expect("compress")] {
        for part in 0..16 {
            let cut = bytes.len() * part / 16;
            let result = Ground::new().unpack_with(&bytes[..cut], |plan| plan.diff_id = Some(&diff_id));
            assert!(result.is_err(), "cut at {cut} of {}", bytes.len());
            assert!(Ground::new().unpack(&bytes[..cut]).is_err(), "without a digest: cut at {cut} of {}", bytes.len());
        }
    }
    // No end mark: only a digest can tell that nothing is missing.
    let open = TarBuilder::default().file("x", b"1").bytes;
    assert!(Ground::new().unpack(&open).is_err());
    let diff_id = DiffId(Digest::of(&open));
    Ground::new().unpack_with(&open, |plan| plan.diff_id = Some(&diff_id)).expect("verified");
    // What follows the end mark counts.
    let mut trailing = layer();
    trailing.extend(b"garbage");
    assert_eq!(Ground::new().unpack(&trailing).expect("unpack").diff_id.0, Digest::of(&trailing));
    let mut compressed = gzip(&layer());
    compressed.extend(b"garbage");
    assert!(Ground::new().unpack(&compressed).is_err(), "garbage behind a gzip member");
}

#[test]
fn a26_wrong_diff_id_is_refused() {
    let wrong = DiffId(Digest::of(b"another layer"));
    let error = Ground::new().unpack_with(&layer(), |plan| plan.diff_id = Some(&wrong)).expect_err("refused");
    assert!(chain(&error).contains(&wrong.0.to_string()));
}

#[test]
fn a27_labels_must_agree() {
    let tar = layer();
    let zstd = zstd::encode_all(&tar[..], 3).expect("compress");
    for (bytes, label) in [(&zstd, Compression::Gzip), (&tar, Compression::Gzip), (&gzip(&tar), Compression::None)] {
        let error = Ground::new().unpack_with(bytes, |plan| plan.label = Some(label)).expect_err("refused");
        assert!(chain(&error).contains("labelled"), "{}", chain(&error));
    }
    for magic in [&b"\xfd7zXZ\0rest"[..], b"BZh91AY"] {
        assert!(chain(&Ground::new().unpack(magic).expect_err("refused")).contains("not supported"));
    }
    assert!(Ground::new().unpack(b"plainly no tar").is_err());
    assert!(Ground::new().unpack(b"").is_err());
    for unknown in
        ["application/vnd.oci.image.layer.v1.tar+erofs", "application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "x"]
    {
        assert_eq!(Compression::of_media_type(unknown), None);
    }
}

#[test]
fn plain_tars_know_no_whiteouts() {
    let ground = Ground::new();
    std::fs::create_dir(ground.diff("there")).expect("mkdir");
    std::fs::write(ground.diff("there/kept"), "1").expect("write");
    let plain =
        |tar: Vec<u8>| ground.unpack_with(&tar, |plan| (plan.flavour, plan.overwrite) = (Flavour::Plain, false));
    plain(TarBuilder::default().file(".wh.there", b"1").dir("there", 0o711).file("there/new", b"2").end())
        .expect("unpack");
    assert_eq!(
        (ground.read(".wh.there"), ground.read("there/kept"), ground.read("there/new")),
        (vec![b'1'], vec![b'1'], vec![b'2'])
    );
    plain(TarBuilder::default().file("there", b"1").end()).expect_err("a directory is not replaced by a file");
    assert_eq!(ground.read("there/kept"), b"1");
    plain(TarBuilder::default().dir("there", 0o755).dir("there", 0o755).file("there", b"1").end())
        .expect_err("nor by one that is named before");
    assert_eq!(ground.read("there/kept"), b"1");
    plain(TarBuilder::default().dir("ours", 0o755).file("ours/f", b"1").file("ours", b"2").end()).expect("its own");
    assert_eq!(ground.read("ours"), b"2");
}

/// A tar begins with a name, and that is its maker's.
#[test]
fn a_name_does_not_make_a_plain_tar_a_compressed_one() {
    let mut header = HeaderBuilder::new(b'0', "?", 2);
    header.put(0, &[0x1f, 0x8b, 8, 4]);
    let tar = TarBuilder::default().entry(&header, b"x\n").end();
    let ground = Ground::new();
    ground.unpack_with(&tar, |_layer| ()).expect_err("no gzip");
    ground.unpack_with(&tar, |plan| plan.flavour = Flavour::Plain).expect("a tar");
    let names = std::fs::read_dir(ground.diff("")).expect("list").map(|entry| entry.expect("entry").file_name());
    assert_eq!(names.map(|name| name.as_encoded_bytes().to_vec()).collect::<Vec<_>>(), [[0x1f, 0x8b, 8, 4]]);
}

/// By bzip2 1.0.8, without options: 1,500 lines `N squared is N*N`, then 1,000 zeros.
const LINES: &str = include_str!("lines.bz2.base64");
/// `bzip2 -1` of 250,000 bytes of period 256, byte N being N*N/7: three blocks.
const BLOCKS: &str = include_str!("blocks.bz2.base64");
/// `bzip2 </dev/null`.
const EMPTY: [u8; 14] = [b'B', b'Z', b'h', b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, 0, 0, 0, 0];

fn compressed(base64: &str) -> Vec<u8> {
    use base64::Engine as _;
    let text: String = base64.split_whitespace().collect();
    base64::engine::general_purpose::STANDARD.decode(text).expect("base64")
}

fn archive(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let mut opened = open_archive(std::io::Cursor::new(bytes.to_vec()), Limits::default(), &Caged::not_in_a_test())?;
    let (mut all, mut buffer) = (Vec::new(), vec![0; 4096]);
    loop {
        match opened.next(&mut buffer)? {
            0 => return Ok(all),
            count => all.extend_from_slice(&buffer[..count]),
        }
    }
}

fn lines() -> Vec<u8> {
    let mut text: String = (0..1500_u32).map(|n| format!("{n} squared is {}\n", n * n)).collect();
    text.push_str(&"\0".repeat(1000));
    text.into_bytes()
}

#[test]
fn archives_in_bzip2_are_read() {
    let blocks: Vec<u8> =
        (0..250_000_u32).map(|n| u8::try_from((n % 256) * (n % 256) / 7 % 256).expect("a byte")).collect();
    assert!(archive(&compressed(LINES)).expect("lines") == lines());
    assert!(archive(&compressed(BLOCKS)).expect("blocks") == blocks);
    assert_eq!(archive(&EMPTY).expect("empty"), b"");
    let joined = [compressed(LINES), EMPTY.to_vec(), compressed(BLOCKS), compressed(LINES)].concat();
    assert!(archive(&joined).expect("joined") == [lines(), blocks, lines()].concat());
}

#[test]
fn a23_damaged_bzip2_is_told() {
    let good = compressed(LINES);
    for cut in (0..good.len()).step_by(97).chain([good.len() - 1]).filter(|cut| *cut > 3) {
        assert!(archive(&good[..cut]).is_err(), "cut at {cut}");
    }
    // After the largest size of a block, which may be larger than needed.
    for at in (4..good.len() - 1).step_by(13) {
        let mut changed = good.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(archive(&changed).is_err(), "byte {at} changed");
    }
    assert!(archive(&[&good[..], b"rest"].concat()).is_err(), "garbage");
}
