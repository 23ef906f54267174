//! L3: everything persistent. Given its roots, reads no configuration. May import: sys, types.
