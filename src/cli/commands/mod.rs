//! The verbs: one file each, by noun.

pub(crate) mod completion;
pub(crate) mod container;
pub(crate) mod healthcheck;
pub(crate) mod image;
pub(crate) mod manifest;
mod mounted;
mod pruned;
pub(crate) mod registry;
pub(crate) mod system;
pub(crate) mod volume;
