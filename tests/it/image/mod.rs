//! Images: in from registries, their names, their removal.

mod names;
mod peer;
mod pull;
mod pull_hostile;
mod remove;
