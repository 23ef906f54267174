//! `--format`: Go templates with Podman's extra functions, `json`, and the `table` prefix.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use gotmpl::parse::{Node, Parser};
use gotmpl::{MissingKey, Template, TemplateError, ToSerdeValue, Value};
use serde::Serialize;

use super::super::error::Error;
use super::go_form::{GoForm, JsonForms};
use super::ui::Ui;
use super::{json, table};

/// Prints a list: `json` as one array, otherwise the template once for each row, each on a line of its own.
///
/// `headers` names the columns of `table …` whose heading is not the field's name in capitals.
pub(crate) fn print_rows<T: Serialize>(
    ui: &Ui,
    format: &str,
    rows: &[T],
    headers: &[(&str, &str)],
    heading: bool,
) -> Result<(), Error> {
    print_by(ui, format, rows, headers, heading, plain)
}

/// Like [`print_rows`], for rows that are structures in Podman's Go (`inspect`, volumes), not texts made for the list.
pub(crate) fn print_reports<T: Serialize>(
    ui: &Ui,
    format: &str,
    reports: &[T],
    headers: &[(&str, &str)],
    heading: bool,
) -> Result<(), Error> {
    print_by(ui, format, reports, headers, heading, report)
}

fn print_by<T: Serialize>(
    ui: &Ui,
    format: &str,
    rows: &[T],
    headers: &[(&str, &str)],
    heading: bool,
    form: impl Fn(&T) -> Result<GoForm, TemplateError>,
) -> Result<(), Error> {
    if is_json(format) {
        return json::print(ui, rows);
    }
    let (body, is_table) = split_table(format);
    let template = Compiled::new(format, &body)?;
    let mut text = String::new();
    if is_table && heading {
        text.push_str(&template.render_headings(headers)?);
        text.push('\n');
    }
    let mut forms: Vec<GoForm> =
        rows.iter().map(&form).collect::<Result<_, _>>().map_err(|source| template.wrong(source))?;
    let is_range = is_range(&body);
    if is_range {
        forms = vec![GoForm::list(forms)];
    }
    for form in forms {
        let mut line = template.render_form(form)?;
        if is_table || ui.stdout_is_terminal() {
            line = clean_cells(&line);
        }
        text.push_str(&line);
        // Such a template says itself where a line ends.
        text.push_str(if is_range { "" } else { line_break(&body) });
    }
    if is_table { ui.write(&table::align(&text)?) } else { ui.write(text.as_bytes()) }
}

/// Prints one object: `json`, or the template and a line break.
pub(crate) fn print_one<T: Serialize>(ui: &Ui, format: &str, value: &T) -> Result<(), Error> {
    if is_json(format) {
        return json::print(ui, value);
    }
    ui.write(one(format, value)?.as_bytes())
}

/// One object by a template, with its line break.
pub(crate) fn one<T: Serialize>(format: &str, value: &T) -> Result<String, Error> {
    let (body, _) = split_table(format);
    let text = Compiled::new(format, &body)?.render(value)?;
    Ok(text + line_break(&body))
}

/// The template goes through the rows by itself, as Podman lets it.
fn is_range(body: &str) -> bool {
    let action = body.trim_start().strip_prefix("{{").and_then(|rest| rest.split_once("}}")).map(|(action, _)| action);
    action.is_some_and(|action| action.trim_matches(['-', ' ']).split_whitespace().eq(["range", "."]))
}

/// A row of texts made for the list.
fn plain<T: Serialize>(row: &T) -> Result<GoForm, TemplateError> {
    Ok(GoForm { value: row.to_serde_value()?, forms: JsonForms::default() })
}

/// What is a structure in Podman's Go.
fn report<T: Serialize>(report: &T) -> Result<GoForm, TemplateError> {
    GoForm::new(&serde_json::to_value(report).map_err(|error| TemplateError::Exec(error.to_string()))?)
}

