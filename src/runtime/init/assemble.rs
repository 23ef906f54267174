//! The root of the container: mounts into place, devices, masks, pivot, terminal.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use oci_spec::runtime::{LinuxNamespaceType, Mount};

use crate::runtime::bundle::Bundle;
use crate::runtime::error::Error;
use crate::runtime::mount_options::MountOptions;
use crate::sys::mount::{self, Attributes, FsContext};
use crate::sys::pty;
use crate::sys::root::RootDir;
use crate::sys::{self, Errno, process, stream};

use super::context::Tree;
use super::target::{self, Purpose, Shape};
use super::{console, devices, fill, masks, mtab, program, sysctl};

/// Builds the root and enters it. The terminal is there if the spec asks for one.
pub(super) fn root(bundle: &Bundle, new_root: &OwnedFd, trees: &[Tree]) -> Result<Option<pty::Pair>, Error> {
    let spec = &bundle.spec;
    let old_root = sys::fs::open_path(Path::new("/")).map_err(Error::Pivot)?;
    mount::attach(new_root.as_fd(), old_root.as_fd()).map_err(Error::Pivot)?;
    // The tree below may be shared with the host's (a bundle's directory): our mounts must not travel.
    mount::set_propagation(new_root.as_fd(), mount::PropagationKind::Private).map_err(Error::Pivot)?;
    let root = RootDir::from(stream::duplicate(new_root).map_err(Error::Pivot)?);

    mtab::link(&root)?;
    let mut mounts = Vec::new();
    for (index, spec) in spec.mounts().iter().flatten().enumerate() {
        let options = MountOptions::parse(spec.destination(), spec.options().as_deref().unwrap_or_default())?;
        let tree = trees.iter().find(|tree| tree.index == index).map(|tree| tree.fd.as_fd());
        mounts.push(Planned { spec, options, tree, owner: None });
    }
    // Before anything covers the image: in `-v SRC:/app -v /app/deps` the volume is for what the image has there.
    for mount in mounts.iter_mut().filter(|mount| mount.options.copy_up) {
        if let Some(tree) = mount.tree {
            mount.owner = fill_volume(&root, mount.spec.destination(), tree, mount.options.durable, bundle)?;
        }
    }
    for mount in &mounts {
        one_mount(&root, mount, bundle)?;
    }
    devices::populate(&root, bundle)?;
    if let Some(linux) = spec.linux() {
        sysctl::apply(linux, bundle.is_new(LinuxNamespaceType::Pid))?;
        masks::apply(&root, linux)?;
    }
    working_directory(&root, bundle)?;
    if spec.root().as_ref().and_then(oci_spec::runtime::Root::readonly).unwrap_or(false) {
        let read_only = Attributes { read_only: true, ..Attributes::default() };
        mount::set_attributes(new_root.as_fd(), false, read_only).map_err(Error::Pivot)?;
    }
    if bundle.is_new(LinuxNamespaceType::Uts)
        && let Some(name) = spec.hostname()
    {
        process::set_hostname(name).map_err(|source| Error::Hostname(name.clone(), source))?;
    }
    if bundle.is_new(LinuxNamespaceType::Network) {
        sys::netdev::loopback_up().map_err(Error::Loopback)?;
    }
    process::fchdir(new_root.as_fd()).map_err(Error::Pivot)?;
    mount::pivot_to_current_dir().map_err(Error::Pivot)?;
    if bundle.terminal() { terminal(bundle).map(Some) } else { Ok(None) }
}

/// A volume that is empty gets what the image has in its place, and its owner and mode. Where the image has nothing, nobody there
/// owns it: then it is for the program, and who that is is the answer. Nothing is made: what is mounted later may have the place.
fn fill_volume(
    root: &RootDir,
    target: &Path,
    tree: BorrowedFd<'_>,
    durable: bool,
    bundle: &Bundle,
) -> Result<Option<(u32, u32)>, Error> {
    if fill::from_image(root, target, tree, durable)? {
        return Ok(None);
    }
    let owner = program::owner(root, bundle)?;
    fill::give_if_empty(tree, owner, durable).map_err(|source| Error::Mount { target: target.to_owned(), source })?;
    Ok(Some(owner))
}

/// A mount of the spec on its way into the root.
struct Planned<'a> {
    spec: &'a Mount,
    options: MountOptions,
    /// What the stage has opened: there is none for a new file system.
    tree: Option<BorrowedFd<'a>>,
    /// Whose the place is if the image lacks it.
    owner: Option<(u32, u32)>,
}

