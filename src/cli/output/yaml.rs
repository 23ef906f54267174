//! YAML, for `info`: block style, as Podman prints it.

use serde_json::Value;

/// The value as a YAML document without its marker.
pub(crate) fn text(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value, 0);
    out
}

fn write(out: &mut String, value: &Value, depth: usize) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                out.push_str(&format!("{indent}{key}:"));
                nested(out, value, depth + 1);
            }
        }
        Value::Array(items) => {
            for item in items {
                match item {
                    Value::Object(_) => {
                        let mut lines = String::new();
                        write(&mut lines, item, depth + 1);
                        // The first field stands behind the dash.
                        out.push_str(&format!("{indent}- {}", lines.trim_start()));
                    }
                    item => out.push_str(&format!("{indent}- {}\n", scalar(item))),
                }
            }
        }
        value => out.push_str(&format!("{indent}{}\n", scalar(value))),
    }
}

fn nested(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(fields) if fields.is_empty() => out.push_str(" {}\n"),
        Value::Array(items) if items.is_empty() => out.push_str(" []\n"),
        Value::Object(_) => {
            out.push('\n');
            write(out, value, depth);
        }
        Value::Array(_) => {
            out.push('\n');
            write(out, value, depth - 1);
        }
        value => out.push_str(&format!(" {}\n", scalar(value))),
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let plain = !text.is_empty()
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./ ,()+~@=".contains(&b))
                && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
                && !text.ends_with(' ')
                && !matches!(
                    text.to_ascii_lowercase().as_str(),
                    "true" | "false" | "null" | "yes" | "no" | "on" | "off"
                );
            // JSON's quoted strings are YAML's.
            if plain { text.clone() } else { Value::String(text.clone()).to_string() }
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn block_style() {
        let value = serde_json::json!({"a": {"b": 1, "c": "x y", "d": ""}, "e": ["u", "v"], "f": [{"g": 1, "h": "12"}], "i": []});
        let wanted = "a:\n  b: 1\n  c: x y\n  d: \"\"\ne:\n- u\n- v\nf:\n- g: 1\n  h: \"12\"\ni: []\n";
        assert_eq!(super::text(&value), wanted);
    }
}
