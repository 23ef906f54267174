//! L3: everything that Sampan keeps on disk (docs/architecture.md). Given its roots it reads no configuration, and it never
//! forks: what needs the power of the outer namespace P is a plain function that the engine runs in a worker.
//!
//! The rules R1–R13 of docs/reliability.md are kept here and nowhere else:
//! one JSON file per object, `staging/` then a rename to publish, names by `link(2)`, `flock` for locks, references
//! only in the referrer, mark and sweep, `trash/` before deletion.
#![forbid(unsafe_code)]

pub(crate) mod accounts;
mod asides;
pub(crate) mod blobs;
pub(crate) mod changes;
pub(crate) mod check;
pub(crate) mod cidfile;
pub(crate) mod container_list;
pub(crate) mod container_locks;
mod container_names;
pub(crate) mod container_record;
mod container_state;
pub(crate) mod containers;
pub(crate) mod copy_root;
pub(crate) mod error;
pub(crate) mod exec_record;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
pub(crate) mod gc;
pub(crate) mod health_record;
mod home;
mod image_documents;
mod image_find;
pub(crate) mod image_head;
pub(crate) mod images;
pub(crate) mod layer_content;
pub(crate) mod layer_index;
pub(crate) mod layer_xattrs;
pub(crate) mod layers;
pub(crate) mod layout;
pub(crate) mod lease;
pub(crate) mod lists;
pub(crate) mod overlay;
mod override_stat;
pub(crate) mod pack;
pub(crate) mod partials;
mod patience;
pub(crate) mod process_identity;
pub(crate) mod publish;
pub(crate) mod record;
mod record_fields;
mod recover;
pub(crate) mod refs;
pub(crate) mod store;
pub(crate) mod sync_policy;
#[cfg(test)]
mod tests;
pub(crate) mod trash;
pub(crate) mod twins;
pub(crate) mod unpack;
pub(crate) mod usage;
pub(crate) mod volumes;

pub(crate) use error::Error;
#[cfg(test)]
pub(crate) use layout::Layout;
pub(crate) use store::Store;
