//! What the runtime does to the kernel, seen from outside.

mod attacks;
mod cgroup;
mod hardening;
mod stopped;
mod trees;
