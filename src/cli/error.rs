//! The last error of all: a kind for the exit code, the chain for the reader, a hint for the cure.

use std::io::Write;
use std::process::ExitCode;

use crate::config;
use crate::engine;
use crate::types::failure::chain;

use super::exit;
use super::lower::FlagError;

/// Why a verb ended without success.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A flag or an argument that clap cannot judge alone.
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    Flag(#[from] FlagError),
    /// The flags are right, but not with what is set for all containers.
    #[error("a default of containers.conf(5)")]
    Defaults(#[source] Box<Error>),
    #[error(transparent)]
    Config(#[from] config::Error),
    #[error(transparent)]
    Engine(#[from] engine::Error),
    #[error("--format {format:?}")]
    Template {
        format: String,
        #[source]
        source: gotmpl::TemplateError,
    },
    #[error("encode the answer as JSON")]
    Encode(#[source] serde_json::Error),
    #[error("read from standard input")]
    Input(#[source] std::io::Error),
    /// A question that nobody has answered.
    #[error("read an answer from standard input: EOF")]
    NoAnswer,
    /// The supervisor of an exec died, or could not tell how the program ended.
    #[error("the connection to the program was lost: its supervisor is gone")]
    ExecLost,
    /// The monitor of a container died, or could not tell how it ended.
    #[error("the exit code of the container is not known: {why}")]
    EndUnknown { why: String },
    /// Nobody reads our output any more: silent.
    #[error("write to standard output")]
    Output(#[source] std::io::Error),
}

impl Error {
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into())
    }

    /// Code with which the process ends if this error is the last word.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code())
    }

    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe => exit::NOBODY_READS,
            Self::Engine(error) => error.kind().exit_code(),
            _ => exit::OURS,
        }
    }

    /// Code of `rm` and its like: 1 absent, 2 in use, else ours.
    pub(crate) fn removal_code(&self) -> u8 {
        match self {
            Self::Engine(error) if error.is_absent() => 1,
            Self::Engine(error) if error.is_in_use() => 2,
            _ => exit::OURS,
        }
    }
}

/// Prints `Error: chain: of: messages` in one line, and `Hint: …` if there is a cure.
pub(crate) fn print(error: &Error) {
    if matches!(error, Error::Output(source) if source.kind() == std::io::ErrorKind::BrokenPipe) {
        return;
    }
    print_text(&chain(error), super::hints::of(error).as_deref());
}

/// Prints `Error: message` in one line, and the hint if there is one.
pub(crate) fn print_text(message: &str, hint: Option<&str>) {
    let mut text = one_line(&format!("Error: {message}"));
    if let Some(hint) = hint {
        text.push_str("\nHint: ");
        text.push_str(hint);
    }
    text.push('\n');
    // A closed stderr leaves nobody to tell.
    drop(engine::standard::stderr().write_all(text.as_bytes()));
}

/// An error is one line: names from images and registries may hold line breaks and escape sequences.
fn one_line(text: &str) -> String {
    super::output::table::clean(text).into_owned()
}

/// Turns the result of writing to stdout into ours.
pub(crate) trait OnStdout<T> {
    fn on_stdout(self) -> Result<T, Error>;
}

impl<T> OnStdout<T> for std::io::Result<T> {
    fn on_stdout(self) -> Result<T, Error> {
        self.map_err(Error::Output)
    }
}
