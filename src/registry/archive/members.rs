//! The files of an archive: an index of a tar, or a directory.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::Path;

use tar_core::EntryType;
use tar_core::parse::{Limits, ParseEvent, Parser};

use crate::sys::dir::fstat;
use crate::sys::fs::File;
use crate::sys::root::RootDir;
use crate::sys::{self, Call as _, Errno};

/// Most names in an archive of images: each layer is three.
const MOST_MEMBERS: usize = 100_000;
/// Most bytes of one entry's headers.
const MAX_HEADERS: usize = 2 << 20;
/// Bytes that are read at once for headers.
const READ: usize = 16 << 10;
/// Links that lead to links.
const MOST_LINKS: usize = 8;

/// Where the bytes of a file lie.
#[derive(Debug)]
pub(super) struct Located {
    file: File,
    offset: u64,
    pub(super) length: u64,
}

impl Located {
    /// Reads at least one byte of the file from `at` on, and at most the buffer.
    pub(super) fn read_at(&self, buffer: &mut [u8], at: u64) -> sys::Result<usize> {
        let left = usize::try_from(self.length.saturating_sub(at)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        match self.file.read_at(&mut buffer[..wanted], self.offset + at).call("pread64", || wanted.to_string())? {
            0 if wanted > 0 => Err(sys::Error::new("pread64", "the archive was cut off", Errno::EIO)),
            count => Ok(count),
        }
    }

    /// The whole file, which the caller has found short enough.
    pub(super) fn read_all(&self) -> sys::Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(self.length).unwrap_or(usize::MAX)];
        let mut filled = 0;
        while filled < bytes.len() {
            filled += self.read_at(&mut bytes[filled..], filled as u64)?;
        }
        Ok(bytes)
    }
}

/// A name in a tar.
#[derive(Debug)]
pub(super) enum Member {
    File {
        offset: u64,
        length: u64,
    },
    /// Another name of a file, as its path in the archive: old versions of docker save equal layers once.
    Link(String),
}

const NO_TAR: &str =
    "payload does not match any of the supported image formats: docker-archive, oci-archive, oci, docker-dir";

fn malformed(at: u64, error: &tar_core::parse::ParseError) -> String {
    if at == 0 { NO_TAR.to_owned() } else { format!("malformed tar at byte {at}: {error}") }
}

/// The files by name.
#[derive(Debug)]
pub(super) enum Members {
    Tar { file: File, members: HashMap<String, Member> },
    Dir(RootDir),
}

impl Members {
    /// Reads the headers of a whole tar, without its content.
    pub(super) fn index(file: File) -> Result<Self, String> {
        let length = fstat(file.as_fd()).map_err(|error| error.to_string())?.size;
        let limits = Limits { max_path_len: Some(4095), ..Limits::default() };
        let mut parser = Parser::new(limits);
        parser.set_ignore_pax_errors(true);
        let mut members = HashMap::new();
        let (mut at, mut window) = (0_u64, Vec::new());
        loop {
            match parser.parse(&window).map_err(|error| malformed(at, &error))? {
                ParseEvent::NeedData { .. } => {
                    if window.len() > MAX_HEADERS {
                        return Err(format!("headers at byte {at} are too long"));
                    }
                    if !extend(&file, at, &mut window)? {
                        let rest = window.iter().any(|byte| *byte != 0);
                        return match rest {
                            true if at == 0 => Err(NO_TAR.to_owned()),
                            true => Err("it is cut off".to_owned()),
                            false => Ok(Self::tar(file, members)),
                        };
                    }
                }
                ParseEvent::End { .. } => return Ok(Self::tar(file, members)),
                ParseEvent::GlobalExtensions { consumed, .. } => skip(&mut at, &mut window, consumed as u64),
                ParseEvent::SparseEntry { .. } => return Err("a sparse file in an archive of images".to_owned()),
                ParseEvent::Entry { consumed, entry } => {
                    let name = clean("", &String::from_utf8_lossy(&entry.path));
                    let target = entry.link_target.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
                    let offset = at + consumed as u64;
                    let content = match entry.entry_type {
                        EntryType::Regular | EntryType::Continuous | EntryType::Other(_) => entry.size,
                        _ => 0,
                    };
                    let end = offset.checked_add(content).filter(|end| *end <= length);
                    end.ok_or_else(|| format!("it is cut off inside {:?}", entry.path_lossy()))?;
                    let member = match (entry.entry_type, &name) {
                        (EntryType::Regular | EntryType::Continuous, Some(_)) => {
                            Some(Member::File { offset, length: content })
                        }
                        (EntryType::Symlink, Some(name)) => {
                            let parent = name.rsplit_once('/').map_or("", |(parent, _)| parent);
                            clean(parent, &target).map(Member::Link)
                        }
                        (EntryType::Link, Some(_)) => clean("", &target).map(Member::Link),
                        _ => None,
                    };
                    if let (Some(name), Some(member)) = (name, member) {
                        members.insert(name, member);
                    }
                    if members.len() > MOST_MEMBERS {
                        return Err(format!("more than {MOST_MEMBERS} files"));
                    }
                    skip(&mut at, &mut window, consumed as u64 + content.next_multiple_of(512));
                }
            }
        }
    }

    /// Opens a directory of files.
    pub(super) fn open_dir(path: &Path) -> sys::Result<Self> {
        RootDir::open(path).map(Self::Dir)
    }

    fn tar(file: File, members: HashMap<String, Member>) -> Self {
        Self::Tar { file, members }
    }

    /// The regular file of this name; a path that leads out is like one that is not there.
    pub(super) fn find(&self, path: &str) -> sys::Result<Option<Located>> {
        let Some(mut path) = clean("", path).filter(|clean| !clean.is_empty()) else { return Ok(None) };
        match self {
            Self::Tar { file, members } => {
                for _ in 0..MOST_LINKS {
                    match members.get(&path) {
                        Some(Member::Link(target)) => path.clone_from(target),
                        Some(Member::File { offset, length }) => {
                            let file = file.try_clone().call("fcntl", || "F_DUPFD_CLOEXEC".to_owned())?;
                            return Ok(Some(Located { file, offset: *offset, length: *length }));
                        }
                        None => return Ok(None),
                    }
                }
                Ok(None)
            }
            Self::Dir(root) => {
                let (parent, name) = path.rsplit_once('/').unwrap_or(("", &path));
                let found = root.open_dir_without_links(Path::new(parent));
                let found = found.and_then(|dir| dir.open_file(OsStr::new(name)));
                let Some(file) = sys::fs::absent_is_none(found)? else { return Ok(None) };
                let length = fstat(file.as_fd())?.size;
                Ok(Some(Located { file, offset: 0, length }))
            }
        }
    }
}

/// `path` as seen from `base`, cleaned of dots; `None` if it is absolute or leads out of the archive.
fn clean(base: &str, path: &str) -> Option<String> {
    if path.starts_with('/') || path.contains('\0') {
        return None;
    }
    let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Appends to the window what follows it in the file; false at the end.
fn extend(file: &File, at: u64, window: &mut Vec<u8>) -> Result<bool, String> {
    let filled = window.len();
    window.resize(filled + READ.max(filled), 0);
    let count = file.read_at(&mut window[filled..], at + filled as u64).map_err(|error| error.to_string())?;
    window.truncate(filled + count);
    Ok(count > 0)
}

/// Moves on in the file; what of it is in the window stays.
fn skip(at: &mut u64, window: &mut Vec<u8>, count: u64) {
    let inside = usize::try_from(count).unwrap_or(usize::MAX).min(window.len());
    window.drain(..inside);
    *at += count;
}
