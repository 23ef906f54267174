//! Entry points of `fuzz/`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::check::{self, Scope};
use super::layout::Layout;
use super::store::Store;
use crate::sys;
use crate::types::digest::Digest;

/// Of the one container, image and layer.
const ID: &str = "7777777777777777777777777777777777777777777777777777777777777777";
/// The epochs before and after the reboot.
const EPOCHS: [&str; 2] = ["00000000000000aa", "00000000000000bb"];
/// Looks and repairs until nothing is left to repair.
const ROUNDS: usize = 8;

/// A store of any content, at the first command after a reboot, and under `system check --repair`. `dir` is empty and gets the
/// store. NUL separates the files: a letter for the place, one for the kind, and the content.
pub(crate) fn recovery(data: &[u8], dir: &Path) {
    let roots = [dir.join("graph"), dir.join("run")];
    let layout = |epoch: &str| Layout::with_epoch(&roots[0], &roots[1], epoch.to_owned());
    let before = Store::with_layout(layout(EPOCHS[0])).expect("nothing is there");
    before.make_graph().and_then(|()| before.make_run()).expect("a directory of ours");
    for part in data.split(|byte| *byte == 0) {
        let [place, kind, content @ ..] = part else { continue };
        let Some(path) = path_of(before.layout(), *place, content) else { continue };
        let parent = path.parent().expect("a place in the store");
        sys::fs::mkdir_all(parent, 0o700).expect("a directory of ours");
        let made = match kind {
            b'd' => sys::fs::mkdir(&path, 0o700),
            b'l' => sys::dir::Dir::open(parent)
                .and_then(|dir| dir.symlink(OsStr::from_bytes(content), path.file_name().unwrap_or_default())),
            b'0' => sys::fs::write_new(&path, content).and_then(|()| sys::fs::set_mode(&path, 0)),
            _ => sys::fs::write_new(&path, content),
        };
        // Two of one name, or a target that no link can have.
        drop(made);
    }
    // Of a format that nobody knows, or without any.
    let Ok(store) = Store::with_layout(layout(EPOCHS[1])) else { return };
    let Ok(found) = check::check(&store, Scope::Full) else { return };
    drop((store.containers(), store.images(), store.references(), store.volumes(), store.sweep()));
    let mut findings = found;
    for _ in 0..ROUNDS {
        let (taken, others): (Vec<_>, Vec<_>) = findings.iter().partition(|finding| check::takes_away(finding));
        let mended: Vec<_> =
            others.into_iter().filter(|finding| matches!(check::repair(&store, finding), Ok(true))).collect();
        let done = check::take_away(&store, &taken).unwrap_or_default();
        let taken = taken.into_iter().zip(done).filter(|(_, done)| done.is_ok()).map(|(finding, _)| finding);
        let done: Vec<_> = mended.into_iter().chain(taken).collect();
        drop(store.empty_trash());
        let Ok(now) = check::check(&store, Scope::Full) else { return };
        for finding in &done {
            let swept = matches!(finding.repair, Some(check::Repair::Sweep | check::Repair::EmptyTrash));
            assert!(swept || !now.contains(finding), "repaired, and found again: {finding:?}");
        }
        if done.is_empty() {
            return;
        }
        findings = now;
    }
}

fn path_of(layout: &Layout, place: u8, content: &[u8]) -> Option<PathBuf> {
    let id = ID.parse().ok()?;
    let digest: Digest = format!("sha256:{ID}").parse().ok()?;
    let container = layout.containers().join(ID);
    let layer = layout.layers().join(format!("{ID},0000000000000000"));
    let volume = layout.volumes().join("v");
    Some(match place {
        b'c' => container.join("config.json"),
        b'm' => container.join("monitor.lock"),
        b'e' => container.join("exit.json"),
        b'g' => container.join("ctr.log"),
        b'U' => container.join("upper"),
        b'W' => container.join("work"),
        b'n' => layout.names().join("n"),
        b'v' => volume.join("meta.json"),
        b'w' => volume.join("_data"),
        b'h' => volume.join(super::volumes::HOLDER),
        b'i' => layout.image(&digest),
        b'b' => layout.blob(&Digest::of(content)),
        b'B' => layout.blob(&digest),
        b'r' => layout.refs().join("localhost+a:1"),
        b'L' => layout.lists().join("localhost+l:1"),
        b'y' => layer.join("meta.json"),
        b'x' => layer.join("idx"),
        b'z' => layer.join("diff"),
        b's' => layout.staging().join("s/lease.json"),
        b'k' => layout.staging().join("s/lock"),
        b't' => layout.trash().join("t"),
        b'p' => layout.partials().join(ID),
        b'o' => layout.runroot_note(),
        b'V' => layout.version(),
        b'u' => layout.unsynced().join("u"),
        b'R' => layout.run_container(&id).join("state.json"),
        b'H' => layout.run_container(&id).join("health.json"),
        b'K' => layout.container_lock(&id),
        b'E' => layout.runroot().join("00000000000000cc/x"),
        _ => return None,
    })
}