/// What stands behind each object: a template that ends in a line break has said it itself, as in Podman.
fn line_break(body: &str) -> &'static str {
    if body.ends_with('\n') { "" } else { "\n" }
}

/// Podman takes `json` and the template `{{json .}}` for a list as the same wish.
pub(crate) fn is_json(format: &str) -> bool {
    matches!(format.trim(), "json" | "{{json .}}" | "{{ json . }}" | "{{json . }}" | "{{ json .}}")
}

/// Bytes that one row may print.
const LONGEST_ROW: usize = 16 << 20;

/// A template that has been parsed.
pub(crate) struct Compiled {
    format: String,
    body: String,
    /// What `json` prints for values of the row that is being rendered.
    forms: Arc<Mutex<JsonForms>>,
    strict: Template,
}

impl Compiled {
    pub(crate) fn new(format: &str, body: &str) -> Result<Self, Error> {
        let forms = Arc::default();
        let strict = parse(body, MissingKey::Error, &forms)
            .and_then(|template| whole(body).map(|()| template))
            .map_err(|source| Error::Template { format: format.to_owned(), source })?;
        Ok(Self { format: format.to_owned(), body: body.to_owned(), forms, strict })
    }

    /// A field that the answer does not have is an error, as in Go for a struct. A key that a map does not have
    /// (labels, annotations) prints `<no value>`, as in Go.
    pub(crate) fn render<T: Serialize>(&self, row: &T) -> Result<String, Error> {
        self.render_form(plain(row).map_err(|source| self.wrong(source))?)
    }

    /// The same for what is a structure in Podman's Go: see [`GoForm`].
    #[cfg(test)]
    pub(crate) fn render_report<T: Serialize>(&self, of: &T) -> Result<String, Error> {
        self.render_form(report(of).map_err(|source| self.wrong(source))?)
    }

    fn render_form(&self, GoForm { value, forms }: GoForm) -> Result<String, Error> {
        *self.forms.lock().unwrap_or_else(PoisonError::into_inner) = forms;
        match execute(&self.strict, &value) {
            Err(TemplateError::MissingKey { .. }) => self.render_lax(with_health(value)),
            other => other,
        }
        .map_err(|source| self.wrong(source))
    }

    fn render_lax(&self, value: Value) -> gotmpl::Result<String> {
        match execute(&self.strict, &value) {
            // No field is missing if the template goes through with these keys in the maps.
            Err(TemplateError::MissingKey { .. })
                if execute(&self.strict, &with_keys(&value, &names(&self.body))).is_ok() =>
            {
                parse(&self.body, MissingKey::Invalid, &self.forms).and_then(|lax| print(&lax, &value, NO_VALUE))
            }
            other => other,
        }
    }

    fn wrong(&self, source: TemplateError) -> Error {
        Error::Template { format: self.format.clone(), source }
    }

    /// The heading: the same template over the names of its fields.
    pub(crate) fn render_headings(&self, headers: &[(&str, &str)]) -> Result<String, Error> {
        let labels = labels(&self.body);
        let names: serde_json::Map<String, serde_json::Value> = fields(&self.body)
            .into_iter()
            .map(|field| {
                if field == "Labels" && !labels.is_empty() {
                    return (field, serde_json::Value::Object(labels.clone()));
                }
                let heading = headers.iter().find(|(name, _)| *name == field).map(|(_, heading)| (*heading).to_owned());
                let heading = heading.unwrap_or_else(|| heading_of(&field));
                (field, serde_json::Value::String(heading))
            })
            .collect();
        if is_range(&self.body) { self.render(&[names]) } else { self.render(&names) }
    }
}

/// What a row prints, up to a limit: `range` in `range` in `range` prints the product of their lengths.
struct Bounded {
    text: String,
    is_full: bool,
    /// What stands for nothing.
    nil: &'static str,
}

