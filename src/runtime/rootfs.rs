//! The root file system of a plan, as a detached mount made in P.

use std::ffi::OsString;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use crate::sys::clone::{CloneOptions, Forked};
use crate::sys::mount::{self, Attributes, FsContext};
use crate::sys::process::{self, PidFd};
use crate::sys::{self, Errno, descriptor, prctl};
use crate::types::idmap::{Extent, OVERFLOW_ID};
use crate::types::rootfs_plan::{FuseMapping, RootfsPlan};

use super::error::Error;
use super::mount_options::MountOptions;

/// `upper` becomes the container's `/`, so it belongs to the container's root: `root`, in P's ids (K-A5).
fn own_upper(plan: &RootfsPlan, root: (u32, u32)) -> Result<(), Error> {
    let (RootfsPlan::Overlay { upper, .. } | RootfsPlan::Fuse { upper, .. }) = plan else { return Ok(()) };
    if root == (0, 0) {
        return Ok(());
    }
    let dir = sys::dir::Dir::open(upper).map_err(Error::MountRootfs)?;
    sys::dir::fchown(dir.as_fd(), root.0, root.1).map_err(Error::MountRootfs)
}

/// Mounts it. With `fuse-overlayfs` the server's pidfd comes along; it is a child of our parent, the monitor.
pub(crate) fn mount(plan: &RootfsPlan, root: (u32, u32)) -> Result<(OwnedFd, Option<PidFd>), Error> {
    own_upper(plan, root)?;
    match plan {
        RootfsPlan::Path { path } => {
            let tree = mount::clone_tree(sys::fs::current_dir(), path);
            tree.map(|tree| (tree, None)).map_err(|source| Error::Source { path: path.clone(), source })
        }
        RootfsPlan::Overlay { lower, upper, work, volatile } => {
            overlay(lower, upper, work, *volatile).map(|root| (root, None)).map_err(Error::MountRootfs)
        }
        RootfsPlan::Fuse { program, lower, upper, work, mapping } => {
            let (root, server) = fuse(program, lower, upper, work, mapping.as_ref())?;
            Ok((root, Some(server)))
        }
    }
}

/// The same for who looks at a container that does not run. Overlay wants an upper directory that can be written: where none
/// can, because errors of the disk made it read-only or it is a backup, what the container has written is the top layer.
pub(crate) fn mount_at_rest(plan: &RootfsPlan, root: (u32, u32)) -> Result<(OwnedFd, Option<PidFd>), Error> {
    if let RootfsPlan::Overlay { lower, upper, .. } = plan
        && sys::filesystem::file_system(upper).map_err(Error::MountRootfs)?.read_only
    {
        let layers: Vec<PathBuf> = std::iter::once(upper).chain(lower).cloned().collect();
        return mount_layers(&layers).map(|tree| (tree, None));
    }
    mount(plan, root)
}

/// `upper` becomes the top of the mount, so it belongs to whom the directory below belongs, to the container's root (`root`, in
/// P's ids) if that is nobody here: the caller's id may be that of an ordinary user of the container.
fn own_top(lower: &Path, upper: &Path, root: (u32, u32)) -> sys::Result<()> {
    let stat = sys::dir::fstat(sys::fs::open_path(lower)?.as_fd())?;
    let uid = if stat.uid == OVERFLOW_ID { root.0 } else { stat.uid };
    let gid = if stat.gid == OVERFLOW_ID { root.1 } else { stat.gid };
    if (uid, gid) == (0, 0) {
        return Ok(());
    }
    sys::dir::chown_path(sys::fs::open_path(upper)?.as_fd(), uid, gid)
}

/// An overlay mount of the spec (`type: overlay` with `lowerdir=`, `upperdir=`, `workdir=`). Init sets its attributes: a
/// read-only one may have to be filled before.
pub(super) fn overlay_from_options(target: &Path, options: &MountOptions, root: (u32, u32)) -> Result<OwnedFd, Error> {
    let find = |key: &str| options.data.iter().find(|(k, _)| k == key).and_then(|(_, value)| value.as_deref());
    let missing = |option: &str| Error::MountOption { target: target.to_owned(), option: format!("no {option}") };
    let lower: Vec<PathBuf> = split_lower(find("lowerdir").ok_or_else(|| missing("lowerdir"))?);
    let upper = find("upperdir").ok_or_else(|| missing("upperdir"))?;
    let work = find("workdir").ok_or_else(|| missing("workdir"))?;
    let owned = lower.first().map_or(Ok(()), |lower| own_top(lower, Path::new(upper), root));
    owned
        .and_then(|()| overlay(&lower, Path::new(upper), Path::new(work), false))
        .map_err(|source| Error::Mount { target: target.to_owned(), source })
}

/// Overlay's own list syntax: `:` separates, `\` escapes.
fn split_lower(list: &str) -> Vec<PathBuf> {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for c in list.chars() {
        match (c, escaped) {
            ('\\', false) => escaped = true,
            (':', false) => parts.push(String::new()),
            _ => {
                escaped = false;
                if let Some(part) = parts.last_mut() {
                    part.push(c);
                }
            }
        }
    }
    parts.into_iter().map(PathBuf::from).collect()
}

