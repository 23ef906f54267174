//! `wait`: until a container is in one of the asked states. No lock is held meanwhile.

use std::slice;
use std::time::Duration;

use super::farewell::AT_ONCE;
use super::remove::RemoveRequest;
use super::select::{Answers, Selection};
use super::signal::init_of;
use crate::engine::action::Action;
use crate::engine::{Engine, Error};
use crate::runtime::cgroup;
use crate::storage;
use crate::storage::container_locks::MonitorWatch;
use crate::storage::container_record::{ContainerRecord, ContainerState, ExitRecord, Supervision, UNKNOWN_CODE};
use crate::storage::process_identity::ProcessIdentity;
use crate::sys::process::ExitStatus;
use crate::types::id::ContainerId;
use crate::types::restart::RestartPolicy;
use crate::types::status::ContainerStatus;

/// Looks are at most this far apart (the user's `--interval` may be longer).
const INTERVAL: Duration = Duration::from_millis(15);

/// As far where the end of the program wakes us, and only its monitor's has to be seen.
const LONG_INTERVAL: Duration = Duration::from_millis(250);

/// The answer for a container that never started (Podman's number).
const NEVER_RAN_CODE: i32 = 0;

/// What to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WaitCondition {
    Status(ContainerStatus),
    /// The container is gone.
    Removed,
    Healthy,
    Unhealthy,
}

impl std::str::FromStr for WaitCondition {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        use ContainerStatus::{Created, Exited, Initialized, Paused, Removing, Running, Stopped, Stopping};
        Ok(match text {
            "configured" | "created" => Self::Status(Created),
            "initialized" => Self::Status(Initialized),
            "running" => Self::Status(Running),
            "paused" => Self::Status(Paused),
            "stopping" => Self::Status(Stopping),
            "stopped" => Self::Status(Stopped),
            "exited" => Self::Status(Exited),
            "removing" => Self::Status(Removing),
            "removed" => Self::Removed,
            "healthy" => Self::Healthy,
            "unhealthy" => Self::Unhealthy,
            _ => {
                return Err(
                    "the condition must be configured, created, exited, healthy, initialized, paused, removed, removing, \
                     running, stopped, stopping or unhealthy",
                );
            }
        })
    }
}

/// The wait of a command line.
#[derive(Debug, Clone, Default)]
pub(crate) struct WaitRequest {
    pub(crate) selection: Selection,
    /// Empty: until it has ended.
    pub(crate) conditions: Vec<WaitCondition>,
    pub(crate) interval: Option<Duration>,
}

impl Engine {
    /// Waits for each container; exit codes in the order of the command line, -1 where there is none (Podman's number).
    pub(crate) fn wait(&self, request: &WaitRequest) -> Result<Answers<i32>, Error> {
        let mut answers = Vec::new();
        let mut selected = self.select(&request.selection)?.into_iter().peekable();
        while selected.peek().is_some() {
            // All watches begin now: one that ends and is removed while we wait for another has left its word by then.
            let watch = |id: ContainerId| self.store.watch_monitor(&id).map(|watch| (id, watch)).map_err(Error::from);
            let batch: Vec<_> =
                selected.by_ref().take(AT_ONCE).map(|(word, found)| (word, found.and_then(watch))).collect();
            let wait = |(word, watched): (String, Result<_, Error>)| {
                (word, watched.and_then(|(id, watch)| self.wait_for_one(&id, watch, request)))
            };
            answers.extend(batch.into_iter().map(wait));
        }
        Ok(answers)
    }

    fn wait_for_one(&self, id: &ContainerId, watch: Option<MonitorWatch>, request: &WaitRequest) -> Result<i32, Error> {
        if !request.conditions.iter().all(|condition| is_end(*condition)) {
            return self.wait_for(id, &request.conditions, request.interval);
        }
        if let Some(exit) = self.wait_for_run(id, request.interval)? {
            return Ok(exit.code);
        }
        let unseen = !request.conditions.is_empty();
        let exit = self.wait_for_any_exit(id, watch, unseen)?;
        Ok(exit.map_or(NEVER_RAN_CODE, |exit| exit.code))
    }

