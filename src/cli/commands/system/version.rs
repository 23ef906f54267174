//! `sampan version`.

use std::process::ExitCode;

use serde::Serialize;

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

/// One side; there is no daemon, so both are the same program.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Side {
    #[serde(rename = "APIVersion")]
    api_version: &'static str,
    version: &'static str,
    git_commit: &'static str,
    os: &'static str,
    arch: &'static str,
    os_arch: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Version {
    client: Side,
    server: Side,
}

/// Prints the version.
pub(crate) fn run(args: VersionArgs, context: &Context) -> Result<ExitCode, Error> {
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let version = env!("CARGO_PKG_VERSION");
    let side = Side {
        api_version: version,
        version,
        git_commit: option_env!("SAMPAN_GIT_COMMIT").unwrap_or(""),
        os: "linux",
        arch,
        os_arch: format!("linux/{arch}"),
    };
    let version = Version { client: side.clone(), server: side };
    if let Some(format) = &args.format {
        template::print_one(&context.ui, format, &version)?;
    } else {
        let client = &version.client;
        let mut text = format!("Client:\tSampan\nVersion:\t{}\n", client.version);
        if !client.git_commit.is_empty() {
            text.push_str(&format!("Git Commit:\t{}\n", client.git_commit));
        }
        text.push_str(&format!("OS/Arch:\t{}\n", client.os_arch));
        context.ui.write(&table::align(&text)?)?;
    }
    Ok(ExitCode::SUCCESS)
}
