//! `--health-*`.

use crate::types::container_spec::ContainerSpec;
use crate::types::duration::parse_duration;
use crate::types::health::{OnFailure, parse_test};
use crate::types::image_config::Healthcheck;
use crate::types::restart::RestartPolicy;

use super::super::flags::HealthFlags;
use super::invalid::{FlagError, wrong};

/// Lowers the flags; `spec.restart` is known already.
pub(super) fn health(flags: &HealthFlags, spec: &mut ContainerSpec) -> Result<(), FlagError> {
    let mut check = Healthcheck::default();
    if let Some(text) = &flags.health_cmd {
        check.test = parse_test(text);
        if check.test.is_empty() || text.trim().is_empty() {
            return Err(wrong("health-cmd", text, "it names no command (none is for no check)"));
        }
    }
    let none = check.test.first().is_some_and(|kind| kind == "NONE");
    spec.no_healthcheck = flags.no_healthcheck || none;
    check.interval = match flags.health_interval.as_deref() {
        Some("disable") => Some(0),
        text => nanos("health-interval", text)?,
    };
    check.start_period = nanos("health-start-period", flags.health_start_period.as_deref())?;
    check.timeout = nanos("health-timeout", flags.health_timeout.as_deref())?;
    if check.timeout == Some(0) {
        return Err(wrong("health-timeout", "0", "a check needs time"));
    }
    check.retries = flags.health_retries.map(i64::from);
    if check.retries == Some(0) {
        return Err(wrong("health-retries", "0", "a number above 0"));
    }
    if let Some(text) = &flags.health_on_failure {
        spec.health_on_failure = text.parse().map_err(|error| wrong("health-on-failure", text, error))?;
    }
    if spec.health_on_failure == OnFailure::Restart && spec.restart != RestartPolicy::No {
        return Err(FlagError::Conflict("health-on-failure=restart", "restart"));
    }
    if !spec.no_healthcheck {
        spec.healthcheck = (check != Healthcheck::default()).then_some(check);
        return Ok(());
    }
    check.test.clear();
    let others = check != Healthcheck::default() || !spec.health_on_failure.is_none();
    match (flags.no_healthcheck, &flags.health_cmd) {
        (true, Some(_)) => Err(FlagError::Conflict("no-healthcheck", "health-cmd")),
        (true, None) if others => Err(FlagError::Conflict("no-healthcheck", "health-*")),
        (false, _) if others => Err(FlagError::Conflict("health-cmd=none", "health-*")),
        _ => Ok(()),
    }
}

fn nanos(flag: &'static str, text: Option<&str>) -> Result<Option<i64>, FlagError> {
    let Some(text) = text else { return Ok(None) };
    let time = parse_duration(text).map_err(|error| wrong(flag, text, error))?;
    i64::try_from(time.as_nanos()).map(Some).map_err(|error| wrong(flag, text, error))
}
