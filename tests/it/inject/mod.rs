//! Kills and errors at any system call (T1 and T3 of docs/reliability.md): [`tracer`] follows a command and all that it forks,
//! [`cases`] are the commands, [`oracle`] says what must hold afterwards, [`sweep`] chooses the points.
//!
//! `make fault` tries every point; `make test` a few, chosen by a seed that a failure prints. One point again:
//! `SAMPAN_TEST_POINT='0.1 renameat2#3' .ci/test it inject::kills::create`.

mod calls;
mod cases;
mod errors;
mod features;
mod kills;
mod oracle;
mod regressions;
mod sweep;
mod tracer;
