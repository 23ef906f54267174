//! Keys of annotations by which specgen tells the runtime what the OCI spec has no field for.

/// Name for the user of a keep-id container: the caller's.
pub(crate) const USER_NAME: &str = "io.sampan.user-name";

/// Home directory of that user, if it is mounted: the caller's. Otherwise it is the working directory.
pub(crate) const USER_HOME: &str = "io.sampan.user-home";

/// Name for the group of a keep-id container's user: the caller's.
pub(crate) const GROUP_NAME: &str = "io.sampan.group-name";

/// Mount option of ours: fill an empty directory that is bound from what the image has at the target.
pub(crate) const COPY_UP: &str = "x-copy-up";

/// Mount option of ours: what was filled outlives the container, and must survive a power cut.
pub(crate) const DURABLE: &str = "x-durable";

/// Mount option of ours: leave the mount out where something is mounted already, which its target reaches through a link of
/// the image.
pub(crate) const YIELD: &str = "x-yield";

/// Mount option of ours: give the source to the program's user.
pub(crate) const CHOWN: &str = "x-chown";

/// Mount option of ours: the source is the engine's own, and is given to the container's root.
pub(crate) const OF_ROOT: &str = "x-of-root";

/// Mount option of ours, with a value: bind this directory or file in the source, resolved there without links.
pub(crate) const SUBPATH: &str = "x-subpath";
