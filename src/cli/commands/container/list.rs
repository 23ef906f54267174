//! `sampan ps`.

use std::process::ExitCode;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::engine::containers::list::{ListEntry, ListRequest, PortEntry, SortKey};
use crate::types::size;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::output::table::Table;
use super::super::super::output::{json, template, time};

/// Lists containers.
///
/// Without --all only those that run. Filters: id, name, label, label!, exited, status, ancestor, before, since, volume,
/// health, network, restart-policy, until, command, should-start-on-boot; values of one key are alternatives, labels must
/// all be there. Those of name and command are regular expressions.
#[derive(Debug, clap::Args)]
pub(crate) struct PsArgs {
    /// Those that do not run, too.
    #[arg(short, long)]
    all: bool,
    /// Those that other programs made in this store, too. There are none: a store of Sampan is Sampan's alone.
    #[arg(long)]
    external: bool,
    /// Only those that pass: KEY=VALUE.
    #[arg(short, long, value_name = "FILTER")]
    filter: Vec<String>,
    /// Form of the output: `json`, or a Go template; with the prefix `table` it has headings.
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// The last N that were made, running or not.
    #[arg(short = 'n', long, value_name = "N", allow_negative_numbers = true)]
    last: Option<i64>,
    /// The container that was made last.
    #[arg(short, long)]
    latest: bool,
    /// Show the namespaces of each container's first process.
    #[arg(long, visible_alias = "namespace", conflicts_with = "size")]
    ns: bool,
    /// Print ids and commands in full.
    #[arg(long)]
    no_trunc: bool,
    /// Print no headings.
    #[arg(long)]
    noheading: bool,
    /// Print ids alone.
    #[arg(short, long)]
    quiet: bool,
    /// Count the bytes that each container wrote.
    #[arg(short, long)]
    size: bool,
    /// Order: command, created, id, image, names, runningfor, size or status.
    #[arg(long, value_name = "KEY", default_value = "created", value_parser = sort_key)]
    sort: SortKey,
}

fn sort_key(text: &str) -> Result<SortKey, &'static str> {
    text.parse()
}

/// Headings of `--format table …` that are not the field's name.
const HEADINGS: &[(&str, &str)] = &[
    ("ID", "CONTAINER ID"),
    ("CIDFile", "CIDFILE"),
    ("CreatedHuman", "CREATED"),
    ("RunningFor", "CREATED"),
    ("ImageID", "IMAGE ID"),
    ("IsInfra", "IS INFRA"),
];

