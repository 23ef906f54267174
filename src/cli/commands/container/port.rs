//! `sampan port`.

use std::process::ExitCode;

use crate::engine::containers::list::PortEntry;
use crate::types::port::parse_exposed;

use super::super::super::context::Context;
use super::super::super::error::Error;
use crate::engine::containers::select::Selection;

/// Shows published ports.
#[derive(Debug, clap::Args)]
pub(crate) struct PortArgs {
    /// All running containers.
    #[arg(short, long, conflicts_with_all = ["container", "latest"])]
    all: bool,
    /// The container that was made last.
    #[arg(short, long)]
    latest: bool,
    /// Name or id; with --latest the port.
    #[arg(value_name = "CONTAINER", required_unless_present_any = ["all", "latest"])]
    container: Option<String>,
    /// Only this port of the container.
    #[arg(value_name = "PORT[/PROTO]")]
    port: Option<String>,
}

/// Prints one line for each port.
pub(crate) fn run(args: PortArgs, context: &Context) -> Result<ExitCode, Error> {
    let engine = context.engine()?;
    let (names, port) = if args.latest {
        (Vec::new(), args.container.or(args.port))
    } else {
        (args.container.into_iter().collect(), args.port)
    };
    let wanted = match &port {
        Some(text) => Some(parse_exposed(text).map_err(|error| Error::usage(error.to_string()))?),
        None => None,
    };
    let selection = Selection { names, all: args.all, latest: args.latest, ..Selection::default() };
    for (word, found) in engine.select(&selection)? {
        let Some(ports) = engine.published_ports(&found?)? else { continue };
        match &wanted {
            Some(wanted) => {
                let fits = |entry: &&PortEntry| {
                    entry.container_port == wanted.container_port && entry.protocol == wanted.protocol.to_string()
                };
                let found: Vec<_> = ports.iter().filter(fits).collect();
                if found.is_empty() {
                    return Err(Error::usage(format!(
                        "no public port {}/{} published for {word}",
                        wanted.container_port, wanted.protocol
                    )));
                }
                for entry in found {
                    context.ui.line(address(entry))?;
                }
            }
            None => {
                for entry in &ports {
                    let name = if args.all { format!("{}\t", &word[..word.len().min(12)]) } else { String::new() };
                    context.ui.line(format!(
                        "{name}{}/{} -> {}",
                        entry.container_port,
                        entry.protocol,
                        address(entry)
                    ))?;
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn address(entry: &PortEntry) -> String {
    match entry.host_ip.as_str() {
        "" => format!("0.0.0.0:{}", entry.host_port),
        v6 if v6.contains(':') => format!("[{v6}]:{}", entry.host_port),
        v4 => format!("{v4}:{}", entry.host_port),
    }
}
