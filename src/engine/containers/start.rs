//! `start`: the request of a start, and the monitor.

use std::os::fd::OwnedFd;

use crate::engine::error::Error;
use crate::engine::handle::Engine;
use crate::monitor::spawn::{self, Started, Starting};
use crate::storage::container_record::{ContainerRecord, Supervision};
use crate::sys::process::PidFd;
use crate::sys::signal::SignalFd;
use crate::types::id::ContainerId;

use super::select::Answers;

/// Most starts that are under way at once: more than processors, because a network helper is mostly waited for.
const AT_ONCE: usize = 16;

/// A start under way.
struct Launch {
    record: ContainerRecord,
    starting: Starting,
    /// The process that made P for it, to be reaped.
    maker: Option<PidFd>,
}

impl Engine {
    /// Starts a container that does not run. `client` is attached before the program starts; signals at `interrupts` end a
    /// start that takes too long.
    pub(crate) fn start(
        &self,
        id: &ContainerId,
        client: Option<OwnedFd>,
        interrupts: Option<&SignalFd>,
    ) -> Result<Started, Error> {
        let launch = self.launch(id, client)?;
        self.launched(launch, interrupts)
    }

    /// Starts containers, some at a time; those that run already, and none at all, are no error (and no start).
    pub(crate) fn start_each(
        &self,
        wanted: impl IntoIterator<Item = (String, Result<Option<ContainerId>, Error>)>,
    ) -> Answers<Option<Started>> {
        let mut answers = Vec::new();
        let mut under_way = Vec::new();
        for (word, wanted) in wanted {
            let begin = |id: &ContainerId| {
                let runs = self.settled(id)?.status.is_alive();
                if runs { Ok(None) } else { self.launch(id, None).map(Some) }
            };
            let begun = wanted.and_then(|id| {
                let Some(id) = id else { return Ok(None) };
                // It may need one before it, whose namespace it joins.
                begin(&id).or_else(|error| {
                    if under_way.is_empty() {
                        return Err(error);
                    }
                    self.finish_launches(&mut under_way, &mut answers);
                    begin(&id)
                })
            });
            match begun {
                Ok(Some(launch)) => {
                    under_way.push((answers.len(), launch));
                    answers.push((word, Ok(None)));
                }
                Ok(None) => answers.push((word, Ok(None))),
                Err(error) => answers.push((word, Err(error))),
            }
            if under_way.len() == AT_ONCE {
                self.finish_launches(&mut under_way, &mut answers);
            }
        }
        self.finish_launches(&mut under_way, &mut answers);
        answers
    }

    fn finish_launches(&self, under_way: &mut Vec<(usize, Launch)>, answers: &mut Answers<Option<Started>>) {
        for (index, launch) in under_way.drain(..) {
            answers[index].1 = self.launched(launch, None).map(Some);
        }
    }

    /// A container that can be started.
    fn startable(&self, id: &ContainerId) -> Result<ContainerRecord, Error> {
        let record = self.settled(id)?;
        if record.supervision == Supervision::Unsupervised {
            return Err(Error::Unsupervised { verb: "start", id: id.short().to_owned() });
        }
        if !record.status.can_start() {
            return Err(Error::WrongStatus { verb: "start", id: id.short().to_owned(), status: record.status });
        }
        Ok(record)
    }

    /// Forks the monitor.
    fn launch(&self, id: &ContainerId, client: Option<OwnedFd>) -> Result<Launch, Error> {
        let record = self.startable(id)?;
        self.store.make_run()?;
        let mut request = self.place(&record.config)?;
        request.client = client;
        let (outer, maker) = self.outer_made_ahead().map(|ahead| (ahead.answer, ahead.maker)).unzip();
        request.outer = outer;
        let starting =
            spawn::begin(&self.store, request).map_err(|source| Error::Start { id: id.short().to_owned(), source })?;
        Ok(Launch { record, starting, maker })
    }

    /// Hears from the monitor.
    fn launched(&self, launch: Launch, interrupts: Option<&SignalFd>) -> Result<Started, Error> {
        let Launch { record, starting, maker } = launch;
        let started = starting.finish(interrupts);
        if let Some(Err(error)) = maker.map(|maker| maker.wait()) {
            tracing::debug!(%error, "maker of P not reaped");
        }
        let started = started.map_err(|source| Error::Start { id: record.id().short().to_owned(), source })?;
        self.note_filled(&record.config.spec)?;
        self.warn_of_single_id();
        Ok(started)
    }
}
