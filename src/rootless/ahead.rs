//! A P that is made while its maker does something else: `newuidmap` and `newgidmap` take longer than all the rest of the
//! way into P, and need nothing of what a command works out before it forks a monitor.
//!
//! A process makes it, so that the command pays for one fork only. Its answer, the namespace or why there is none, comes
//! twice down one socket: for the monitor, and for the stage that joins.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::sys::clone::{Forked, fork};
use crate::sys::namespace::{self, NsKind};
use crate::sys::process::{self, PidFd};
use crate::sys::socket;
use crate::types::failure::{Failure, FailureKind};

use super::error::Error;
use super::outer::{Entered, Outer};

/// Longest failure that is told.
const LARGEST: usize = 16 << 10;

/// A P on its way.
#[derive(Debug)]
pub(crate) struct Ahead {
    /// The process that makes it, to be reaped.
    pub(crate) maker: PidFd,
    /// What [`receive`] reads, and [`Outer::coming`] takes.
    pub(crate) answer: OwnedFd,
}

impl Ahead {
    /// Begins a P; none if one lives that can be joined, and where there is nothing to wait for. The caller has one
    /// thread.
    pub(crate) fn begin(outer: &Outer) -> Result<Option<Self>, Error> {
        if !outer.waits_for_map() {
            return Ok(None);
        }
        let (answer, theirs) = socket::seqpacket_pair().map_err(Error::WorkerPipe)?;
        match fork().map_err(Error::Create)? {
            Forked::Child => {
                drop(answer);
                let code = tell(&theirs, make(outer));
                process::exit_now(code)
            }
            Forked::Parent(maker) => Ok(Some(Self { maker, answer })),
        }
    }

    /// Waits for P and for the end of its maker.
    pub(crate) fn finish(self) -> Result<OwnedFd, Error> {
        let made = receive(self.answer.as_fd());
        self.maker.wait().map_err(Error::WorkerPipe)?;
        made
    }
}

/// Makes P: a process that waits in it, its map, and a descriptor that keeps it when that process goes.
pub(super) fn make(outer: &Outer) -> Result<OwnedFd, Error> {
    match outer.enter_with(NsKind::User.flag())? {
        Entered::Child(child) => {
            let code = child.ready().map_or(FailureKind::Other.exit_code(), |()| 0);
            process::exit_now(code.into())
        }
        Entered::Parent(mut holder) => {
            let userns = namespace::open(holder.child().pid(), NsKind::User).map_err(Error::Join)?;
            holder.finish_map()?;
            holder.into_child().wait().map_err(Error::WorkerPipe)?;
            Ok(userns)
        }
    }
}

/// Answers twice. Nobody there any more is no failure.
fn tell(to: &OwnedFd, made: Result<OwnedFd, Error>) -> i32 {
    let (text, userns) = match made {
        Ok(userns) => (b"null".to_vec(), Some(userns)),
        Err(error) => {
            let text = serde_json::to_vec(&Failure::from_error(error.kind(), &error));
            (text.ok().filter(|text| text.len() <= LARGEST).unwrap_or_else(|| b"null".to_vec()), None)
        }
    };
    let fds: Vec<BorrowedFd<'_>> = userns.iter().map(AsFd::as_fd).collect();
    let told = (0..2).try_for_each(|_| socket::send_with_fds(to, &text, &fds));
    i32::from(told.is_err())
}

/// Waits for P with its map.
pub(super) fn receive(answer: BorrowedFd<'_>) -> Result<OwnedFd, Error> {
    let length = socket::next_length(answer).map_err(Error::WorkerPipe)?;
    let mut buffer = vec![0; length];
    let (length, fds) = socket::receive_with_fds(answer, &mut buffer).map_err(Error::WorkerPipe)?;
    if let Some(userns) = fds.into_iter().next() {
        return Ok(userns);
    }
    if length == 0 {
        return Err(Error::MakerDied);
    }
    let failure: Option<Failure> = serde_json::from_slice(&buffer[..length]).map_err(Error::WorkerAnswer)?;
    Err(failure.map_or(Error::MakerDied, Error::Worker))
}
