//! What every test stands on: [`Env`] is a user's home of its own, [`Output`] what a command answered.
//!
//! ```ignore
//! #[test]
//! fn run_prints() {
//!     requires!(userns);
//!     let env = Env::with_busybox();
//!     let out = env.run(["run", "--rm", BUSYBOX, "echo", "hello"]);
//!     out.success();
//!     assert_eq!(out.stdout(), "hello\n");
//! } // dropping `env` asserts that nothing is left
//! ```

pub(crate) mod command;
pub(crate) mod env;
pub(crate) mod filters;
pub(crate) mod image;
pub(crate) mod leaks;
mod old_kernel;
pub(crate) mod output;
pub(crate) mod probe;
mod random;
pub(crate) mod registry;
pub(crate) mod requires;
pub(crate) mod signature;
pub(crate) mod terminal;
pub(crate) mod token;

mod tests;

pub(crate) use command::{Background, Command};
pub(crate) use env::{Env, eventually};
pub(crate) use image::{BUSYBOX, Compression, ImageBuilder, Layer};
pub(crate) use output::Output;
pub(crate) use random::Random;
pub(crate) use registry::Registry;
pub(crate) use requires::requires;
pub(crate) use terminal::Terminal;
