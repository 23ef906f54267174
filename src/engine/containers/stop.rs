//! `stop` and `restart`.

use std::time::{Duration, Instant};

use crate::engine::error::Error;
use crate::engine::handle::Engine;
use crate::monitor::spawn::Started;
use crate::storage::container_record::{ContainerRecord, MonitorLock, Supervision};
use crate::types::id::ContainerId;
use crate::types::image_config::ImageConfig;
use crate::types::status::ContainerStatus;

use super::place;
use super::signal::init_of;

/// How long the kernel may take to end a killed container, and its monitor to tidy up.
const DEATH: Duration = Duration::from_secs(10);

/// How a stop went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// It did not run.
    Already,
    /// It ended by the stop signal.
    Gracefully,
    /// The time ran out; SIGKILL ended it.
    Killed,
}

impl Engine {
    /// Sends the stop signal, waits, and kills. `timeout`: none = the container's own (default 10 s); no lock is held
    /// while waiting.
    pub(crate) fn stop(&self, id: &ContainerId, timeout: Option<u32>) -> Result<Stopped, Error> {
        let mut locked = self.store.lock_container(id)?;
        match locked.status {
            ContainerStatus::Running | ContainerStatus::Stopping | ContainerStatus::Initialized => {}
            ContainerStatus::Paused => {
                return Err(Error::WrongStatus { verb: "stop", id: id.short().to_owned(), status: locked.status });
            }
            _ => {
                // Between two restarts of the policy the monitor waits: tell it that no more are wanted.
                self.note_stop(&mut locked)?;
                return Ok(Stopped::Already);
            }
        }
        if let Some(mut state) = locked.state.clone() {
            state.stopped_by_user = true;
            if state.status == ContainerStatus::Running {
                state.status = ContainerStatus::Stopping;
            }
            locked.write_state(&self.store, state)?;
        }
        let record = locked.unlock();
        let Some(init) = init_of(&record)? else {
            self.wait_for_monitor(&record)?;
            return Ok(Stopped::Already);
        };
        let host = |source| Error::Host { what: "stop the container", source };
        let seconds = timeout.or(record.config.spec.stop_timeout).unwrap_or(10);
        let mut result = Stopped::Killed;
        if seconds > 0 {
            let empty = ImageConfig::default();
            let image = record.config.image.as_ref().map_or(&empty, |image| &image.config);
            init.signal(place::stop_signal(&record.config, image).number()).map_err(host)?;
            if init.wait_gone(Some(Duration::from_secs(seconds.into()))).map_err(host)? {
                result = Stopped::Gracefully;
            }
        }
        if result == Stopped::Killed {
            init.signal(9).map_err(host)?;
            if !init.wait_gone(Some(DEATH)).map_err(host)? {
                return Err(Error::WillNotDie { id: id.short().to_owned(), seconds: DEATH.as_secs() });
            }
        }
        self.wait_for_monitor(&record)?;
        Ok(result)
    }

    /// Stops and starts again; starts one that does not run.
    pub(crate) fn restart(&self, id: &ContainerId, timeout: Option<u32>) -> Result<Started, Error> {
        self.stop(id, timeout)?;
        self.start(id, None)
    }

    /// Waits until the monitor has recorded the end and freed everything, so that `rm` or `start` can follow.
    pub(super) fn wait_for_monitor(&self, record: &ContainerRecord) -> Result<(), Error> {
        if record.supervision != Supervision::Monitored {
            return Ok(());
        }
        let monitor = record.monitor().and_then(|monitor| {
            let pid = crate::sys::process::Pid::from_raw(i32::try_from(monitor.pid).ok()?)?;
            crate::sys::process::PidFd::open_checked(pid, monitor.start_time).ok().flatten()
        });
        if let Some(monitor) = monitor {
            let gone = monitor.wait_gone(Some(DEATH));
            gone.map_err(|source| Error::Host { what: "wait for the monitor", source })?;
        }
        let deadline = Instant::now() + DEATH;
        while self.store.monitor_lock(record.id())? == MonitorLock::Held && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }
}
