//! Images: in from registries, their names, their removal.

mod additional;
mod hostile;
mod hostile_blobs;
mod list;
mod lists;
mod load;
mod mirrors;
mod mount;
mod names;
mod odd_tars;
mod peer;
mod poison;
mod pull;
mod pull_figures;
mod pull_hostile;
mod pull_names;
mod pull_resume;
mod remove;
mod save;
mod signed;
mod signed_elsewhere;
mod tree;
mod trust;
mod twins;
