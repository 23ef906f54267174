//! Images: in from registries, names, listing, removal.
//!
//! A pull is a set of processes (this one never has threads). For each layer that is missing:
//!
//! ```text
//! engine ─fork─► layer ─fork─► download  (caller's namespace, credentials)  ─ hash, staging blob
//!    ▲             │                │ the blob's file; a pipe tells how much of it is there
//!    │             └─worker in P─► unpack (confined to the staged layer)    ─ gunzip, diff id, files
//!    └── notes: bytes so far, the blob, the layer ──┘
//! ```
//!
//! Nothing is visible before everything is verified: blobs, then layers, then the image, then its name (rule R3).

mod absent;
mod caged;
mod change;
mod exists;
mod feed;
mod fetch;
mod filter;
mod history;
mod import;
mod incoming;
mod inspect;
mod list;
mod lists;
mod load;
mod notes;
mod outgoing;
mod outgoing_list;
mod parent;
mod prune;
mod pull;
mod push;
mod recode;
mod remap;
mod remove;
mod resolve;
mod save;
mod send;
mod source;
mod tag;
mod transport;
mod tree;
mod trust;
mod writeback;

pub(crate) use crate::registry::archive::Form;
pub(crate) use crate::registry::{Access, ManifestFormat, Retry};
pub(crate) use crate::storage::unpack::Compression;
pub(super) use caged::{decompress, measure_layer};
pub(crate) use change::InvalidChange;
#[cfg(feature = "fuzzing")]
pub(crate) use change::apply as change;
pub(crate) use filter::ImageFilter;
pub(crate) use history::HistoryEntry;
pub(crate) use import::{ImportInput, ImportRequest};
pub(super) use incoming::{IncomingImage, IncomingLayer, StagedUnpack, unpack_layer};
pub(crate) use inspect::GraphDriver;
pub(crate) use list::ImageSummary;
pub(crate) use lists::{AddRequest, EntryChange};
pub(crate) use load::{ArchiveInput, LoadRequest};
pub(crate) use pull::PullRequest;
pub(crate) use push::{PushRequest, layer_form, write_digest};
pub(crate) use remove::{RemoveImageRequest, RemovedImage};
pub(crate) use save::{LayerForm, SaveRequest, SavedNames};
pub(crate) use transport::{Output, Place};
pub(crate) use tree::TreeNode;
pub(crate) use trust::Distrust;