    /// Waits until the run that goes on has ended after which a restart policy starts the container again: as with Podman, that
    /// is an end. In the pause between two runs it is the last one's. `None` for what ends for good, or has no such policy.
    fn wait_for_run(&self, id: &ContainerId, interval: Option<Duration>) -> Result<Option<ExitRecord>, Error> {
        let mut awaited: Option<Run> = None;
        loop {
            let record = match self.store.container(id) {
                Ok(record) => record,
                // How it ended its monitor tells.
                Err(storage::Error::NoContainer(_)) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            let policy = record.config.spec.restart;
            if policy == RestartPolicy::No || record.supervision != Supervision::Monitored {
                return Ok(None);
            }
            let starts_again = |exit: &ExitRecord| !exit.stopped_by_user && policy.wants(exit.code, exit.restarts);
            let last = record.exit.as_ref();
            if let Some(exit) = last.filter(|_| record.status == ContainerStatus::Exited) {
                return Ok(starts_again(exit).then(|| exit.clone()));
            }
            if let Some(now) = record.state.as_ref().filter(|state| state.status.is_alive()).map(Run::of)
                && *awaited.get_or_insert(now) != now
            {
                // The next one has begun between two looks. Its monitor forgets the end before when the program runs.
                return Ok(Some(last.cloned().unwrap_or_else(|| ExitRecord::unknown("not seen"))));
            }
            if let Some(init) = init_of(&record)? {
                let ended = init.wait_gone(Some(interval.unwrap_or(LONG_INTERVAL)));
                if !ended.map_err(|source| Error::Host { what: "wait for the container's init", source })? {
                    continue;
                }
            }
            // Until its monitor has recorded that, or has begun the run.
            std::thread::sleep(INTERVAL);
        }
    }

    /// Waits until the container has ended, and answers how. One whose monitor is gone will have no exit code: that is
    /// said at once.
    pub(crate) fn wait_for_exit(&self, id: &ContainerId) -> Result<ExitRecord, Error> {
        let exit = self.wait_for_any_exit(id, None, false)?;
        Ok(exit.unwrap_or_else(|| ExitRecord::unknown("never started")))
    }

    /// The same, `None` at once for one that never started; with `unseen` also until one without a monitor has ended.
    /// `watch`: on its monitor, begun earlier.
    fn wait_for_any_exit(
        &self,
        id: &ContainerId,
        mut watch: Option<MonitorWatch>,
        unseen: bool,
    ) -> Result<Option<ExitRecord>, Error> {
        let gone = || ExitRecord::unknown("removed");
        loop {
            let record = match self.store.container(id) {
                Ok(record) => record,
                Err(storage::Error::NoContainer(_)) => {
                    let word = watch.map(MonitorWatch::wait).transpose()?.flatten();
                    return Ok(Some(word.unwrap_or_else(gone)));
                }
                Err(error) => return Err(error.into()),
            };
            match (record.supervision, &record.exit) {
                (Supervision::Monitored, _) => {
                    // Wakes at once, and knows the code even if the monitor removes the container.
                    let watch = watch.take().map_or_else(|| self.store.watch_monitor(id), |watch| Ok(Some(watch)))?;
                    if let Some(exit) = watch.map(MonitorWatch::wait).transpose()?.flatten() {
                        return Ok(Some(exit));
                    }
                    // Its word may have been lost (a full disk, a kill); look at what is recorded.
                    if let Err(storage::Error::NoContainer(_)) = self.store.container(id) {
                        return Ok(Some(gone()));
                    }
                }
                (_, Some(exit)) => return Ok(Some(exit.clone())),
                (Supervision::Lost, None) => return self.record_loss(id, None).map(Some),
                (Supervision::Unsupervised, None) if !unseen => {
                    return Err(Error::Unsupervised { action: Action::WaitFor, id: id.short().to_owned() });
                }
                (Supervision::Unsupervised, None) if let Some(init) = init_of(&record)? => {
                    let ended = init.wait_gone(None);
                    ended.map_err(|source| Error::Host { what: "wait for the container's init", source })?;
                    match self.record_loss(id, init.foreign_status()) {
                        Err(Error::Storage(storage::Error::NoContainer(_))) => return Ok(Some(gone())),
                        other => return other.map(Some),
                    }
                }
                (Supervision::None, None) if record.status == ContainerStatus::Created => return Ok(None),
                // Nobody to wait for: look from time to time.
                (Supervision::Unsupervised | Supervision::None, None) => std::thread::sleep(INTERVAL),
            }
        }
    }

    /// A container whose monitor died and whose program is gone: its end is put on record, with a code that nobody knows
    /// unless somebody saw it. With `--rm` it goes, too.
    pub(crate) fn record_loss(&self, id: &ContainerId, seen: Option<ExitStatus>) -> Result<ExitRecord, Error> {
        let mut locked = self.store.lock_container(id)?;
        if locked.supervision != Supervision::Lost {
            return Ok(locked.exit.clone().unwrap_or_else(|| ExitRecord::unknown("monitor lost")));
        }
        let mut exit = match seen {
            Some(status) => ExitRecord { signal: status.signal(), ..ExitRecord::new(status.code()) },
            None => ExitRecord::unknown("monitor lost"),
        };
        if let Some(state) = &locked.state {
            exit.started_at = state.started_at;
            exit.stopped_by_user = state.stopped_by_user;
            exit.restarts = state.restarts;
            // Empty since its init is gone; its monitor would have removed it.
            if let Some(cgroup) = &state.cgroup
                && let Err(error) = cgroup::remove(cgroup)
            {
                tracing::warn!(%error, "cgroup stays");
            }
        }
        // A full disk is no reason not to tell.
        if let Err(error) = locked.write_exit(&self.store, exit.clone()) {
            tracing::debug!(%error, "loss not recorded");
        }
        if locked.unlock().config.spec.remove
            && let Err(error) = self.remove_lost(id)
        {
            tracing::warn!(%error, "container {} stays", id.short());
        }
        Ok(exit)
    }

    /// For its monitor.
    fn remove_lost(&self, id: &ContainerId) -> Result<(), Error> {
        let request = RemoveRequest { volumes: true, ..RemoveRequest::default() };
        self.remove_entirely(slice::from_ref(id), &request)
    }

    fn wait_for(
        &self,
        id: &ContainerId,
        conditions: &[WaitCondition],
        interval: Option<Duration>,
    ) -> Result<i32, Error> {
        loop {
            match self.store.container(id) {
                Ok(record) if conditions.iter().any(|condition| holds(*condition, &record)) => {
                    return Ok(record.exit.map_or(UNKNOWN_CODE, |exit| exit.code));
                }
                Ok(_) => {}
                // Its removal may have begun and ended between two looks.
                Err(storage::Error::NoContainer(_)) if conditions.iter().any(|condition| is_removal(*condition)) => {
                    return Ok(UNKNOWN_CODE);
                }
                Err(error) => return Err(error.into()),
            }
            std::thread::sleep(interval.unwrap_or(INTERVAL));
        }
    }
}

/// Tells one run of a container from the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    monitor: Option<ProcessIdentity>,
    restarts: u32,
}

