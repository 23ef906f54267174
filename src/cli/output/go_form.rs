//! What a template sees of a report: the values that Podman's Go structures have, where JSON has others.
//!
//! Times print as Go prints them. Fields that JSON leaves out when they are empty are there all the same, so
//! `{{.Config.Labels}}` of an image without labels is `map[]` and no error. Where the name in JSON is not the one in
//! Go, the template has Go's. The function `json` prints what JSON has.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use gotmpl::{ToSerdeValue, Value};
use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};

use super::time;

/// Fields that are times in Go.
const TIMES: [&str; 6] = ["Created", "CreatedAt", "StartedAt", "FinishedAt", "CheckpointedAt", "RestoredAt"];

/// Fields that are maps in Go, and may be `null`.
const MAPS: [&str; 5] = ["Annotations", "CgroupConf", "Config", "Labels", "Volumes"];

/// Fields that are lists in Go, and may be `null`.
const LISTS: [&str; 2] = ["Links", "VolumesFrom"];

/// Names of an entry of `.History`: in JSON, in Go.
const HISTORY: [(&str, &str); 5] = [
    ("created", "Created"),
    ("created_by", "CreatedBy"),
    ("author", "Author"),
    ("comment", "Comment"),
    ("empty_layer", "EmptyLayer"),
];

/// A report as Go has it, and what `json` prints for the values in it that differ.
pub(crate) struct GoForm {
    pub(crate) value: Value,
    pub(crate) forms: JsonForms,
}

impl GoForm {
    /// `report` is what `--format json` would print.
    pub(crate) fn new(report: &Json) -> gotmpl::Result<Self> {
        let mut forms = JsonForms::default();
        let value = forms.shown("", report)?;
        Ok(Self { value, forms })
    }

    /// All of them in one list.
    pub(crate) fn list(items: Vec<Self>) -> Self {
        let mut forms = JsonForms::default();
        let values = items.into_iter().map(|item| {
            forms.0.extend(item.forms.0);
            item.value
        });
        Self { value: Value::List(values.collect::<Vec<_>>().into()), forms }
    }
}

/// The JSON of values that look otherwise in a template; a value is known by the address of its content, which all its
/// clones share. The map is of use as long as the values live.
#[derive(Debug, Default)]
pub(crate) struct JsonForms(HashMap<usize, Json>);

impl JsonForms {
    /// The JSON of this value, if it is not the plain one.
    pub(crate) fn of(&self, value: &Value) -> Option<&Json> {
        self.0.get(&address(value)?)
    }

    fn noted(&mut self, value: Value, json: Json) -> Value {
        if let Some(address) = address(&value) {
            self.0.insert(address, json);
        }
        value
    }

    fn shown(&mut self, name: &str, json: &Json) -> gotmpl::Result<Value> {
        match json {
            // Names of the user's.
            Json::Object(_) if matches!(name, "Labels" | "Annotations") => json.to_serde_value(),
            // Sets: `map[string]struct{}` in Go.
            Json::Object(fields) if matches!(name, "ExposedPorts" | "Volumes") => self.set(fields),
            Json::Object(fields) => self.structure(name, fields),
            Json::Array(items) => {
                let items = items.iter().map(|item| self.shown(item_name(name), item));
                Ok(Value::List(items.collect::<gotmpl::Result<Vec<_>>>()?.into()))
            }
            // Maps and lists in Go, where nothing else that is `null` is more than a pointer.
            Json::Null if MAPS.contains(&name) => self.zero(&json!({})),
            Json::Null if LISTS.contains(&name) || is_port(name) => self.zero(&json!([])),
            Json::String(text) if TIMES.contains(&name) => match text.parse::<Timestamp>() {
                Ok(then) => Ok(self.noted(Value::String(time::go(then).into()), json.clone())),
                Err(_) => json.to_serde_value(),
            },
            _ => json.to_serde_value(),
        }
    }

    fn structure(&mut self, name: &str, json: &Map<String, Json>) -> gotmpl::Result<Value> {
        let mut fields: BTreeMap<Arc<str>, Value> = BTreeMap::new();
        for (key, value) in json {
            let key = if name == "History[]" { go_name(key) } else { key };
            fields.insert(key.into(), self.shown(key, value)?);
        }
        if let Some(zeros) = zeros(name) {
            for (key, zero) in zeros.as_object().into_iter().flatten() {
                if !fields.contains_key(key.as_str()) {
                    fields.insert(key.as_str().into(), self.zero(zero)?);
                }
            }
        }
        if name.is_empty() {
            go_names(&mut fields);
            // Of a container whose bytes were not counted: a pointer and a number in Go.
            if fields.contains_key("EffectiveCaps") && !fields.contains_key("SizeRw") {
                fields.insert("SizeRw".into(), Value::Nil);
                fields.insert("SizeRootFs".into(), 0.to_serde_value()?);
            }
        }
        Ok(self.noted(Value::Map(Arc::new(fields)), Json::Object(json.clone())))
    }

