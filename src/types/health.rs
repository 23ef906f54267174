//! Health checks: what is asked for, and what they say.

use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::container_spec::ContainerSpec;
use super::image_config::{Healthcheck, ImageConfig};

/// Between two checks, and for one, unless said otherwise.
const DEFAULT_TIME: Duration = Duration::from_secs(30);
/// Failures in a row that make a container unhealthy, unless said otherwise.
const DEFAULT_RETRIES: u32 = 3;
/// Between two checks, as far as an image may say: each costs processes outside of the container's limits.
const SHORTEST: Duration = Duration::from_secs(1);
/// The longest time that is kept: a timer of an image must not overflow a clock.
const LONGEST: Duration = Duration::from_hours(24 * 365);

/// What the checks of a container have said so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HealthStatus {
    /// No check counted yet.
    #[default]
    Starting,
    Healthy,
    Unhealthy,
}

impl HealthStatus {
    /// Podman's word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// `--health-on-failure`: what happens to an unhealthy container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnFailure {
    #[default]
    None,
    Kill,
    Restart,
    Stop,
}

impl OnFailure {
    /// Podman's word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Kill => "kill",
            Self::Restart => "restart",
            Self::Stop => "stop",
        }
    }

    /// True if nothing was asked for.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde wants")]
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// Text that names no action.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("none, kill, restart or stop")]
pub(crate) struct InvalidOnFailure;

impl FromStr for OnFailure {
    type Err = InvalidOnFailure;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::None, Self::Kill, Self::Restart, Self::Stop]
            .into_iter()
            .find(|action| action.as_str() == text)
            .ok_or(InvalidOnFailure)
    }
}

/// The check of a container: the flags, and what they do not say as the image has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HealthCheck {
    /// What `inspect` shows: `CMD` and a program, or `CMD-SHELL` and a script.
    pub(crate) test: Vec<String>,
    /// From the end of one check to the next; `None`: only by hand.
    pub(crate) interval: Option<Duration>,
    pub(crate) timeout: Duration,
    /// After the start failures do not count so long.
    pub(crate) start_period: Duration,
    /// So many failures in a row make the container unhealthy.
    pub(crate) retries: u32,
    pub(crate) on_failure: OnFailure,
}

impl HealthCheck {
    /// The check of a container; `None` where there is none.
    pub(crate) fn of(spec: &ContainerSpec, image: Option<&ImageConfig>) -> Option<Self> {
        if spec.no_healthcheck {
            return None;
        }
        let (none, image) = (Healthcheck::default(), image.and_then(|image| image.config.healthcheck.as_ref()));
        let (own, image) = (spec.healthcheck.as_ref().unwrap_or(&none), image.unwrap_or(&none));
        let test = if own.test.is_empty() { &image.test } else { &own.test };
        arguments(test)?;
        // Docker's zero means "as usual" in an image; on the command line it means what it says.
        let of_image = |image: Option<i64>| image.filter(|nanos| *nanos > 0).map(duration);
        let time = |own: Option<i64>, image: Option<i64>| own.map(duration).or_else(|| of_image(image));
        let interval = own.interval.map(duration).or_else(|| of_image(image.interval).map(|time| time.max(SHORTEST)));
        let retries = own.retries.or(image.retries).and_then(|count| u32::try_from(count).ok());
        Some(Self {
            test: test.clone(),
            interval: Some(interval.unwrap_or(DEFAULT_TIME)).filter(|time| !time.is_zero()),
            timeout: time(own.timeout, image.timeout).unwrap_or(DEFAULT_TIME),
            start_period: time(own.start_period, image.start_period).unwrap_or_default(),
            retries: retries.filter(|count| *count > 0).unwrap_or(DEFAULT_RETRIES),
            on_failure: spec.health_on_failure,
        })
    }

    /// Program and arguments.
    pub(crate) fn command(&self) -> Vec<String> {
        arguments(&self.test).unwrap_or_default()
    }

    /// In the shape of Docker's image configuration.
    pub(crate) fn to_docker(&self) -> Healthcheck {
        let nanos = |time: Duration| i64::try_from(time.as_nanos()).ok();
        Healthcheck {
            test: self.test.clone(),
            interval: self.interval.map_or(Some(0), nanos),
            timeout: nanos(self.timeout),
            start_period: nanos(self.start_period).filter(|nanos| *nanos > 0),
            retries: Some(self.retries.into()),
        }
    }
}

/// What is executed; `None` for `NONE` and for what names no program.
fn arguments(test: &[String]) -> Option<Vec<String>> {
    let (kind, rest) = test.split_first()?;
    let command = match kind.as_str() {
        "" | "NONE" => return None,
        "CMD" => rest.to_vec(),
        "CMD-SHELL" if rest.iter().all(String::is_empty) => return None,
        "CMD-SHELL" => vec!["/bin/sh".to_owned(), "-c".to_owned(), rest.join(" ")],
        _ => test.to_vec(),
    };
    command.first().is_some_and(|program| !program.is_empty()).then_some(command)
}