impl Run {
    fn of(state: &ContainerState) -> Self {
        Self { monitor: state.monitor, restarts: state.restarts }
    }
}

/// True if the condition is the end of the run.
fn is_end(condition: WaitCondition) -> bool {
    matches!(condition, WaitCondition::Status(ContainerStatus::Stopped | ContainerStatus::Exited))
}

fn is_removal(condition: WaitCondition) -> bool {
    matches!(condition, WaitCondition::Removed | WaitCondition::Status(ContainerStatus::Removing))
}

fn holds(condition: WaitCondition, record: &ContainerRecord) -> bool {
    let ended = matches!(record.status, ContainerStatus::Stopped | ContainerStatus::Exited);
    match condition {
        WaitCondition::Status(ContainerStatus::Stopped | ContainerStatus::Exited) => ended,
        WaitCondition::Status(status) => record.status == status,
        WaitCondition::Removed => false,
        WaitCondition::Healthy => super::healthcheck::health(record) == "healthy",
        WaitCondition::Unhealthy => super::healthcheck::health(record) == "unhealthy",
    }
}

#[cfg(test)]
mod tests {
    use super::WaitCondition;

    #[test]
    fn a_wrong_condition_is_told_the_right_ones() {
        let refused = "ended".parse::<WaitCondition>().expect_err("no condition");
        let list = refused.strip_prefix("the condition must be ").expect("begins so").replace(" or ", ", ");
        let words: Vec<&str> = list.split(", ").collect();
        assert_eq!(words.len(), 12);
        for word in words {
            assert!(word.parse::<WaitCondition>().is_ok(), "{word}");
        }
    }
}
