//! `sampan version`.

use std::process::ExitCode;

use serde::Serialize;

use crate::engine::info::VersionInfo;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::output::{table, template};

/// Shows the version.
#[derive(Debug, clap::Args)]
pub(crate) struct VersionArgs {
    /// Form of the output: `json` or a Go template.
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Version {
    client: VersionInfo,
    server: VersionInfo,
}

/// Prints the version.
pub(crate) fn run(args: VersionArgs, context: &Context) -> Result<ExitCode, Error> {
    // There is no daemon: both sides are the same program.
    let side = VersionInfo::this();
    let version = Version { client: side.clone(), server: side };
    if let Some(format) = &args.format {
        by_template(format, &version, context)?;
    } else {
        let client = &version.client;
        let mut text = format!("Client:\tSampan\nVersion:\t{}\n", client.version);
        if !client.git_commit.is_empty() {
            text.push_str(&format!("Git Commit:\t{}\n", client.git_commit));
        }
        if client.built != 0 {
            text.push_str(&format!("Built:\t{}\n", client.built_time));
        }
        text.push_str(&format!("OS/Arch:\t{}\n", client.os_arch));
        context.ui.write(&table::align(&text)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn by_template(format: &str, version: &Version, context: &Context) -> Result<(), Error> {
    if template::is_json(format) {
        return template::print_one(&context.ui, format, version);
    }
    // As Podman: a field that does not say whose is the client's, as it was before there were two.
    let alone = |error| template::one(&format.replace(".Server.", "."), &version.client).ok().ok_or(error);
    let text = template::one(format, version).or_else(alone)?;
    context.ui.write(text.as_bytes())
}
