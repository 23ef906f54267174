//! What must hold after a kill or an error: commands work, `system check` is clean, names are free, nothing is left.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::cases::Case;
use crate::harness::{Env, leaks};

/// What is there when nothing goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rest {
    processes: usize,
    entries: BTreeSet<String>,
}

impl Rest {
    /// Looks now.
    pub(super) fn look(env: &Env) -> Self {
        Self { processes: alive(env).len(), entries: leaks::rest(env) }
    }

    /// Waits until all is as before.
    fn returns(&self, env: &Env) -> Result<(), String> {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let now = Self::look(env);
            if now == *self {
                return Ok(());
            }
            if Instant::now() > deadline {
                let more: Vec<_> = now.entries.difference(&self.entries).collect();
                let less: Vec<_> = self.entries.difference(&now.entries).collect();
                let processes = if now.processes == self.processes { Vec::new() } else { alive(env) };
                return Err(format!("left: {more:?}, lost: {less:?}, processes: {processes:?}"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn alive(env: &Env) -> Vec<leaks::Process> {
    env.processes().into_iter().filter(|process| process.state != 'Z').collect()
}

/// Runs a script of the case; its output if it fails, panics or hangs.
pub(super) fn script(env: &Env, what: &str, text: &str) -> Result<(), String> {
    let command = env.other("/bin/sh").args(["-e", "-c", text]).deadline(Duration::from_mins(2));
    // A deadline that is missed panics: that is a finding like any other.
    match catch_unwind(AssertUnwindSafe(|| command.run())) {
        Ok(output) if output.is_success() && !output.stderr().contains("panicked") => Ok(()),
        Ok(output) => Err(format!("{what}: {output}")),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "a panic".to_owned());
            Err(format!("{what}: {text}"))
        }
    }
}

/// Commands that only look must work at once, on whatever is there.
const LOOK: &str = "$S ps -a >/dev/null; $S images >/dev/null; $S volume ls >/dev/null";
/// Exit code 1: something was repaired. A container without its monitor runs on until its user stops it.
const REPAIR: &str = "$S system check --repair || test $? = 1 || $S ps | grep -q unsupervised;
    $S system check || $S ps | grep -q unsupervised";

/// Repairs the store, which is whole then. A child of the killed process outlives it by a moment, and what it holds is in use as
/// long: where a process ended meanwhile, the repair came too early and is tried once more.
fn repair(env: &Env) -> Result<(), String> {
    let before = alive(env).len();
    let repaired = script(env, "system check --repair", REPAIR);
    if repaired.is_err() && alive(env).len() < before {
        return script(env, "system check --repair, again", REPAIR);
    }
    repaired
}

/// Judges the store after the case was disturbed. Whether the names are tried before the repair or after it alternates.
pub(super) fn judge(env: &Env, case: &Case, rest: &Rest, repair_first: bool) -> Result<(), String> {
    script(env, "looking", LOOK)?;
    if repair_first {
        repair(env)?;
        script(env, "again, after the repair", case.again)?;
        script(env, "system check", "$S system check")?;
    } else {
        script(env, "again, before a repair", case.again)?;
        repair(env)?;
        script(env, "system check", "$S system check")?;
    }
    rest.returns(env)
}
