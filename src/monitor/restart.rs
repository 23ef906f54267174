//! Restart policies (`--restart`): decided at each exit, with a growing pause between restarts.

use std::time::{Duration, Instant};

use crate::types::restart::RestartPolicy;

/// The first pause.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// A container that ran this long is healthy: the pause starts small again.
const HEALTHY: Duration = Duration::from_secs(10);
/// How often a pause looks whether it is still wanted.
const GLANCE: Duration = Duration::from_millis(50);

/// What to do after an exit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The container has ended.
    End,
    /// Start it again after a pause.
    Restart { pause: Duration },
}

/// What the policy needs to know of the exit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended {
    /// The code to show, 128 + n for a signal.
    pub(crate) code: i32,
    pub(crate) ran_for: Duration,
    /// By `stop`, `kill` or `rm -f`: no policy restarts then.
    pub(crate) stopped_by_user: bool,
    /// By `--health-on-failure=restart`: it starts again whatever the policy says.
    pub(crate) unhealthy: bool,
}

/// The history of one monitor's restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Restarts {
    policy: RestartPolicy,
    count: u32,
    pause: Duration,
}

impl Restarts {
    pub(crate) fn new(policy: RestartPolicy) -> Self {
        Self { policy, count: 0, pause: FIRST_PAUSE }
    }

    /// Restarts so far (`RestartCount` in `inspect`).
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// Decides, and counts a restart.
    pub(crate) fn decide(&mut self, ended: Ended) -> Decision {
        if !(self.policy.wants(ended.code, self.count) || ended.unhealthy) || ended.stopped_by_user {
            return Decision::End;
        }
        if ended.ran_for >= HEALTHY {
            self.pause = FIRST_PAUSE;
        }
        let pause = self.pause;
        self.pause = (pause * 2).min(LONGEST_PAUSE);
        self.count = self.count.saturating_add(1);
        Decision::Restart { pause }
    }
}

/// Sleeps for `pause`. False as soon as `cancelled` says so: `stop` came meanwhile.
pub(crate) fn pause_unless(pause: Duration, mut cancelled: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + pause;
    loop {
        if cancelled() {
            return false;
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        std::thread::sleep(left.min(GLANCE));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Decision, Ended, Restarts};
    use crate::types::restart::RestartPolicy;

    fn ended(code: i32) -> Ended {
        Ended { code, ran_for: Duration::from_secs(1), stopped_by_user: false, unhealthy: false }
    }

    #[test]
    fn policies_decide_by_code_count_and_user() {
        let restarts = |policy: RestartPolicy, code| {
            let mut state = Restarts::new(policy);
            (0..10).take_while(|_| state.decide(ended(code)) != Decision::End).count()
        };
        for (policy, code, expected) in [
            (RestartPolicy::No, 1, 0),
            (RestartPolicy::OnFailure { max: None }, 0, 0),
            (RestartPolicy::OnFailure { max: None }, 137, 10),
            (RestartPolicy::OnFailure { max: Some(3) }, 1, 3),
            (RestartPolicy::OnFailure { max: Some(0) }, 1, 0),
            (RestartPolicy::Always, 0, 10),
            (RestartPolicy::UnlessStopped, 1, 10),
        ] {
            assert_eq!(restarts(policy, code), expected, "{policy:?} {code}");
            let stopped = Ended { stopped_by_user: true, ..ended(code) };
            assert_eq!(Restarts::new(policy).decide(stopped), Decision::End);
            assert_eq!(Restarts::new(policy).decide(Ended { unhealthy: true, ..stopped }), Decision::End);
            let unhealthy = Ended { unhealthy: true, ..ended(code) };
            assert_ne!(Restarts::new(policy).decide(unhealthy), Decision::End);
        }
    }

    #[test]
    fn pauses_double_to_ten_seconds_and_start_again_after_a_healthy_run() {
        let mut state = Restarts::new(RestartPolicy::Always);
        let mut pause = |run: u64| match state.decide(Ended { ran_for: Duration::from_secs(run), ..ended(1) }) {
            Decision::Restart { pause } => pause.as_millis(),
            Decision::End => 0,
        };
        let pauses: Vec<_> = (0..9).map(|_| pause(1)).collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000]);
        assert_eq!((pause(11), pause(1)), (100, 200));
        assert_eq!(state.count(), 11);
    }
}
