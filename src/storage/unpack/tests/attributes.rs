//! Extended attributes, devices, set-id bits, ids, times: A12–A16.

use std::os::unix::fs::MetadataExt;

use super::Ground;
use crate::storage::unpack::tar_builder::{HeaderBuilder, TarBuilder};
use crate::types::failure::chain;

#[test]
fn a12_overlay_attributes_are_stripped() {
    let ground = Ground::new();
    let tar = TarBuilder::default()
        .pax(&[
            ("SCHILY.xattr.user.overlay.redirect", b"/.."),
            ("SCHILY.xattr.user.overlay.opaque", b"y"),
            ("SCHILY.xattr.user.overlay.metacopy", b""),
            ("SCHILY.xattr.trusted.overlay.opaque", b"y"),
            ("SCHILY.xattr.user.fuseoverlayfs.opaque", b"y"),
            ("SCHILY.xattr.user.containers.override_stat", b"0:0:04755"),
            ("SCHILY.xattr.user.kept", b"=v\n=\0"),
        ])
        .dir("d", 0o755)
        .end();
    let unpacked = ground.unpack(&tar).expect("unpack");
    for name in [
        "user.overlay.redirect",
        "user.overlay.opaque",
        "user.overlay.metacopy",
        "user.fuseoverlayfs.opaque",
        "user.containers.override_stat",
    ] {
        assert_eq!(ground.xattr("d", name), None, "{name}");
    }
    assert_eq!(ground.xattr("d", "user.kept").as_deref(), Some(&b"=v\n=\0"[..]));
    assert_eq!(unpacked.remarks.lines().len(), 6);
}

#[test]
fn a13_device_nodes_are_left_out() {
    let ground = Ground::new();
    let mut zero = HeaderBuilder::new(b'3', "hides", 0);
    zero.octal(329, 8, 0).octal(337, 8, 0);
    let mut null = HeaderBuilder::new(b'3', "dev/null", 0);
    null.octal(329, 8, 1).octal(337, 8, 3);
    let tar = TarBuilder::default()
        .entry(&zero, b"")
        .entry(&null, b"")
        .node(b'4', "dev/sda")
        .node(b'6', "fifo")
        .entry(&HeaderBuilder::new(b'7', "contiguous", 3), b"abc")
        .entry(&HeaderBuilder::new(b'X', "x", 3), b"abc")
        .node(b'V', "label")
        .end();
    let unpacked = ground.unpack(&tar).expect("unpack");
    for name in ["hides", "dev/null", "dev/sda", "x", "label"] {
        assert!(ground.is_absent(name), "{name}");
    }
    assert!(ground.mode("fifo") & 0o170_000 == 0o010_000);
    assert_eq!(ground.read("contiguous"), b"abc");
    let lines = unpacked.remarks.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("3 device nodes"), "{lines:?}");
}

#[test]
fn a14_set_id_bits_survive_writing_and_owners() {
    let ground = Ground::new();
    let set_id = |name: &str, mode| HeaderBuilder::new(b'0', name, 1).mode(mode).clone();
    let tar = TarBuilder::default()
        .entry(&set_id("su", 0o4755), b"x")
        .entry(&set_id("sg", 0o2711), b"x")
        .entry(&set_id("none", 0), b"x")
        .dir("tmp", 0o1777)
        .dir("sgid", 0o2775)
        .file("sgid/x", b"")
        .end();
    ground.unpack(&tar).expect("unpack");
    let modes = ["su", "sg", "none", "tmp", "sgid", "sgid/x"].map(|name| ground.mode(name) & 0o7777);
    assert_eq!(modes, [0o4755, 0o2711, 0, 0o1777, 0o2775, 0o644]);
}

#[test]
fn a15_security_attributes() {
    let ground = Ground::new();
    let tar = TarBuilder::default()
        .pax(&[
            ("SCHILY.xattr.security.ima", b"x"),
            ("SCHILY.xattr.security.evm", b"x"),
            ("SCHILY.xattr.security.selinux", b"x"),
            ("SCHILY.xattr.security.capability", b"garbage"),
            ("SCHILY.xattr.user.fine", b"1"),
        ])
        .file("f", b"")
        .end();
    let unpacked = ground.unpack(&tar).expect("unpack");
    assert_eq!(unpacked.remarks.xattrs.len(), 4);
    assert_eq!(ground.xattr("f", "user.fine").as_deref(), Some(&b"1"[..]));

    // Where set-id bits are not wanted, capabilities are not, either (case D04).
    let mut capability = vec![0; 20];
    capability[3] = 2;
    let tar = TarBuilder::default().pax(&[("SCHILY.xattr.security.capability", &capability)]).file("tool", b"").end();
    let unpacked = ground.unpack_with(&tar, |plan| plan.mode_mask = 0o1777).expect("unpack");
    assert_eq!((ground.xattr("tool", "security.capability"), unpacked.remarks.xattrs.len()), (None, 0));

    // A value of 64 KiB, and 1,000 attributes: this file system takes them or the error names the file.
    let big = vec![b'x'; 64 << 10];
    let names: Vec<String> = (0..1000).map(|number| format!("SCHILY.xattr.user.n{number}")).collect();
    let many: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"value"[..])).collect();
    for records in [vec![("SCHILY.xattr.user.big", big.as_slice())], many] {
        if let Err(error) = Ground::new().unpack(&TarBuilder::default().pax(&records).file("f", b"").end()) {
            assert!(chain(&error).contains("\"f\""), "{}", chain(&error));
        }
    }
}

