//! `run` and `start -a`: a client is connected before the program starts, so that no byte of output is lost.

use crate::engine::{Engine, Error};
use crate::storage::container_record::ContainerRecord;
use crate::storage::images::FoundImage;
use crate::storage::volumes::VolumeUsers;
use crate::sys::process::{Pid, PidFd};
use crate::sys::socket;
use crate::types::container_spec::ContainerSpec;
use crate::types::id::ContainerId;
use crate::types::name::ContainerName;
use crate::types::status::ContainerStatus;

use super::attach::{AttachOptions, AttachOutcome};
use super::attach_session::attach;
use super::remove::RemoveRequest;
use super::signal_proxy::SignalProxy;
use super::start::Foreground;

/// Tries of `--replace` at a name that others take at the same time.
const REPLACE_TRIES: u32 = 16;

/// A wish with its image.
#[derive(Debug)]
pub(crate) struct NewContainer {
    pub(crate) spec: ContainerSpec,
    /// None with `--rootfs`.
    pub(crate) image: Option<FoundImage>,
    /// `--replace`: the container that has the name goes first.
    pub(crate) replace: bool,
}

/// A start, and who looks on.
pub(crate) struct StartOptions<'a> {
    /// None: detached.
    pub(crate) attach: Option<AttachOptions<'a>>,
    /// `--sig-proxy`.
    pub(crate) proxy_signals: bool,
    /// Told what the user should know, as soon as the program runs.
    pub(crate) warn: &'a dyn Fn(&str),
}

/// What became of it.
#[derive(Debug)]
pub(crate) enum RunReport {
    /// The program runs on by itself.
    Detached,
    /// The session is over.
    Attached(AttachOutcome),
}

impl Engine {
    /// Makes a container.
    pub(crate) fn create_container(&self, new: NewContainer) -> Result<ContainerId, Error> {
        self.in_its_place(new, Self::create)
    }

    /// Makes a container by `create`, with `--replace` in the place of the one that has its name.
    fn in_its_place(
        &self,
        new: NewContainer,
        create: impl Fn(&Self, ContainerSpec, Option<FoundImage>) -> Result<ContainerRecord, Error>,
    ) -> Result<ContainerId, Error> {
        if let (true, Some(name)) = (new.replace, &new.spec.name) {
            for _ in 1..REPLACE_TRIES {
                self.remove_by_name(name)?;
                match create(self, new.spec.clone(), new.image.clone()) {
                    // Somebody else's has come into the place meanwhile.
                    Err(error) if error.is_name_in_use() => {}
                    made => return made.map(|record| record.id().clone()),
                }
            }
            self.remove_by_name(name)?;
        }
        create(self, new.spec, new.image).map(|record| record.id().clone())
    }

    /// Makes a container and starts it.
    pub(crate) fn run(&self, new: NewContainer, options: StartOptions<'_>) -> Result<(ContainerId, RunReport), Error> {
        let remove = new.spec.remove;
        let id = self.in_its_place(new, Self::create_to_run)?;
        match self.start_with(&id, options) {
            Ok(report) => Ok((id, report)),
            Err(error) => {
                // The monitor removes what it has begun to start; what never came so far is ours to remove.
                if remove && self.store.container(&id).is_ok() {
                    self.discard(&id);
                }
                Err(error)
            }
        }
    }

    /// Removes a container that could not be made whole, or one of `--rm` that did not start. The error to tell is why.
    pub(super) fn discard(&self, id: &ContainerId) {
        let removed = self.remove_one(id, &RemoveRequest::with_all(), &mut VolumeUsers::default());
        let removed = removed.and_then(|()| self.empty_trash());
        if let Err(error) = removed {
            tracing::warn!(%error, "container {} stays", id.short());
        }
    }

    /// Starts a container, attached or not.
    pub(crate) fn start_with(&self, id: &ContainerId, options: StartOptions<'_>) -> Result<RunReport, Error> {
        let Some(attached) = options.attach else {
            let started = self.start(id, None, None)?;
            started.warnings.iter().for_each(|warning| (options.warn)(warning));
            return Ok(RunReport::Detached);
        };
        let failed = |source| Error::Attach { id: id.short().to_owned(), source };
        let (ours, theirs) = socket::stream_pair().map_err(failed)?;
        // Before the start: a signal from now on waits for the program.
        let proxy = SignalProxy::new(options.proxy_signals).map_err(failed)?;
        let interrupts = proxy.interrupts().map_err(failed)?;
        let config = self.store.container_config(id)?;
        let foreground = Foreground { socket: theirs, window: attached.window() };
        let started = self.start(id, Some(foreground), Some(&interrupts))?;
        started.warnings.iter().for_each(|warning| (options.warn)(warning));
        let init = match Pid::from_raw(started.pid).map(PidFd::open) {
            // It may have ended already: its output and its code are still to come.
            Some(Ok(init)) => Some(init),
            Some(Err(_)) | None => None,
        };
        let pass_on = |number| self.pass_on(&config, init.as_ref(), number);
        attach(ours, attached, proxy, &pass_on).map(RunReport::Attached).map_err(failed)
    }

    /// The container that a word means.
    pub(crate) fn find_container(&self, word: &str) -> Result<ContainerId, Error> {
        Ok(self.store.find_container(word)?)
    }

    /// True if a process of the container may be alive.
    pub(crate) fn is_running(&self, id: &ContainerId) -> Result<bool, Error> {
        Ok(self.store.container(id)?.status.is_alive())
    }

    /// True if its program runs, and is not paused.
    pub(crate) fn runs(&self, id: &ContainerId) -> Result<bool, Error> {
        Ok(self.store.container(id)?.status == ContainerStatus::Running)
    }

    /// Whether the container was made with `-i`, and with `-t`.
    pub(crate) fn streams_of(&self, id: &ContainerId) -> Result<(bool, bool), Error> {
        let config = self.store.container_config(id)?;
        Ok((config.spec.interactive, config.spec.tty))
    }

    /// `--replace`: removes the container that has the name, whatever it does; its volumes stay.
    fn remove_by_name(&self, name: &ContainerName) -> Result<(), Error> {
        match self.store.find_container(name.as_str()) {
            Ok(id) => {
                let record = self.store.container(&id);
                // The beginning of an id is not the name.
                if record.is_ok_and(|record| record.config.name == *name) {
                    let request = RemoveRequest { force: true, ..RemoveRequest::default() };
                    self.remove_entirely(&[id], &request)?;
                }
                Ok(())
            }
            Err(crate::storage::Error::NoContainer(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
