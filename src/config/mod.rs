//! L2: reads configuration files and applies precedence. No policy. May import: types, sys.
#![forbid(unsafe_code)]

mod error;
mod paths;

pub(crate) use error::Error;
pub(crate) use paths::Roots;
