//! The cage of the processes that read what others have packed.

use super::error::Error;
use crate::sys;
use crate::sys::root::RootDir;

/// The proof that this process is confined, which decoders ask for.
#[derive(Debug)]
pub(crate) struct Caged(());

impl Caged {
    /// A test cages nobody but itself.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn not_in_a_test() -> Self {
        Self(())
    }
}

/// Confines this process, which has one thread, to `dirs` for the rest of its life: it can neither start programs nor talk
/// to anybody, and works on files only there. Without directories it opens nothing any more. Call it when everything
/// else is open.
pub(crate) fn confine(dirs: &[&RootDir]) -> Result<Caged, Error> {
    use std::os::fd::AsFd as _;
    let dirs: Vec<_> = dirs.iter().map(|dir| dir.as_fd()).collect();
    let landlocked = sys::confine::confine_worker(&dirs).map_err(Error::Confine)?;
    if !landlocked {
        tracing::debug!("no Landlock here: the worker is confined by seccomp and by descriptors alone");
    }
    Ok(Caged(()))
}