impl std::fmt::Write for Bounded {
    fn write_str(&mut self, more: &str) -> std::fmt::Result {
        let more = if more == NO_VALUE { self.nil } else { more };
        self.is_full = self.text.len() + more.len() > LONGEST_ROW;
        if self.is_full {
            return Err(std::fmt::Error);
        }
        self.text.push_str(more);
        Ok(())
    }
}

/// The parser stops at an `{{end}}` or `{{else}}` that belongs to nothing, and takes the end of the text for every
/// `{{end}}` that is missing: text behind the template is then not the last of its nodes.
fn whole(body: &str) -> gotmpl::Result<()> {
    const BEHIND: char = '\0';
    let (nodes, _) = Parser::new(&format!("{body}{BEHIND}"), "{{", "}}")?.parse()?;
    match nodes.nodes.last() {
        Some(Node::Text(text)) if text.text.ends_with(BEHIND) => Ok(()),
        _ => Err(TemplateError::Exec(
            "an {{end}} or {{else}} that belongs to nothing, or a block without its {{end}}".to_owned(),
        )),
    }
}

/// What the library writes, in one piece, for a field that is `null` as for a key that a map lacks.
const NO_VALUE: &str = "<no value>";

/// No key is missing where this succeeds: all there is of nothing are fields, which Go prints as `<nil>`.
fn execute(template: &Template, value: &Value) -> gotmpl::Result<String> {
    print(template, value, "<nil>")
}

fn print(template: &Template, value: &Value, nil: &'static str) -> gotmpl::Result<String> {
    let mut row = Bounded { text: String::new(), is_full: false, nil };
    let done = template.execute_fmt(&mut row, value);
    if row.is_full {
        return Err(TemplateError::Exec(format!("one row is longer than {} MiB", LONGEST_ROW >> 20)));
    }
    done.map(|()| row.text)
}

fn parse(body: &str, missing: MissingKey, forms: &Arc<Mutex<JsonForms>>) -> gotmpl::Result<Template> {
    let forms = Arc::clone(forms);
    let mut template = Template::new("format").missing_key(missing).func("json", move |args| {
        let forms = forms.lock().unwrap_or_else(PoisonError::into_inner);
        argument(args, "json").and_then(|value| Ok(text(to_json(value, &forms)?.to_string())))
    });
    for (name, function) in FUNCTIONS {
        template = template.func(name, function);
    }
    template.parse(body)
}

/// What stands for `.Label "`, which begins the call of a method in Podman.
const LABEL: &str = "index .Labels \"";

/// Splits Podman's `table ` prefix off, and turns the two escapes that shells pass on into what they mean.
pub(crate) fn split_table(format: &str) -> (String, bool) {
    let unescape = |text: &str| text.replace("\\t", "\t").replace("\\n", "\n").replace(".Label \"", LABEL);
    match format.trim_start().strip_prefix("table") {
        Some(rest) if rest.starts_with([' ', '\t', '{']) || rest.starts_with("\\t") => {
            let body = unescape(rest.trim_start());
            // Podman's users separate columns by blanks: those become tabs.
            (blanks_to_tabs(&body), true)
        }
        _ => (unescape(format), false),
    }
}

fn blanks_to_tabs(body: &str) -> String {
    let mut parts = body.split("}}");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let rest = part.trim_start_matches(' ');
        let is_gap = rest.len() < part.len() && rest.starts_with("{{");
        if is_gap { text + "}}\t" + rest } else { text + "}}" + part }
    })
}

/// Maps in Podman's Go; everything else is a struct.
const MAPS: [&str; 13] = [
    "Annotations",
    "Data",
    "ExposedPorts",
    "GraphOptions",
    "GraphStatus",
    "Labels",
    "Networks",
    "Options",
    "Ports",
    "Registries",
    "Sysctls",
    "Tmpfs",
    "Volumes",
];

