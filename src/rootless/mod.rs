//! L3: the outer user namespace P and workers in it. May import: sys, types.
