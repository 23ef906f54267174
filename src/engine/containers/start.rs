//! `start`: the request of a start, and the monitor.

use std::os::fd::OwnedFd;
use std::path::Path;

use crate::engine::action::Action;
use crate::engine::error::Error;
use crate::engine::handle::Engine;
use crate::monitor::spawn::{self, Started, Starting};
use crate::storage::container_record::{ContainerConfig, ContainerRecord, Supervision};
use crate::storage::containers::Locked;
use crate::sys;
use crate::sys::process::PidFd;
use crate::sys::pty::WindowSize;
use crate::sys::signal::SignalFd;
use crate::types::container_spec::ContainerSpec;
use crate::types::id::ContainerId;
use crate::types::status::ContainerStatus;

use super::dependencies::{Ahead, dependencies};
use super::select::Answers;
use super::settle::is_unsettled;

/// Most starts that are under way at once: more than processors, because a network helper is mostly waited for.
const AT_ONCE: usize = 16;
/// How often to look again for a container that others keep ending and starting.
const CLAIMS: usize = 3;

/// A `run` or `start -a` that is attached.
#[derive(Debug)]
pub(crate) struct Foreground {
    /// The monitor's end of the connection.
    pub(crate) socket: OwnedFd,
    /// The size of the terminal that it has.
    pub(crate) window: Option<WindowSize>,
}

/// A start under way.
struct Launch {
    config: ContainerConfig,
    starting: Starting,
    /// The process that made P for it, to be reaped.
    maker: Option<PidFd>,
    /// What the user should know if it starts.
    warning: Option<String>,
}

/// What became of a word before anything is waited for.
enum Begun {
    /// It runs already, or nothing was wanted.
    Nothing,
    Launched(Box<Launch>),
    /// Because another one needs it.
    Started(Started),
}

impl Engine {
    /// Starts a container that does not run, after those whose namespaces it joins. `foreground` is attached before
    /// the program starts; signals at `interrupts` end a start that takes too long.
    pub(crate) fn start(
        &self,
        id: &ContainerId,
        foreground: Option<Foreground>,
        interrupts: Option<&SignalFd>,
    ) -> Result<Started, Error> {
        let mut locked = self.claim(id)?;
        check_startable(&locked)?;
        let mut ahead = Ahead::new();
        if !dependencies(&locked.config).is_empty() {
            ahead = self.start_dependencies(&locked.unlock().config)?;
            locked = self.claim(id)?;
            check_startable(&locked)?;
        }
        let mut started = self.launched(self.launch(locked, foreground)?, interrupts)?;
        started.warnings.extend(ahead.into_iter().flat_map(|(_, started)| started.warnings));
        Ok(started)
    }

    /// Starts a container whose dependencies run; none if somebody else was faster.
    pub(super) fn start_alone(&self, id: &ContainerId) -> Result<Option<Started>, Error> {
        let Some(locked) = self.claim_unless_runs(id)? else { return Ok(None) };
        self.launched(self.launch(locked, None)?, None).map(Some)
    }

    fn claim_unless_runs(&self, id: &ContainerId) -> Result<Option<Locked<ContainerRecord>>, Error> {
        let locked = self.claim(id)?;
        if locked.status.is_alive() && locked.status != ContainerStatus::Stopping {
            return Ok(None);
        }
        check_startable(&locked)?;
        Ok(Some(locked))
    }

    /// The container, locked, and no start of somebody else under way: nobody else starts or removes it until its monitor
    /// is there.
    fn claim(&self, id: &ContainerId) -> Result<Locked<ContainerRecord>, Error> {
        for _ in 0..CLAIMS {
            let locked = self.lock_started(id)?;
            if !is_unsettled(&locked) {
                return Ok(locked);
            }
            drop(locked);
            self.settled(id)?;
        }
        self.lock_started(id)
    }

