//! A process that fills a pipe, and tells at its end how that went.

use std::marker::PhantomData;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::failure;
use crate::sys::clone::{Forked, fork};
use crate::sys::process::{self, PidFd};
use crate::sys::{self, descriptor};
use crate::types::failure::Failure;

/// Room in a pipe that data go through: the most that an ordinary user may ask for (`pipe(7)`).
pub(super) const PIPE: usize = 1 << 20;
/// Largest answer, in bytes.
const ANSWER: u64 = 1 << 20;

/// A feeder at work. It ends with the process that made it.
pub(super) struct Feeder<T> {
    child: PidFd,
    answer: OwnedFd,
    outcome: PhantomData<T>,
}

impl<T: Serialize + DeserializeOwned> Feeder<T> {
    /// Runs `feed` in a process of its own; what it writes comes out of the descriptor.
    pub(super) fn start(feed: impl FnOnce(OwnedFd) -> Result<T, Failure>) -> sys::Result<(Self, OwnedFd)> {
        let (reader, writer) = descriptor::pipe()?;
        descriptor::set_pipe_size(writer.as_fd(), PIPE);
        let (answer, tell) = descriptor::pipe()?;
        let parent = process::Pid::this();
        match fork()? {
            Forked::Child => {
                drop((reader, answer));
                let ready = sys::prctl::die_with(parent).map_err(|error| failure(&error));
                let done = ready.and_then(|()| feed(writer));
                let told = serde_json::to_vec(&done).map(|bytes| sys::descriptor::write_all(tell.as_fd(), &bytes));
                process::exit_now(i32::from(!matches!(told, Ok(Ok(())))))
            }
            Forked::Parent(child) => Ok((Self { child, answer, outcome: PhantomData }, reader)),
        }
    }

    /// How it went; none if it died without a word, or has been ended because it took longer than `patience`.
    pub(super) fn answer(self, patience: Option<Duration>) -> sys::Result<Option<Result<T, Failure>>> {
        if !sys::wait_readable(self.answer.as_fd(), patience)? {
            // It may be waiting for a stream that never ends.
            self.child.signal(sys::signal::SIGKILL)?;
        }
        let bytes = sys::descriptor::read_to_end(self.answer.as_fd(), ANSWER)?;
        self.child.wait()?;
        // One that died in the middle of its answer has not told anything either.
        Ok(serde_json::from_slice(&bytes).ok())
    }
}
