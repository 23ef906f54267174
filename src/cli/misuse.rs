//! What clap refuses, said in our way: one line, and a hint.

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::error::print_text;
use super::exit;
use super::flags::{is_known_but_unsupported, is_podman_verb};
use super::hints::DIFFERENCES;

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
        && is_known_but_unsupported(flag)
    {
        return (format!("{flag} is not supported yet"), DIFFERENCES.to_owned());
    }
    if let Some(verb) = word(error, ContextKind::InvalidSubcommand)
        && is_podman_verb(verb)
    {
        return (format!("there is no command '{verb}' yet"), DIFFERENCES.to_owned());
    }
    if let (Some(flag), Some(value)) = (word(error, ContextKind::InvalidArg), word(error, ContextKind::InvalidValue))
        && error.kind() == ErrorKind::TooManyValues
    {
        let message = format!("invalid value '{value}' for '{flag}': true or false");
        return (message, "the same command with --help says what it takes".to_owned());
    }
    let text = error.render().to_string();
    let mut paragraphs = text.split("\n\n");
    let message = paragraphs.next().unwrap_or_default();
    let message = joined(message.strip_prefix("error: ").unwrap_or(message));
    let (mut tips, mut usage) = (Vec::new(), "sampan".to_owned());
    for paragraph in paragraphs {
        if let Some(line) = paragraph.strip_prefix("Usage: ") {
            usage = joined(line);
        } else {
            tips.extend(paragraph.lines().filter_map(|line| line.trim().strip_prefix("tip: ")));
        }
    }
    // The command alone: what follows it in a line of usage is in brackets or in capitals.
    let command = usage.split(' ').take_while(|word| word.chars().all(|c| c.is_ascii_lowercase()));
    let help = format!("{} --help", command.collect::<Vec<_>>().join(" "));
    let hint = match (tips.is_empty(), usage.contains(' ')) {
        (false, _) => format!("{}; {help} lists all", tips.join("; ")),
        (true, true) => format!("{usage}; more by {help}"),
        (true, false) => "the same command with --help says what it takes".to_owned(),
    };
    (message, hint)
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
    fn one_line_and_a_hint() {
        let table = [
            ("rum", "unrecognized subcommand 'rum'", "a similar subcommand exists: 'run'; sampan --help lists all"),
            ("pod ps", "there is no command 'pod' yet", "docs/podman-differences.md"),
            (
                "run --rm=maybe x",
                "invalid value 'maybe' for '--rm': true or false",
                "the same command with --help says what it takes",
            ),
            ("run --pod x y", "--pod is not supported yet", "docs/podman-differences.md"),
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
