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
    /// Option of the driver.
    #[arg(short, long, value_name = "KEY[=VALUE]")]
    opt: Vec<String>,
}

/// Makes it.
pub(crate) fn run(args: VolumeCreateArgs, context: &Context) -> Result<ExitCode, Error> {
    let pair = |text: &String| {
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        (key.to_owned(), value.to_owned())
    };
    let request = CreateVolume {
        name: args.name,
        labels: args.label.iter().map(pair).collect(),
        options: args.opt.iter().map(pair).collect(),
        ignore: args.ignore,
    };
    let name = context.engine()?.create_volume(request)?;
    context.ui.line(name)?;
    Ok(ExitCode::SUCCESS)
}
