//! `sampan volume create`.

use std::process::ExitCode;

use crate::engine::volumes::CreateVolume;
use crate::types::name::VolumeName;

use super::super::super::context::Context;
use super::super::super::error::Error;

/// Makes a volume and prints its name.
#[derive(Debug, clap::Args)]
pub(crate) struct VolumeCreateArgs {
    /// Name of the volume (default: 64 random digits).
    #[arg(value_name = "NAME")]
    name: Option<VolumeName>,
    /// A volume that is there already is no error.
    #[arg(long)]
    ignore: bool,
    /// Label.
    #[arg(short, long, value_name = "KEY[=VALUE]")]
    label: Vec<String>,
    /// Driver; local is the only one.
    #[arg(short, long, value_name = "DRIVER", default_value = "local", value_parser = ["local"])]
    driver: String,
    /// Option of the driver: o=uid=UID,gid=GID, nocopy.
    #[arg(short, long, value_name = "KEY[=VALUE]")]
    opt: Vec<String>,
    /// User that the volume belongs to; nothing is copied into it from an image then.
    #[arg(long, value_name = "UID")]
    uid: Option<u32>,
    /// Group that the volume belongs to; nothing is copied into it from an image then.
    #[arg(long, value_name = "GID")]
    gid: Option<u32>,
}

/// Makes it.
pub(crate) fn run(args: VolumeCreateArgs, context: &Context) -> Result<ExitCode, Error> {
    let pair = |text: &String| {
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        (key.to_owned(), value.to_owned())
    };
    let owner = [("UID", args.uid), ("GID", args.gid)];
    let owner = owner.into_iter().filter_map(|(key, id)| Some((key.to_owned(), id?.to_string())));
    let request = CreateVolume {
        name: args.name,
        labels: args.label.iter().map(pair).collect(),
        options: args.opt.iter().map(pair).chain(owner).collect(),
        ignore: args.ignore,
    };
    let name = context.engine()?.create_volume(request)?;
    context.ui.line(name)?;
    Ok(ExitCode::SUCCESS)
}
