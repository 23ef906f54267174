//! L5: use cases. Takes locks, returns reports; prints nothing, reads no environment. May import: all below.
