//! L6: the only clap, the only stdout and stderr, the only exit codes. May import: engine, types, config.
