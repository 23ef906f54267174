//! A layer tar becomes a directory. Runs in a worker in P that is confined to that directory (`confine`); every
//! effect on the file system goes through descriptors of directories inside it (`tree`), never through a path.
//!
//! ```text
//! descriptor ─ decode: gunzip, count, sha256 = diff id ─► chunks ─ stream ─► reader: tar ─► tree, idx, digests of files
//!              a thread of its own, or who reads the tar
//! ```
#![forbid(unsafe_code)]

mod apply;
mod compare;
mod compression;
mod confine;
mod content;
mod decode;
mod error;
mod inherit;
mod metadata;
mod pax;
mod places;
mod reader;
mod record;
mod remarks;
mod source;
mod stream;
#[cfg(test)]
pub(crate) mod tar_builder;
#[cfg(test)]
mod tests;
mod tree;
mod whiteout;

pub(crate) use apply::{Flavour, Plan, Unpacked, unpack};
pub(crate) use compare::{Comparison, compare};
pub(crate) use compression::Compression;
pub(crate) use confine::{Caged, confine};
pub(crate) use decode::Limits;
pub(crate) use error::Error;
pub(crate) use inherit::{Inherited, inherit_parents};
pub(crate) use remarks::Remarks;
pub(crate) use source::{Growing, Marks, Source};
pub(crate) use stream::{PlainLayer, Threads, open_archive};
