//! Labels in filters, as Podman reads them.

use std::collections::BTreeMap;

use crate::types::glob;

/// A `label=KEY[=VALUE]` of `--filter`.
pub(super) fn label(text: &str) -> (String, Option<String>) {
    match text.split_once('=') {
        // As Podman: no value is any value.
        Some((key, "")) => (key.to_owned(), None),
        Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
        None => (text.to_owned(), None),
    }
}

/// True if there is such a label. As in Podman `*` in the key stands for anything, and a key with one need not fit the
/// beginning and the end; the value is taken as it is, so that what is pruned by it is what was named.
pub(super) fn has_label(labels: &BTreeMap<String, String>, key: &str, value: Option<&str>) -> bool {
    let loose = key.contains('*').then(|| format!("*{key}*").replace('/', "|"));
    let fits = |name: &str| {
        name == key || loose.as_ref().is_some_and(|pattern| glob::matches(pattern, &name.replace('/', "|")))
    };
    labels.iter().any(|(name, has)| value.is_none_or(|value| value == has) && fits(name))
}

/// Entry point of `fuzz/`.
#[cfg(feature = "fuzzing")]
pub(super) fn fuzzing(pattern: &str, text: &str) {
    glob::fuzzing(pattern, text);
    let (key, value) = label(pattern);
    let labels = [(key.clone(), value.clone().unwrap_or_default())].into();
    assert!(has_label(&labels, &key, value.as_deref()), "{pattern:?} does not fit itself");
}

#[cfg(test)]
mod tests {
    use super::{has_label, label};

    #[test]
    fn the_key_of_a_label_is_a_pattern_and_its_value_is_none() {
        let labels = [("stage".to_owned(), "old".to_owned()), ("org.x/y".to_owned(), "1".to_owned())].into();
        for text in ["stage", "stage=old", "stage=", "st*", "*age=old", "t*g", "org.*y"] {
            let (key, value) = label(text);
            assert!(has_label(&labels, &key, value.as_deref()), "{text}");
        }
        for text in ["stag", "stage=o*", "stage=*", "st*=new", "x*stage", "s?age"] {
            let (key, value) = label(text);
            assert!(!has_label(&labels, &key, value.as_deref()), "{text}");
        }
    }
}
