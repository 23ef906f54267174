//! A short-lived process in P that does one job with the power over the subordinate ids, and answers over a pipe.

use std::os::fd::AsFd;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::sys;
use crate::sys::{descriptor, process};
use crate::types::failure::{Failure, FailureKind};

use super::error::Error;
use super::outer::{Entered, Outer};

/// Largest answer, in bytes.
const ANSWER: u64 = 64 << 20;

/// Runs `job` in a child in P (uid 0 there is the caller, with all capabilities over the subordinate ids; own mount
/// namespace) and returns what it returns. The caller has one thread.
pub(crate) fn run<T, F>(outer: &Outer, job: F) -> Result<T, Error>
where
    T: Serialize + DeserializeOwned,
    F: FnOnce() -> Result<T, Failure>,
{
    let (reader, writer) = descriptor::pipe().map_err(Error::WorkerPipe)?;
    match outer.enter()? {
        Entered::Child(child) => {
            drop(reader);
            let answer = match child.ready() {
                Ok(()) => job(),
                Err(error) => Err(Failure::from_error(error.kind(), &error)),
            };
            let code = send(writer.as_fd(), &answer);
            process::exit_now(code)
        }
        Entered::Parent(mut parent) => {
            drop(writer);
            let mapped = parent.finish_map();
            let answer = sys::descriptor::read_to_end(reader.as_fd(), ANSWER).map_err(Error::WorkerPipe);
            let status = parent.into_child().wait().map_err(Error::WorkerPipe)?;
            mapped?;
            let answer = answer?;
            if answer.is_empty() {
                return Err(Error::WorkerDied { status });
            }
            let answer: Result<T, Failure> = serde_json::from_slice(&answer).map_err(Error::WorkerAnswer)?;
            answer.map_err(Error::Worker)
        }
    }
}

/// [`run`] for a job that nobody but the caller wants: it ends at once with the caller.
pub(crate) fn run_bound<T, F>(outer: &Outer, job: F) -> Result<T, Error>
where
    T: Serialize + DeserializeOwned,
    F: FnOnce() -> Result<T, Failure>,
{
    let caller = process::Pid::this();
    run(outer, || {
        // Only now: entering P changes credentials, and that clears the signal (K-A13).
        sys::prctl::die_with(caller).map_err(|error| Failure::from_error(FailureKind::Died, &error))?;
        job()
    })
}

fn send<T: Serialize>(to: std::os::fd::BorrowedFd<'_>, answer: &Result<T, Failure>) -> i32 {
    let bytes = serde_json::to_vec(answer)
        .or_else(|error| serde_json::to_vec(&Err::<(), _>(Failure::from_error(FailureKind::Other, &error))));
    match bytes.map(|bytes| sys::descriptor::write_all(to, &bytes)) {
        Ok(Ok(())) => 0,
        // The parent reports a worker that died without an answer.
        _ => 1,
    }
}
