//! What can be wrong with a flag.

/// A flag that cannot be granted, with its value and the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FlagError {
    #[error("--{flag} {value:?}: {why}")]
    Value { flag: &'static str, value: String, why: String },
    #[error("--{0} and --{1} exclude each other")]
    Conflict(&'static str, &'static str),
    #[error("--{flag} needs --{needs}")]
    Needs { flag: &'static str, needs: &'static str },
    #[error("--{flag} {value:?} is not supported yet")]
    Unsupported { flag: &'static str, value: String },
    #[error("{flag} {path}, line {line}: {why}")]
    Line { flag: &'static str, path: String, line: usize, why: &'static str },
    #[error("the image is missing")]
    NoImage,
    #[error("argument {0} is not UTF-8, which an OCI configuration cannot hold")]
    NotUtf8(usize),
    #[error("path {0:?} is not UTF-8, which an OCI configuration cannot hold")]
    PathNotUtf8(std::path::PathBuf),
    #[error("the working directory is gone, so {0:?} cannot be resolved")]
    NoDirectory(String),
}

/// Shorthand for the common case.
pub(super) fn wrong(flag: &'static str, value: &str, why: impl ToString) -> FlagError {
    FlagError::Value { flag, value: value.to_owned(), why: why.to_string() }
}

/// A form that Podman knows and Sampan does not have.
pub(super) fn unsupported(flag: &'static str, value: &str) -> FlagError {
    FlagError::Unsupported { flag, value: value.to_owned() }
}
