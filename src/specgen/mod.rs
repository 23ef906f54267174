//! L2: pure. ContainerSpec + image configuration + host facts → OCI runtime spec. May import: types.
