//! Verbs about containers.

mod attach;
mod logs;
mod tty;
