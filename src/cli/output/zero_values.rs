//! Fields that JSON leaves out when they are empty, for templates: in Go's structures they are there all the same, so
//! `{{.Config.Labels}}` of an image without labels is `map[]` and no error.

use serde_json::{Map, Value, json};

/// Adds what is missing, at every depth.
pub(crate) fn fill(object: &mut Value) {
    match object {
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                match name.as_str() {
                    "Config" => add(value, &config()),
                    "NetworkSettings" => add(value, &json!({ "Networks": {} })),
                    "Mounts" => {
                        let mounts = value.as_array_mut().into_iter().flatten();
                        mounts.for_each(|mount| add(mount, &json!({ "Name": "", "SubPath": "" })));
                    }
                    // Names of the user's.
                    "Labels" | "Annotations" => continue,
                    _ => {}
                }
                fill(value);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(fill),
        _ => {}
    }
}

/// Fields whose name in JSON is not the one in Go's structure: a template may use either.
pub(crate) fn add_go_names(report: &mut Value) {
    let Value::Object(fields) = report else { return };
    if let Some(id) = fields.get("Id").cloned() {
        fields.entry("ID").or_insert(id);
    }
    // Of images; a container has its check in its configuration.
    if fields.contains_key("RepoTags") {
        let check = fields.get("Healthcheck").cloned().unwrap_or_default();
        fields.entry("HealthCheck").or_insert(check);
    }
}

/// The configuration of an image and of a container.
fn config() -> Value {
    json!({
        "Cmd": [], "Entrypoint": [], "Env": [], "ExposedPorts": {}, "Healthcheck": null, "Labels": {}, "OnBuild": [],
        "Shell": [], "StopSignal": "", "Timezone": "", "User": "", "Volumes": {}, "WorkingDir": "",
    })
}

fn add(object: &mut Value, zero: &Value) {
    let none = Map::new();
    let Value::Object(fields) = object else { return };
    for (name, value) in zero.as_object().unwrap_or(&none) {
        fields.entry(name).or_insert_with(|| value.clone());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{add_go_names, fill};

    #[test]
    fn names_of_go() {
        let mut image = json!({ "Id": "7", "RepoTags": [] });
        add_go_names(&mut image);
        assert_eq!(image, json!({ "Id": "7", "ID": "7", "RepoTags": [], "HealthCheck": null }));
        let mut container = json!({ "Id": "7" });
        add_go_names(&mut container);
        assert_eq!(container, json!({ "Id": "7", "ID": "7" }));
    }

    #[test]
    fn only_what_is_missing() {
        let mut report = json!({ "Config": { "User": "7" }, "Mounts": [{ "Name": "v" }], "Labels": { "Config": {} } });
        fill(&mut report);
        assert_eq!(report["Config"]["User"], "7");
        assert_eq!(report["Config"]["Labels"], json!({}));
        assert_eq!(report["Mounts"][0], json!({ "Name": "v", "SubPath": "" }));
        assert_eq!(report["Labels"], json!({ "Config": {} }));
    }
}
