//! `stop` and `restart`.

use std::time::Duration;

use crate::engine::action::Action;
use crate::engine::error::Error;
use crate::engine::handle::Engine;
use crate::monitor::spawn::Started;
use crate::storage::container_record::{ContainerRecord, Supervision};
use crate::sys::process::ExitStatus;
use crate::types::id::ContainerId;
use crate::types::signal::Signal;
use crate::types::status::ContainerStatus;

use super::farewell::{AT_ONCE, DEATH, Ending, Farewell, see_off};
use super::select::{Answers, Selected};
use super::signal::init_of;

/// How a stop went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// It did not run.
    Already,
    /// It ended by the first signal that it got.
    Gracefully,
    /// It did not by its stop signal in this time; SIGKILL ended it.
    Killed { signal: Signal, seconds: u64 },
}

/// A stop that has begun.
enum Begun {
    /// It did not run.
    Already,
    Told(Box<ContainerRecord>, Farewell),
}

impl Engine {
    /// Stops containers side by side: the stop signal to each, then SIGKILL to those whose time is over. `timeout`: none
    /// = each one's own (default 10 s); no lock is held while waiting.
    pub(crate) fn stop(&self, selected: Vec<Selected>, timeout: Option<u32>) -> Result<Answers<Stopped>, Error> {
        let mut answers = Vec::with_capacity(selected.len());
        let mut selected = selected.into_iter().peekable();
        while selected.peek().is_some() {
            let batch = selected.by_ref().take(AT_ONCE);
            let begun = batch.map(|(word, found)| (word, found.and_then(|id| self.begin_stop(&id, timeout)))).collect();
            self.finish_stops(begun, &mut answers)?;
        }
        Ok(answers)
    }

    /// Sends the first signal.
    fn begin_stop(&self, id: &ContainerId, timeout: Option<u32>) -> Result<Begun, Error> {
        // If its program is about to run: what it is told before that, it never hears.
        let mut locked = self.lock_started(id)?;
        match locked.status {
            ContainerStatus::Running | ContainerStatus::Stopping | ContainerStatus::Initialized => {}
            ContainerStatus::Paused => {
                return Err(Error::WrongStatus {
                    action: Action::Stop,
                    id: id.short().to_owned(),
                    status: locked.status,
                });
            }
            _ => {
                // Between two restarts of the policy the monitor waits: tell it that no more are wanted.
                self.note_stop(&mut locked)?;
                let record = locked.unlock();
                self.wait_for_monitor(&record)?;
                if record.supervision == Supervision::Lost {
                    self.finish_for_monitor(id, None)?;
                }
                return Ok(Begun::Already);
            }
        }
        if let Some(mut state) = locked.state.clone() {
            if state.status == ContainerStatus::Running {
                state.status = ContainerStatus::Stopping;
            }
            self.write_stop(&mut locked, state)?;
        }
        let record = locked.unlock();
        let Some(init) = init_of(&record)? else {
            self.wait_for_monitor(&record)?;
            return Ok(Begun::Already);
        };
        let seconds = timeout.unwrap_or_else(|| record.config.spec.stop_seconds());
        let farewell = Farewell::say(&record, init, Duration::from_secs(seconds.into()))
            .map_err(|source| Error::Host { what: "stop the container", source })?;
        Ok(Begun::Told(Box::new(record), farewell))
    }

    /// Waits for the ends, and until all traces are gone.
    fn finish_stops(
        &self,
        begun: Vec<(String, Result<Begun, Error>)>,
        answers: &mut Answers<Stopped>,
    ) -> Result<(), Error> {
        let (mut told, mut farewells) = (Vec::new(), Vec::new());
        for (word, begun) in begun {
            let answer = begun.map(|begun| match begun {
                Begun::Already => Stopped::Already,
                Begun::Told(record, farewell) => {
                    told.push((answers.len(), record));
                    farewells.push(farewell);
                    Stopped::Gracefully
                }
            });
            answers.push((word, answer));
        }
        see_off(&mut farewells).map_err(|source| Error::Host { what: "wait for containers", source })?;
        for ((index, record), farewell) in told.into_iter().zip(farewells) {
            answers[index].1 = self.finish_stop(&record, &farewell);
        }
        Ok(())
    }

    fn finish_stop(&self, record: &ContainerRecord, farewell: &Farewell) -> Result<Stopped, Error> {
        let id = record.id();
        if farewell.ending == Ending::Immortal {
            return Err(Error::WillNotDie { id: id.short().to_owned(), seconds: DEATH.as_secs() });
        }
        self.wait_for_monitor(record)?;
        if record.supervision == Supervision::Unsupervised {
            self.finish_for_monitor(id, farewell.seen_end())?;
        }
        Ok(match farewell.asked.filter(|_| farewell.ending == Ending::Killed) {
            Some((signal, grace)) => Stopped::Killed { signal, seconds: grace.as_secs() },
            None => Stopped::Gracefully,
        })
    }

    /// What its monitor would have done, had it not been killed.
    fn finish_for_monitor(&self, id: &ContainerId, seen: Option<ExitStatus>) -> Result<(), Error> {
        match self.record_loss(id, seen) {
            Err(Error::Storage(crate::storage::Error::NoContainer(_))) => Ok(()),
            other => other.map(drop),
        }
    }

    /// Stops containers side by side and starts them again, some at a time; starts those that do not run.
    pub(crate) fn restart(&self, selected: Vec<Selected>, timeout: Option<u32>) -> Result<Answers<Started>, Error> {
        let ids: Vec<_> = selected.iter().map(|(_, found)| found.as_ref().ok().cloned()).collect();
        let stopped = self.stop(selected, timeout)?;
        let wanted = stopped.into_iter().zip(ids).map(|((word, stopped), id)| (word, stopped.map(|_| id)));
        let started = self.start_each(wanted).into_iter();
        Ok(started.filter_map(|(word, started)| started.transpose().map(|started| (word, started))).collect())
    }
}
