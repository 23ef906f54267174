//! What the runtime does to the kernel, seen from outside.

mod attacks;
mod cgroup;
mod hardening;
mod leftovers;
mod stopped;
mod trees;
