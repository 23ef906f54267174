//! A short-lived process in P that does one job with the power over the subordinate ids, and answers over a pipe.

use std::os::fd::{AsFd, OwnedFd};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::sys;
use crate::sys::{descriptor, process};
use crate::types::failure::{Failure, FailureKind};

use super::error::Error;
use super::outer::{Entered, Outer};

/// Largest answer, in bytes: ten million changes of a container, say. Whoever fills its file system with more is not to fill
/// our memory.
const ANSWER: u64 = 1 << 30;

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
            let answer = hear(reader, ANSWER);
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

/// The whole answer. Nobody listens afterwards: a worker that has more to say ends of it and can be waited for.
fn hear(reader: OwnedFd, limit: u64) -> Result<Vec<u8>, Error> {
    sys::descriptor::read_to_end(reader.as_fd(), limit).map_err(|error| match error.errno {
        sys::Errno::EFBIG => Error::WorkerTalks { limit },
        _ => Error::WorkerPipe(error),
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

#[cfg(test)]
mod tests {
    use super::hear;
    use crate::rootless::Error;
    use crate::sys::{Errno, descriptor, stream};

    #[test]
    fn who_says_too_much_is_not_left_waiting() {
        let (reader, writer) = descriptor::pipe().expect("pipe");
        let worker = std::thread::spawn(move || stream::write_all(&writer, &vec![b'x'; 1 << 20]));
        assert!(matches!(hear(reader, 100_000), Err(Error::WorkerTalks { limit: 100_000 })));
        assert!(worker.join().expect("join").expect_err("nobody listens").is(Errno::EPIPE));
        let (reader, writer) = descriptor::pipe().expect("pipe");
        stream::write_all(&writer, b"short").expect("write");
        drop(writer);
        assert_eq!(hear(reader, 100_000).expect("heard"), b"short");
    }
}
