//! Restart policies (`--restart`).

use std::str::FromStr;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RestartPolicy {
    #[default]
    No,
    /// On a non-zero exit, at most `max` times (none = no bound).
    OnFailure {
        max: Option<u32>,
    },
    Always,
    /// Like `always`, but a container that the user stopped stays stopped after a reboot.
    UnlessStopped,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid restart policy {0:?}: no, on-failure[:max], always or unless-stopped")]
pub(crate) struct InvalidRestartPolicy(String);

impl FromStr for RestartPolicy {
    type Err = InvalidRestartPolicy;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None => match text {
                "no" | "never" | "" => Ok(Self::No),
                "on-failure" => Ok(Self::OnFailure { max: None }),
                "always" => Ok(Self::Always),
                "unless-stopped" => Ok(Self::UnlessStopped),
                _ => Err(InvalidRestartPolicy(text.to_owned())),
            },
            Some(("on-failure", max)) => {
                let max = max.parse().ok().ok_or_else(|| InvalidRestartPolicy(text.to_owned()))?;
                Ok(Self::OnFailure { max: Some(max) })
            }
            Some(_) => Err(InvalidRestartPolicy(text.to_owned())),
        }
    }
}

impl RestartPolicy {
    /// True if a container that has ended with this code by itself starts again, after so many restarts.
    pub(crate) fn wants(self, code: i32, restarts: u32) -> bool {
        match self {
            Self::No => false,
            Self::OnFailure { max } => code != 0 && max.is_none_or(|max| restarts < max),
            Self::Always | Self::UnlessStopped => true,
        }
    }

    /// Podman's name in `inspect` and `ps --filter restart-policy=`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::OnFailure { .. } => "on-failure",
            Self::Always => "always",
            Self::UnlessStopped => "unless-stopped",
        }
    }
}
