//! Images in a file or a directory: OCI layouts and what `docker save` writes. A tar is indexed once and its blobs are
//! read by offset; names inside are only ever looked up in that index, or by descriptor in the directory (case B17).

mod archived;
mod docker;
mod members;
mod oci;

pub(crate) use archived::Archive;

#[cfg(test)]
mod tests;
