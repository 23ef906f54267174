//! `containers.conf(5)`: the defaults of new containers that a host or a user sets for Podman count here too.
//!
//! Read in the order below; a later file replaces a key, lists included. `$CONTAINERS_CONF` stands for all of them, and
//! `$CONTAINERS_CONF_OVERRIDE` comes last. Keys that are not here are passed over: most tune parts that Sampan lacks; a
//! default limit would fail where nothing is delegated.

use std::borrow::Cow;
use std::path::PathBuf;

use serde::Deserialize;

use super::error::Error;
use super::{config_file, drop_in, environment, toml_error};

/// The keys that are heeded.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct ContainersConf {
    pub(crate) containers: Containers,
    pub(crate) network: NetworkTable,
}

/// `[containers]`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Containers {
    /// `NAME=VALUE`, below every flag.
    pub(crate) env: Option<Vec<String>>,
    pub(crate) userns: Option<String>,
    pub(crate) dns_servers: Option<Vec<String>>,
    pub(crate) dns_searches: Option<Vec<String>>,
    pub(crate) dns_options: Option<Vec<String>>,
    pub(crate) default_ulimits: Option<Vec<String>>,
    pub(crate) init: Option<bool>,
    pub(crate) no_hosts: Option<bool>,
    pub(crate) shm_size: Option<String>,
    pub(crate) tz: Option<String>,
    pub(crate) umask: Option<String>,
    pub(crate) http_proxy: Option<bool>,
}

/// `[network]`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct NetworkTable {
    /// `pasta` or `slirp4netns`.
    pub(crate) default_rootless_network_cmd: Option<String>,
}

/// The file with its comment lines empty: distributions ship hundreds, which take longer to parse than to find. A text with
/// strings of several lines, which may hold what looks like one, stays as it is.
fn without_comments(text: &str) -> Cow<'_, str> {
    if ["\"\"\"", "'''"].into_iter().any(|quotes| text.contains(quotes)) {
        return text.into();
    }
    let kept = |line| if str::trim_start(line).starts_with('#') { "\n" } else { line };
    text.split_inclusive('\n').map(kept).collect::<String>().into()
}

impl ContainersConf {
    /// Reads the files of this host and user.
    pub(crate) fn load() -> Result<Self, Error> {
        Self::from_files(&files()?)
    }

    /// Reads these files; those that are absent count as empty.
    pub(crate) fn from_files(paths: &[PathBuf]) -> Result<Self, Error> {
        let mut conf = Self::default();
        for path in paths {
            let Some(bytes) = config_file::read_if_exists(path)? else { continue };
            let wrong = |why: String| Error::Parse { path: path.clone(), why };
            let text = std::str::from_utf8(&bytes).map_err(|error| wrong(error.to_string()))?;
            let text = without_comments(text);
            let one: Self = toml::from_str(&text).map_err(|error| wrong(toml_error::why(&error, &text)))?;
            conf.overlay(one);
        }
        Ok(conf)
    }

    /// What `over` says replaces what is here.
    fn overlay(&mut self, over: Self) {
        fn take<T>(here: &mut Option<T>, over: Option<T>) {
            if over.is_some() {
                *here = over;
            }
        }
        let (here, over_containers) = (&mut self.containers, over.containers);
        take(&mut here.env, over_containers.env);
        take(&mut here.userns, over_containers.userns);
        take(&mut here.dns_servers, over_containers.dns_servers);
        take(&mut here.dns_searches, over_containers.dns_searches);
        take(&mut here.dns_options, over_containers.dns_options);
        take(&mut here.default_ulimits, over_containers.default_ulimits);
        take(&mut here.init, over_containers.init);
        take(&mut here.no_hosts, over_containers.no_hosts);
        take(&mut here.shm_size, over_containers.shm_size);
        take(&mut here.tz, over_containers.tz);
        take(&mut here.umask, over_containers.umask);
        take(&mut here.http_proxy, over_containers.http_proxy);
        take(&mut self.network.default_rootless_network_cmd, over.network.default_rootless_network_cmd);
    }
}

/// The files in the order in which they count, drop-ins after their file.
fn files() -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    if let Some(only) = environment::path("CONTAINERS_CONF") {
        files.push(only);
    } else {
        let mut bases = vec![PathBuf::from("/usr/share/containers"), PathBuf::from("/etc/containers")];
        bases.extend(environment::config_home().map(|home| home.join("containers")));
        for base in bases {
            files.push(base.join("containers.conf"));
            files.extend(drop_in::files(&base.join("containers.conf.d"), "conf")?);
        }
    }
    files.extend(environment::path("CONTAINERS_CONF_OVERRIDE"));
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::ContainersConf;
    use crate::sys;

    #[test]
    fn f06_later_files_win_and_errors_have_a_place() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = |name: &str| dir.path().join(name);
        let write = |name: &str, text: &str| sys::fs::write_new(&path(name), text.as_bytes()).expect("written");
        write("a", "[containers]\nenv = [\"A=1\"]\ntz = \"UTC\"\nunknown = 1\n[secrets]\ndriver = \"file\"\n");
        write("b", "[containers]\nenv = [\"B=2\"]\n[engine]\ncgroup_manager = \"x\"\n");
        write("empty", "");
        let conf = ContainersConf::from_files(&[path("a"), path("absent"), path("empty"), path("b")]).expect("read");
        assert_eq!(conf.containers.env, Some(vec!["B=2".to_owned()]));
        assert_eq!(conf.containers.tz.as_deref(), Some("UTC"));
        for (name, text) in [("c", "[containers\n"), ("d", "[containers]\nenv = 5\n")] {
            write(name, text);
            let error = ContainersConf::from_files(&[path(name)]).expect_err(text).to_string();
            assert!(error.contains("line"), "{error}");
        }
    }

    #[test]
    fn comments_are_passed_over_where_they_are_comments() {
        for (text, zone) in [
            ("# [containers\n[containers]\n  # tz = 1\n\ntz = \"#a\" # b\n#", "#a"),
            ("[containers]\ntz = \"\"\"\n#a\"\"\"\n", "#a"),
            ("[containers]\ntz = '''\n#a'''\n", "#a"),
        ] {
            let conf: ContainersConf = toml::from_str(&super::without_comments(text)).expect(text);
            assert_eq!(conf.containers.tz.as_deref(), Some(zone), "{text}");
        }
        let wrong = "# a\n# b\n[containers]\nenv = 5\n";
        let error =
            toml::from_str::<ContainersConf>(&super::without_comments(wrong)).expect_err("a number").to_string();
        assert!(error.contains("line 4"), "{error}");
    }
}
