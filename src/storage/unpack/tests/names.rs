//! Paths, links and whiteouts: A01–A11, A20–A22.

use super::Ground;
use crate::storage::layer_index::EntryKind;
use crate::storage::unpack::tar_builder::{HeaderBuilder, TarBuilder};
use crate::types::failure::chain;

#[test]
fn a01_absolute_paths_land_in_the_root() {
    let ground = Ground::new();
    let tar = TarBuilder::default().file("/etc/x", b"1").file("//etc/y", b"2").file("/./etc/./z", b"3").end();
    ground.unpack(&tar).expect("unpack");
    assert_eq!(
        (ground.read("etc/x"), ground.read("etc/y"), ground.read("etc/z")),
        (vec![b'1'], vec![b'2'], vec![b'3'])
    );
}

#[test]
fn a02_dotdot_is_refused() {
    for name in ["../x", "a/../../x", "./..", "..", "a/..", "/../x"] {
        let ground = Ground::new();
        let error = ground.unpack(&TarBuilder::default().file(name, b"x").end()).expect_err(name);
        assert!(chain(&error).contains(".."), "{}", chain(&error));
        assert!(std::fs::read_dir(ground.path("diff")).expect("list").next().is_none());
    }
}

#[test]
fn a03_writing_through_links_stays_inside() {
    let ground = Ground::new();
    let tar = TarBuilder::default()
        .symlink("abs", &ground.sentinel())
        .file("abs/file", b"evil")
        .symlink("up", "../../../../../..")
        .file("up/file", b"evil")
        .symlink("in", "real")
        .dir("real", 0o755)
        .file("in/file", b"good")
        .symlink("dangling", "nowhere")
        .file("dangling/file", b"good")
        .end();
    ground.unpack(&tar).expect("unpack");
    assert_eq!(ground.read("abs/file"), b"evil");
    assert!(ground.mode("abs") & 0o170_000 == 0o040_000, "a link to nothing became a directory");
    assert_eq!(ground.read("file"), b"evil", "`..` ends at the layer's own root");
    assert_eq!(ground.read("real/file"), b"good");
    assert_eq!(ground.read("dangling/file"), b"good");
    let mut chained = TarBuilder::default().dir("end", 0o755).symlink("l0", "end");
    for step in 1..=60 {
        chained = chained.symlink(&format!("l{step}"), &format!("l{}", step - 1));
    }
    let ground = Ground::new();
    ground.unpack(&chained.file("l30/near", b"1").file("l60/far", b"2").end()).expect("unpack");
    assert_eq!(ground.read("end/near"), b"1");
    assert_eq!(ground.read("l60/far"), b"2", "more links than the kernel follows: the last one is replaced");
}

#[test]
fn a04_directory_replaces_a_link() {
    let ground = Ground::new();
    let tar = TarBuilder::default().symlink("d", &ground.sentinel()).dir("d", 0o777).file("d/x", b"1").end();
    ground.unpack(&tar).expect("unpack");
    assert_eq!(ground.mode("d"), 0o040_777);
    assert_eq!(ground.read("d/x"), b"1");
}

#[test]
fn a05_metadata_through_symlink() {
    let ground = Ground::new();
    let target = format!("{}/file", ground.sentinel());
    let tar = TarBuilder::default()
        .symlink("l", &target)
        .pax(&[("SCHILY.xattr.user.x", b"1")])
        .entry(HeaderBuilder::new(b'2', "l", 0).mode(0o777).owner(7, 7).link(&target), b"")
        .hard_link("h", "l")
        .entry(HeaderBuilder::new(b'1', "h", 0).mode(0o777).link("l"), b"")
        .end();
    let unpacked = ground.unpack(&tar).expect("unpack");
    assert!(ground.mode("l") & 0o170_000 == 0o120_000 && ground.mode("h") & 0o170_000 == 0o120_000);
    assert!(unpacked.remarks.lines().iter().any(|line| line.contains("user.x")));
}

#[test]
fn a06_hard_links_to_outside_are_refused() {
    for target in ["/etc/passwd", "../../etc/passwd", "d/file", "../diff-evil/file", "", "."] {
        let ground = Ground::new();
        let tar = TarBuilder::default().symlink("d", &ground.sentinel()).hard_link("h", target).end();
        let error = ground.unpack(&tar).expect_err(target);
        assert!(ground.is_absent("h"), "{target}: {}", chain(&error));
    }
}