fn one_mount(root: &RootDir, mount: &Planned<'_>, bundle: &Bundle) -> Result<(), Error> {
    let Planned { spec, options, tree, owner } = mount;
    let target = spec.destination();
    let error = |source| Error::Mount { target: target.clone(), source };
    let shape = match *tree {
        Some(tree) if !sys::dir::fstat(tree).map_err(error)?.is_dir() => Shape::File,
        _ => Shape::Directory,
    };
    // The next start finds the directory of a tmpfs.
    let is_tmpfs = tree.is_none() && spec.typ().as_deref() == Some("tmpfs");
    let purpose = match () {
        () if is_tmpfs && options.copy_up => Purpose::Tmpfs,
        () if options.of_root => Purpose::EngineFile,
        () => Purpose::Mount,
    };
    let place = match target::open(root, target, shape, purpose) {
        // `-v DIR:/etc:ro`, and DIR has no such file: the program sees what the user wants it to see.
        Err(Error::ForeignLink { .. }) if options.of_root => return Ok(()),
        Err(Error::Target { source, .. }) if options.of_root && source.is(Errno::EROFS) => return Ok(()),
        opened => opened?,
    };
    if options.yields && mount::is_mounted_on(place.as_fd()) {
        return Ok(());
    }
    target::require_shape(&place, target, shape)?;
    if let Some((uid, gid)) = owner.filter(|_| mount::is_same(root.dir().as_fd(), place.as_fd())) {
        // So that the next start, which finds it, gives the volume to the same user. What is mounted is not ours to give.
        sys::dir::chown_path(place.as_fd(), uid, gid).map_err(error)?;
    }
    let Some(tree) = *tree else {
        return new_file_system(spec, options, &place);
    };
    if options.chown {
        let (uid, gid) = program::owner(root, bundle)?;
        fill::give(tree, uid, gid).map_err(error)?;
    }
    if options.attributes != Attributes::default() {
        mount::set_attributes(tree, true, options.attributes).map_err(error)?;
    }
    let propagation = options.propagation.unwrap_or(mount::PropagationKind::Private);
    mount::set_propagation(tree, propagation).map_err(error)?;
    mount::attach(tree, place.as_fd()).map_err(error)
}

/// What is no bind.
fn new_file_system(spec: &Mount, options: &MountOptions, place: &OwnedFd) -> Result<(), Error> {
    let target = spec.destination();
    let kind = spec.typ().as_deref().unwrap_or("bind");
    let error = |source| Error::Mount { target: target.clone(), source };
    // A copied-up tmpfs is filled before it becomes read-only.
    let attributes =
        if options.copy_up { Attributes { read_only: false, ..options.attributes } } else { options.attributes };
    let mounted = match kind {
        "proc" | "sysfs" | "tmpfs" | "devpts" | "mqueue" => {
            let source = spec.source().as_deref().unwrap_or(Path::new(kind));
            file_system(kind, source, options, attributes).map_err(error)?
        }
        "cgroup" | "cgroup2" => {
            file_system("cgroup2", Path::new("cgroup2"), &MountOptions::default(), attributes).map_err(error)?
        }
        other => return Err(Error::MountType { target: target.clone(), kind: other.to_owned() }),
    };
    if options.copy_up {
        sys::tree::copy_contents(place, &mounted).map_err(error)?;
        if let Some(mode) = options.mode() {
            // The user's word stands above the directory's own mode.
            let top = sys::dir::reopen(mounted.as_fd()).map_err(error)?;
            sys::dir::fchmod(top.as_fd(), mode).map_err(error)?;
        }
        mount::set_attributes(mounted.as_fd(), false, options.attributes).map_err(error)?;
    }
    mount::attach(mounted.as_fd(), place.as_fd()).map_err(error)
}

/// The procfs of the pid namespace that we are in.
pub(in crate::runtime) fn procfs(spec: &Mount) -> sys::Result<OwnedFd> {
    file_system(
        "proc",
        spec.source().as_deref().unwrap_or(Path::new("proc")),
        &MountOptions::default(),
        Attributes::default(),
    )
}

/// A new file system of a kind, detached. `source` is what `/proc/mounts` and df(1) call it.
fn file_system(kind: &str, source: &Path, options: &MountOptions, attributes: Attributes) -> sys::Result<OwnedFd> {
    let name = match kind {
        "proc" => "proc",
        "sysfs" => "sysfs",
        "tmpfs" => "tmpfs",
        "devpts" => "devpts",
        "mqueue" => "mqueue",
        "cgroup2" => "cgroup2",
        other => return Err(sys::Error::new("fsopen", format!("{other:?}"), Errno::ENODEV)),
    };
    let context = FsContext::open(name)?;
    context.set("source", source)?;
    for (key, value) in &options.data {
        match value {
            Some(value) => context.set(key, value)?,
            None => context.flag(key)?,
        };
    }
    context.mount(attributes)
}

/// Looked for in the new root before anything else can lead there (case C02: a link of `/proc` to a descriptor of ours is
/// refused). As with Podman, one that the image names is made.
fn working_directory(root: &RootDir, bundle: &Bundle) -> Result<(), Error> {
    let Some(process) = bundle.spec.process() else { return Ok(()) };
    let path = target::relative(process.cwd());
    if path.as_os_str().is_empty() {
        return Ok(());
    }
    let failed = |source| Error::WorkDir { path: process.cwd().clone(), source };
    match root.lookup(&path) {
        Err(_absent) if bundle.make_workdir => {
            let made = target::open(root, process.cwd(), Shape::Directory, Purpose::Mount);
            made.map(drop)
                .map_err(|error| if let Error::Target { source, .. } = error { failed(source) } else { error })
        }
        found => found.map(drop).map_err(failed),
    }
}

/// Opens a terminal in the container's own devpts and puts it on /dev/console (case C04: only descriptors are used).
fn terminal(bundle: &Bundle) -> Result<pty::Pair, Error> {
    let pair = console::open(bundle)?;
    let path = Path::new("/dev/console");
    let place = match sys::fs::open_path(path) {
        Ok(place) => place,
        Err(absent) if absent.is(Errno::ENOENT) => {
            drop(sys::fs::create_new(path, 0o600).map_err(Error::Console)?);
            sys::fs::open_path(path).map_err(Error::Console)?
        }
        Err(error) => return Err(Error::Console(error)),
    };
    let tree = mount::clone_tree_at(pair.slave.as_fd()).map_err(Error::Console)?;
    mount::attach(tree.as_fd(), place.as_fd()).map_err(Error::Console)?;
    Ok(pair)
}
