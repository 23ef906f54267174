//! Where images and containers lie, and how root file systems are put together there.

use std::path::Path;

use crate::config::storage_conf;
use crate::engine::cures::{Caller, Need};
use crate::engine::{Engine, StorageDriver};
use crate::sys;
use crate::sys::spawn::find_program;
use crate::types::failure::chain;

use super::DoctorRequest;
use super::finding::Finding;

const STORE: &str = "store";
const RUNTIME: &str = "XDG_RUNTIME_DIR";
const OVERLAY: &str = "overlay";
const FUSE: &str = "fuse-overlayfs";

pub(super) fn findings(engine: &Engine, request: &DoctorRequest, caller: &Caller, possible: bool) -> Vec<Finding> {
    let mut findings = vec![store(engine, caller), runtime_directory(engine, request, caller)];
    let works = if possible { engine.probe_overlay() } else { Ok(false) };
    let overlay = matches!(works, Ok(true));
    findings.push(match works {
        Ok(true) => Finding::fine(OVERLAY, "the kernel mounts it"),
        Ok(false) if !possible => Finding::degraded(OVERLAY, "not tried", "unknown", Need::UserNamespaces.cure(caller)),
        Ok(false) => {
            let lost = "the fastest root file systems: fuse-overlayfs or copies are used";
            Finding::degraded(OVERLAY, "the kernel refuses it", lost, Need::Overlay.cure(caller))
        }
        Err(error) => Finding::missing(OVERLAY, chain(&error), "unknown", Need::StoreWritable.cure(caller)),
    });
    findings.push(fuse(engine, overlay, caller));
    findings.extend(settings_of_others());
    findings
}

/// Podman's file, if there is one: whoever wrote it should know that it counts for nothing here.
fn settings_of_others() -> Option<Finding> {
    let found = storage_conf::found()?.display().to_string();
    let instead = "--root, --runroot, --storage-driver and --storage-opt, or their variables, say what it says";
    Some(Finding::fine("storage.conf", format!("{found} is Podman's alone; {instead}")))
}

/// The file system, and writing to it.
fn store(engine: &Engine, caller: &Caller) -> Finding {
    let root = engine.store.layout().graphroot();
    if let Err(error) = engine.store.make_graph() {
        let cure = Need::StoreWritable.cure(caller);
        return Finding::missing(STORE, chain(&error), "images and containers have no place", cure);
    }
    let kind = match sys::filesystem::file_system(root) {
        Ok(kind) => kind,
        Err(error) => {
            return Finding::missing(STORE, error.to_string(), "unknown", Need::StoreWritable.cure(caller));
        }
    };
    let free = sys::filesystem::space(root).map_or(0, |(_, free)| free);
    let found = format!("{} on {}, {} MB free", root.display(), kind.name, free / 1_000_000);
    let mapped = engine.wish().is_ok_and(|wish| wish.single.is_none());
    let elsewhere = || Need::StoreElsewhere.cure(caller);
    let remote = ["nfs", "smb", "9p", "vfat", "exfat", "ecryptfs"].contains(&kind.name.as_str());
    match () {
        () if kind.read_only => {
            Finding::missing(STORE, format!("{found}, read-only"), "images and containers have no place", elsewhere())
        }
        () if remote && mapped => {
            Finding::missing(STORE, found, "this file system has no files of subordinate ids", elsewhere())
        }
        () if remote => Finding::degraded(STORE, found, "locks, links or attributes as images need them", elsewhere()),
        () if kind.no_exec && engine.config.storage_driver == Some(StorageDriver::Copy) => {
            Finding::missing(STORE, format!("{found}, noexec"), "no program in a container can be run", elsewhere())
        }
        () if kind.no_exec || kind.no_suid => {
            let option = if kind.no_exec { "noexec" } else { "nosuid" };
            let lost = "the copy driver and volumes: programs there do not run, or not with their set-uid bit";
            Finding::degraded(STORE, format!("{found}, {option}"), lost, elsewhere())
        }
        () if free < 500_000_000 => {
            Finding::degraded(STORE, found, "images of ordinary size", Need::Space.cure(caller))
        }
        () if kind.name == "overlay" => {
            Finding::degraded(STORE, found, "the kernel's overlay, which cannot lie on an overlay", elsewhere())
        }
        () => Finding::fine(STORE, found),
    }
}

fn runtime_directory(engine: &Engine, request: &DoctorRequest, caller: &Caller) -> Finding {
    let root = engine.store.layout().runroot().display();
    let cure = || Need::RuntimeDir.cure(caller);
    if let Err(error) = engine.store.make_run() {
        return Finding::missing(RUNTIME, chain(&error), "what runs cannot be noted", cure());
    }
    match &request.runtime_dir {
        Some(dir) if engine.store.layout().runroot().starts_with(dir) => {
            Finding::fine(RUNTIME, dir.display().to_string())
        }
        Some(dir) => Finding::fine(RUNTIME, format!("{}; {root} is used", dir.display())),
        None => Finding::degraded(
            RUNTIME,
            format!("not set; {root} is used"),
            "programs with another idea of it do not see what runs, and no systemd of the user can be asked",
            cure(),
        ),
    }
}

/// Only needed without overlay.
fn fuse(engine: &Engine, overlay: bool, caller: &Caller) -> Finding {
    let device = sys::fs::is_read_write(Path::new("/dev/fuse"));
    let program = find_program("fuse-overlayfs", &engine.config.path);
    let found = match (&program, device) {
        (Some(program), true) => format!("{}, /dev/fuse", program.display()),
        (Some(program), false) => format!("{}, no access to /dev/fuse", program.display()),
        (None, _) => "not installed".to_owned(),
    };
    if overlay {
        Finding::fine(FUSE, format!("{found}; not needed beside overlay"))
    } else if program.is_some() && device {
        Finding::fine(FUSE, found)
    } else {
        let need = if program.is_some() { Need::FuseDevice } else { Need::Overlay };
        Finding::degraded(FUSE, found, "sharing of layers: each container copies its image", need.cure(caller))
    }
}