#[test]
fn a07_odd_hard_links() {
    let good = Ground::new();
    let tar = TarBuilder::default()
        .file("a", b"1")
        .hard_link("a", "a")
        .hard_link("b", "/a")
        .hard_link("b", "a")
        .node(b'6', "fifo")
        .hard_link("fifo2", "fifo")
        .end();
    good.unpack(&tar).expect("unpack");
    assert_eq!((good.read("a"), good.read("b")), (vec![b'1'], vec![b'1']));
    assert!(good.mode("fifo2") & 0o170_000 == 0o010_000);
    let index = good.index();
    let link = index.iter().find(|entry| entry.path.as_os_str() == "b").expect("b");
    assert_eq!((link.kind, link.target.to_str()), (EntryKind::Hardlink, Some("a")));

    for (tar, why) in [
        (TarBuilder::default().hard_link("a", "later").file("later", b""), "\"later\" is not in this layer"),
        (TarBuilder::default().hard_link("bin/a", "usr/lower"), "\"usr/lower\" is not in this layer"),
        (TarBuilder::default().dir("d", 0o755).hard_link("a", "d"), "hard link to a directory"),
        (TarBuilder::default().file(".wh.x", b"").hard_link("a", "x"), "\"x\" is not in this layer"),
        (TarBuilder::default().file("d/f", b"").hard_link("d", "d/f"), "\"d/f\" is not in this layer"),
    ] {
        let error = Ground::new().unpack(&tar.end()).expect_err(why);
        assert!(chain(&error).contains(why), "{}", chain(&error));
    }
}

#[test]
fn a08_whiteouts_of_dots_are_refused() {
    for name in [".wh.", ".wh..", ".wh...", "a/.wh.", "a/.wh.."] {
        Ground::new().unpack(&TarBuilder::default().file(name, b"").end()).expect_err(name);
    }
}

#[test]
fn a09_whiteout_through_a_link() {
    let ground = Ground::new();
    let tar = TarBuilder::default().symlink("d", &ground.sentinel()).file("d/.wh.file", b"").end();
    ground.unpack(&tar).expect("unpack");
    assert!(ground.is_whiteout("d/file"));
}

#[test]
fn a10_opaque_hides_lower_content_only() {
    let ground = Ground::new();
    let tar = TarBuilder::default()
        .dir("before", 0o755)
        .file("before/.wh..wh..opq", b"")
        .file("before/kept", b"1")
        .dir("after", 0o755)
        .file("after/kept", b"1")
        .file("after/.wh..wh..opq", b"")
        .file("after/.wh..wh..opq", b"")
        .file("missing/.wh..wh..opq", b"")
        .file("file", b"1")
        .file("file/.wh..wh..opq", b"")
        .dir("again", 0o700)
        .file("again/.wh..wh..opq", b"")
        .dir("again", 0o711)
        .end();
    ground.unpack(&tar).expect("unpack");
    for dir in ["before", "after", "missing", "file", "again"] {
        assert_eq!(ground.xattr(dir, "user.overlay.opaque").as_deref(), Some(&b"y"[..]), "{dir}");
        assert!(ground.is_absent(&format!("{dir}/.wh..wh..opq")));
    }
    assert_eq!((ground.read("before/kept"), ground.read("after/kept")), (vec![b'1'], vec![b'1']));
    assert_eq!(ground.mode("again") & 0o777, 0o711);
    let root = Ground::new();
    assert!(root.unpack(&TarBuilder::default().file(".wh..wh..opq", b"").end()).expect("unpack").opaque_root);
}

