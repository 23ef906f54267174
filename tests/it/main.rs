//! Black-box tests: the real binary, on real user namespaces, as an ordinary user (`.ci/runner`).
//!
//! One folder per noun and one file per verb, as in `src/cli/commands`; `runtime` and `fault` cut across. `mod` lines only.
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
