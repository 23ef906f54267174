//! Ending several containers side by side: each gets its signal first, then one loop keeps all their deadlines.

use std::time::{Duration, Instant};

use super::place;
use crate::runtime::kin::Kin;
use crate::storage::container_record::{ContainerRecord, Supervision};
use crate::sys::poll::{EventLoop, Interest, Token};
use crate::sys::process::{ExitStatus, PidFd};
use crate::sys::{self, signal};
use crate::types::image_config::ImageConfig;
use crate::types::signal::Signal;

/// How long the kernel may take to end a killed container, and its monitor to tidy up.
pub(super) const DEATH: Duration = Duration::from_secs(10);

/// Most containers that are waited for at once: each is a descriptor, and a process may have 1024 of them.
pub(super) const AT_ONCE: usize = 256;

/// How it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// It has got its signal and may still act on it.
    Told,
    /// The time was over: SIGKILL is under way.
    Killing,
    /// Ended by its stop signal.
    Gone,
    /// Ended by SIGKILL.
    Killed,
    /// Lives on after SIGKILL: the kernel does not let go of it.
    Immortal,
}

/// A container that has been told to end.
#[derive(Debug)]
pub(super) struct Farewell {
    init: PidFd,
    /// When SIGKILL comes; after it, when we give up.
    deadline: Instant,
    pub(super) ending: Ending,
    /// The stop signal, and the time that it had for it. None: SIGKILL came first.
    pub(super) asked: Option<(Signal, Duration)>,
    /// What does not end with init, if its monitor will not see to that.
    kin: Option<Kin>,
}

impl Farewell {
    /// Sends the stop signal, or with no grace SIGKILL at once.
    pub(super) fn say(record: &ContainerRecord, init: PidFd, grace: Duration) -> sys::Result<Self> {
        let kin = kin(record, &init);
        if grace.is_zero() {
            init.signal(signal::SIGKILL)?;
            return Ok(Self { init, deadline: Instant::now() + DEATH, ending: Ending::Killing, asked: None, kin });
        }
        let empty = ImageConfig::default();
        let image = record.config.image.as_ref().map_or(&empty, |image| &image.config);
        let signal = place::stop_signal(&record.config, image);
        init.signal(signal.number())?;
        let asked = Some((signal, grace));
        Ok(Self { init, deadline: Instant::now() + grace, ending: Ending::Told, asked, kin })
    }

    /// How it ended, where the kernel tells somebody who is not its parent.
    pub(super) fn seen_end(&self) -> Option<ExitStatus> {
        self.init.foreign_status()
    }

    fn is_open(&self) -> bool {
        matches!(self.ending, Ending::Told | Ending::Killing)
    }

    fn end(&mut self) {
        match self.kin.take().map(|kin| kin.end(DEATH)) {
            None | Some(Ok(true)) => {}
            Some(Ok(false)) => tracing::warn!("processes of the container stay"),
            Some(Err(error)) => tracing::warn!(%error, "processes of the container stay"),
        }
        self.ending = if self.ending == Ending::Told { Ending::Gone } else { Ending::Killed };
    }

    /// The deadline is over.
    fn escalate(&mut self, now: Instant) -> sys::Result<()> {
        if self.ending == Ending::Told {
            self.init.signal(signal::SIGKILL)?;
            (self.ending, self.deadline) = (Ending::Killing, now + DEATH);
        } else {
            self.ending = Ending::Immortal;
        }
        Ok(())
    }
}

fn kin(record: &ContainerRecord, init: &PidFd) -> Option<Kin> {
    let spec = &record.config.spec;
    let cgroup = record.state.as_ref().is_some_and(|state| state.cgroup.is_some());
    let wanted = record.supervision == Supervision::Unsupervised && spec.outlives_init(cgroup);
    let kin = wanted.then(|| Kin::of(init))?;
    kin.inspect_err(|error| tracing::warn!(%error, "what outlives init will stay")).ok()
}

/// Waits until each of them has ended, or has outlived its SIGKILL.
pub(super) fn see_off(farewells: &mut [Farewell]) -> sys::Result<()> {
    let events = EventLoop::new()?;
    for (token, farewell) in (0..).zip(farewells.iter()) {
        events.add(&farewell.init, token, Interest::READ)?;
    }
    let mut ready = Vec::new();
    loop {
        let now = Instant::now();
        for farewell in farewells.iter_mut().filter(|farewell| farewell.is_open() && farewell.deadline <= now) {
            farewell.escalate(now)?;
        }
        let open = farewells.iter().filter(|farewell| farewell.is_open());
        let Some(next) = open.map(|farewell| farewell.deadline).min() else { return Ok(()) };
        events.wait(&mut ready, Some(next.saturating_duration_since(now)))?;
        for event in &ready {
            if let Some(farewell) = of(farewells, event.token) {
                events.remove(&farewell.init)?;
                farewell.end();
            }
        }
    }
}

/// The one that a token means; none for one that has been given up.
fn of(farewells: &mut [Farewell], token: Token) -> Option<&mut Farewell> {
    farewells.get_mut(usize::try_from(token).ok()?).filter(|farewell| farewell.is_open())
}
