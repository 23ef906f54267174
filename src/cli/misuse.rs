//! What clap refuses, said in our way: one line, and a hint.

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::error::print_text;
use super::{differences, exit};

/// Prints it. `--help` and `--version` go to stdout and are a success; all else is ours: 125, not clap's 2.
pub(super) fn print(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        // A closed terminal leaves nobody to tell.
        drop(error.print());
        return if error.use_stderr() { ExitCode::from(exit::OURS) } else { ExitCode::SUCCESS };
    }
    let (message, hint) = in_our_words(error);
    print_text(&message, Some(&hint));
    ExitCode::from(exit::OURS)
}

fn in_our_words(error: &clap::Error) -> (String, String) {
    if let Some(flag) = word(error, ContextKind::InvalidArg)
        && error.kind() == ErrorKind::UnknownArgument
        && let Some(hint) = differences::of_flag(flag)
    {
        return (format!("{flag} is not supported yet"), hint);
    }
    let text = error.render().to_string();
    let usage = text.split("\n\n").find_map(|line| line.strip_prefix("Usage: "));
    let usage = joined(usage.unwrap_or("sampan"));
    let command = command_of(&usage);
    if let Some(verb) = word(error, ContextKind::InvalidSubcommand)
        && let Some((whole, hint)) = differences::of_verb(command.split_once(' ').map_or("", |(_, verbs)| verbs), verb)
    {
        return (format!("there is no command '{whole}' yet"), hint);
    }
    if let (Some(flag), Some(value)) = (word(error, ContextKind::InvalidArg), word(error, ContextKind::InvalidValue))
        && error.kind() == ErrorKind::TooManyValues
    {
        if !flag.starts_with('-') {
            return (format!("unexpected argument '{value}' found"), format!("{usage}; more by {command} --help"));
        }
        let message = format!("invalid value '{value}' for '{flag}': true or false");
        return (message, "the same command with --help says what it takes".to_owned());
    }
    let mut paragraphs = text.split("\n\n");
    let message = paragraphs.next().unwrap_or_default();
    let message = joined(message.strip_prefix("error: ").unwrap_or(message));
    let tips = paragraphs.flat_map(str::lines).filter_map(|line| line.trim().strip_prefix("tip: "));
    // An unknown flag is hardly ever meant as a value.
    let tips: Vec<&str> = tips.filter(|tip| !tip.starts_with("to pass ")).collect();
    let help = format!("{command} --help");
    let hint = match (tips.is_empty(), usage.contains(' ')) {
        (false, _) => format!("{}; {help} lists all", tips.join("; ")),
        (true, true) => format!("{usage}; more by {help}"),
        (true, false) => "the same command with --help says what it takes".to_owned(),
    };
    (message, hint)
}

/// The command alone: what follows it in a line of usage is in brackets or in capitals.
fn command_of(usage: &str) -> String {
    let mut words = usage.split(' ');
    // Whoever named the binary may have used other characters.
    let program = words.next();
    let verbs = words.take_while(|word| word.chars().all(|c| c.is_ascii_lowercase()));
    program.into_iter().chain(verbs).collect::<Vec<_>>().join(" ")
}

fn word(error: &clap::Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind)? {
        ContextValue::String(word) => Some(word),
        _ => None,
    }
}

fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::in_our_words;
    use crate::cli::command::parse;

    #[test]
    fn the_command_of_a_line_of_usage() {
        for (usage, command) in [
            ("sampan image ls [OPTIONS] [IMAGE]", "sampan image ls"),
            ("sampan-2 diff <OBJECT>", "sampan-2 diff"),
            ("sampan [OPTIONS] COMMAND", "sampan"),
        ] {
            assert_eq!(super::command_of(usage), command);
        }
    }

    #[test]
    fn one_line_and_a_hint() {
        let table = [
            ("rum", "unrecognized subcommand 'rum'", "a similar subcommand exists: 'run'; sampan --help lists all"),
            ("pod ps", "there is no command 'pod' yet", "instead: containers that share namespaces"),
            ("volume export v", "there is no command 'volume export' yet", "instead: sampan run --rm -v NAME:/v"),
            ("diff a b c", "unexpected argument 'c' found", "sampan diff "),
            ("volume create --nope v", "unexpected argument '--nope' found", "sampan volume create "),
            (
                "run --rm=maybe x",
                "invalid value 'maybe' for '--rm': true or false",
                "the same command with --help says what it takes",
            ),
            ("run --pod x y", "--pod is not supported yet", "instead: there are no pods"),
            ("run --log-level debug x", "--log-level is not supported yet", "instead: they stand before it"),
            ("--events-backend file ps", "--events-backend is not supported yet", "instead: sampan wait"),
            ("ps --al", "unexpected argument '--al' found", "'--all'; sampan ps --help lists all"),
            ("rename x", "the following required arguments were not provided: <", "sampan rename "),
            ("run --user", "a value is required for '--user", "--help"),
            ("exists", "unrecognized subcommand 'exists'", "sampan [OPTIONS] COMMAND; more by sampan --help"),
        ];
        for (line, message, hint) in table {
            let words = std::iter::once("sampan").chain(line.split(' ')).map(Into::into).collect();
            let said = in_our_words(&parse(words).expect_err(line));
            assert!(said.0.starts_with(message), "{line}: {said:?}");
            assert!(said.1.contains(hint), "{line}: {said:?}");
            assert!(!said.0.contains('\n') && !said.1.contains('\n'), "{line}: {said:?}");
        }
    }
}