#[test]
fn a10_whiteouts_spare_the_same_layer() {
    let ground = Ground::new();
    let tar = TarBuilder::default()
        .file(".wh.gone", b"")
        .file("kept", b"1")
        .file(".wh.kept", b"")
        .file(".wh.later", b"")
        .file("later", b"2")
        .dir("dir", 0o755)
        .file("dir/x", b"3")
        .file(".wh.dir", b"")
        .file(".wh.new", b"")
        .file("new/x", b"4")
        .end();
    ground.unpack(&tar).expect("unpack");
    assert!(ground.is_whiteout("gone"));
    assert_eq!((ground.read("kept"), ground.read("later"), ground.read("dir/x")), (vec![b'1'], vec![b'2'], vec![b'3']));
    for dir in ["dir", "new"] {
        assert_eq!(ground.xattr(dir, "user.overlay.opaque").as_deref(), Some(&b"y"[..]), "removed and made anew");
    }
    let index = ground.index();
    let kind = |name: &str| index.iter().find(|entry| entry.path.as_os_str() == name).map(|entry| entry.kind);
    assert_eq!(kind("gone"), Some(EntryKind::Whiteout));
    assert_eq!(kind("later"), Some(EntryKind::Regular));
    assert_eq!(kind("new"), Some(EntryKind::OpaqueDirectory));
}

#[test]
fn a11_aufs_leftovers() {
    let ground = Ground::new();
    let tar = TarBuilder::default()
        .dir(".wh..wh.plnk", 0o700)
        .file(".wh..wh.plnk/1", b"x")
        .file(".wh..wh.aufs", b"")
        .dir(".wh..wh.orph", 0o700)
        .file("a", b"1")
        .end();
    ground.unpack(&tar).expect("unpack");
    assert_eq!(std::fs::read_dir(ground.path("diff")).expect("list").count(), 1);
}

#[test]
fn a20_duplicates_and_flips() {
    let ground = Ground::new();
    let mut tar = TarBuilder::default();
    for _ in 0..300 {
        tar = tar
            .file("x", b"file")
            .dir("x", 0o755)
            .file("x/deep/er", b"1")
            .symlink("x", &ground.sentinel())
            .file("t", b"t")
            .hard_link("x", "t");
    }
    ground.unpack(&tar.clone().dir("x", 0o750).file("x/last", b"wins").end()).expect("unpack");
    assert_eq!(ground.read("x/last"), b"wins");
    assert!(ground.is_absent("x/deep"));
    assert_eq!(ground.mode("x"), 0o040_750);
    assert_eq!(ground.read("t"), b"t", "replacing a link does not touch its target");
    let names: Vec<_> = ground.index().into_iter().map(|entry| entry.path.display().to_string()).collect();
    assert_eq!(names, ["", "t", "x", "x/last"]);
    let ground = Ground::new();
    ground.unpack(&tar.end()).expect("unpack");
    assert_eq!(ground.read("x"), b"t");
}

#[test]
fn a21_extreme_paths() {
    let path_of = |path: &[u8]| TarBuilder::default().pax(&[("path", path)]).file("x", b"1").end();
    let good = |path: &[u8]| Ground::new().unpack(&path_of(path)).unwrap_or_else(|error| panic!("{}", chain(&error)));
    good(&vec![b'n'; 255]);
    good(b"trailing/slash/");
    good(b"new\nline\x1b[31m");
    good(b"not utf-8 \xff\xfe");
    good(&b"d/".repeat(2000));
    for bad in [vec![b'n'; 256], vec![b'n'; 5000], b"d/".repeat(4096), b"a\0b".to_vec()] {
        let error = Ground::new().unpack(&path_of(&bad)).expect_err("refused");
        let text = chain(&error);
        assert!(text.len() < 1000 && !text.contains('\x1b') && !text.contains('\n'), "{text:?}");
    }
    let escape = Ground::new().unpack(&path_of(b"a\x1b[31m/../x")).expect_err("refused");
    assert!(!chain(&escape).contains('\x1b'));
}

#[test]
fn a22_root_stays_a_directory() {
    for kind in [b'0', b'2', b'1', b'6'] {
        for name in [".", "/", "./"] {
            let header = HeaderBuilder::new(kind, name, 0).link("x").clone();
            let ground = Ground::new();
            let result = ground.unpack(&TarBuilder::default().entry(&header, b"").end());
            assert!(result.is_err(), "{name} of type {}", char::from(kind));
        }
    }
    let ground = Ground::new();
    let mut root = HeaderBuilder::new(b'5', "./", 0);
    root.mode(0).owner(1, 0);
    ground.unpack(&TarBuilder::default().entry(&root, b"").file("x", b"1").end()).expect("unpack");
    assert_eq!(ground.mode(""), 0o040_000);
    std::fs::set_permissions(ground.path("diff"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("chmod");
    assert_eq!(ground.read("x"), b"1");
}
