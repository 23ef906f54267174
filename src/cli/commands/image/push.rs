//! `sampan push`.

use std::path::PathBuf;
use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::flags::{AccessFlags, absolute};
use crate::engine::images::{Compression, ManifestFormat, PushRequest, layer_form, write_digest};

/// Sends an image to a registry, an archive or a directory.
///
/// DESTINATION is a name, with or without docker://, or docker-archive:FILE[:NAME], oci-archive:FILE[:NAME],
/// oci:DIR[:NAME] or dir:DIR. Without it, the image goes where its own name says. What was pulled is sent byte for
/// byte; what the registry has already is not sent.
#[derive(Debug, clap::Args)]
pub(crate) struct PushArgs {
    /// Of a list, push all its images.
    #[arg(long)]
    all: bool,
    /// Compression of layers: gzip or zstd. Those that have another one are compressed anew.
    #[arg(long, value_name = "FORMAT", value_parser = compression)]
    compression_format: Option<Compression>,
    /// Level of the compression: 1 to 9 for gzip, 1 to 20 for zstd. All layers are compressed anew.
    #[arg(long, value_name = "LEVEL", value_parser = clap::value_parser!(i32).range(1..=20))]
    compression_level: Option<i32>,
    /// File to write the digest of the manifest to.
    #[arg(long, value_name = "FILE")]
    digestfile: Option<PathBuf>,
    /// Compress layers anew that have another compression than gzip, or than --compression-format says.
    #[arg(long)]
    force_compression: bool,
    /// Format of the manifest: oci or v2s2. As it is if not given.
    #[arg(short, long, value_name = "FORMAT", value_parser = manifest_format)]
    format: Option<ManifestFormat>,
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

fn compression(text: &str) -> Result<Compression, String> {
    match text {
        "gzip" => Ok(Compression::Gzip),
        "zstd" => Ok(Compression::Zstd),
        "zstd:chunked" => Err("gzip or zstd: layers in chunks are not written".to_owned()),
        _ => Err("gzip or zstd".to_owned()),
    }
}

fn manifest_format(text: &str) -> Result<ManifestFormat, String> {
    match text {
        "oci" => Ok(ManifestFormat::Oci),
        "v2s2" => Ok(ManifestFormat::Docker),
        "v2s1" => Err("oci or v2s2: the old schema 1 carries no checked sizes".to_owned()),
        _ => Err("oci or v2s2".to_owned()),
    }
}

/// Pushes; prints nothing.
pub(crate) fn run(args: PushArgs, context: &Context) -> Result<ExitCode, Error> {
    let zstd = args.compression_format == Some(Compression::Zstd);
    if zstd && args.format == Some(ManifestFormat::Docker) {
        return Err(Error::usage("--format v2s2 knows no layers in zstd: use --format oci"));
    }
    if !zstd && args.compression_level.is_some_and(|level| level > 9) {
        return Err(Error::usage("--compression-level: gzip has the levels 1 to 9"));
    }
    let request = PushRequest {
        image: args.image,
        destination: args.destination,
        // Schema 2 has no name for such layers.
        format: args.format.or(zstd.then_some(ManifestFormat::Oci)),
        layers: layer_form(args.compression_format, args.compression_level, args.force_compression),
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
