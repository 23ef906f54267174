//! Sparse files, sizes, malformed headers, bombs: A17–A19, A23, A28.

use std::io::Write;
use std::os::unix::fs::MetadataExt;

use super::{Ground, limits};
use crate::storage::unpack::tar_builder::{HeaderBuilder, TarBuilder};
use crate::types::failure::chain;

/// An old GNU sparse header with up to four runs.
fn gnu_sparse(name: &str, real: u64, runs: &[(u64, u64)], more: bool) -> HeaderBuilder {
    let mut header = HeaderBuilder::new(b'S', name, runs.iter().map(|run| run.1).sum());
    header.put(257, b"ustar  \0");
    for (slot, (offset, length)) in runs.iter().enumerate() {
        header.octal(386 + slot * 24, 12, *offset).octal(398 + slot * 24, 12, *length);
    }
    header.block[482] = u8::from(more);
    header.octal(483, 12, real);
    header
}

#[test]
fn sparse_files_keep_their_holes() {
    let ground = Ground::new();
    let map = b"2\n1048576\n3\n4194304\n0\n";
    let mut content = map.to_vec();
    content.resize(512, 0);
    content.extend(b"abc");
    let tar = TarBuilder::default()
        .entry(&gnu_sparse("old", 8 << 20, &[(0, 2), (4 << 20, 3)], false), b"xyabc")
        .pax(&[
            ("GNU.sparse.major", b"1"),
            ("GNU.sparse.minor", b"0"),
            ("GNU.sparse.name", b"new"),
            ("GNU.sparse.realsize", b"4194304"),
        ])
        .file("GNUSparseFile.0/new", &content)
        .pax(&[("GNU.sparse.size", b"2097152"), ("GNU.sparse.map", b"1048576,3"), ("GNU.sparse.name", b"mid")])
        .file("GNUSparseFile.0/mid", b"abc")
        .file("after", b"still in step")
        .end();
    ground.unpack(&tar).unwrap_or_else(|error| panic!("{}", chain(&error)));
    for (name, length, at) in [("old", 8 << 20, 4 << 20), ("new", 4 << 20, 1 << 20), ("mid", 2 << 20, 1 << 20)] {
        let content = ground.read(name);
        assert_eq!((content.len(), &content[at..at + 3]), (length, &b"abc"[..]), "{name}");
        assert!(std::fs::metadata(ground.diff(name)).expect("stat").blocks() < 256, "{name} has holes");
        let entry = ground.index().into_iter().find(|entry| entry.path.as_os_str() == name).expect("entry");
        assert_eq!(entry.content, Some(crate::storage::layer_content::Content::of(&content)), "{name}");
    }
    assert_eq!(ground.read("after"), b"still in step");
}

/// Many headers promise more zeros together than are worth the time.
#[test]
fn a17_holes_are_hashed_up_to_a_bound() {
    let ground = Ground::new();
    let sparse = |name: &str| gnu_sparse(name, 3 << 20, &[(0, 1)], false);
    let tar = TarBuilder::default().entry(&sparse("a"), b"x").entry(&sparse("b"), b"x").entry(&sparse("c"), b"x").end();
    ground.unpack_with(&tar, |plan| plan.limits.holes = 7 << 20).expect("unpack");
    let hashed: Vec<bool> = ["a", "b", "c"]
        .iter()
        .map(|name| ground.index().iter().any(|entry| entry.path.as_os_str() == *name && entry.content.is_some()))
        .collect();
    assert_eq!(hashed, [true, true, false]);
    assert_eq!(ground.read("c").len(), 3 << 20);
}