    /// Starts containers, some at a time; those that run already, and none at all, are no error (and no start).
    pub(crate) fn start_each(
        &self,
        wanted: impl IntoIterator<Item = (String, Result<Option<ContainerId>, Error>)>,
    ) -> Answers<Option<Started>> {
        let mut answers = Vec::new();
        let mut under_way = Vec::new();
        let mut ahead = Ahead::new();
        for (word, wanted) in wanted {
            let begun = wanted.and_then(|id| {
                let Some(id) = id else { return Ok(Begun::Nothing) };
                // The start of another one took it along.
                if let Some(at) = ahead.iter().position(|(known, _)| *known == id) {
                    return Ok(Begun::Started(ahead.swap_remove(at).1));
                }
                let Some(mut locked) = self.claim_unless_runs(&id)? else { return Ok(Begun::Nothing) };
                if !dependencies(&locked.config).is_empty() {
                    let config = locked.unlock().config;
                    // They may be among those that are under way.
                    self.finish_launches(&mut under_way, &mut answers);
                    ahead.extend(self.start_dependencies(&config)?);
                    let Some(again) = self.claim_unless_runs(&id)? else { return Ok(Begun::Nothing) };
                    locked = again;
                }
                self.launch(locked, None).map(|launch| Begun::Launched(Box::new(launch)))
            });
            match begun {
                Ok(Begun::Launched(launch)) => {
                    under_way.push((answers.len(), *launch));
                    answers.push((word, Ok(None)));
                }
                Ok(Begun::Started(started)) => answers.push((word, Ok(Some(started)))),
                Ok(Begun::Nothing) => answers.push((word, Ok(None))),
                Err(error) => answers.push((word, Err(error))),
            }
            if under_way.len() == AT_ONCE {
                self.finish_launches(&mut under_way, &mut answers);
            }
        }
        self.finish_launches(&mut under_way, &mut answers);
        // What those have to say that nobody named.
        let warnings = ahead.into_iter().flat_map(|(_, started)| started.warnings);
        if let Some(started) = answers.iter_mut().find_map(|(_, answer)| answer.as_mut().ok()?.as_mut()) {
            started.warnings.extend(warnings);
        }
        answers
    }

    fn finish_launches(&self, under_way: &mut Vec<(usize, Launch)>, answers: &mut Answers<Option<Started>>) {
        for (index, launch) in under_way.drain(..) {
            answers[index].1 = self.launched(launch, None).map(Some);
        }
    }

    /// Forks the monitor.
    fn launch(&self, locked: Locked<ContainerRecord>, foreground: Option<Foreground>) -> Result<Launch, Error> {
        let mut config = locked.config.clone();
        let warning = bear_oom_score(&mut config.spec);
        let mut request = self.place(&config)?;
        if let Some(size) = foreground.as_ref().and_then(|foreground| foreground.window) {
            request.bundle.set_window(size);
        }
        request.client = foreground.map(|foreground| foreground.socket);
        let (outer, maker) = self.outer_made_ahead().map(|ahead| (ahead.answer, ahead.maker)).unzip();
        request.outer = outer;
        let starting = spawn::begin(&self.store, request, locked)
            .map_err(|source| Error::Start { id: config.id.short().to_owned(), source })?;
        Ok(Launch { config, starting, maker, warning })
    }

    /// Hears from the monitor.
    fn launched(&self, launch: Launch, interrupts: Option<&SignalFd>) -> Result<Started, Error> {
        let Launch { config, starting, maker, warning } = launch;
        let started = starting.finish(interrupts);
        if let Some(Err(error)) = maker.map(|maker| maker.wait()) {
            tracing::debug!(%error, "maker of P not reaped");
        }
        let mut started = started.map_err(|source| Error::Start { id: config.id.short().to_owned(), source })?;
        started.warnings.extend(warning);
        started.warnings.extend(self.note_filled(&config.spec));
        self.warn_of_single_id();
        Ok(started)
    }
}

/// Only root may take a process further away from the out-of-memory killer than its parent is (users' sessions begin at 100
/// or 200 with systemd). As Podman: then it stays there.
fn bear_oom_score(spec: &mut ContainerSpec) -> Option<String> {
    let wanted = spec.oom_score_adj?;
    let text = sys::fs::read_if_exists(Path::new("/proc/self/oom_score_adj")).ok()??;
    let ours = String::from_utf8_lossy(&text).trim().parse::<i32>().ok()?;
    if wanted >= ours {
        return None;
    }
    spec.oom_score_adj = Some(ours);
    Some(format!("--oom-score-adj {wanted}: only root may go below what this session has, it stays {ours}"))
}

fn check_startable(record: &ContainerRecord) -> Result<(), Error> {
    let id = record.id().short();
    if record.supervision == Supervision::Unsupervised {
        return Err(Error::Unsupervised { action: Action::Start, id: id.to_owned() });
    }
    if !record.status.can_start() {
        return Err(Error::WrongStatus { action: Action::Start, id: id.to_owned(), status: record.status });
    }
    Ok(())
}
