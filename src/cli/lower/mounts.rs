//! `-v`, `--mount`, `--tmpfs`, `--volumes-from`.

use std::path::{Path, PathBuf};

use crate::types::mount::{MountOptions, MountSource, MountSpec, Propagation, Relabel};
use crate::types::size::parse_bytes;

use super::super::error::Error;
use super::super::flags::MountFlags;
use super::invalid::{FlagError, unsupported, wrong};
use super::surroundings::{Surroundings, without_dots};

/// Every mount that the flags ask for, no target twice; one that is asked for twice is one.
pub(super) fn mounts(flags: &MountFlags, around: &Surroundings<'_>) -> Result<Vec<MountSpec>, Error> {
    let mut mounts: Vec<MountSpec> = Vec::new();
    let mut add = |flag: &'static str, text: &str, mount: MountSpec| {
        if mounts.contains(&mount) {
            return Ok(());
        }
        if mounts.iter().any(|known| known.target == mount.target) {
            return Err(wrong(flag, text, format!("something is mounted on {:?} already", mount.target)));
        }
        mounts.push(mount);
        Ok(())
    };
    for text in &flags.mount {
        add("mount", text, long(text, around)?)?;
    }
    for text in &flags.volume {
        add("volume", text, volume(text, around)?)?;
    }
    for text in &flags.tmpfs {
        add("tmpfs", text, tmpfs(text)?)?;
    }
    // A flag may put something else in the place of a default.
    let defaults = &around.defaults.containers;
    for text in defaults.mounts.iter().flatten() {
        unless_mounted(&mut mounts, long(text, around)?);
    }
    for text in defaults.volumes.iter().flatten() {
        unless_mounted(&mut mounts, volume(text, around)?);
    }
    Ok(mounts)
}

fn unless_mounted(mounts: &mut Vec<MountSpec>, mount: MountSpec) {
    if !mounts.iter().any(|known| known.target == mount.target) {
        mounts.push(mount);
    }
}

/// `CONTAINER[:OPTIONS]`.
pub(super) fn volumes_from(text: &str) -> Result<(String, Vec<String>), FlagError> {
    let (container, options) = text.split_once(':').unwrap_or((text, ""));
    let options: Vec<String> = options.split(',').filter(|o| !o.is_empty()).map(str::to_owned).collect();
    if container.is_empty() || !options.iter().all(|o| matches!(o.as_str(), "ro" | "rw" | "z")) {
        return Err(wrong("volumes-from", text, "CONTAINER[:OPTIONS], options ro, rw and z"));
    }
    Ok((container.to_owned(), options))
}

/// `-v [SOURCE:]TARGET[:OPTIONS]`.
fn volume(text: &str, around: &Surroundings<'_>) -> Result<MountSpec, FlagError> {
    let parts: Vec<&str> = text.split(':').collect();
    let (source, at, options) = match parts.as_slice() {
        [at] => (None, *at, ""),
        [source, at] => (Some(*source), *at, ""),
        [source, at, options] => (Some(*source), *at, *options),
        _ => return Err(wrong("volume", text, "[SOURCE:]TARGET[:OPTIONS]")),
    };
    let mut parsed = Parsed { source, ..Parsed::new("volume", text, target("volume", text, at)?) };
    for option in separate("volume", text, options)? {
        // Words for macOS, which Podman takes and drops, too.
        let of_macos = matches!(option, "cached" | "delegated" | "consistent");
        if !of_macos && !parsed.common(option, None)? {
            return Err(parsed.unknown(option));
        }
    }
    match source {
        None => parsed.volume(None, around),
        Some(path) if path.starts_with(['/', '.']) => parsed.bind(path, around),
        Some("") => Err(wrong("volume", text, "the source is empty")),
        Some(name) => parsed.volume(Some(name), around),
    }
}

