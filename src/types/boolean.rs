//! Truth values of flags, options and filters.

/// Text that is no truth value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("true or false")]
pub(crate) struct NotBoolean;

/// Go's `strconv.ParseBool`, which Podman has everywhere.
pub(crate) fn parse_bool(text: &str) -> Result<bool, NotBoolean> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(NotBoolean),
    }
}