/// Kernel overlay with `userxattr` (Linux 5.11). Layers go in one by one (`lowerdir+`, Linux 6.7), which has no limit of
/// one page; older kernels get the list as short names of open directories.
///
/// Before 6.5 overlay has no parameters of its own: options are only collected, a value with a comma (a layer of another map
/// has one in its name) is EINVAL at once, and an unknown name is EINVAL at the very end. So EINVAL of any step means: classic.
fn overlay(lower: &[PathBuf], upper: &Path, work: &Path, volatile: bool) -> sys::Result<OwnedFd> {
    match overlay_by_one(lower, upper, work, volatile) {
        Err(error) if error.is(Errno::EINVAL) => classic_overlay(lower, upper, work, volatile),
        other => other,
    }
}

fn overlay_by_one(lower: &[PathBuf], upper: &Path, work: &Path, volatile: bool) -> sys::Result<OwnedFd> {
    let context = FsContext::open("overlay")?;
    context.set("source", "overlay")?.flag("userxattr")?;
    if volatile {
        context.flag("volatile")?;
    }
    for layer in lower {
        context.set("lowerdir+", layer)?;
    }
    // Values of fsconfig end at 255 bytes: long paths go by descriptor.
    let (upper, work) = (Short::new(upper)?, Short::new(work)?);
    context.set("upperdir", &upper.name)?.set("workdir", &work.name)?;
    context.mount(Attributes::default())
}

/// Layers (at least two, the top one first) as one read-only tree.
pub(crate) fn mount_layers(lower: &[PathBuf]) -> Result<OwnedFd, Error> {
    let by_one = || {
        let context = FsContext::open("overlay")?;
        context.flag("userxattr")?;
        for layer in lower {
            context.set("lowerdir+", layer)?;
        }
        context.mount(Attributes { read_only: true, ..Attributes::default() })
    };
    let tree = match by_one() {
        // As in `overlay`.
        Err(error) if error.is(Errno::EINVAL) => classic_layers(lower),
        other => other,
    };
    tree.map_err(Error::MountRootfs)
}

/// The whole list in one string, on the last layer, which nobody looks at meanwhile.
fn classic_layers(lower: &[PathBuf]) -> sys::Result<OwnedFd> {
    let short: Vec<Short> = lower.iter().map(|path| Short::by_descriptor(path)).collect::<sys::Result<_>>()?;
    let mut data = OsString::from("userxattr,lowerdir=");
    for (index, layer) in short.iter().enumerate() {
        if index > 0 {
            data.push(":");
        }
        data.push(&layer.name);
    }
    let Some(place) = lower.last() else {
        return Err(sys::Error::new("mount", "no layer", Errno::EINVAL));
    };
    mount::mount_classic("overlay", place, &data)?;
    let tree = mount::clone_tree(sys::fs::current_dir(), place)?;
    mount::detach(place)?;
    mount::set_attributes(tree.as_fd(), true, Attributes { read_only: true, ..Attributes::default() })?;
    Ok(tree)
}

/// What the processes of a mount namespace see, with all that is mounted in it.
pub(crate) fn container_tree(mounts: &Path) -> sys::Result<OwnedFd> {
    super::foreign_tree::clone_tree(mounts, Path::new("."))
}

/// Tries whether the kernel mounts an overlay of these directories here, and can hide a directory in it: without `user.`
/// attributes (tmpfs before Linux 6.6) it mounts, and every removal of a lower directory is EIO later on.
pub(crate) fn probe_overlay(lower: &Path, upper: &Path, work: &Path) -> sys::Result<()> {
    let dir = sys::dir::Dir::open(upper)?;
    sys::xattr::set(dir.as_fd(), "user.overlay.opaque".as_ref(), b"y")?;
    overlay(&[lower.to_owned()], upper, work, false).map(drop)
}

/// A path, or a short name for it.
struct Short {
    name: OsString,
    _fd: Option<OwnedFd>,
}

impl Short {
    fn new(path: &Path) -> sys::Result<Self> {
        // The kernel takes `\` in them for an escape.
        let plain = path.as_os_str().len() < 200 && !path.as_os_str().as_encoded_bytes().contains(&b'\\');
        if plain { Ok(Self { name: path.into(), _fd: None }) } else { Self::by_descriptor(path) }
    }

    fn by_descriptor(path: &Path) -> sys::Result<Self> {
        let fd = sys::fs::open_path(path)?;
        Ok(Self { name: format!("/proc/self/fd/{}", fd.as_raw_fd()).into(), _fd: Some(fd) })
    }
}

