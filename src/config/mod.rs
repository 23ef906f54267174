//! L2: reads configuration files and applies precedence. No policy. May import: types, sys.
