//! Images in a file or a directory: OCI layouts, what `docker save` writes, and plain directories. A tar is indexed once and its blobs are
//! read by offset; names inside are only ever looked up in that index, or by descriptor in the directory (case B17).

mod archived;
mod docker;
mod form;
mod members;
mod oci;
mod outgoing;
mod plain_dir;
mod writer;

pub(crate) use archived::{Archive, ArchivedImage};
pub(crate) use form::Form;
#[cfg(feature = "fuzzing")]
pub(super) use outgoing::merged_index;
pub(crate) use outgoing::{
    DockerItem, OciItem, dir_blob, docker_config, docker_layer, finish_dir, finish_docker, finish_oci, oci_blob,
};
pub(crate) use writer::Writer;

#[cfg(test)]
mod tests;
