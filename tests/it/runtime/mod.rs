//! What the runtime does to the kernel, seen from outside.

mod cgroup;
