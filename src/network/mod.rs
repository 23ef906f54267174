//! L3: network of a container. May import: sys, types.
