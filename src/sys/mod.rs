//! L1: the only door to the kernel. No container words, no unsafe above this layer.
#![expect(clippy::disallowed_methods, reason = "this layer is what the rule sends callers to")]

mod allocator;
pub(crate) mod bpf;
pub(crate) mod caps;
pub(crate) mod caretaker;
pub(crate) mod clone;
pub(crate) mod confine;
pub(crate) mod contents;
pub(crate) mod descriptor;
pub(crate) mod dir;
pub(crate) mod error;
pub(crate) mod family;
pub(crate) mod filesystem;
pub(crate) mod fs;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
pub(crate) mod inotify;
mod landlock;
pub(crate) mod lock;
pub(crate) mod mount;
pub(crate) mod namespace;
pub(crate) mod netdev;
pub(crate) mod outfile;
pub(crate) mod poll;
pub(crate) mod prctl;
pub(crate) mod process;
pub(crate) mod pty;
mod raw;
pub(crate) mod root;
pub(crate) mod seccomp;
pub(crate) mod signal;
pub(crate) mod small_files;
pub(crate) mod socket;
pub(crate) mod spawn;
mod stepwise;
pub(crate) mod stream;
pub(crate) mod tree;
pub(crate) mod user;
mod wait;
pub(crate) mod xattr;

pub(crate) use error::{Call, Errno, Error, Result};
pub(crate) use wait::{first_readable, wait_readable};
