//! `containers.conf(5)`: the defaults of new containers that a host or a user sets for Podman count here too.
//!
//! Read in the order below; a later file replaces a key, lists included unless they say `{append=true}`. `$CONTAINERS_CONF`
//! stands for all of them, and `$CONTAINERS_CONF_OVERRIDE` comes last. Keys that are not here are passed over: they tune parts
//! that Sampan lacks (docs/podman-differences.md).

use std::borrow::Cow;
use std::path::PathBuf;

use serde::Deserialize;

use super::error::Error;
use super::{config_file, drop_in, environment, toml_error};

/// A list of texts. An element `{append=true}` makes it and those of later files go behind what is there, until one says
/// `{append=false}`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(from = "Vec<Element>")]
pub(crate) struct List {
    texts: Vec<String>,
    append: Option<bool>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a text, or {append=true}")]
enum Element {
    Text(String),
    How { append: bool },
}

impl From<Vec<Element>> for List {
    fn from(elements: Vec<Element>) -> Self {
        let mut list = Self::default();
        for element in elements {
            match element {
                Element::Text(text) => list.texts.push(text),
                Element::How { append } => list.append = Some(append),
            }
        }
        list
    }
}

impl std::ops::Deref for List {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.texts
    }
}

impl<'a> IntoIterator for &'a List {
    type Item = &'a String;
    type IntoIter = std::slice::Iter<'a, String>;

    fn into_iter(self) -> Self::IntoIter {
        self.texts.iter()
    }
}

/// What a later file says of a key, over what is there.
trait Overlay: Sized {
    fn overlay(&mut self, over: Self);
}

impl Overlay for List {
    fn overlay(&mut self, over: Self) {
        self.append = over.append.or(self.append);
        if self.append == Some(true) {
            self.texts.extend(over.texts);
        } else {
            self.texts = over.texts;
        }
    }
}

/// Replaced whole.
macro_rules! replaced {
    ($($kind:ty),*) => {
        $(impl Overlay for $kind {
            fn overlay(&mut self, over: Self) {
                *self = over;
            }
        })*
    };
}

replaced!(String, bool, i32, i64, u32);

impl<T: Overlay> Overlay for Option<T> {
    fn overlay(&mut self, over: Self) {
        match (self.as_mut(), over) {
            (Some(here), Some(over)) => here.overlay(over),
            (None, over) => *self = over,
            (Some(_), None) => {}
        }
    }
}

/// A table of the file. A key that is not there leaves the choice to us.
macro_rules! table {
    ($(#[$about:meta])* $table:ident { $($(#[$note:meta])* $key:ident: $kind:ty,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Default, PartialEq, Deserialize)]
        #[serde(default)]
        pub(crate) struct $table {
            $($(#[$note])* pub(crate) $key: Option<$kind>,)*
        }

        impl Overlay for $table {
            fn overlay(&mut self, over: Self) {
                $(self.$key.overlay(over.$key);)*
            }
        }
    };
}

/// The keys that are heeded.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct ContainersConf {
    pub(crate) containers: Containers,
    pub(crate) engine: EngineTable,
    pub(crate) network: NetworkTable,
}

impl Overlay for ContainersConf {
    fn overlay(&mut self, over: Self) {
        self.containers.overlay(over.containers);
        self.engine.overlay(over.engine);
        self.network.overlay(over.network);
    }
}

table! {
    /// `[containers]`: what flags of `create` and `run` would say.
    Containers {
        annotations: List,
        cgroupns: String,
        cgroups: String,
        /// In the place of our own set; an empty list is none.
        default_capabilities: List,
        /// `NAME=VALUE`; those of a namespace that the container does not have are passed over.
        default_sysctls: List,
        default_ulimits: List,
        devices: List,
        dns_options: List,
        dns_searches: List,
        dns_servers: List,
        /// `NAME=VALUE`, below every flag.
        env: List,
        env_host: bool,
        http_proxy: bool,
        init: bool,
        ipcns: String,
        /// Only `none` is a default that we can follow.
        log_driver: String,
        /// Bytes; below 1: no bound, for which we have our own.
        log_size_max: i64,
        log_tag: String,
        /// As `--mount`.
        mounts: List,
        netns: String,
        no_hosts: bool,
        oom_score_adj: i32,
        /// Where the controller is there.
        pids_limit: i64,
        pidns: String,
        read_only: bool,
        /// Path of a profile, or `unconfined`; not for privileged containers.
        seccomp_profile: String,
        shm_size: String,
        tz: String,
        umask: String,
        userns: String,
        utsns: String,
        /// As `--volume`.
        volumes: List,
    }
}

table! {
    /// `[engine]`.
    EngineTable {
        /// As `--detach-keys`.
        detach_keys: String,
        /// As `--image-volume`.
        image_volume_mode: String,
        /// Seconds.
        stop_timeout: u32,
    }
}

table! {
    /// `[network]`.
    NetworkTable {
        /// Addresses of the host for ports that name none.
        default_host_ips: List,
        /// `pasta` or `slirp4netns`.
        default_rootless_network_cmd: String,
    }
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
        assert_eq!(conf.containers.env.as_deref(), Some(&["B=2".to_owned()][..]));
        assert_eq!(conf.containers.tz.as_deref(), Some("UTC"));
        for (name, text) in [
            ("c", "[containers\n"),
            ("d", "[containers]\nenv = 5\n"),
            ("e", "[containers]\nenv = [5]\n"),
            ("f", "[containers]\nenv = [{append=1}]\n"),
            ("g", "[engine]\nstop_timeout = -1\n"),
        ] {
            write(name, text);
            let error = ContainersConf::from_files(&[path(name)]).expect_err(text).to_string();
            assert!(error.contains("line"), "{error}");
        }
    }

    #[test]
    fn lists_are_appended_where_they_say_so() {
        let dir = tempfile::tempdir().expect("a directory");
        let lists = ["'A'", "'B', {append=true}", "'C'", "'D', {append=false}", "'E'"];
        let mut paths = Vec::new();
        for (list, expected) in lists.into_iter().zip(["A", "AB", "ABC", "D", "E"]) {
            let path = dir.path().join(list);
            let text = format!("[containers]\nvolumes = [{list}]\n[engine]\n");
            sys::fs::write_new(&path, text.as_bytes()).expect("written");
            paths.push(path);
            let conf = ContainersConf::from_files(&paths).expect("read");
            assert_eq!(conf.containers.volumes.expect("set").concat(), expected, "{list}");
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
