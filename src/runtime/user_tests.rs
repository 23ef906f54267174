use std::path::Path;

use super::{Identity, LARGEST, group_line, passwd_line, resolve};
use crate::runtime::error::Error;
use crate::sys;
use crate::sys::root::RootDir;
use crate::types::idmap::{Extent, IdMap, IdMaps};

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n# comment:x:5:5\nbroken\nwww:x:33:33:w:/var/www:/bin/sh\n\
    1000:x:0:0:trap:/:/bin/sh\nbig:x:4294967295:0::/:\nover:x:4294967296:0::/:\nhomeless:x:40:41::relative:/bin/sh\n";
const GROUP: &str = "root:x:0:\nwww:x:33:\nadm:x:4:root,www\ndisk:x:6:www , root\nstaff:x:50:\n2000:x:0:\n";

fn tree(passwd: &str, group: &str) -> (tempfile::TempDir, RootDir) {
    let dir = tempfile::tempdir().expect("a directory");
    sys::fs::mkdir(&dir.path().join("etc"), 0o755).expect("new");
    sys::fs::write_new(&dir.path().join("etc/passwd"), passwd.as_bytes()).expect("new");
    sys::fs::write_new(&dir.path().join("etc/group"), group.as_bytes()).expect("new");
    let root = RootDir::open(dir.path()).expect("a tree");
    (dir, root)
}

fn maps(lines: &[(u32, u32, u32)]) -> IdMaps {
    let extents = lines.iter().map(|(inside, outside, len)| Extent { inside: *inside, outside: *outside, len: *len });
    let map = IdMap::new(extents.collect()).expect("valid");
    IdMaps { uid: map.clone(), gid: map }
}

fn full() -> IdMaps {
    maps(&[(0, 0, 65537)])
}

fn who(text: &str, add: &[&str]) -> Result<Identity, Error> {
    let (_dir, root) = tree(PASSWD, GROUP);
    let add: Vec<String> = add.iter().map(|name| (*name).to_owned()).collect();
    resolve(&root, text, &add, &full())
}

#[test]
fn c12_user_grammar() {
    for (text, uid, gid, groups, home) in [
        ("", 0, 0, &[0, 4, 6][..], "/root"),
        ("0", 0, 0, &[0, 4, 6], "/root"),
        ("root", 0, 0, &[0, 4, 6], "/root"),
        ("1", 1, 0, &[0], "/"),
        ("1:", 1, 0, &[0], "/"),
        (":1", 0, 1, &[1], "/root"),
        ("01", 1, 0, &[0], "/"),
        ("33", 33, 33, &[33, 4, 6], "/var/www"),
        ("www", 33, 33, &[33, 4, 6], "/var/www"),
        ("www:staff", 33, 50, &[50], "/var/www"),
        ("www:7", 33, 7, &[7], "/var/www"),
        ("1000", 1000, 0, &[0], "/"),
        ("1000:2000", 1000, 2000, &[2000], "/"),
        ("homeless", 40, 41, &[41], "/"),
        ("65536", 65536, 0, &[0], "/"),
    ] {
        let who = who(text, &[]).expect(text);
        assert_eq!((who.uid, who.gid, who.groups.as_deref()), (uid, gid, Some(groups)), "{text}");
        assert_eq!(who.home, Path::new(home), "{text}");
    }
    for text in [
        "-1",
        "+1",
        "4294967295",
        "4294967296",
        "99999999999999999999",
        "1:2:3",
        "nobody",
        "www:nogroup",
        "1:-1",
        "1:4294967295",
        "65537",
        "1:65537",
        "big",
        "over",
        "a b",
        "../x",
        "broken",
        "# comment",
        " ",
        "\0",
        "1\n",
    ] {
        assert!(who(text, &[]).is_err(), "{text:?}");
    }
}

#[test]
fn c13_groups() {
    assert_eq!(who("www", &["staff", "7", "adm"]).expect("valid").groups, Some(vec![33, 4, 6, 50, 7]));
    assert_eq!(who("www", &["keep-groups"]).expect("valid").groups, None);
    for bad in ["none", "-1", "4294967295", "70000", ""] {
        assert!(who("www", &[bad]).is_err(), "{bad:?}");
    }
}

