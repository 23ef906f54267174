//! `sampan cp`.

use std::path::PathBuf;
use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;
use crate::engine::containers::copy::{CopyEnd, CopyRequest};
use crate::engine::standard;

/// Copies files between a container and the host.
///
/// A path in a container is CONTAINER:PATH; - is a tar on standard input or output. A directory is copied with its
/// name if the target is a directory, DIR/. copies its content. Links inside the container never lead out of it.
#[derive(Debug, clap::Args)]
pub(crate) struct CpArgs {
    /// What comes into a container belongs to the container's user. With false owners stay: the caller is root, who has no
    /// subordinate id is nobody, and a container's or a tar's numbers are the same in the other.
    #[arg(short, long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", value_parser = crate::types::boolean::parse_bool, action = clap::ArgAction::Set)]
    archive: bool,
    /// A file may replace a directory, and a directory a file.
    #[arg(long)]
    overwrite: bool,
    /// From: CONTAINER:PATH, PATH or -.
    #[arg(value_name = "SOURCE")]
    source: String,
    /// To: CONTAINER:PATH, PATH or -.
    #[arg(value_name = "TARGET")]
    target: String,
}

/// Copies; prints nothing.
pub(crate) fn run(args: CpArgs, context: &Context) -> Result<ExitCode, Error> {
    let ends = (end(&args.source), end(&args.target));
    if !matches!(ends, (Some(CopyEnd::Container { .. }), _) | (_, Some(CopyEnd::Container { .. }))) {
        return Err(Error::usage("one of the two must be a container: CONTAINER:PATH".to_owned()));
    }
    let nowhere = |end: &Option<CopyEnd>| match end {
        Some(CopyEnd::Container { path, .. } | CopyEnd::Host(path)) => path.as_os_str().is_empty(),
        Some(CopyEnd::Stream(_)) | None => false,
    };
    if nowhere(&ends.0) || nowhere(&ends.1) {
        return Err(Error::usage("a path is missing: CONTAINER:PATH, and CONTAINER:/ for everything"));
    }
    let source = match ends.0 {
        Some(end) => end,
        None => CopyEnd::Stream(standard::input()?),
    };
    let target = match ends.1 {
        Some(end) => end,
        None => CopyEnd::Stream(standard::output()?),
    };
    let request = CopyRequest { source, target, archive: args.archive, overwrite: args.overwrite };
    context.engine()?.copy(request, context.progress(true).as_ref())?;
    Ok(ExitCode::SUCCESS)
}

/// `-` is none of the two. A path of the host that holds a colon begins with `/` or `.`.
fn end(text: &str) -> Option<CopyEnd> {
    if text == "-" {
        return None;
    }
    match text.split_once(':') {
        Some((name, path)) if !text.starts_with(['/', '.']) && !name.is_empty() => {
            Some(CopyEnd::Container { name: name.to_owned(), path: PathBuf::from(path) })
        }
        _ => Some(CopyEnd::Host(PathBuf::from(text))),
    }
}
