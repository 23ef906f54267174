//! Keys of annotations by which specgen tells the runtime what the OCI spec has no field for.

/// Name for the user of a keep-id container: the caller's.
pub(crate) const USER_NAME: &str = "io.sampan.user-name";