/// The options of a list; two that contradict each other are an error.
fn separate<'a>(flag: &'static str, text: &str, options: &'a str) -> Result<Vec<&'a str>, FlagError> {
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for option in options.split(',').filter(|option| !option.is_empty()) {
        let group = group_of(option);
        if let Some((_, other)) = seen.iter().find(|(known, other)| *known == group && *other != option) {
            return Err(wrong(flag, text, format!("{other} and {option} exclude each other")));
        }
        seen.push((group, option));
    }
    Ok(seen.into_iter().map(|(_, option)| option).collect())
}

/// What an option of `-v` is about: of each group there is one.
fn group_of(option: &str) -> &str {
    match option {
        "ro" | "rw" => "access",
        "z" | "Z" => "label",
        "copy" | "nocopy" => "copy",
        "exec" | "noexec" => "exec",
        "suid" | "nosuid" => "suid",
        "dev" | "nodev" => "dev",
        mode if propagation(mode).is_some() => "propagation",
        other => other,
    }
}

/// `--tmpfs TARGET[:OPTIONS]`.
fn tmpfs(text: &str) -> Result<MountSpec, FlagError> {
    let (at, options) = text.split_once(':').unwrap_or((text, ""));
    let mut parsed = Parsed::new("tmpfs", text, target("tmpfs", text, at)?);
    for option in separate("tmpfs", text, options)? {
        let (key, value) = split_option(option);
        if !parsed.tmpfs_option(key, value)? && !parsed.common(key, value)? {
            return Err(parsed.unknown(option));
        }
    }
    parsed.tmpfs()
}

/// `--mount type=TYPE,KEY=VALUE,…`, in Go's CSV form.
fn long(text: &str, around: &Surroundings<'_>) -> Result<MountSpec, FlagError> {
    let fields = csv(text).ok_or_else(|| wrong("mount", text, "a quote is not closed"))?;
    let pairs: Vec<(&str, Option<&str>)> = fields.iter().map(|field| split_option(field)).collect();
    let mut kind = "volume";
    let (mut source, mut at, mut subpath) = (None, None, None);
    let mut seen: Vec<&str> = Vec::new();
    let mut parsed = Parsed::new("mount", text, PathBuf::new());
    for (key, value) in pairs {
        let key = match key {
            "src" => "source",
            "dst" | "dest" | "destination" => "target",
            "readonly" => "ro",
            "readwrite" => "rw",
            "volume-subpath" => "subpath",
            key => key,
        };
        if seen.contains(&key) {
            return Err(wrong("mount", text, format!("{key} is given twice")));
        }
        if matches!(key, "ro" | "rw") && seen.iter().any(|known| matches!(*known, "ro" | "rw")) {
            return Err(wrong("mount", text, "ro and rw exclude each other"));
        }
        seen.push(key);
        let needed = || value.filter(|v| !v.is_empty()).ok_or_else(|| wrong("mount", text, format!("{key} is empty")));
        match key {
            "type" => kind = needed()?,
            "source" => source = Some(needed()?),
            "target" => at = Some(target("mount", text, needed()?)?),
            "subpath" => subpath = Some(PathBuf::from(needed()?)),
            "consistency" => {}
            key => {
                if !parsed.tmpfs_option(key, value)? && !parsed.common(key, value)? {
                    return Err(parsed.unknown(key));
                }
            }
        }
    }
    parsed.target = at.ok_or_else(|| wrong("mount", text, "target= is missing"))?;
    parsed.source = source;
    parsed.subpath = subpath;
    if kind != "tmpfs" && parsed.is_tmpfs {
        return Err(wrong("mount", text, "tmpfs-size, tmpfs-mode and tmpcopyup are options of type=tmpfs"));
    }
    match (kind, source) {
        ("bind", Some(path)) => parsed.bind(path, around),
        ("bind" | "image", None) => Err(wrong("mount", text, "source= is missing")),
        ("volume", name) => parsed.volume(name, around),
        ("tmpfs", None) => parsed.tmpfs(),
        ("tmpfs", Some(_)) => Err(wrong("mount", text, "a tmpfs has no source")),
        ("image", Some(image)) => parsed.image(image),
        ("glob" | "devpts" | "ramfs" | "artifact", _) => Err(unsupported("mount", text)),
        _ => Err(wrong("mount", text, "type is bind, volume, tmpfs or image")),
    }
}