    /// Keys whose values are nothing, which Go prints as `{}`.
    fn set(&mut self, keys: &Map<String, Json>) -> gotmpl::Result<Value> {
        let mut fields: BTreeMap<Arc<str>, Value> = BTreeMap::new();
        for (key, json) in keys {
            let value = match json {
                Json::Object(nothing) if nothing.is_empty() => self.noted(Value::String("{}".into()), json.clone()),
                _ => json.to_serde_value()?,
            };
            fields.insert(key.as_str().into(), value);
        }
        Ok(Value::Map(Arc::new(fields)))
    }

    /// A field that is not set: an empty list or map of Go's is `null` in JSON.
    fn zero(&mut self, zero: &Json) -> gotmpl::Result<Value> {
        let value = zero.to_serde_value()?;
        Ok(if zero.is_array() || zero.is_object() { self.noted(value, Json::Null) } else { value })
    }
}

fn address(value: &Value) -> Option<usize> {
    Some(match value {
        Value::String(text) => text.as_ptr().addr(),
        Value::List(items) => items.as_ptr().addr(),
        Value::Map(fields) => Arc::as_ptr(fields).addr(),
        _ => return None,
    })
}

/// What the entries of a list are called, where that matters.
fn item_name(list: &str) -> &'static str {
    match list {
        "History" => "History[]",
        "Mounts" => "Mounts[]",
        _ => "[]",
    }
}

/// A key of `.NetworkSettings.Ports`: `80/tcp`.
fn is_port(key: &str) -> bool {
    key.split_once('/').is_some_and(|(port, _)| port.parse::<u16>().is_ok())
}

fn go_name(key: &str) -> &str {
    HISTORY.iter().find(|(json, _)| *json == key).map_or(key, |(_, go)| go)
}

/// Fields at the top whose name in JSON is not the one in Go's structure: a template may use either.
fn go_names(fields: &mut BTreeMap<Arc<str>, Value>) {
    if let Some(id) = fields.get("Id").cloned() {
        fields.entry("ID".into()).or_insert(id);
    }
    if fields.contains_key("Mountpoint") && fields.contains_key("NeedsCopyUp") {
        volume(fields);
    }
    // Of images; a container has its check in its configuration.
    if fields.contains_key("RepoTags") {
        let check = fields.get("Healthcheck").cloned().unwrap_or(Value::Nil);
        fields.entry("HealthCheck".into()).or_insert(check);
    }
}

/// What Podman's volume has, too: drivers of others, locks and quotas, which there are none of.
fn volume(fields: &mut BTreeMap<Arc<str>, Value>) {
    let needs = fields.get("NeedsCopyUp").cloned().unwrap_or(Value::Bool(false));
    fields.entry("NeedsChown".into()).or_insert(needs);
    fields.entry("Status".into()).or_insert(Value::Map(Arc::default()));
    fields.entry("StorageID".into()).or_insert(Value::String("".into()));
    for number in ["UID", "GID", "LockNumber", "Timeout"] {
        fields.entry(number.into()).or_insert(Value::Int(0));
    }
}

