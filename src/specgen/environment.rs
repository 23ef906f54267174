//! The environment of the program: image, then the wish, then what every container gets.

use crate::types::container_spec::ContainerSpec;
use crate::types::image_config::ImageConfig;

use super::error::Error;

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// `KEY=VALUE` strings, each key once. `HOME` is left to init, which knows the user's entry in `/etc/passwd`.
/// `terminal`: the container has one.
pub(crate) fn environment(
    spec: &ContainerSpec,
    image: &ImageConfig,
    hostname: &str,
    terminal: bool,
) -> Result<Vec<String>, Error> {
    let mut list = List::default();
    list.set("PATH", PATH);
    list.set("container", "sampan");
    // Case C24: an image can set variables, never ask for those of the host (`NAME`, `*`).
    for (key, value) in image.config.env.iter().filter_map(|entry| entry.split_once('=')) {
        if !key.is_empty() && !key.contains('*') {
            list.set(key, value);
        }
    }
    if spec.unset_env_all {
        list.0.clear();
    }
    list.0.retain(|(key, _)| !spec.unset_env.contains(key));
    for (key, value) in &spec.env {
        list.set(key, value);
    }
    if terminal {
        list.set_default("TERM", "xterm");
    }
    list.set_default("HOSTNAME", hostname);
    list.0
        .into_iter()
        .map(|(key, value)| format!("{key}={value}"))
        .map(|entry| if entry.contains('\0') { Err(Error::Environment(entry)) } else { Ok(entry) })
        .collect()
}

#[derive(Default)]
struct List(Vec<(String, String)>);

impl List {
    fn set(&mut self, key: &str, value: &str) {
        match self.0.iter_mut().find(|(known, _)| known == key) {
            Some(entry) => value.clone_into(&mut entry.1),
            None => self.0.push((key.to_owned(), value.to_owned())),
        }
    }

    fn set_default(&mut self, key: &str, value: &str) {
        if !self.0.iter().any(|(known, _)| known == key) {
            self.0.push((key.to_owned(), value.to_owned()));
        }
    }
}
