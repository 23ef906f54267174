//! What must be refused, and survived: hosts without helpers, damaged records, killed processes.

mod arguments;
mod full;
mod homes;
mod hosts;
pub(crate) mod kernels;
mod kills;
mod records;
