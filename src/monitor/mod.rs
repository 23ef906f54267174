//! L4: one process per container (the part of conmon). May import: runtime, rootless, network, storage, sys, types.
#![forbid(unsafe_code)]

pub(crate) mod report;
pub(crate) mod stdio;
