//! `healthcheck run`, and what the monitor needs for the checks that it runs itself.

use crate::engine::action::Action;
use crate::engine::error::Error;
use crate::engine::handle::Engine;
use crate::monitor::health::{self, Verdict};
use crate::monitor::request::HealthRequest;
use crate::storage::container_record::{ContainerConfig, ContainerRecord};
use crate::types::exec_spec::ExecSpec;
use crate::types::health::OnFailure;
use crate::types::id::ContainerId;
use crate::types::signal::Signal;
use crate::types::status::ContainerStatus;

use super::signal::init_of;

impl Engine {
    /// Runs the health check of a container now. True if it succeeds; what the container shall do when it is unhealthy is
    /// done.
    pub(crate) fn healthcheck(&self, word: &str) -> Result<bool, Error> {
        let record = self.container(word)?;
        let id = record.id();
        let wrong = || Error::WrongStatus { action: Action::Check, id: id.short().to_owned(), status: record.status };
        let Some(request) = self.health_request(&record.config)? else {
            return Err(Error::NoHealthCheck(record.config.name.to_string()));
        };
        if record.status != ContainerStatus::Running {
            return Err(wrong());
        }
        let init = init_of(&record)?.ok_or_else(wrong)?;
        let verdict = health::check_now(&self.store, &record.config, &request, &init)
            .map_err(|source| Error::Exec { id: id.short().to_owned(), source })?;
        match verdict {
            Verdict::Healthy => Ok(true),
            Verdict::Failed => Ok(false),
            Verdict::Unhealthy => self.act_on_failure(id, request.check.on_failure).map(|()| false),
            Verdict::NotRun => {
                let status = self.store.container(id)?.status;
                Err(Error::WrongStatus { action: Action::Check, id: id.short().to_owned(), status })
            }
        }
    }

    fn act_on_failure(&self, id: &ContainerId, action: OnFailure) -> Result<(), Error> {
        let selected = || vec![(id.to_string(), Ok(id.clone()))];
        match action {
            OnFailure::None => Ok(()),
            OnFailure::Kill => self.kill(id, Signal::KILL).map(drop),
            OnFailure::Stop => self.stop(selected(), None)?.into_iter().try_for_each(|(_, answer)| answer.map(drop)),
            OnFailure::Restart => {
                self.restart(selected(), None)?.into_iter().try_for_each(|(_, answer)| answer.map(drop))
            }
        }
    }

    /// The check of a container, ready to be run; `None` where there is none.
    pub(super) fn health_request(&self, config: &ContainerConfig) -> Result<Option<HealthRequest>, Error> {
        let Some(check) = config.health_check() else { return Ok(None) };
        let exec = ExecSpec { command: check.command(), ..ExecSpec::default() };
        let bundle = self.exec_bundle(config, &exec)?;
        Ok(Some(HealthRequest { check, bundle, wish: self.wish()?.clone() }))
    }
}

/// State of the health check; `none` without one.
pub(super) fn health(record: &ContainerRecord) -> &'static str {
    record.health.as_ref().map_or("none", |health| health.status.as_str())
}
