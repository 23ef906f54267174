//! Verbs about containers.

mod attach;
mod cp;
mod defaults;
mod diff;
mod exec_children;
mod filters;
mod health;
mod lifecycle;
mod logs;
mod many;
mod run;
mod services;
mod tty;