#[test]
fn a16_ids_are_kept_beside_the_file() {
    let ground = Ground::new();
    let mut huge = HeaderBuilder::new(b'0', "huge", 0);
    huge.put(108, &[0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    let tar = TarBuilder::default()
        .entry(HeaderBuilder::new(b'0', "other", 0).mode(0o440).owner(70_000, 12), b"")
        .entry(&huge, b"")
        .entry(HeaderBuilder::new(b'5', "d", 0).mode(0o500).owner(33, 33), b"")
        .file("ours", b"")
        .end();
    ground.unpack(&tar).expect("unpack");
    let caller = std::fs::metadata(ground.path("sentinel")).expect("stat").uid();
    for name in ["other", "huge", "d", "ours"] {
        assert_eq!(std::fs::metadata(ground.diff(name)).expect("stat").uid(), caller);
    }
    let note =
        |name| ground.xattr(name, "user.containers.override_stat").map(|value| String::from_utf8(value).expect("text"));
    assert_eq!(note("other").as_deref(), Some("70000:12:0440"));
    assert_eq!(note("huge").as_deref(), Some("4294967295:0:0644"));
    assert_eq!(note("d").as_deref(), Some("33:33:0500"));
    assert_eq!(note("ours"), None);
    assert_eq!(
        ground.index().iter().find(|entry| entry.path.as_os_str() == "other").map(|entry| entry.uid),
        Some(70_000)
    );

    for (at, field) in [(108, &[0xff; 8][..]), (108, b"12x4567\0"), (124, &[0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0])] {
        let mut bad = HeaderBuilder::new(b'0', "bad", 0);
        bad.put(at, field);
        assert!(Ground::new().unpack(&TarBuilder::default().entry(&bad, b"").end()).is_err(), "{field:?}");
    }
}

#[test]
fn a16_unmapped_ids_are_clamped_and_remarked() {
    use crate::storage::unpack::metadata::Owners;
    use crate::storage::unpack::remarks::Remarks;
    use crate::types::idmap::{Extent, IdMap, IdMaps};
    let map =
        IdMap::new(vec![Extent { inside: 0, outside: 1, len: 1000 }, Extent { inside: 1000, outside: 0, len: 1 }]);
    let ids = IdMaps { uid: map.clone().expect("valid"), gid: map.expect("valid") };
    let mut owners = Owners::new(&ids, None);
    let mut remarks = Remarks::default();
    let root = owners.resolve(0, 0, &mut remarks);
    assert_eq!((root.uid, root.gid, root.real), (1, 1, None));
    assert!(root.is_other());
    let user = owners.resolve(1000, 5, &mut remarks);
    assert_eq!((user.uid, user.gid), (0, 6));
    assert!(remarks.lines().is_empty());
    for id in [70_000, 1 << 31, u64::from(u32::MAX), 1 << 63] {
        let clamped = owners.resolve(id, 0, &mut remarks);
        assert_eq!((clamped.uid, clamped.gid, clamped.real), (0, 1, Some((id, 0))), "{id}");
    }
    assert_eq!(remarks.lines().len(), 1);
}

#[test]
fn times_of_directories_are_set_last() {
    let ground = Ground::new();
    let tar = TarBuilder::default()
        .dir("d", 0o755)
        .pax(&[("mtime", b"1234.5")])
        .dir("d/e", 0o755)
        .file("d/e/f", b"x")
        .pax(&[("mtime", b"-1.5")])
        .symlink("d/l", "x")
        .end();
    ground.unpack(&tar).expect("unpack");
    let time = |name: &str| {
        let metadata = std::fs::symlink_metadata(ground.diff(name)).expect("stat");
        (metadata.mtime(), metadata.mtime_nsec())
    };
    assert_eq!((time("d"), time("d/e"), time("d/e/f")), ((1000, 0), (1234, 500_000_000), (1000, 0)));
    assert_eq!(time("d/l"), (-2, 500_000_000));
}
