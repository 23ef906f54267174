//! `sampan logs`.

use std::ops::ControlFlow;
use std::process::ExitCode;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::engine::containers::logs::{LogOutput, LogPiece, LogStream, LogsRequest};
use crate::types::moment::{InvalidMoment, parse_moment, parse_moment_ahead};

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::output::ui::Ui;

/// Shows what containers have written.
///
/// What a program wrote to its standard error comes on standard error. With several containers each line begins with the id
/// or, with --names, the name of its container.
#[derive(Debug, clap::Args)]
pub(crate) struct LogsArgs {
    /// Names or ids.
    #[arg(value_name = "CONTAINER", required_unless_present = "latest", conflicts_with = "latest")]
    containers: Vec<String>,
    /// Go on until the containers end.
    #[arg(short, long)]
    follow: bool,
    /// The container that was made last.
    #[arg(short, long)]
    latest: bool,
    /// Names instead of ids before the lines.
    #[arg(short, long)]
    names: bool,
    /// Only what was written since then: a time, Unix seconds, or a duration before now.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Timestamp>,
    /// Only what was written until then: a time, Unix seconds, or a duration after now, which ends --follow.
    #[arg(long, value_name = "TIME", value_parser = moment_ahead)]
    until: Option<Timestamp>,
    /// Only the last lines of each container (-1: all).
    #[arg(long, value_name = "LINES", default_value_t = -1, allow_negative_numbers = true)]
    tail: i64,
    /// The time before each line.
    #[arg(short, long)]
    timestamps: bool,
    /// A colour for each container.
    #[arg(long)]
    color: bool,
}

fn moment(text: &str) -> Result<Timestamp, InvalidMoment> {
    parse_moment(text, Timestamp::now(), &TimeZone::system())
}

fn moment_ahead(text: &str) -> Result<Timestamp, InvalidMoment> {
    parse_moment_ahead(text, Timestamp::now(), &TimeZone::system())
}

/// Prints the logs.
pub(crate) fn run(args: LogsArgs, context: &Context) -> Result<ExitCode, Error> {
    let prefix = match (args.names, args.containers.len() > 1) {
        (true, _) => Prefix::Name,
        (false, true) => Prefix::Id,
        (false, false) => Prefix::None,
    };
    let mut printer = Printer {
        ui: &context.ui,
        prefix,
        timestamps: args.timestamps,
        colour: args.color,
        order: Vec::new(),
        line: Vec::new(),
        failed: None,
    };
    let request = LogsRequest {
        containers: args.containers,
        latest: args.latest,
        since: args.since,
        until: args.until,
        tail: u64::try_from(args.tail).ok(),
        follow: args.follow,
    };
    context.engine()?.logs(&request, &mut printer)?;
    printer.failed.map_or(Ok(ExitCode::SUCCESS), Err)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prefix {
    None,
    Id,
    Name,
}

#[derive(Debug)]
struct Printer<'a> {
    ui: &'a Ui,
    prefix: Prefix,
    timestamps: bool,
    colour: bool,
    /// Containers in the order in which they came, for the colours.
    order: Vec<String>,
    line: Vec<u8>,
    failed: Option<Error>,
}

/// ANSI colours that can be read on dark and on light ground.
const COLOURS: [u8; 6] = [32, 33, 34, 35, 36, 31];

impl LogOutput for Printer<'_> {
    fn piece(&mut self, piece: LogPiece<'_>) -> ControlFlow<()> {
        self.line.clear();
        let colour = self.colour.then(|| self.colour_of(piece.name));
        if let Some(colour) = colour {
            self.line.extend_from_slice(format!("\x1b[{colour}m").as_bytes());
        }
        if piece.begins {
            match self.prefix {
                Prefix::None => {}
                Prefix::Id => self.line.extend_from_slice(format!("{} ", piece.id.short()).as_bytes()),
                Prefix::Name => self.line.extend_from_slice(format!("{} ", piece.name).as_bytes()),
            }
            if self.timestamps {
                let (time, offset) = piece.time.strip_suffix("+00:00").map_or((piece.time, ""), |time| (time, "Z"));
                self.line.extend_from_slice(format!("{time}{offset} ").as_bytes());
            }
        }
        self.line.extend_from_slice(piece.text);
        if colour.is_some() {
            self.line.extend_from_slice(b"\x1b[0m");
        }
        if piece.ends {
            self.line.push(b'\n');
        }
        let written = match piece.stream {
            LogStream::Stdout => self.ui.write(&self.line),
            LogStream::Stderr => self.ui.write_stderr(&self.line),
        };
        self.keep(written)
    }

    fn lost(&mut self, name: &str) {
        let text = format!("lines of {name} were rotated away before they could be shown");
        self.ui.warn(format!("{text}: --log-opt max-size= and max-file= keep more"));
    }

    fn idle(&mut self) -> ControlFlow<()> {
        let flushed = self.ui.flush();
        self.keep(flushed)
    }
}

impl Printer<'_> {
    fn keep(&mut self, result: Result<(), Error>) -> ControlFlow<()> {
        match result {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    fn colour_of(&mut self, name: &str) -> u8 {
        let index = self.order.iter().position(|known| known == name).unwrap_or_else(|| {
            self.order.push(name.to_owned());
            self.order.len() - 1
        });
        COLOURS[index % COLOURS.len()]
    }
}
