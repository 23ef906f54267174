//! The container's first process, from its birth to the program's `execve`.
//!
//! The order (docs/architecture.md): wait for C's map; become C's root; leave the binary if the container could write it;
//! build the root inside the container's own mount namespace; say `Created`; wait for `Start`; take the program's
//! identity; execute. Nothing here logs: what goes wrong is sent over the control wire.

mod assemble;
mod console;
mod context;
mod devices;
pub(super) mod fill;
mod hide;
mod identity;
mod join;
mod masks;
mod mtab;
mod neighbours;
mod program;
mod re_execute;
mod reaper;
mod sequence;
mod sysctl;
pub(super) mod target;

pub(super) use assemble::procfs;
pub(crate) use context::{Context, Place, Tree};
pub(super) use devices::NODES;
pub(super) use hide::{arguments as forget_arguments, hide};
pub(super) use join::run as join;
pub(super) use re_execute::re_execute;
pub(crate) use re_execute::{ROLE, must_re_execute, resume};
pub(super) use sequence::run;