/// `mount(2)` on the upper directory itself, which nobody looks at in this mount namespace, and a detached copy of it.
fn classic_overlay(lower: &[PathBuf], upper: &Path, work: &Path, volatile: bool) -> sys::Result<OwnedFd> {
    let lower: Vec<Short> = lower.iter().map(|path| Short::by_descriptor(path)).collect::<sys::Result<_>>()?;
    let mut data = OsString::from("userxattr");
    if volatile {
        data.push(",volatile");
    }
    data.push(",lowerdir=");
    for (index, layer) in lower.iter().enumerate() {
        if index > 0 {
            data.push(":");
        }
        data.push(&layer.name);
    }
    let (upper_short, work_short) = (Short::by_descriptor(upper)?, Short::by_descriptor(work)?);
    for (key, value) in [(",upperdir=", &upper_short.name), (",workdir=", &work_short.name)] {
        data.push(key);
        data.push(value);
    }
    mount::mount_classic("overlay", upper, &data)?;
    let tree = mount::clone_tree(sys::fs::current_dir(), upper)?;
    mount::detach(upper)?;
    Ok(tree)
}

/// `fuse-overlayfs -f` on the upper directory's place in our mount namespace, and a detached copy of its mount.
fn fuse(
    program: &Path,
    lower: &[PathBuf],
    upper: &Path,
    work: &Path,
    mapping: Option<&FuseMapping>,
) -> Result<(OwnedFd, PidFd), Error> {
    let error = |source| Error::FuseRootfs { program: program.to_owned(), source };
    let mount_point = work.to_owned();
    let before = sys::fs::stat(&mount_point).map_err(error)?.map(|meta| device(&meta));
    if let Some(path) = lower.iter().map(PathBuf::as_path).chain([upper]).find(|path| fuse_splits(path)) {
        return Err(Error::FusePath { path: path.to_owned() });
    }
    let options = fuse_options(lower, upper, work, mapping);
    let (reader, writer) = descriptor::pipe().map_err(error)?;
    let null = descriptor::dev_null().map_err(error)?;
    let server = match sys::clone::clone3(CloneOptions { sibling: true, ..CloneOptions::default() }).map_err(error)? {
        Forked::Parent(server) => server,
        Forked::Child => {
            let args =
                ["fuse-overlayfs".into(), "-f".into(), "-o".into(), options, mount_point.clone().into_os_string()];
            let become_server = || -> sys::Result<()> {
                prctl::set_parent_death_signal(sys::signal::SIGKILL)?;
                descriptor::redirect(null.as_fd(), 0)?;
                descriptor::redirect(writer.as_fd(), 1)?;
                descriptor::redirect(writer.as_fd(), 2)?;
                descriptor::close_all_but(&[])?;
                prctl::reset_signals()
            };
            let refused = match become_server() {
                Ok(()) => process::exec(program, &args, &[]),
                Err(error) => error,
            };
            // Standard error is the pipe that the stage reads.
            drop(sys::descriptor::write_all(sys::descriptor::standard_error(), refused.to_string().as_bytes()));
            process::exit_now(1)
        }
    };
    drop(writer);
    // It says nothing when it is ready: the mount appears.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    loop {
        let now = sys::fs::stat(&mount_point).map_err(error)?.map(|meta| device(&meta));
        if now != before {
            break;
        }
        let gone = server.wait_gone(Some(std::time::Duration::from_millis(1))).map_err(error)?;
        if gone || std::time::Instant::now() > deadline {
            let output = sys::descriptor::read_some(reader.as_fd(), 2048).unwrap_or_default();
            let output = String::from_utf8_lossy(&output).trim().to_owned();
            // It may have gone by itself.
            drop(server.signal(sys::signal::SIGKILL));
            return Err(Error::FuseDied { program: program.to_owned(), output });
        }
    }
    let tree = mount::clone_tree(sys::fs::current_dir(), &mount_point).map_err(error)?;
    Ok((tree, server))
}

/// True for a path that fuse-overlayfs cannot use: it takes `:` for a separator, also in what it made absolute by itself,
/// and knows no escape.
pub(crate) fn fuse_splits(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().contains(&b':')
}

/// A path in an option list of libfuse, where `,` separates and `\` escapes.
fn escaped(path: &Path) -> OsString {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let mut bytes = Vec::new();
    for byte in path.as_os_str().as_bytes() {
        if matches!(byte, b',' | b'\\') {
            bytes.push(b'\\');
        }
        bytes.push(*byte);
    }
    OsString::from_vec(bytes)
}

fn device(meta: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::dev(meta)
}

fn fuse_options(lower: &[PathBuf], upper: &Path, work: &Path, mapping: Option<&FuseMapping>) -> OsString {
    let mut options = OsString::from("lowerdir=");
    for (index, layer) in lower.iter().enumerate() {
        if index > 0 {
            options.push(":");
        }
        options.push(escaped(layer));
    }
    for (key, path) in [(",upperdir=", upper), (",workdir=", work)] {
        options.push(key);
        options.push(escaped(path));
    }
    if let Some(mapping) = mapping {
        for (key, extents) in [(",uidmapping=", &mapping.uid), (",gidmapping=", &mapping.gid)] {
            let list = |e: &Extent| format!("{}:{}:{}", e.inside, e.outside, e.len);
            options.push(key);
            options.push(extents.iter().map(list).collect::<Vec<_>>().join(":"));
        }
    }
    options
}
