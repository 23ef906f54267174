//! Entry points of `fuzz/` into flags and templates.

use std::cell::RefCell;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{CommandFactory as _, FromArgMatches as _};

use crate::config::containers_conf::ContainersConf;
use crate::types::id::ContainerId;
use crate::types::idmap::{Extent, IdMap, IdMaps};
use crate::types::name::VolumeName;

use super::context::Invocation;
use super::error::Error;
use super::flags::CreateFlags;
use super::lower::{FlagError, Surroundings, container_spec};
use super::output::template::{Compiled, split_table};

#[derive(Debug, clap::Parser)]
#[command(disable_help_flag = true)]
struct Line {
    #[command(flatten)]
    flags: CreateFlags,
}

thread_local! {
    /// Made once: for each input anew it would be nearly all of the work.
    static COMMAND: RefCell<clap::Command> = RefCell::new(Line::command());
}

/// The lines of [`flags`] as a command line.
fn parse(command: &mut clap::Command, lines: &str) -> Result<Line, clap::Error> {
    let names: Vec<&str> = command.get_arguments().filter_map(clap::Arg::get_long).collect();
    let mut words = vec![OsString::from("run")];
    for line in lines.lines().filter(|line| !line.is_empty()).take(4) {
        let (choice, value) = line.split_at(line.char_indices().nth(1).map_or(line.len(), |(at, _)| at));
        let choice = choice.chars().next().map_or(0, u32::from);
        let name = names[usize::try_from(choice).expect("fits") % names.len()];
        words.push(format!("--{name}={value}").into());
    }
    Line::from_arg_matches(&command.try_get_matches_from_mut(words)?)
}

/// Flags of `create` and `run`: each line is a byte that chooses the flag, and its value. What is read from files is
/// `file`.
pub(crate) fn flags(lines: &str, file: &[u8]) {
    let Ok(line) = COMMAND.with_borrow_mut(|command| parse(command, lines)) else { return };
    let at = Invocation { cwd: Some(PathBuf::from("/home/u")), ..Invocation::default() };
    let read =
        |path: &Path| if path == Path::new("-") { Err(Error::Flag(FlagError::NoImage)) } else { Ok(file.to_vec()) };
    let around = Surroundings {
        at: &at,
        defaults: &ContainersConf::default(),
        read: &read,
        container: &|_| Ok(ContainerId::from_bytes([7; 32])),
        outer: &|| {
            let lines =
                vec![Extent { inside: 0, outside: 1000, len: 1 }, Extent { inside: 1, outside: 100_000, len: 65536 }];
            let map = IdMap::new(lines).expect("valid");
            Ok(IdMaps { uid: map.clone(), gid: map })
        },
        fresh_volume: &|| "f00d".parse::<VolumeName>().expect("valid"),
    };
    if let Ok(lowered) = container_spec(&line.flags, &["image".into()], &around) {
        let bytes = serde_json::to_vec(&lowered.spec).expect("every spec can be written");
        let again = serde_json::from_slice(&bytes).expect("and read");
        assert_eq!(lowered.spec, again);
    }
}

/// A whole command line, one word a line. What is wrong with it is told in words that a terminal can show.
pub(crate) fn command_line(words: &str) {
    let words = std::iter::once("sampan").chain(words.lines().take(12)).map(OsString::from).collect();
    if let Err(error) = super::command::parse(words) {
        let help = matches!(error.kind(), clap::error::ErrorKind::DisplayHelp);
        assert!(!error.to_string().is_empty() || help);
    }
}

/// A template over an answer with every kind of field.
pub(crate) fn template(format: &str) {
    let row = serde_json::json!({
        "ID": "0123", "Names": ["a", "b"], "Labels": {"k": "v"}, "Size": 3, "State": {"Pid": 7, "Running": true},
        "Image": "x/y:z", "Nothing": null, "Ratio": 0.5
    });
    let (body, _) = split_table(format);
    if let Ok(template) = Compiled::new(format, &body) {
        drop(template.render(&row));
        drop(template.render_headings(&[("ID", "CONTAINER ID")]));
    }
}
