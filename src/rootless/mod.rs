//! L3: the outer user namespace P and workers in it. May import: sys, types.
//!
//! P maps 0 to the caller and 1… to the caller's subordinate ids (or, in single-id mode, 0 to the caller alone). It lives
//! only as long as a process or a descriptor holds it: there is no pause process. Whoever needs it joins the P of a
//! live container, found in a directory of the runroot, and makes a new one otherwise (docs/architecture.md).
#![forbid(unsafe_code)]

mod ahead;
mod error;
pub(crate) mod outer;
pub(crate) mod subid;
pub(crate) mod wish;
pub(crate) mod worker;

pub(crate) use ahead::Ahead;
pub(crate) use error::Error;
pub(crate) use outer::Outer;
pub(crate) use wish::OuterWish;
