//! Annotations and labels, and which keys an image may not set (case C25).

use std::collections::{BTreeMap, HashMap};

use crate::types::annotation;
use crate::types::container_spec::ContainerSpec;
use crate::types::image_config::ImageConfig;
use crate::types::namespace::UsernsMode;

use super::placement::Placement;

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
pub(super) fn annotations(spec: &ContainerSpec, at: &Placement) -> HashMap<String, String> {
    let mut all: HashMap<_, _> = spec.annotations.clone().into_iter().collect();
    all.insert("io.container.manager".to_owned(), "sampan".to_owned());
    // Ours win over what the user gave: init acts by them.
    for (key, name) in [
        (annotation::USER_NAME, &at.user_name),
        (annotation::USER_HOME, &at.user_home),
        (annotation::GROUP_NAME, &at.group_name),
    ] {
        all.remove(key);
        if let (UsernsMode::KeepId { .. }, Some(name)) = (&spec.userns, name) {
            all.insert(key.to_owned(), name.clone());
        }
    }
    all
}
