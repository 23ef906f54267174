//! L3: images from and to registries and archives. May import: types, config, sys.
