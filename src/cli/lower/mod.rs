//! Flags → [`ContainerSpec`](crate::types::container_spec::ContainerSpec). Pure: what depends on the caller or on
//! the store comes in as [`Surroundings`]. After this no clap type exists.

mod defaults;
mod environment;
mod given;
mod health;
mod idmap;
mod invalid;
mod mounts;
mod network;
mod resources;
mod security;
mod spec;
mod surroundings;
#[cfg(test)]
mod tests;

pub(crate) use environment::variables;
pub(crate) use invalid::FlagError;
pub(crate) use spec::container_spec;
pub(crate) use surroundings::Surroundings;
