//! Flags without a value, given one: `--rm=true`, `-it=false`. Go's flag packages read every boolean flag so; clap does
//! not. What it refuses is said here in the words that it knows: a flag that is true is the flag alone, one that is
//! false is none, and takes back those before it. So is a `--format` that is empty, as scripts give it (`--format "$FORM"`).
//! A value that begins as flags do (`--format '- {{.Names}}'`) is made one word with the flag that it is a value of.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Arg, ArgAction, Command};

use crate::types::boolean::parse_bool;

/// A word of the command line.
enum Word<'a> {
    /// A flag without a value.
    Switch(&'a Arg, String),
    Other(OsString),
}

/// The same command line without values of flags that take none, without a form that is empty, and with an equals sign before
/// values that begin with a hyphen. What is no boolean stays for clap to refuse.
pub(super) fn settled(tree: &Command, arguments: &[OsString]) -> Vec<OsString> {
    let mut reader = Reader { command: tree, place: 0, read: Vec::new() };
    let mut rest = arguments.iter();
    reader.read.extend(rest.next().cloned().map(Word::Other));
    while let Some(word) = rest.next() {
        match reader.take(word) {
            Next::Flags => {}
            Next::Form => match rest.next() {
                Some(form) if form.is_empty() => drop(reader.read.pop()),
                form => reader.value(form),
            },
            Next::Value => reader.value(rest.next()),
            Next::Words => break,
        }
    }
    let settled = reader.read.into_iter().map(|word| match word {
        Word::Switch(_, flag) => flag.into(),
        Word::Other(word) => word,
    });
    settled.chain(rest.cloned()).collect()
}

/// What the next word may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Flags,
    /// The value of the flag before it, whatever it looks like.
    Value,
    /// The same of `--format`.
    Form,
    /// No flag any more.
    Words,
}

struct Reader<'a> {
    command: &'a Command,
    /// How many arguments that are no flags there were.
    place: usize,
    read: Vec<Word<'a>>,
}

impl<'a> Reader<'a> {
    fn take(&mut self, word: &OsString) -> Next {
        let text = word.to_str();
        if let Some(long) = text.and_then(|text| text.strip_prefix("--")).filter(|long| !long.is_empty()) {
            return self.long(long);
        }
        match text.and_then(|text| text.strip_prefix('-')) {
            // After `--` nothing is a flag.
            Some("-") => {
                self.read.push(Word::Other(word.clone()));
                Next::Words
            }
            Some(cluster) if !cluster.is_empty() => self.short(cluster),
            _ => {
                self.read.push(Word::Other(word.clone()));
                if word.as_encoded_bytes().starts_with(b"--") { Next::Flags } else { self.positional(text) }
            }
        }
    }

    /// `name` or `name=value`.
    fn long(&mut self, text: &str) -> Next {
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        let is_it = |arg: &&Arg| {
            arg.get_long() == Some(name) || arg.get_all_aliases().is_some_and(|aliases| aliases.contains(&name))
        };
        match self.command.get_arguments().find(is_it) {
            Some(arg) if is_switch(arg) => {
                self.switch(arg, format!("--{name}"), value);
                Next::Flags
            }
            Some(arg) if is_form(arg) && value == Some("") => Next::Flags,
            found => {
                self.read.push(Word::Other(format!("--{text}").into()));
                found.filter(|_| value.is_none()).map_or(Next::Flags, value_of)
            }
        }
    }

    /// Short flags in one word; the last one may have a value.
    fn short(&mut self, cluster: &str) -> Next {
        let before = self.read.len();
        for (at, letter) in cluster.char_indices() {
            let rest = &cluster[at + letter.len_utf8()..];
            let is_it = |arg: &&Arg| {
                arg.get_short() == Some(letter)
                    || arg.get_all_short_aliases().is_some_and(|aliases| aliases.contains(&letter))
            };
            match self.command.get_arguments().find(is_it) {
                Some(arg) if is_switch(arg) => {
                    let value = rest.strip_prefix('=');
                    // A value that is no boolean is refused under the long name: clap knows no short flag with one.
                    let name = arg.get_long().filter(|_| value.is_some());
                    self.switch(arg, name.map_or_else(|| format!("-{letter}"), |name| format!("--{name}")), value);
                    if value.is_some() {
                        return Next::Flags;
                    }
                }
                Some(arg) => {
                    self.read.push(Word::Other(format!("-{}", &cluster[at..]).into()));
                    return if rest.is_empty() { value_of(arg) } else { Next::Flags };
                }
                None => {
                    // Clap names it.
                    self.read.truncate(before);
                    self.read.push(Word::Other(format!("-{cluster}").into()));
                    return Next::Flags;
                }
            }
        }
        Next::Flags
    }