/// The value with a `.State.Health` whose fields are empty where there is no health check: there Podman 4 has them,
/// and Podman 5 an error. (Until a template asks for one of them it is nothing, so that `{{if .State.Health}}` is false.)
fn with_health(value: Value) -> Value {
    let empty = || {
        Value::Map(Arc::new(
            [("Status", text(String::new())), ("FailingStreak", Value::Int(0)), ("Log", Value::List(Arc::default()))]
                .into_iter()
                .map(|(name, field)| (Arc::from(name), field))
                .collect(),
        ))
    };
    match value {
        Value::List(items) => Value::List(items.iter().cloned().map(with_health).collect()),
        Value::Map(mut fields) => {
            let state = Arc::make_mut(&mut fields).get_mut("State");
            if let Some(Value::Map(state)) = state
                && let Some(health @ Value::Map(_)) = Arc::make_mut(state).get_mut("Health")
                && !health.is_truthy()
            {
                *health = empty();
            }
            Value::Map(fields)
        }
        other => other,
    }
}

/// The value with these keys, empty, in all maps that lack them.
fn with_keys(value: &Value, keys: &BTreeSet<String>) -> Value {
    match value {
        Value::List(items) => Value::List(items.iter().map(|item| with_keys(item, keys)).collect()),
        Value::Map(fields) => {
            let fields = fields.iter().map(|(name, field)| {
                let mut field = with_keys(field, keys);
                if let Value::Map(map) = &mut field
                    && MAPS.contains(&name.as_ref())
                {
                    let map = Arc::make_mut(map);
                    for key in keys {
                        map.entry(key.as_str().into()).or_insert_with(|| text(String::new()));
                    }
                }
                (name.clone(), field)
            });
            Value::Map(Arc::new(fields.collect()))
        }
        other => other.clone(),
    }
}

/// Whatever stands behind a dot.
fn names(body: &str) -> BTreeSet<String> {
    let name = |rest: &str| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    body.split('.').skip(1).map(name).collect()
}

/// The labels whose values `.Label "KEY"` shows, each with the heading that Docker gives it: the end of its key.
fn labels(body: &str) -> serde_json::Map<String, serde_json::Value> {
    let keys = body.split(LABEL).skip(1).filter_map(|rest| rest.split('"').next());
    keys.map(|key| {
        let end = key.rsplit('.').next().unwrap_or(key);
        (key.to_owned(), end.replace(['-', '_'], " ").into())
    })
    .collect()
}

