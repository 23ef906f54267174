//! L5: use cases. Takes locks, returns reports; prints nothing, reads no environment. May import: all below.
#![forbid(unsafe_code)]

mod error;
mod handle;
mod linger;

pub(crate) use error::Error;
pub(crate) use handle::{Engine, EngineConfig};

#[cfg(test)]
mod default_seccomp_tests;