#[test]
fn one_id_has_one_group() {
    let (_dir, root) = tree(PASSWD, GROUP);
    let of = |text: &str, map: &[(u32, u32, u32)]| resolve(&root, text, &[], &maps(map));
    let root_user = of("", &[(0, 0, 1)]).expect("mapped");
    assert_eq!((root_user.uid, root_user.gid, root_user.groups), (0, 0, Some(Vec::new())));
    assert!(of("www", &[(0, 0, 1)]).is_err());
    let www = of("www", &[(33, 0, 1)]).expect("mapped");
    assert_eq!((www.uid, www.gid), (33, 33));
    let other = of("1234", &[(1234, 0, 1)]).expect("its group follows the map");
    assert_eq!((other.uid, other.gid), (1234, 1234));
    let partly = of("www", &[(0, 0, 5), (33, 33, 1)]).expect("mapped");
    assert_eq!(partly.groups, Some(vec![33, 4]), "groups without a mapping are left out");
}

#[test]
fn c11_hostile_user_database() {
    let (dir, root) = tree(PASSWD, GROUP);
    let passwd = dir.path().join("etc/passwd");
    let again = |text: &str| resolve(&root, text, &[], &full());
    sys::fs::remove_file(&passwd).expect("there");
    assert!(again("1").is_ok() && again("root").is_err(), "no database: numbers only");
    for link in ["/dev/zero", "fifo", "/etc"] {
        std::os::unix::fs::symlink(link, &passwd).expect("new");
        if link == "fifo" {
            nix::unistd::mkfifo(&dir.path().join("etc/fifo"), nix::sys::stat::Mode::S_IRWXU).expect("new");
        }
        let answer = again("root");
        assert!(answer.is_err(), "{link}: {answer:?}");
        sys::fs::remove_file(&passwd).expect("there");
    }
    let lines = "x:x:7:7::/:\n".repeat(300_000);
    sys::fs::write_new(&passwd, lines.as_bytes()).expect("new");
    assert_eq!(again("x").expect("many lines are fine").uid, 7);
    sys::fs::write_in_place(&passwd, b"odd:x:7:4294967295::/:\n").expect("there");
    assert_eq!(again("odd").expect("a user").gid, 0, "(gid_t) -1 would leave the group as it is");
    sys::fs::write_in_place(&passwd, &vec![b'x'; usize::try_from(LARGEST).expect("small") + 1]).expect("there");
    assert!(again("root").is_err());
}

#[test]
fn numbers_come_from_the_topmost_layer() {
    let (top, _root) = tree("www:x:5:6::/:\n", GROUP);
    let (bottom, _root) = tree(PASSWD, GROUP);
    let empty = tempfile::tempdir().expect("a directory");
    let of = |text: &str, dirs: &[&Path]| super::numbers(text, dirs).ok();
    assert_eq!(of("www", &[empty.path(), top.path(), bottom.path()]), Some((5, 6)));
    assert_eq!(of("www", &[empty.path(), bottom.path()]), Some((33, 33)));
    assert_eq!(of("root", &[top.path(), bottom.path()]), None, "what lies below is hidden");
    assert_eq!(of("7", &[empty.path()]), Some((7, 0)));
}

#[test]
fn an_entry_for_who_has_none() {
    let (_dir, root) = tree(PASSWD, GROUP);
    let stranger = resolve(&root, "1234:7", &[], &full()).expect("valid");
    assert!(!stranger.known);
    assert_eq!(passwd_line(&stranger, None, Path::new("/")), "1234:*:1234:7:container user:/:/bin/sh\n");
    let named = passwd_line(&stranger, Some("ann"), Path::new("/a:b"));
    assert_eq!(named, "ann:*:1234:7:container user:/a_b:/bin/sh\n");
    assert!(passwd_line(&stranger, Some("x:0:0"), Path::new("/")).starts_with("1234:*:1234"));
    assert!(!stranger.group_known);
    assert_eq!(group_line(&stranger, Some("staff")), "staff:x:7:\n");
    assert_eq!(group_line(&stranger, Some("x:0:root\nroot")), "7:x:7:\n");
    assert!(resolve(&root, "1234:0", &[], &full()).expect("valid").group_known);
}
