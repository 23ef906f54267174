//! L1: the only door to the kernel. No container words, no unsafe above this layer.
#![expect(clippy::disallowed_methods, reason = "this layer is what the rule sends callers to")]

pub(crate) mod error;
pub(crate) mod fs;
pub(crate) mod lock;

pub(crate) use error::{Call, Errno, Error, Result};