    fn value(&mut self, value: Option<&OsString>) {
        match (value, self.read.last_mut()) {
            (Some(value), Some(Word::Other(flag))) if value.len() > 1 && value.as_encoded_bytes().starts_with(b"-") => {
                flag.push("=");
                flag.push(value);
            }
            _ => self.read.extend(value.cloned().map(Word::Other)),
        }
    }

    fn switch(&mut self, arg: &'a Arg, flag: String, value: Option<&str>) {
        match value.map_or(Ok(true), parse_bool) {
            Ok(true) => self.read.push(Word::Switch(arg, flag)),
            // The last one counts.
            Ok(false) => {
                self.read.retain(|word| !matches!(word, Word::Switch(before, _) if std::ptr::eq(*before, arg)));
            }
            Err(_) => self.read.push(Word::Other(format!("{flag}={}", value.unwrap_or_default()).into())),
        }
    }

    /// A verb, or an argument: at some of them flags end.
    fn positional(&mut self, text: Option<&str>) -> Next {
        if let Some(verb) = text.and_then(|name| self.command.find_subcommand(name)) {
            self.command = verb;
            return Next::Flags;
        }
        let argument = self.command.get_positionals().nth(self.place);
        self.place += 1;
        let ends = argument.map_or(self.command.is_allow_external_subcommands_set(), Arg::is_trailing_var_arg_set);
        if ends { Next::Words } else { Next::Flags }
    }
}

fn is_switch(arg: &Arg) -> bool {
    !arg.get_action().takes_values() && !matches!(arg.get_action(), ArgAction::Count)
}

/// `--format`, in whatever spelling.
fn is_form(arg: &Arg) -> bool {
    arg.get_long() == Some("format") && arg.get_action().takes_values()
}

/// What follows a flag that was given without `=`: its value may be the next word, and must be one, or there is none.
fn value_of(arg: &Arg) -> Next {
    let wanted = arg.get_action().takes_values()
        && !arg.is_require_equals_set()
        && arg.get_num_args().is_none_or(|count| count.min_values() > 0);
    match wanted {
        true if is_form(arg) => Next::Form,
        true => Next::Value,
        false => Next::Flags,
    }
}