/// A mount while its options are read.
struct Parsed<'a> {
    flag: &'static str,
    text: &'a str,
    source: Option<&'a str>,
    target: PathBuf,
    subpath: Option<PathBuf>,
    options: MountOptions,
    size: Option<u64>,
    mode: Option<u32>,
    copy_up: bool,
    read_write: bool,
    is_tmpfs: bool,
}

impl<'a> Parsed<'a> {
    fn new(flag: &'static str, text: &'a str, target: PathBuf) -> Self {
        Self {
            flag,
            text,
            source: None,
            target,
            subpath: None,
            options: MountOptions::default(),
            size: None,
            mode: None,
            copy_up: true,
            read_write: false,
            is_tmpfs: false,
        }
    }

    fn unknown(&self, option: &str) -> FlagError {
        let word = option.split('=').next().unwrap_or(option);
        if matches!(word, "idmap" | "upperdir" | "workdir" | "bind-nonrecursive" | "no-dereference" | "noswap") {
            return unsupported(self.flag, option);
        }
        wrong(self.flag, self.text, format!("unknown option {option:?}"))
    }

    /// An option that every kind of mount has; false if it is none.
    fn common(&mut self, key: &str, value: Option<&str>) -> Result<bool, FlagError> {
        let options = &mut self.options;
        let on = |value| flag_value(self.flag, self.text, value);
        match key {
            "ro" => options.read_only = on(value)?,
            "rw" => {
                self.read_write = on(value)?;
                options.read_only = !self.read_write;
            }
            "U" | "chown" => options.chown = on(value)?,
            "O" => options.overlay = true,
            "copy" => options.no_copy = false,
            "nocopy" => options.no_copy = true,
            "z" => options.relabel = Some(Relabel::Shared),
            "Z" => options.relabel = Some(Relabel::Private),
            "relabel" => match value {
                Some("shared") => options.relabel = Some(Relabel::Shared),
                Some("private") => options.relabel = Some(Relabel::Private),
                _ => return Err(wrong(self.flag, self.text, "relabel is shared or private")),
            },
            "noexec" => options.noexec = Some(true),
            "exec" => options.noexec = Some(false),
            "nosuid" => options.nosuid = Some(true),
            "suid" => options.nosuid = Some(false),
            "nodev" => options.nodev = Some(true),
            "dev" => options.nodev = Some(false),
            "bind-propagation" => {
                let mode = value.and_then(propagation);
                let why = "bind-propagation is private, slave, shared or unbindable, with or without r";
                options.propagation = mode.ok_or_else(|| wrong(self.flag, self.text, why))?;
            }
            // Binds are always recursive (K-B2).
            "rbind" | "bind" => {}
            key => match propagation(key) {
                Some(mode) => options.propagation = mode,
                None => return Ok(false),
            },
        }
        Ok(true)
    }

    /// An option of a tmpfs; false if it is none.
    fn tmpfs_option(&mut self, key: &str, value: Option<&str>) -> Result<bool, FlagError> {
        match (key, value) {
            ("size" | "tmpfs-size", Some(size)) => {
                let bytes = match size.strip_suffix('%') {
                    Some(_) => {
                        return Err(wrong(
                            self.flag,
                            self.text,
                            "a size in percent is not supported: give bytes, as in 512m",
                        ));
                    }
                    None => parse_bytes(size).map_err(|error| wrong(self.flag, self.text, error))?,
                };
                self.size = Some(bytes);
            }
            ("mode" | "tmpfs-mode", Some(mode)) => {
                let mode = u32::from_str_radix(mode, 8).ok().filter(|mode| *mode <= 0o7777);
                self.mode = Some(mode.ok_or_else(|| wrong(self.flag, self.text, "the mode is octal"))?);
            }
            ("tmpcopyup", None) => self.copy_up = true,
            ("notmpcopyup", None) => self.copy_up = false,
            _ => return Ok(false),
        }
        self.is_tmpfs = true;
        Ok(true)
    }

