//! `sampan push`.

use std::path::PathBuf;
use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::flags::{AccessFlags, FormFlags, absolute};
use super::super::super::switches::any_path;
use crate::engine::images::{PushRequest, write_digest};

/// Sends an image to a registry, an archive or a directory.
///
/// DESTINATION is a name, with or without docker://, or docker-archive:FILE[:NAME], oci-archive:FILE[:NAME],
/// oci:DIR[:NAME] or dir:DIR. Without it, the image goes where its own name says. What was pulled is sent byte for
/// byte; what the registry has already is not sent. A blob that the pull skipped is fetched from where the image came
/// from, with the credentials of sampan login or --authfile; --creds are for the registry that is pushed to.
#[derive(Debug, clap::Args)]
pub(crate) struct PushArgs {
    /// Of a list, push all its images.
    #[arg(long)]
    all: bool,
    /// File to write the digest of the manifest to.
    #[arg(long, value_name = "FILE", value_parser = any_path())]
    digestfile: Option<PathBuf>,
    #[command(flatten)]
    form: FormFlags,
    /// Say nothing while pushing.
    #[arg(short, long)]
    quiet: bool,
    /// Send no signatures. None are ever sent.
    #[arg(long)]
    remove_signatures: bool,
    #[command(flatten)]
    access: AccessFlags,
    /// Name or id of the image.
    #[arg(value_name = "IMAGE")]
    image: String,
    /// Where to.
    #[arg(value_name = "DESTINATION")]
    destination: Option<String>,
}

/// Pushes; prints nothing.
pub(crate) fn run(args: PushArgs, context: &Context) -> Result<ExitCode, Error> {
    let (format, layers) = args.form.form()?;
    let request = PushRequest {
        image: args.image,
        destination: args.destination,
        format,
        layers,
        all: args.all,
        access: args.access.access(context)?,
    };
    let digestfile = absolute(context, "--digestfile", args.digestfile.as_deref())?;
    let report = context.engine()?.push(&request, context.progress(args.quiet).as_ref())?;
    if let Some(path) = digestfile {
        write_digest(&path, &report.digest)?;
    }
    Ok(ExitCode::SUCCESS)
}