/// A path, which may be empty: clap refuses that for paths, Podman takes an empty value as if the flag were not there.
pub(crate) fn any_path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::{Arg, Command};

    use super::{is_switch, settled};
    use crate::cli::command::command;

    const FORMS: [(&str, bool); 12] = [
        ("1", true),
        ("t", true),
        ("T", true),
        ("true", true),
        ("TRUE", true),
        ("True", true),
        ("0", false),
        ("f", false),
        ("F", false),
        ("false", false),
        ("FALSE", false),
        ("False", false),
    ];

    fn tree() -> Command {
        let mut tree = command();
        tree.build();
        tree
    }

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(Into::into).collect()
    }

    /// Every spelling of a flag.
    fn spellings(arg: &Arg) -> Vec<String> {
        let longs = arg.get_long_and_visible_aliases().unwrap_or_default().into_iter().map(|name| format!("--{name}"));
        let shorts = arg.get_short_and_visible_aliases().unwrap_or_default().into_iter().map(|name| format!("-{name}"));
        longs.chain(shorts).collect()
    }

    /// Each flag of a verb and of those below it, with the words that lead there.
    fn each(command: &Command, path: &str, see: &mut dyn FnMut(&str, &Arg)) {
        for arg in command.get_arguments().filter(|arg| !arg.is_positional()) {
            see(path, arg);
        }
        for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
            each(verb, &format!("{path} {}", verb.get_name()), see);
        }
    }

    #[test]
    fn every_boolean_flag_takes_every_form() {
        use clap::error::ErrorKind;
        let tree = tree();
        let (mut switches, mut booleans) = (0, 0);
        each(&tree, "sampan", &mut |path, arg| {
            let boolean = arg.get_value_parser().type_id() == std::any::TypeId::of::<bool>();
            for flag in spellings(arg) {
                for (text, is_true) in FORMS {
                    let line = format!("{path} {flag}={text}");
                    if is_switch(arg) {
                        switches += 1;
                        let wanted = match (is_true, flag.starts_with("--"), arg.get_long()) {
                            (false, _, _) => path.to_owned(),
                            (true, false, Some(long)) => format!("{path} --{long}"),
                            (true, _, _) => format!("{path} {flag}"),
                        };
                        assert_eq!(settled(&tree, &words(&line)), words(&wanted), "{line}");
                        let again = format!("{path} {flag} {flag}={text}");
                        let both = settled(&tree, &words(&again));
                        assert_eq!(both.len(), words(path).len() + if is_true { 2 } else { 0 }, "{again}");
                    } else if boolean {
                        booleans += 1;
                        let refused = tree.clone().try_get_matches_from(words(&line)).err().map(|error| error.kind());
                        let other = [ErrorKind::InvalidValue, ErrorKind::ValueValidation, ErrorKind::UnknownArgument];
                        assert!(refused.is_none_or(|kind| !other.contains(&kind)), "{line}: {refused:?}");
                    }
                }
            }
        });
        assert!(switches > 1000 && booleans > 100, "{switches} {booleans}");
    }

    #[test]
    fn only_flags_are_settled() {
        let tree = tree();
        for (line, wanted) in [
            ("sampan run -it=false x", "sampan run -i x"),
            ("sampan run -dit=1 x", "sampan run -d -i --tty x"),
            ("sampan run -i --interactive=f --rm=T x", "sampan run --rm x"),
            ("sampan run --rm=maybe -t=no x", "sampan run --rm=maybe --tty=no x"),
            // Values, whatever they look like.
            ("sampan run --name --rm=false x", "sampan run --name=--rm=false x"),
            ("sampan run -itw --rm=false x", "sampan run -i -t -w=--rm=false x"),
            ("sampan run -e-t=false x", "sampan run -e-t=false x"),
            ("sampan run -e -t=false x", "sampan run -e=-t=false x"),
            ("sampan ps --format -{{.ID}} -a", "sampan ps --format=-{{.ID}} -a"),
            ("sampan import -m -- -c=- -", "sampan import -m=-- -c=- -"),
            // What follows the image, and what follows `--`.
            ("sampan run x --rm=false -t=false", "sampan run x --rm=false -t=false"),
            ("sampan exec -t=false c ls -l=true", "sampan exec c ls -l=true"),
            ("sampan unshare sh --rm=false", "sampan unshare sh --rm=false"),
            ("sampan rm -- --force=false", "sampan rm -- --force=false"),
            // Flags may follow arguments.
            ("sampan rm c -f=0 -v=1 d", "sampan rm c --volumes d"),
            ("sampan container ls -a=true -q", "sampan container ls --all -q"),
            ("sampan run -Zt=false x", "sampan run -Zt=false x"),
            ("sampan run --nope=false x", "sampan run --nope=false x"),
            ("sampan ps --help=false", "sampan ps"),
            // Two blanks: an empty word between them.
            ("sampan inspect --format= x", "sampan inspect x"),
            ("sampan inspect -sf  x", "sampan inspect -s x"),
            ("sampan image inspect --format  x", "sampan image inspect x"),
            ("sampan ps --format  -a", "sampan ps -a"),
            ("sampan ps --format x --format= -a", "sampan ps --format x -a"),
            ("sampan ps --filter  -a", "sampan ps --filter  -a"),
            ("sampan run x --format= ", "sampan run x --format= "),
        ] {
            assert_eq!(settled(&tree, &words(line)), words(wanted), "{line}");
        }
    }
}
