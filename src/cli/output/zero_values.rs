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

    use super::fill;

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
