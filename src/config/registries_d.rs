//! `containers-registries.d(5)`: for which registries signatures are looked for beside the images. Shared with Podman,
//! Buildah and Skopeo; `lookaside` and its like are for GPG signatures, which we do not check.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::config_file;
use super::drop_in;
use super::error::Error;
use super::policy_json::scopes_of;
use super::yaml::Node;
use crate::sys;

/// All files of the directory.
#[derive(Debug, Clone, Default)]
pub(crate) struct RegistriesD {
    default: Option<Section>,
    sections: BTreeMap<String, Section>,
}

/// What is said of one registry, or of a part of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Section {
    use_sigstore_attachments: Option<bool>,
}

impl Section {
    fn of(node: &Node) -> Result<Self, String> {
        let mut section = Self::default();
        for (key, value) in node.pairs().ok_or("a section must be a map")? {
            if key == "use-sigstore-attachments" && !value.is_null() {
                let wrong = "use-sigstore-attachments must be true or false";
                section.use_sigstore_attachments = Some(value.as_bool().ok_or(wrong)?);
            }
        }
        Ok(section)
    }
}

impl RegistriesD {
    /// Reads the user's directory, or else the system's. It need not be there.
    pub(crate) fn load() -> Result<Self, Error> {
        let user = super::environment::config_home().map(|home| home.join("containers/registries.d"));
        let user = user.filter(|path| sys::fs::exists(path));
        Self::from_dir(&user.unwrap_or_else(|| PathBuf::from("/etc/containers/registries.d")))
    }

    fn from_dir(dir: &Path) -> Result<Self, Error> {
        Self::from_files(&drop_in::files(dir, "yaml")?)
    }

    /// Reads and merges these files. What is said twice is an error: nobody knows which one counts.
    pub(crate) fn from_files(files: &[PathBuf]) -> Result<Self, Error> {
        let mut merged = Self::default();
        for path in files {
            let Some(bytes) = config_file::read_if_exists(path)? else { continue };
            let text = String::from_utf8_lossy(&bytes);
            merged.merge(&text).map_err(|why| Error::Parse { path: path.clone(), why })?;
        }
        Ok(merged)
    }

    fn merge(&mut self, text: &str) -> Result<(), String> {
        let Some(document) = Node::parse(text)? else { return Ok(()) };
        for (key, value) in document.pairs().ok_or("the file must be a map")? {
            match key.as_str() {
                "default-docker" if value.is_null() => {}
                "default-docker" => {
                    let section = Section::of(value)?;
                    if self.default.replace(section).is_some() {
                        return Err("default-docker is in more than one file".to_owned());
                    }
                }
                "docker" => {
                    for (scope, section) in value.pairs().ok_or("docker must be a map")? {
                        if self.sections.insert(scope.clone(), Section::of(section)?).is_some() {
                            return Err(format!("docker: {scope:?} is in more than one file"));
                        }
                    }
                }
                // Of other transports than registries.
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether signatures are looked for at `HOST/PATH`, pinned by `suffix` (`:TAG` or `@DIGEST`). What the most
    /// specific section leaves open the next one says.
    pub(crate) fn uses_sigstore_attachments(&self, repository: String, suffix: &str) -> bool {
        let scopes = scopes_of(repository, suffix);
        let sections = scopes.iter().filter_map(|scope| self.sections.get(scope)).chain(&self.default);
        sections.into_iter().find_map(|section| section.use_sigstore_attachments).unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::RegistriesD;

    fn merged(texts: &[&str]) -> Result<RegistriesD, String> {
        let mut all = RegistriesD::default();
        texts.iter().try_for_each(|text| all.merge(text)).map(|()| all)
    }

    #[test]
    fn the_most_specific_section_that_says_it_counts() {
        let all = merged(&[
            "default-docker:\n  lookaside: https://x.example\n  use-sigstore-attachments: true\n",
            "# nothing\n",
            "",
            "docker:\n  h:5000/a:\n    use-sigstore-attachments: false\n  h:5000/a/b:\n    lookaside: file:///x\n  \
             h:5000/a/b:1:\n    use-sigstore-attachments: true\n  \"*.example.org\": {use-sigstore-attachments: no}\n  \
             nothing.example:\n",
        ])
        .expect("valid");
        for (repository, suffix, used) in [
            ("h:5000/a/b", ":1", true),
            ("h:5000/a/b", ":2", false),
            ("h:5000/ab", ":2", true),
            ("r.example.org/x", ":2", false),
            ("nothing.example/x", ":2", true),
        ] {
            assert_eq!(all.uses_sigstore_attachments(repository.to_owned(), suffix), used, "{repository}{suffix}");
        }
        assert!(!RegistriesD::default().uses_sigstore_attachments("h/x".to_owned(), ":1"));
    }

    #[test]
    fn what_is_said_twice_or_is_not_understood_is_an_error() {
        let one = "docker: {h: {use-sigstore-attachments: true}}";
        for texts in [
            [one, one].as_slice(),
            &["default-docker: {}", "default-docker: {}"],
            &["docker:\n  h: {}\n  h: {}\n"],
            &["docker: {h: {use-sigstore-attachments: maybe}}"],
            &["docker: [h]"],
            &["{"],
            &["a: &a [*a, *a]\ndocker: *a"],
        ] {
            assert!(merged(texts).is_err(), "{texts:?}");
        }
    }
}
