//! Keys that the format does not have: a word that is spelt wrong must not go unnoticed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Once;

const TOP: [&str; 7] = [
    "unqualified-search-registries",
    "short-name-mode",
    "credential-helpers",
    "aliases",
    "registry",
    "registries",
    // For file systems that fetch layers when they are read: there are none here.
    "additional-layer-store-auth-helper",
];
const REGISTRY: [&str; 6] = ["prefix", "location", "insecure", "blocked", "mirror-by-digest-only", "mirror"];
const MIRROR: [&str; 3] = ["location", "insecure", "pull-from-mirror"];

/// Keys of a valid file that nobody reads, as they are written: `registry.blockd`.
pub(super) fn unknown(table: &toml::Table) -> Vec<String> {
    let mut found = Vec::new();
    beyond(table, &TOP, "", &mut found);
    for registry in tables(table, "registry") {
        beyond(registry, &REGISTRY, "registry.", &mut found);
        for mirror in tables(registry, "mirror") {
            beyond(mirror, &MIRROR, "registry.mirror.", &mut found);
        }
    }
    found
}

fn beyond(table: &toml::Table, known: &[&str], place: &str, found: &mut Vec<String>) {
    found.extend(table.keys().filter(|key| !known.contains(&key.as_str())).map(|key| format!("{place}{key}")));
}

fn tables<'a>(table: &'a toml::Table, key: &str) -> impl Iterator<Item = &'a toml::Table> {
    table.get(key).and_then(toml::Value::as_array).into_iter().flatten().filter_map(toml::Value::as_table)
}

/// Tells of them, once for all times that the files are read. Podman ignores them silently.
pub(super) fn tell(unknown: &BTreeMap<&Path, Vec<String>>) {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| {
        for (path, keys) in unknown.iter().filter(|(_, keys)| !keys.is_empty()) {
            tracing::warn!(path = %path.display(), "these keys are unknown and ignored: {}", keys.join(", "));
        }
    });
}
