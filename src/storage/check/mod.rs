//! The invariants of the store (docs/reliability.md): what is wrong, and what can be done about it.
//!
//! ```text
//! look::check      every record and every directory, as the caller         (I1, I4–I9, I13–I16)
//! trees::compare   layers against their indexes, in a worker in P           (I3)
//! blobs::check     blobs against their names: full mode                     (I2)
//! engine::check    what runs: processes, cgroups, mounts                    (I10–I12)
//! ```
//! Quick mode looks at every name, mode, owner and size; full mode at contents and extended attributes too.
//!
//! The checker may run beside working commands: whatever one of them may be in the middle of is looked at under the
//! exclusive store lock, which makers hold shared, or is looked at twice (`engine::check`).

mod blobs;
mod containers;
mod entries;
mod finding;
mod images;
mod layers;
mod lists;
mod look;
mod names;
mod orphans;
mod repair;
#[cfg(test)]
mod tests;
mod trees;
mod volatile;
mod volumes;

pub(crate) use finding::{Finding, Invariant, Part, Repair, locks_out};
pub(crate) use layers::{cure, has_blob, lost};
pub(crate) use look::{Scope, check};
pub(crate) use repair::{repair, take_away, takes_away};
pub(crate) use trees::{Damage, TreeJob, compare};