/// Prints the list.
pub(crate) fn run(args: PsArgs, context: &Context) -> Result<ExitCode, Error> {
    let request = ListRequest {
        all: args.all,
        last: args.last.and_then(|count| usize::try_from(count).ok()),
        latest: args.latest,
        filters: args.filter,
        size: args.size || args.format.as_deref().is_some_and(|format| format.contains(".Size")),
        sort: args.sort,
        namespaces: args.ns || args.format.as_deref().is_some_and(|format| format.contains(".Namespaces")),
    };
    let report = context.engine()?.list(&request)?;
    for warning in &report.warnings {
        context.ui.warn(warning);
    }
    let view = View { no_trunc: args.no_trunc, now: Timestamp::now() };
    let containers = &report.containers;
    // As in Podman a form counts more.
    if args.quiet && args.format.is_none() {
        for container in containers {
            context.ui.line(view.id(&container.id))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    match &args.format {
        Some(format) if template::is_json(format) => {
            let rows = containers.iter().map(|container| view.json(container)).collect::<Result<Vec<_>, _>>()?;
            json::print(&context.ui, &rows)?;
        }
        Some(format) => {
            let rows = containers.iter().map(|container| view.fields(container)).collect::<Result<Vec<_>, _>>()?;
            template::print_rows(&context.ui, format, &rows, HEADINGS, !args.noheading)?;
        }
        None if args.ns => {
            let heading = ["CONTAINER ID", "NAMES", "PID", "CGROUPNS", "IPC", "MNT", "NET", "PIDNS", "USERNS", "UTS"];
            let mut table = Table::new((!args.noheading).then_some(heading.as_slice()));
            for container in containers {
                table.row(view.namespaces(container));
            }
            table.print(&context.ui)?;
        }
        None => {
            let mut heading = vec!["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"];
            heading.extend(args.size.then_some("SIZE"));
            let mut table = Table::new((!args.noheading).then_some(heading.as_slice()));
            for container in containers {
                table.row(view.row(container));
            }
            table.print(&context.ui)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// How much of a row is shown, and when.
struct View {
    no_trunc: bool,
    now: Timestamp,
}

impl View {
    fn row(&self, container: &ListEntry) -> Vec<String> {
        let mut row = vec![
            self.id(&container.id),
            container.image.clone(),
            self.command(container),
            self.ago(container.created),
            self.status(container),
            ports(container),
            container.names.join(","),
        ];
        row.extend(container.size.map(|_| sizes(container)));
        row
    }

    fn namespaces(&self, container: &ListEntry) -> Vec<String> {
        let mut row = vec![self.id(&container.id), container.names.join(","), container.pid.to_string()];
        let kinds = ["Cgroup", "Ipc", "Mnt", "Net", "Pidns", "UserNS", "Uts"];
        row.extend(kinds.map(|kind| container.namespaces.get(kind).cloned().unwrap_or_default()));
        row
    }

    fn id(&self, id: &str) -> String {
        if self.no_trunc { id.to_owned() } else { id.chars().take(12).collect() }
    }

    /// Podman cuts at 17 characters and adds three dots.
    fn command(&self, container: &ListEntry) -> String {
        let command = container.command.join(" ");
        if self.no_trunc || command.chars().count() <= 20 {
            return command;
        }
        format!("{}...", command.chars().take(17).collect::<String>())
    }

    fn ago(&self, seconds: i64) -> String {
        Timestamp::from_second(seconds).map_or_else(|_| String::new(), |then| time::ago(then, self.now))
    }

    fn status(&self, container: &ListEntry) -> String {
        let status = match container.state.as_str() {
            "running" => {
                format!("Up {}", time::human_duration(self.now.as_second().saturating_sub(container.started_at)))
            }
            "exited" | "stopped" if container.exited_at > 0 => {
                format!("Exited ({}) {}", container.exit_code, self.ago(container.exited_at))
            }
            state => {
                let mut letters = state.chars();
                letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
            }
        };
        match container.remark {
            Some(remark) => format!("{status} ({remark})"),
            None => status,
        }
    }

    /// What `--format json` prints: the numbers of the engine, and Podman's two texts.
    fn json(&self, container: &ListEntry) -> Result<Map<String, Value>, Error> {
        let mut fields = encode(container)?;
        fields.insert("CreatedAt".to_owned(), self.ago(container.created).into());
        fields.insert("Status".to_owned(), self.status(container).into());
        Ok(fields)
    }

    /// What a template sees: Podman's texts under Podman's names.
    fn fields(&self, container: &ListEntry) -> Result<Map<String, Value>, Error> {
        let mut fields = encode(container)?;
        let created = time::go(container.created_at);
        let texts = [
            ("ID", self.id(&container.id)),
            ("Command", self.command(container)),
            ("Created", created.clone()),
            ("CreatedAt", created),
            ("CreatedHuman", self.ago(container.created)),
            ("RunningFor", self.ago(container.created)),
            ("ImageID", self.id(&container.image_id)),
            ("Names", container.names.join(",")),
            ("Networks", container.networks.join(",")),
            ("Pod", self.id(&container.pod)),
            ("Ports", ports(container)),
            ("Size", sizes(container)),
            ("Status", self.status(container)),
        ];
        for (name, text) in texts {
            fields.insert(name.to_owned(), text.into());
        }
        Ok(fields)
    }
}

fn encode(container: &ListEntry) -> Result<Map<String, Value>, Error> {
    match serde_json::to_value(container).map_err(Error::Encode)? {
        Value::Object(fields) => Ok(fields),
        other => Ok(Map::from_iter([("Value".to_owned(), other)])),
    }
}

/// `0.0.0.0:8080->80/tcp, 443/tcp`: published ports, then those that are exposed only.
fn ports(container: &ListEntry) -> String {
    let mut all: Vec<String> = container.ports.iter().map(published).collect();
    for (port, protocols) in &container.exposed_ports {
        for protocol in protocols {
            let is_published = container.ports.iter().any(|entry| {
                entry.protocol == *protocol
                    && (entry.container_port..=entry.container_port.saturating_add(entry.range.saturating_sub(1)))
                        .contains(port)
            });
            if !is_published {
                all.push(format!("{port}/{protocol}"));
            }
        }
    }
    all.join(", ")
}

fn published(entry: &PortEntry) -> String {
    let span = |first: u16| match entry.range {
        0 | 1 => first.to_string(),
        range => format!("{first}-{}", first.saturating_add(range - 1)),
    };
    let ip = match entry.host_ip.as_str() {
        "" => "0.0.0.0".to_owned(),
        v6 if v6.contains(':') => format!("[{v6}]"),
        v4 => v4.to_owned(),
    };
    format!("{ip}:{}->{}/{}", span(entry.host_port), span(entry.container_port), entry.protocol)
}

fn sizes(container: &ListEntry) -> String {
    container
        .size
        .map_or_else(String::new, |bytes| format!("{} (virtual {})", size::human(bytes.rw), size::human(bytes.root_fs)))
}