/// Fields at the top of the template: the `Name` of each `.Name`.
fn fields(body: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for action in body.split("{{").skip(1).filter_map(|rest| rest.split("}}").next()) {
        let mut before = ' ';
        for (index, c) in action.char_indices() {
            if c == '.' && !before.is_alphanumeric() && before != ')' {
                let name: String =
                    action[index + 1..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if !name.is_empty() {
                    found.insert(name);
                }
            }
            before = c;
        }
    }
    found
}

/// `CreatedAt` → `CREATED AT`.
fn heading_of(field: &str) -> String {
    let mut heading = String::new();
    let mut before_is_lower = false;
    for c in field.chars() {
        if c.is_ascii_uppercase() && before_is_lower {
            heading.push(' ');
        }
        before_is_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        heading.push(c.to_ascii_uppercase());
    }
    heading
}

fn clean_cells(line: &str) -> String {
    let clean = |line: &str| line.split('\t').map(table::clean).collect::<Vec<_>>().join("\t");
    line.split('\n').map(clean).collect::<Vec<_>>().join("\n")
}

type Function = fn(&[Value]) -> gotmpl::Result<Value>;

/// Podman's functions beyond Go's own (containers/common `pkg/report/template.go` has the list).
const FUNCTIONS: [(&str, Function); 8] = [
    ("join", |args| match args {
        [Value::List(items), separator] => {
            Ok(text(items.iter().map(ToString::to_string).collect::<Vec<_>>().join(&separator.to_string())))
        }
        [Value::Nil, _] => Ok(text(String::new())),
        _ => Err(TemplateError::Exec("join: a list and a separator".to_owned())),
    }),
    // Go's own, except that a missing key of a map of strings is the empty string, as in Go.
    ("index", |args| {
        let (first, rest) = args.split_first().ok_or_else(|| TemplateError::Exec("index: no argument".to_owned()))?;
        let mut value = first.clone();
        for key in rest {
            value = match value.index(key)? {
                Value::Nil if matches!(value, Value::Map(_)) => text(String::new()),
                found => found,
            };
        }
        Ok(value)
    }),
    ("lower", |args| argument(args, "lower").map(|value| text(value.to_string().to_lowercase()))),
    ("upper", |args| argument(args, "upper").map(|value| text(value.to_string().to_uppercase()))),
    ("title", |args| argument(args, "title").map(|value| text(title(&value.to_string())))),
    ("split", |args| match args {
        [value, separator] => {
            let (value, separator) = (value.to_string(), separator.to_string());
            Ok(Value::List(value.split(separator.as_str()).map(|part| text(part.to_owned())).collect()))
        }
        _ => Err(TemplateError::Exec("split: a string and a separator".to_owned())),
    }),
    ("pad", |args| match args {
        [value, left, right] => {
            let width = |value: &Value| value.as_int().and_then(|n| usize::try_from(n).ok()).unwrap_or(0).min(4096);
            let value = value.to_string();
            if value.is_empty() {
                return Ok(text(value));
            }
            Ok(text(format!("{}{value}{}", " ".repeat(width(left)), " ".repeat(width(right)))))
        }
        _ => Err(TemplateError::Exec("pad: a string and two numbers".to_owned())),
    }),
    ("truncate", |args| match args {
        [value, length] => {
            let length = length.as_int().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
            Ok(text(value.to_string().chars().take(length).collect()))
        }
        _ => Err(TemplateError::Exec("truncate: a string and a number".to_owned())),
    }),
];

fn argument<'a>(args: &'a [Value], name: &str) -> gotmpl::Result<&'a Value> {
    match args {
        [value] => Ok(value),
        _ => Err(TemplateError::Exec(format!("{name}: one argument"))),
    }
}

fn text(text: String) -> Value {
    Value::String(Arc::from(text))
}

fn title(text: &str) -> String {
    let mut start = true;
    text.chars()
        .map(|c| {
            let shown = if start { c.to_ascii_uppercase() } else { c };
            start = c.is_whitespace();
            shown
        })
        .collect()
}

