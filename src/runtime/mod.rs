//! L3: the OCI runtime; knows bundles, not images. May import: sys, types, rootless.
