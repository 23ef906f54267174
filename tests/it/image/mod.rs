//! Images: in from registries, their names, their removal.

mod load;
mod names;
mod peer;
mod pull;
mod pull_hostile;
mod remove;