    fn finish(self, source: MountSource) -> MountSpec {
        MountSpec { source, target: self.target, options: self.options }
    }

    fn bind(self, path: &str, around: &Surroundings<'_>) -> Result<MountSpec, FlagError> {
        if self.options.no_copy {
            return Err(wrong(self.flag, self.text, "nocopy is for volumes"));
        }
        if self.subpath.is_some() {
            return Err(wrong(self.flag, self.text, "subpath is for volumes and images"));
        }
        let path = around.host_path(path.as_ref())?;
        Ok(self.finish(MountSource::Bind { path }))
    }

    fn volume(self, name: Option<&str>, around: &Surroundings<'_>) -> Result<MountSpec, FlagError> {
        let subpath = self.inside(self.subpath.clone())?;
        let source = match name {
            None => MountSource::Volume { name: (around.fresh_volume)(), anonymous: true, subpath },
            Some(name) => {
                let name = name.parse().map_err(|error| wrong(self.flag, self.text, error))?;
                MountSource::Volume { name, anonymous: false, subpath }
            }
        };
        Ok(self.finish(source))
    }

    fn tmpfs(self) -> Result<MountSpec, FlagError> {
        if self.options.overlay || self.options.relabel.is_some() || self.subpath.is_some() {
            return Err(wrong(self.flag, self.text, "O, z, Z and subpath are not for a tmpfs"));
        }
        let source = MountSource::Tmpfs { size: self.size, mode: self.mode, copy_up: self.copy_up };
        Ok(self.finish(source))
    }

    fn image(self, image: &str) -> Result<MountSpec, FlagError> {
        let subpath = self.inside(self.subpath.clone())?;
        let source = MountSource::Image { reference: image.to_owned(), read_write: self.read_write, subpath };
        Ok(self.finish(source))
    }

    /// A path inside a volume or an image, with no way out by text; the runtime resolves it in-root.
    fn inside(&self, subpath: Option<PathBuf>) -> Result<Option<PathBuf>, FlagError> {
        let Some(path) = subpath else { return Ok(None) };
        if path.components().any(|part| part == std::path::Component::ParentDir) {
            return Err(wrong(self.flag, self.text, "subpath must not leave the volume"));
        }
        Ok(Some(path.strip_prefix("/").unwrap_or(&path).to_owned()))
    }
}

fn target(flag: &'static str, text: &str, at: &str) -> Result<PathBuf, FlagError> {
    let path = Path::new(at);
    if !path.is_absolute() {
        return Err(wrong(flag, text, "the target is an absolute path"));
    }
    let path = without_dots(path);
    if path == Path::new("/") {
        return Err(wrong(flag, text, "the target must not be /"));
    }
    Ok(path)
}

fn propagation(text: &str) -> Option<Propagation> {
    match text.strip_prefix('r').unwrap_or(text) {
        "private" => Some(Propagation::Private),
        "slave" => Some(Propagation::Slave),
        "shared" => Some(Propagation::Shared),
        "unbindable" => Some(Propagation::Unbindable),
        _ => None,
    }
}

fn split_option(option: &str) -> (&str, Option<&str>) {
    option.split_once('=').map_or((option, None), |(key, value)| (key, Some(value)))
}

fn flag_value(flag: &'static str, text: &str, value: Option<&str>) -> Result<bool, FlagError> {
    match value {
        None => Ok(true),
        Some(value) => crate::types::boolean::parse_bool(value).map_err(|why| wrong(flag, text, why)),
    }
}

/// Splits at commas; a field may be quoted as in RFC 4180. `None`: an open quote.
fn csv(text: &str) -> Option<Vec<String>> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let field = fields.last_mut()?;
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            c => field.push(c),
        }
    }
    (!quoted).then_some(fields)
}
