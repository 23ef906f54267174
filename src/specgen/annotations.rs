//! Annotations and labels, and which keys an image may not set (case C25).

use std::collections::{BTreeMap, HashMap};

use crate::types::container_spec::ContainerSpec;
use crate::types::image_config::ImageConfig;

/// `--group-add` as written, separated by commas, for init.
pub(crate) const ANNOTATION_GROUPS: &str = "io.sampan.group-add";
/// `--init`: Sampan stays as pid 1 and reaps.
pub(crate) const ANNOTATION_INIT: &str = "io.sampan.init";

/// Prefixes and names that steer an engine: the command line may set them, an image may not.
const RESERVED: [&str; 4] = ["io.sampan.", "io.podman.", "io.containers.autoupdate", "PODMAN_SYSTEMD_UNIT"];

/// Labels of the container: the image's, less the reserved ones, and the command line's over them.
pub(crate) fn labels(spec: &ContainerSpec, image: &ImageConfig) -> BTreeMap<String, String> {
    let mut labels = image.config.labels.clone();
    labels.retain(|key, _| !RESERVED.iter().any(|reserved| key.starts_with(reserved)));
    labels.extend(spec.labels.clone());
    labels
}

/// Annotations of the runtime spec.
pub(crate) fn annotations(spec: &ContainerSpec) -> HashMap<String, String> {
    let mut all: HashMap<_, _> = spec.annotations.clone().into_iter().collect();
    all.insert("io.container.manager".to_owned(), "sampan".to_owned());
    // Ours win over what the user gave: init acts by them.
    all.remove(ANNOTATION_GROUPS);
    all.remove(ANNOTATION_INIT);
    if !spec.group_add.is_empty() {
        all.insert(ANNOTATION_GROUPS.to_owned(), spec.group_add.join(","));
    }
    if spec.init {
        all.insert(ANNOTATION_INIT.to_owned(), "true".to_owned());
    }
    all
}