fn to_json(value: &Value, forms: &JsonForms) -> gotmpl::Result<serde_json::Value> {
    if let Some(form) = forms.of(value) {
        return Ok(form.clone());
    }
    Ok(match value {
        Value::Nil => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Uint(value) => (*value).into(),
        Value::Float(value) => (*value).into(),
        Value::String(value) => value.as_ref().into(),
        Value::List(items) => {
            serde_json::Value::Array(items.iter().map(|item| to_json(item, forms)).collect::<gotmpl::Result<_>>()?)
        }
        Value::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| Ok((key.to_string(), to_json(value, forms)?)));
            serde_json::Value::Object(entries.collect::<gotmpl::Result<_>>()?)
        }
        Value::Function(_) => return Err(TemplateError::Exec("json: this value has no JSON form".to_owned())),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Compiled, fields, heading_of, split_table};

    fn render(format: &str) -> String {
        let row = json!({
            "ID": "0123", "Names": ["a", "b"], "Labels": {"k": "v"}, "Size": 3, "State": {"Pid": 7}, "Image": "x/y:z"
        });
        let (body, _) = split_table(format);
        match Compiled::new(format, &body).and_then(|template| template.render(&row)) {
            Ok(text) => text,
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn podmans_functions() {
        for (format, shown) in [
            ("{{.ID}} {{.Size}}", "0123 3"),
            ("{{.State.Pid}}", "7"),
            ("{{json .Names}}", "[\"a\",\"b\"]"),
            ("{{join .Names \",\"}}", "a,b"),
            ("{{upper .Image}}", "X/Y:Z"),
            ("{{title \"hello world\"}}", "Hello World"),
            ("{{truncate .Image 3}}|{{pad .ID 1 2}}|", "x/y| 0123  |"),
            ("{{index (split .Image \":\") 1}}", "z"),
            ("{{index .Labels \"k\"}}", "v"),
            ("{{.Labels.k}}", "v"),
            ("{{.Labels.nope}}", "<no value>"),
            ("{{.Labels.NOPE}}{{with .Labels}}{{.Nope}}{{end}}", "<no value><no value>"),
            ("{{if .Labels.nope}}yes{{end}}{{len .Labels}}", "1"),
            ("{{.Label \"k\"}}{{index .Labels \"nope\"}}", "v"),
            ("{{range .Names}}<{{.}}>{{end}}", "<a><b>"),
            ("{{if eq .ID \"0123\"}}yes{{else}}no{{end}}", "yes"),
            ("{{.ID}}\\t{{printf \"%05d\" .Size}}", "0123\t00003"),
        ] {
            assert_eq!(render(format), shown, "{format}");
        }
    }

    #[test]
    fn a_wrong_field_or_template_is_an_error() {
        for format in ["{{.Nope}}", "{{.id}}", "{{.Labels.nope}} {{.Nope}}", "{{.State.pid}}"] {
            assert!(render(format).starts_with("error"), "{format}");
        }
        assert!(render("{{.ID").starts_with("error"));
    }

    #[test]
    fn blocks_and_their_ends_match() {
        for format in [
            "{{.ID}}{{end}} {{.Size}}",
            "{{.ID}}{{else}} {{.Size}}",
            "{{end}}",
            "{{if .ID}}yes",
            "{{if .ID}}yes{{else}}no",
            "{{range .Names}}{{if .}}x{{end}}",
            "{{define \"a\"}}x",
        ] {
            assert!(render(format).starts_with("error"), "{format}: {}", render(format));
        }
        for (format, shown) in [
            ("{{/* {{end}} */}}{{\"{{end}}\"}} {{- .ID -}} {{- /* x */ -}} ", "{{end}}0123"),
            ("{{if .Nope}}{{else if .ID}}a{{else}}b{{end}}{", "error"),
            ("{{if not .ID}}a{{else if .Size}}b{{else}}c{{end}}{", "b{"),
            ("{{define \"a\"}}<{{.}}>{{end}}{{with .ID}}{{template \"a\" .}}{{end}}", "<0123>"),
        ] {
            assert!(render(format).starts_with(shown), "{format}: {}", render(format));
        }
    }

    #[test]
    fn what_a_row_prints_has_an_end() {
        let nested = format!("{}{}{}", "{{range $.Many}}".repeat(6), "x".repeat(20), "{{end}}".repeat(6));
        let compiled = Compiled::new(&nested, &nested).expect("it is a template");
        let error = compiled.render(&json!({"Many": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]})).expect_err("twenty megabytes");
        let chain = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        assert!(chain.contains("longer than 16 MiB"), "{error}: {chain}");
    }

    #[test]
    fn headings() {
        assert_eq!(heading_of("CreatedAt"), "CREATED AT");
        assert_eq!(heading_of("ID"), "ID");
        assert_eq!(split_table("table {{.ID}} {{.Names}}"), ("{{.ID}}\t{{.Names}}".to_owned(), true));
        assert_eq!(
            fields("{{.ID}} {{upper .Names}} {{.State.Pid}}").into_iter().collect::<Vec<_>>(),
            ["ID", "Names", "State"]
        );
        let (body, _) = split_table("table {{.ID}}\\t{{.Label \"org.app-name\"}}");
        assert_eq!(
            Compiled::new("", &body).and_then(|template| template.render_headings(&[])).expect("headings"),
            "ID\tapp name"
        );
    }
}
