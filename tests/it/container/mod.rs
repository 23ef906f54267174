//! Verbs about containers.

mod attach;
mod cp;
mod logs;
mod tty;
