//! The targets by name. What each asserts stands at its entry point, `src/fuzzing.rs` of the product.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// A target.
pub type Target = fn(&[u8]);

macro_rules! targets {
    ($($name:ident => $call:expr,)*) => {
        $(
            #[doc = concat!("Target `", stringify!($name), "`.")]
            pub fn $name(data: &[u8]) {
                let call: Target = $call;
                call(data);
            }
        )*
        /// All of them.
        pub const TARGETS: &[(&str, Target)] = &[$((stringify!($name), $name)),*];
    };
}

targets! {
    answers => sampan::fuzzing::answers,
    archive => |data| sampan::fuzzing::archive(source(data)),
    command_line => sampan::fuzzing::command_line,
    compression => |data| sampan::fuzzing::compression(source(data)),
    configuration => |data| {
        drop(source(data));
        sampan::fuzzing::configuration(data, &SCRATCH.join("source"));
    },
    digest => sampan::fuzzing::digest,
    flags => sampan::fuzzing::flags,
    frames => sampan::fuzzing::frames,
    headers => sampan::fuzzing::headers,
    host_files => sampan::fuzzing::host_files,
    image_config => sampan::fuzzing::image_config,
    index => sampan::fuzzing::index,
    layer => |data| {
        let ground = SCRATCH.join("ground");
        sampan::fuzzing::layer(data, &ground, source(data));
        open_up(&ground.join("diff"));
        fs::remove_dir_all(ground.join("diff")).expect("our own tree");
    },
    layout => |data| in_directory(|dir| sampan::fuzzing::layout(data, dir)),
    log => |data| in_directory(|dir| sampan::fuzzing::log(data, dir)),
    log_line => sampan::fuzzing::log_line,
    manifest => sampan::fuzzing::manifest,
    records => sampan::fuzzing::records,
    recovery => |data| in_directory(|dir| sampan::fuzzing::recovery(data, dir, &SCRATCH.join("ground"))),
    reference => sampan::fuzzing::reference,
    resolver => |data| in_directory(|dir| sampan::fuzzing::resolver(data, dir)),
    seccomp => sampan::fuzzing::seccomp,
    signature => sampan::fuzzing::signature,
    template => sampan::fuzzing::template,
    user => sampan::fuzzing::user,
    values => sampan::fuzzing::values,
}

/// Files of this process in memory: `source`, and `ground` with a sentinel for layers. Removed by `fuzz/run`.
static SCRATCH: LazyLock<PathBuf> = LazyLock::new(|| {
    let status = fs::read_to_string("/proc/self/status").expect("/proc is there");
    let is_root = status.lines().any(|line| line.starts_with("Uid:\t0\t"));
    assert!(!is_root, "a layer that breaks out must find nothing that it may write: not as root (fuzz/run)");
    let base = std::env::var_os("SAMPAN_FUZZ_SCRATCH").map_or_else(|| PathBuf::from("/dev/shm"), PathBuf::from);
    let scratch = base.join(format!("sampan-fuzz-{}", std::process::id()));
    fs::create_dir_all(scratch.join("ground")).expect("scratch directory");
    let sentinel = scratch.join("ground/sentinel");
    fs::write(&sentinel, "untouched").expect("sentinel");
    fs::set_permissions(&sentinel, std::os::unix::fs::PermissionsExt::from_mode(0o640)).expect("sentinel");
    scratch
});

/// Calls `target` with an empty directory of its own, which is removed afterwards.
fn in_directory(target: impl FnOnce(&Path)) {
    let dir = SCRATCH.join("directory");
    fs::create_dir(&dir).expect("scratch directory");
    target(&dir);
    open_up(&dir);
    fs::remove_dir_all(dir).expect("our own tree");
}

/// A file with this content.
fn source(data: &[u8]) -> File {
    let path: &Path = &SCRATCH.join("source");
    fs::write(path, data).expect("scratch file");
    File::open(path).expect("scratch file")
}

/// Gives the user the way into every directory of a tree, whatever a layer says.
fn open_up(dir: &Path) {
    fs::set_permissions(dir, std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("our own directory");
    for entry in fs::read_dir(dir).expect("our own directory").flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_up(&entry.path());
        }
    }
}