#[test]
fn a17_sparse_bombs_are_refused() {
    let mut many = TarBuilder::default().entry(&gnu_sparse("x", 1 << 40, &[(0, 1)], true), b"").bytes;
    let mut block = [0_u8; 512];
    for slot in 0..21 {
        block[slot * 24..slot * 24 + 12].copy_from_slice(b"00000000001\0");
        block[slot * 24 + 12..slot * 24 + 24].copy_from_slice(b"00000000001\0");
    }
    block[504] = 1;
    for _ in 0..20_000 {
        many.extend(block);
    }
    let endless = {
        let mut bytes = TarBuilder::default().entry(&gnu_sparse("x", 1, &[], true), b"").bytes;
        let mut empty = [0_u8; 512];
        empty[504] = 1;
        for _ in 0..20_000 {
            bytes.extend(empty);
        }
        bytes
    };
    let sparse_1 = |map: &[u8], size: &[u8]| {
        TarBuilder::default()
            .pax(&[("GNU.sparse.major", b"1"), ("GNU.sparse.minor", b"0"), ("GNU.sparse.realsize", size)])
            .file("x", map)
            .end()
    };
    let map_of_many = format!("10000000\n{}", "1\n1\n".repeat(100));
    let no_newline = vec![b'1'; 6 << 20];
    for (name, tar) in [
        ("10^7 regions", many),
        ("endless extension blocks", endless),
        ("map of 10^7", sparse_1(map_of_many.as_bytes(), b"99999999")),
        ("map without an end", sparse_1(&no_newline, b"99999999")),
        ("length of 8 EiB", sparse_1(b"0\n", b"9223372036854775808")),
        ("run beyond the end", TarBuilder::default().entry(&gnu_sparse("x", 1, &[(5, 5)], false), b"12345").end()),
        ("runs overlap", TarBuilder::default().entry(&gnu_sparse("x", 99, &[(5, 5), (6, 5)], false), &[0; 10]).end()),
        (
            "runs that overflow",
            TarBuilder::default()
                .pax(&[("GNU.sparse.size", b"9"), ("GNU.sparse.map", b"18446744073709551615,5")])
                .file("x", b"12345")
                .end(),
        ),
    ] {
        assert!(Ground::new().unpack(&tar).is_err(), "{name}");
    }
    let mut size = HeaderBuilder::new(b'0', "x", 0);
    size.put(124, &[0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    assert!(Ground::new().unpack(&TarBuilder::default().entry(&size, b"").end()).is_err(), "8 EiB");
}

#[test]
fn a18_sizes_do_not_desynchronise() {
    // The ustar header says 0, the extended header says how long it is: the body must not be read as entries.
    let inner = TarBuilder::default().file("smuggled", b"evil").bytes;
    let length = inner.len().to_string();
    let ground = Ground::new();
    let tar = TarBuilder::default()
        .pax(&[("size", length.as_bytes())])
        .entry(&HeaderBuilder::new(b'0', "outer", 0), &inner)
        .file("after", b"1")
        .end();
    ground.unpack(&tar).expect("unpack");
    assert_eq!((ground.read("outer"), ground.read("after")), (inner.clone(), vec![b'1']));
    assert!(ground.is_absent("smuggled"));
    // Kinds without content have none, whatever their size field says (as for Go's archive/tar).
    for kind in [b'1', b'2', b'5', b'6'] {
        let ground = Ground::new();
        let mut header = HeaderBuilder::new(kind, "odd", 0);
        header.octal(124, 12, 512).link("first");
        ground
            .unpack(&TarBuilder::default().file("first", b"").entry(&header, b"").file("after", b"1").end())
            .expect("unpack");
        assert_eq!(ground.read("after"), b"1", "type {}", char::from(kind));
    }
}

#[test]
fn a19_malformed_extended_headers_are_refused() {
    for text in [
        &b"99 path=x\n"[..],
        b"x path=x\n",
        b"9 path=x\n\0\0\0",
        b"10 path=x\n\n",
        b"0 path=x\n",
        b"7 =abc\n",
        b"15 path=a\0bcde\n",
        b"12 size=-10\n",
        b"27 size=99999999999999999999\n",
    ] {
        let tar = TarBuilder::default().raw_pax(text).file("x", b"").end();
        assert!(Ground::new().unpack(&tar).is_err(), "{}", text.escape_ascii());
    }
    let long = HeaderBuilder::new(b'L', "././@LongLink", 4).put(257, b"ustar  \0").clone();
    let huge = HeaderBuilder::new(b'x', "x", 1 << 30).clone();
    let orphan = TarBuilder::default().pax(&[("path", b"x")]).end();
    let twice = TarBuilder::default().entry(&long, b"abc\0").entry(&long, b"abc\0").file("x", b"").end();
    for tar in [TarBuilder::default().entry(&huge, b"").end(), orphan, twice] {
        assert!(Ground::new().unpack(&tar).is_err());
    }
    let mut checksum = TarBuilder::default().file("x", b"").end();
    checksum[0] = b'y';
    assert!(Ground::new().unpack(&checksum).is_err());
    let ground = Ground::new();
    let global = HeaderBuilder::new(b'g', "g", 13).clone();
    ground.unpack(&TarBuilder::default().entry(&global, b"13 path=evil\n").file("x", b"1").end()).expect("ignored");
    assert_eq!(ground.read("x"), b"1");
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("compress");
    encoder.finish().expect("compress")
}

#[test]
fn a23_bombs_are_refused() {
    let mut header = HeaderBuilder::new(b'0', "zeros", 0);
    header.octal(124, 12, 64 << 20);
    let mut bomb = TarBuilder::default().entry(&header, b"").bytes;
    bomb.resize(bomb.len() + (64 << 20) + 1024, 0);
    for compressed in [gzip(&bomb), zstd::encode_all(&bomb[..], 1).expect("compress")] {
        let error =
            Ground::new().unpack_with(&compressed, |plan| plan.limits = limits(1 << 20, 100)).expect_err("bomb");
        assert!(chain(&error).contains("bomb"), "{}", chain(&error));
        Ground::new().unpack(&compressed).expect("64 MiB are allowed by default");
    }
}

#[test]
fn a23_many_members_and_windows() {
    let tar = TarBuilder::default().file("x", b"content").end();
    let members: Vec<u8> = tar.chunks(3).flat_map(gzip).collect();
    let ground = Ground::new();
    ground.unpack(&members).expect("members of gzip are one stream");
    assert_eq!(ground.read("x"), b"content");

    let skippable =
        [&[0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4][..], &zstd::encode_all(&tar[..], 1).expect("zstd")];
    let ground = Ground::new();
    ground.unpack(&skippable.concat()).expect("a skippable frame in front");
    assert_eq!(ground.read("x"), b"content");

    // A frame that asks for a window of 2^31 bytes, and one that wants a dictionary.
    for frame in
        [&[0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 1, 0, 0][..], &[0x28, 0xb5, 0x2f, 0xfd, 0x21, 0x07, 0x10, 1, 0, 0]]
    {
        Ground::new().unpack(frame).expect_err("refused");
    }
}

#[test]
fn a28_a_file_larger_than_the_disk_is_refused_at_once() {
    let ground = Ground::new();
    let mut header = HeaderBuilder::new(b'0', "huge", 0);
    // 2^60 bytes: more than any disk here.
    header.put(124, &[0x80, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0]);
    let error = ground.unpack(&TarBuilder::default().entry(&header, b"").end()).expect_err("no space");
    assert!(matches!(error, super::super::Error::NoSpace { .. }), "{}", chain(&error));
}