/// The fields that a structure of Go's has in any case.
fn zeros(name: &str) -> Option<Json> {
    Some(match name {
        // The configuration of an image and of a container.
        "Config" => json!({
            "Cmd": [], "Entrypoint": [], "Env": [], "ExposedPorts": {}, "Healthcheck": null, "Labels": {},
            "OnBuild": [], "Shell": [], "StopSignal": "", "Timezone": "", "User": "", "Volumes": {}, "WorkingDir": "",
        }),
        // Without a check there is nothing to point to.
        "State" => json!({ "Health": {} }),
        "NetworkSettings" => json!({ "Networks": {} }),
        "Mounts[]" => json!({ "Name": "", "SubPath": "" }),
        "History[]" => json!({ "Created": null, "CreatedBy": "", "Author": "", "Comment": "", "EmptyLayer": false }),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::super::template::Compiled;

    fn render(report: &Json, format: &str) -> String {
        Compiled::new(format, format)
            .and_then(|template| template.render_report(report))
            .unwrap_or_else(|error| format!("{error}"))
    }

    #[test]
    fn times_print_as_in_go_and_json_keeps_them() {
        let report = json!({
            "Created": "2024-01-02T03:04:05.5Z", "State": { "FinishedAt": "0001-01-01T00:00:00Z" },
            "Labels": { "Created": "2024-01-02T03:04:05Z" }, "Name": "2024-01-02T03:04:05Z",
        });
        for (format, shown) in [
            ("{{.Created}}", "2024-01-02 03:04:05.5 +0000 UTC"),
            ("{{json .Created}}", "\"2024-01-02T03:04:05.5Z\""),
            ("{{with .Created}}{{json .}}{{end}}", "\"2024-01-02T03:04:05.5Z\""),
            ("{{.State.FinishedAt}}", "0001-01-01 00:00:00 +0000 UTC"),
            ("{{json .State}}", "{\"FinishedAt\":\"0001-01-01T00:00:00Z\"}"),
            ("{{.Labels.Created}} {{.Name}}", "2024-01-02T03:04:05Z 2024-01-02T03:04:05Z"),
        ] {
            assert_eq!(render(&report, format), shown, "{format}");
        }
    }

    #[test]
    fn fields_of_gos_structures_are_there() {
        let report = json!({
            "Id": "7", "RepoTags": [], "Labels": null,
            "Config": { "User": "7", "Labels": { "Config": "" }, "ExposedPorts": { "80/tcp": {}, "81/tcp": {} } },
            "Mounts": [{ "Name": "v" }],
            "History": [{ "created": "2024-01-02T03:04:05Z", "created_by": "x" }, { "empty_layer": true }],
        });
        for (format, shown) in [
            ("{{.ID}}{{.Id}}{{if .HealthCheck}}x{{end}}", "77"),
            ("{{.Labels}} {{json .Labels}}", "map[] null"),
            ("{{.Config.Entrypoint}} {{json .Config.Entrypoint}} {{len .Config.Env}}", "[] null 0"),
            ("{{.Config.User}} {{.Config.Labels}} {{.Config.StopSignal}}", "7 map[Config:] "),
            ("{{.Config.ExposedPorts}} {{.Config.Volumes}}", "map[80/tcp:{} 81/tcp:{}] map[]"),
            ("{{json .Config.ExposedPorts}}", "{\"80/tcp\":{},\"81/tcp\":{}}"),
            ("{{range $port, $_ := .Config.ExposedPorts}}{{$port}} {{end}}", "80/tcp 81/tcp "),
            ("{{range .Mounts}}{{.Name}} {{.SubPath}}{{end}}", "v "),
            (
                "{{range .History}}{{.CreatedBy}} {{.EmptyLayer}} {{json .}};{{end}}",
                "x false {\"created\":\"2024-01-02T03:04:05Z\",\"created_by\":\"x\"}; true {\"empty_layer\":true};",
            ),
            ("{{(index .History 0).Created}}", "2024-01-02 03:04:05 +0000 UTC"),
        ] {
            assert_eq!(render(&report, format), shown, "{format}");
        }
    }

    #[test]
    fn what_is_null() {
        let report = json!({
            "Config": { "Healthcheck": null, "OnBuild": null, "Volumes": null, "Labels": {} },
            "HostConfig": { "LogConfig": { "Config": null }, "CgroupConf": null, "Links": null, "VolumesFrom": null },
            "NetworkSettings": { "Ports": { "80/tcp": null } }, "RepoTags": [],
        });
        for (format, shown) in [
            ("{{.Config.Healthcheck}} {{.Config.OnBuild}} {{.HealthCheck}}", "<nil> <nil> <nil>"),
            ("{{if .Config.Healthcheck}}x{{end}}{{json .Config.Healthcheck}}", "null"),
            ("{{.Config.Volumes}} {{.HostConfig.LogConfig.Config}} {{.HostConfig.CgroupConf}}", "map[] map[] map[]"),
            ("{{.HostConfig.Links}} {{.HostConfig.VolumesFrom}} {{json .HostConfig.Links}}", "[] [] null"),
            ("{{.NetworkSettings.Ports}} {{json .NetworkSettings.Ports}}", "map[80/tcp:[]] {\"80/tcp\":null}"),
            ("{{.Config.Labels.nope}}", "<no value>"),
        ] {
            assert_eq!(render(&report, format), shown, "{format}");
        }
    }

    #[test]
    fn health_without_a_check() {
        let report = json!({ "State": { "Pid": 7 } });
        for (format, shown) in [
            ("{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}", "none"),
            ("{{.State.Health.Status}}|{{len .State.Health.Log}}", "|0"),
            ("{{if eq .State.Health.Status \"healthy\"}}x{{end}}", ""),
            ("{{json .State.Health}}", "null"),
            ("{{range .}}{{.State.Health.Status}}{{end}}", ""),
            ("{{json .State}}", "{\"Pid\":7}"),
        ] {
            let rows = json!([report]);
            assert_eq!(render(if format.contains("range .}") { &rows } else { &report }, format), shown, "{format}");
        }
        assert!(render(&report, "{{.State.Health.Nope}}").contains("Nope"));
    }

    #[test]
    fn bytes_that_were_not_counted() {
        let report = json!({ "Id": "7", "EffectiveCaps": [] });
        assert_eq!(
            render(&report, "{{.SizeRw}} {{json .SizeRw}}{{if .SizeRw}}x{{end}} {{.SizeRootFs}}"),
            "<nil> null 0"
        );
        let counted = json!({ "Id": "7", "EffectiveCaps": [], "SizeRw": 5, "SizeRootFs": 6 });
        assert_eq!(render(&counted, "{{.SizeRw}} {{.SizeRootFs}}"), "5 6");
    }
}
