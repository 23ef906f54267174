//! The standard streams of the caller. Whoever shares them may have made them non-blocking: reads and writes wait all the same.

use std::os::fd::OwnedFd;

use super::error::Error;
use crate::sys::stream;

pub(crate) use crate::sys::stream::{Printed, stderr, stdout};

/// Standard input, for what reads a whole stream.
pub(crate) fn input() -> Result<OwnedFd, Error> {
    let [stdin, ..] = stream::standard();
    stream::waiting(stdin).map_err(|source| Error::Host { what: "read standard input", source })
}

/// Standard output, for what writes one.
pub(crate) fn output() -> Result<OwnedFd, Error> {
    let [_, stdout, _] = stream::standard();
    stream::waiting(stdout).map_err(|source| Error::Host { what: "write to standard output", source })
}
