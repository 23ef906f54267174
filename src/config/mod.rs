//! L2: reads configuration files and applies precedence. No policy. May import: types, sys.
#![forbid(unsafe_code)]

pub(crate) mod auth_file;
pub(crate) mod auth_key;
pub(crate) mod auth_store;
pub(crate) mod certs;
mod config_file;
pub(crate) mod containers_conf;
mod credential_helper;
mod drop_in;
pub(crate) mod environment;
mod error;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod paths;
pub(crate) mod policy_json;
pub(crate) mod proxy;
pub(crate) mod registries_conf;
pub(crate) mod registries_d;
pub(crate) mod storage_conf;
mod toml_error;
pub(crate) mod user_file;
mod yaml;

pub(crate) use error::Error;
pub(crate) use paths::Roots;
