//! `sampan search`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::ArgAction;
use serde_json::{Value, json};

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::flags::{absolute, credentials};
use super::super::super::output::table::Table;
use super::super::super::output::{json, template};
use super::super::super::switches::any_path;
use crate::engine::images::Access;
use crate::engine::registries::{self, FoundRepository, SearchRequest, Tags};
use crate::types::boolean::parse_bool;
use crate::types::secret::Secret;

/// Most results of each registry if nobody says how many.
const LIMIT: u32 = 25;

/// Longest description that is shown.
const SHOWN: usize = 44;

/// Fields and their headings.
const HEADINGS: [(&str, &str); 7] = [
    ("Index", "INDEX"),
    ("Name", "NAME"),
    ("Description", "DESCRIPTION"),
    ("Stars", "STARS"),
    ("Official", "OFFICIAL"),
    ("Automated", "AUTOMATED"),
    ("Tag", "TAG"),
];

/// Searches registries for images.
///
/// TERM may begin with a registry: r.example.org/word. Without one, all search registries of registries.conf(5) are
/// asked, or docker.io. A registry without a search of its own is asked for its catalogue.
#[derive(Debug, clap::Args)]
pub(crate) struct SearchArgs {
    /// File with credentials for registries.
    #[arg(long, value_name = "FILE", value_parser = any_path())]
    authfile: Option<PathBuf>,
    /// Directory with certificates for the registry: *.crt of authorities, *.cert and *.key of ours.
    #[arg(long, value_name = "DIR", value_parser = any_path())]
    cert_dir: Option<PathBuf>,
    /// Show stars and marks, too.
    #[arg(long)]
    compatible: bool,
    /// Credentials for the registry.
    #[arg(long, value_name = "USER[:PASSWORD]")]
    creds: Option<Secret>,
    /// Only some: stars=N, is-official[=BOOL], is-automated[=BOOL].
    #[arg(short, long, value_name = "FILTER", value_parser = filter)]
    filter: Vec<Filter>,
    /// Form of the output: `json` or a Go template with .Index .Name .Description .Stars .Official .Automated .Tag.
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Most results of each registry; 0 is the default.
    #[arg(long, value_name = "N", default_value_t = LIMIT, value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    limit: u32,
    /// List the tags of the repository TERM.
    #[arg(long)]
    list_tags: bool,
    /// Show whole descriptions.
    #[arg(long)]
    no_trunc: bool,
    /// Use HTTPS and verify certificates.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool, action = ArgAction::Set)]
    tls_verify: Option<bool>,
    /// What to look for.
    #[arg(value_name = "TERM")]
    term: String,
}

/// One `--filter`.
#[derive(Debug, Clone, Copy)]
enum Filter {
    Stars(u64),
    Official(bool),
    Automated(bool),
}

fn filter(text: &str) -> Result<Filter, String> {
    let (key, value) = text.split_once('=').unwrap_or((text, "true"));
    let truth = || parse_bool(value).map_err(|error| format!("{key}: {error}"));
    match key {
        "stars" => value.parse().map(Filter::Stars).map_err(|error| format!("stars: {error}")),
        "is-official" => truth().map(Filter::Official),
        "is-automated" => truth().map(Filter::Automated),
        _ => Err("stars=N, is-official or is-automated".to_owned()),
    }
}

impl Filter {
    fn takes(self, found: &FoundRepository) -> bool {
        match self {
            Self::Stars(least) => found.stars >= least,
            Self::Official(wanted) => found.official == wanted,
            Self::Automated(wanted) => found.automated == wanted,
        }
    }
}

/// Prints a table, JSON or what the template makes of each result.
pub(crate) fn run(args: SearchArgs, context: &Context) -> Result<ExitCode, Error> {
    let credentials = args.creds.as_ref().map(|text| credentials(text, context)).transpose()?;
    let request = SearchRequest {
        term: args.term.clone(),
        limit: if args.limit == 0 { LIMIT } else { args.limit } as usize,
        access: Access {
            tls_verify: args.tls_verify,
            credentials,
            auth_file: absolute(context, "--authfile", args.authfile.as_deref())?,
            cert_dir: absolute(context, "--cert-dir", args.cert_dir.as_deref())?,
            ..Access::default()
        },
    };
    if args.list_tags { list_tags(&args, &request, context) } else { list(&args, &request, context) }
}

fn list_tags(args: &SearchArgs, request: &SearchRequest, context: &Context) -> Result<ExitCode, Error> {
    if !args.filter.is_empty() {
        return Err(Error::usage("--filter is not for --list-tags"));
    }
    let (found, failed) = registries::tags(request)?;
    for error in failed {
        context.report(&error.into());
    }
    let pairs = || found.iter().flat_map(|Tags { name, tags }| tags.iter().map(move |tag| (name, tag)));
    match &args.format {
        Some(format) if template::is_json(format) => {
            let all: Vec<Value> = found.iter().map(|Tags { name, tags }| json!({"Name": name, "Tags": tags})).collect();
            json::print(&context.ui, &all)?;
        }
        Some(format) => {
            let rows: Vec<Value> = pairs().map(|(name, tag)| json!({"Name": name, "Tag": tag})).collect();
            template::print_rows(&context.ui, format, &rows, &HEADINGS, true)?;
        }
        None => {
            let mut table = Table::new(Some(&["NAME", "TAG"]));
            for (name, tag) in pairs() {
                table.row([name, tag]);
            }
            table.print(&context.ui)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(args: &SearchArgs, request: &SearchRequest, context: &Context) -> Result<ExitCode, Error> {
    let (mut found, failed) = registries::search(request)?;
    for error in failed {
        context.report(&error.into());
    }
    found.retain(|one| args.filter.iter().all(|filter| filter.takes(one)));
    if !args.no_trunc {
        for one in &mut found {
            one.description = shortened(&one.description);
        }
    }
    let mark = |yes: bool| if yes { "[OK]" } else { "" };
    let value = |one: &FoundRepository| {
        json!({
            "Index": one.index, "Name": one.name, "Description": one.description, "Stars": one.stars,
            "Official": mark(one.official), "Automated": mark(one.automated), "Tag": "",
        })
    };
    match &args.format {
        Some(format) if template::is_json(format) => {
            json::print(&context.ui, &found.iter().map(value).collect::<Vec<Value>>())?;
        }
        // As Podman: headings over nothing are nothing.
        _ if found.is_empty() => {}
        Some(format) => {
            let rows: Vec<Value> = found.iter().map(value).collect();
            template::print_rows(&context.ui, format, &rows, &HEADINGS, true)?;
        }
        None if args.compatible => {
            let mut table = Table::new(Some(&["NAME", "DESCRIPTION", "STARS", "OFFICIAL", "AUTOMATED"]));
            for one in found {
                let marks = [mark(one.official).to_owned(), mark(one.automated).to_owned()];
                let [official, automated] = marks;
                table.row([one.name, one.description, one.stars.to_string(), official, automated]);
            }
            table.print(&context.ui)?;
        }
        None => {
            let mut table = Table::new(Some(&["NAME", "DESCRIPTION"]));
            for one in found {
                table.row([one.name, one.description]);
            }
            table.print(&context.ui)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// One line of at most [`SHOWN`] characters.
fn shortened(text: &str) -> String {
    let text = text.replace('\n', " ");
    if text.chars().count() <= SHOWN { text } else { text.chars().take(SHOWN - 3).collect::<String>() + "..." }
}
