//! L4: one process per container (the part of conmon). May import: runtime, rootless, network, storage, sys, types.
