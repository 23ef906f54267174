//! Volumes and mounts.

mod mounts;
mod verbs;
