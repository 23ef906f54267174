//! Black-box tests: the real binary, on real user namespaces, as an ordinary user (`.ci/runner`).
//!
//! `container`, `image`, `volume`, `registry` and `system` have the verbs of these nouns, by what is tested of them. `network`,
//! `userns`, `runtime` (what a container may do), `fault` (hosts and kernels that lack something) and `inject` (a kill or an
//! error at a system call) cut across; `harness` is what all stand on. `mod` lines only.
#![expect(clippy::disallowed_methods, reason = "tests are no part of the program: they use std::fs and Command freely")]
#![expect(clippy::print_stderr, reason = "a skipped test says why")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod container;
mod fault;
mod harness;
mod image;
mod inject;
mod network;
mod registry;
mod runtime;
mod system;
mod userns;
mod volume;