fn duration(nanos: i64) -> Duration {
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(0)).min(LONGEST)
}

/// What `--health-cmd` asks for, as an image would have it: an array of strings is a program, other text a script.
pub(crate) fn parse_test(text: &str) -> Vec<String> {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let shell = |script: &str| vec!["CMD-SHELL".to_owned(), script.to_owned()];
    if let Ok(array) = serde_json::from_str::<Vec<String>>(text) {
        return match array.first().map(String::as_str) {
            None | Some("CMD" | "CMD-SHELL" | "NONE") => array,
            Some(script) if array.len() == 1 => shell(script),
            Some(_) => std::iter::once("CMD".to_owned()).chain(array).collect(),
        };
    }
    match text.split_once(' ').unwrap_or((text, "")) {
        ("none" | "NONE", "") => vec!["NONE".to_owned()],
        ("CMD", _) => words(text),
        ("CMD-SHELL", script) => shell(script),
        _ => shell(text),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{HealthCheck, OnFailure, parse_test};
    use crate::types::container_spec::ContainerSpec;
    use crate::types::image_config::{Healthcheck, ImageConfig};

    #[test]
    fn the_flag_becomes_a_test() {
        for (text, expected) in [
            ("curl -f localhost || exit 1", vec!["CMD-SHELL", "curl -f localhost || exit 1"]),
            (r#"["curl", "-f", "localhost"]"#, vec!["CMD", "curl", "-f", "localhost"]),
            (r#"["CMD", "true"]"#, vec!["CMD", "true"]),
            (r#"["true"]"#, vec!["CMD-SHELL", "true"]),
            ("CMD curl  -f localhost", vec!["CMD", "curl", "-f", "localhost"]),
            ("CMD-SHELL a && b", vec!["CMD-SHELL", "a && b"]),
            ("none", vec!["NONE"]),
            ("[]", vec![]),
        ] {
            assert_eq!(parse_test(text), expected, "{text}");
        }
    }

    fn image(check: Healthcheck) -> ImageConfig {
        let mut image = ImageConfig::default();
        image.config.healthcheck = Some(check);
        image
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn flags_come_before_the_image_and_both_before_the_defaults() {
        let shell = Healthcheck { test: words(&["CMD-SHELL", "a"]), interval: Some(0), ..Healthcheck::default() };
        let check = HealthCheck::of(&ContainerSpec::default(), Some(&image(shell.clone()))).expect("of the image");
        assert_eq!(check.command(), ["/bin/sh", "-c", "a"]);
        assert_eq!((check.interval, check.retries), (Some(Duration::from_secs(30)), 3));
        let own = Healthcheck { interval: Some(0), retries: Some(7), ..Healthcheck::default() };
        let spec =
            ContainerSpec { healthcheck: Some(own), health_on_failure: OnFailure::Kill, ..ContainerSpec::default() };
        let check = HealthCheck::of(&spec, Some(&image(shell.clone()))).expect("of both");
        assert_eq!((check.interval, check.retries, check.on_failure), (None, 7, OnFailure::Kill));
        assert_eq!(check.to_docker().test, ["CMD-SHELL", "a"]);
        assert_eq!(HealthCheck::of(&spec, None), None);
        let spec = ContainerSpec { no_healthcheck: true, ..ContainerSpec::default() };
        assert_eq!(HealthCheck::of(&spec, Some(&image(shell))), None);
    }

    #[test]
    fn hostile_images_make_no_check_that_cannot_be() {
        for test in [vec![], vec!["NONE"], vec![""], vec!["CMD"], vec!["CMD", ""], vec!["CMD-SHELL", ""]] {
            let check = Healthcheck { test: words(&test), ..Healthcheck::default() };
            assert_eq!(HealthCheck::of(&ContainerSpec::default(), Some(&image(check))), None, "{test:?}");
        }
        let check = Healthcheck {
            test: words(&["CMD", "a"]),
            interval: Some(i64::MAX),
            timeout: Some(-1),
            start_period: Some(i64::MIN),
            retries: Some(i64::MAX),
        };
        let check = HealthCheck::of(&ContainerSpec::default(), Some(&image(check))).expect("a check");
        assert_eq!((check.interval, check.timeout), (Some(super::LONGEST), Duration::from_secs(30)));
        assert_eq!((check.start_period, check.retries), (Duration::ZERO, 3));
        let hurry = || Healthcheck {
            test: words(&["CMD", "a"]),
            interval: Some(1),
            timeout: Some(1),
            ..Healthcheck::default()
        };
        let check = HealthCheck::of(&ContainerSpec::default(), Some(&image(hurry()))).expect("a check");
        assert_eq!((check.interval, check.timeout), (Some(super::SHORTEST), Duration::from_nanos(1)));
        let spec = ContainerSpec { healthcheck: Some(hurry()), ..ContainerSpec::default() };
        let check = HealthCheck::of(&spec, None).expect("of the caller");
        assert_eq!(check.interval, Some(Duration::from_nanos(1)));
    }
}
