//! A tree, or one file of it, becomes a tar: the reading half of `cp`. Everything is opened by descriptor in its
//! directory; nothing but regular files is read, holes are not.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::override_stat;
use crate::sys::contents;
use crate::sys::dir::{self, Dir, FileKind, Stat};
use crate::sys::fs::File;
use crate::sys::root::RootDir;
use crate::sys::{self, Errno, xattr};
use crate::types::idmap::{IdMap, IdMaps, OVERFLOW_ID};

/// Most runs of data that a sparse file is written with; readers refuse more.
const MOST_RUNS: usize = 9_000;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("read {path:?}")]
    Read {
        path: OsString,
        #[source]
        source: sys::Error,
    },
    #[error("{path:?} is a device or a socket, which cannot be copied")]
    Special { path: OsString },
    #[error("write the archive")]
    Write(#[source] std::io::Error),
}

impl Error {
    /// True if the reader of the archive has gone: its own error is the one to tell.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Write(error) if error.kind() == std::io::ErrorKind::BrokenPipe)
    }
}

/// Writes what `path` leads to in `root` under `name` (`None`: the content of a directory, not itself), with the end
/// mark. Returns how many devices and sockets were left out.
pub(crate) fn pack<W: Write>(
    root: &RootDir,
    path: &Path,
    name: Option<&OsStr>,
    terms: Terms<'_>,
    out: W,
) -> Result<u64, Error> {
    let failed = |source| Error::Read { path: path.into(), source };
    let fd = root.lookup(path).map_err(failed)?;
    let stat = dir::fstat(fd.as_fd()).map_err(failed)?;
    let mut packer = Packer::new(out, terms);
    let name = name.map(OsStr::as_bytes).unwrap_or_default().to_vec();
    match stat.kind {
        FileKind::Regular => packer.file(&root.open_file(path).map_err(failed)?, &name)?,
        FileKind::Directory => packer.tree(root.open_dir(path).map_err(failed)?, &stat, name)?,
        FileKind::Fifo => packer.header(b'6', &name, &stat, 0, b"", &[])?,
        _ => return Err(Error::Special { path: path.into() }),
    }
    packer.write(&[0; 1024])?;
    packer.out.flush().map_err(Error::Write)?;
    Ok(packer.skipped)
}

/// In whose terms a tree is packed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Terms<'a> {
    /// Ids in the tar ↔ ids here; as they are if not given. Who has none becomes nobody.
    pub(crate) ids: Option<&'a IdMaps>,
}

/// Writes a whole root file system, its own directory first as `./`. Returns how many devices and sockets were left out.
pub(crate) fn pack_root<W: Write>(root: &RootDir, terms: Terms<'_>, out: W) -> Result<u64, Error> {
    let failed = |source| Error::Read { path: OsString::from("/"), source };
    let top = root.dir().try_clone().map_err(failed)?;
    let stat = top.stat_self().map_err(failed)?;
    let mut packer = Packer::new(out, terms);
    packer.directory(&top, &stat, b"./")?;
    packer.tree(top, &stat, Vec::new())?;
    packer.write(&[0; 1024])?;
    packer.out.flush().map_err(Error::Write)?;
    Ok(packer.skipped)
}

struct Packer<'a, W> {
    out: W,
    skipped: u64,
    buffer: Vec<u8>,
    terms: Terms<'a>,
    /// First name of each file with several.
    links: HashMap<(u64, u64), Vec<u8>>,
    /// Ids in the tar of the next entry, if the disk has others.
    real: Option<(u32, u32)>,
}

/// A directory that is being read.
struct Level {
    dir: Dir,
    path: Vec<u8>,
    names: Vec<(OsString, FileKind)>,
}

impl<'a, W: Write> Packer<'a, W> {
    fn new(out: W, terms: Terms<'a>) -> Self {
        Self { out, skipped: 0, buffer: vec![0; 256 << 10], terms, links: HashMap::new(), real: None }
    }

    /// True if the file is packed already, as another name that was linked to.
    fn linked(&mut self, stat: &Stat, path: &[u8]) -> Result<bool, Error> {
        if stat.links < 2 {
            return Ok(false);
        }
        let key = (stat.device, stat.inode);
        let Some(first) = self.links.get(&key).cloned() else {
            self.links.insert(key, path.to_vec());
            return Ok(false);
        };
        self.header(b'1', path, stat, 0, &first, &[("linkpath", first.clone())])?;
        Ok(true)
    }

    fn tree(&mut self, top: Dir, stat: &Stat, name: Vec<u8>) -> Result<(), Error> {
        let list = |dir: &Dir, path: &[u8]| {
            let mut names = dir.entries().map_err(|source| read_failed(path, source))?;
            names.sort_by(|a, b| b.0.cmp(&a.0));
            Ok(names)
        };
        if !name.is_empty() {
            self.directory(&top, stat, &name)?;
        }
        let names = list(&top, &name)?;
        let mut levels = vec![Level { dir: top, path: name, names }];
        while let Some(level) = levels.last_mut() {
            let Some((name, kind)) = level.names.pop() else {
                levels.pop();
                continue;
            };
            let mut path = level.path.clone();
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(name.as_bytes());
            let failed = |source| read_failed(&path, source);
            match kind {
                FileKind::Directory => {
                    let Some(dir) = gone_is_none(level.dir.open_dir(&name)).map_err(failed)? else { continue };
                    let stat = dir.stat_self().map_err(failed)?;
                    self.directory(&dir, &stat, &path)?;
                    let names = list(&dir, &path)?;
                    levels.push(Level { dir, path, names });
                }
                FileKind::Regular => {
                    if let Some(file) = gone_is_none(level.dir.open_file(&name)).map_err(failed)? {
                        self.file(&file, &path)?;
                    }
                }
                FileKind::Symlink => {
                    let Some(target) = gone_is_none(level.dir.read_link(&name)).map_err(failed)? else { continue };
                    let Some(stat) = level.dir.stat(&name).map_err(failed)? else { continue };
                    if self.linked(&stat, &path)? {
                        continue;
                    }
                    let records = [("linkpath", target.as_os_str().as_bytes().to_vec())];
                    self.header(b'2', &path, &stat, 0, target.as_os_str().as_bytes(), &records)?;
                }
                FileKind::Fifo => {
                    let Some(stat) = level.dir.stat(&name).map_err(failed)? else { continue };
                    self.header(b'6', &path, &stat, 0, b"", &[])?;
                }
                _ => self.skipped += 1,
            }
        }
        Ok(())
    }

    fn directory(&mut self, dir: &Dir, stat: &Stat, path: &[u8]) -> Result<(), Error> {
        self.restore(dir.as_fd(), stat, path)?;
        let records = xattrs(dir.as_fd(), path)?;
        let records: Vec<_> = records.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
        self.header(b'5', path, stat, 0, b"", &records)
    }

    fn file(&mut self, file: &File, path: &[u8]) -> Result<(), Error> {
        let failed = |source| read_failed(path, source);
        let stat = dir::fstat(file.as_fd()).map_err(failed)?;
        if self.linked(&stat, path)? {
            return Ok(());
        }
        self.restore(file.as_fd(), &stat, path)?;
        let extra = xattrs(file.as_fd(), path)?;
        let mut records: Vec<(&str, Vec<u8>)> =
            extra.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
        if stat.blocks.saturating_mul(512) >= stat.size {
            self.header(b'0', path, &stat, stat.size, b"", &records)?;
            return self.content(file, path, 0, stat.size).and_then(|()| self.pad(stat.size));
        }
        let mut runs = contents::data_runs(file, stat.size).map_err(failed)?;
        close_gaps(&mut runs, MOST_RUNS);
        // GNU's sparse format 1.0: the map stands in front of the data.
        let mut map = format!("{}\n", runs.len());
        for (start, end) in &runs {
            map += &format!("{start}\n{}\n", end - start);
        }
        let mut map = map.into_bytes();
        map.resize(map.len().next_multiple_of(512), 0);
        records.push(("GNU.sparse.major", b"1".to_vec()));
        records.push(("GNU.sparse.minor", b"0".to_vec()));
        records.push(("GNU.sparse.name", path.to_vec()));
        records.push(("GNU.sparse.realsize", stat.size.to_string().into_bytes()));
        let data: u64 = runs.iter().map(|(start, end)| end - start).sum();
        self.header(b'0', path, &stat, map.len() as u64 + data, b"", &records)?;
        self.write(&map)?;
        for (start, end) in runs {
            self.content(file, path, start, end)?;
        }
        self.pad(data)
    }

    /// Owner that a file has in its image, where the disk could not have it.
    fn restore(&mut self, fd: std::os::fd::BorrowedFd<'_>, stat: &Stat, path: &[u8]) -> Result<(), Error> {
        let Some(maps) = self.terms.ids else { return Ok(()) };
        let noted = override_stat::owner(fd).map_err(|source| read_failed(path, source))?;
        self.real = noted.filter(|noted| override_stat::is_credible(maps, *noted, (stat.uid, stat.gid)));
        Ok(())
    }

    /// Exactly these bytes of a file; what it has lost meanwhile is zeros, because the header has promised a length.
    fn content(&mut self, file: &File, path: &[u8], start: u64, end: u64) -> Result<(), Error> {
        let mut at = start;
        while at < end {
            let wanted = self.buffer.len().min(usize::try_from(end - at).unwrap_or(usize::MAX));
            let count =
                contents::read_at(file, &mut self.buffer[..wanted], at).map_err(|source| read_failed(path, source))?;
            self.buffer[count..wanted].fill(0);
            self.out.write_all(&self.buffer[..wanted]).map_err(Error::Write)?;
            at += wanted as u64;
        }
        Ok(())
    }

    fn pad(&mut self, size: u64) -> Result<(), Error> {
        let rest = usize::try_from(size.next_multiple_of(512) - size).unwrap_or_default();
        self.write(&[0; 512][..rest])
    }

    /// A ustar header; what does not fit, and what ustar does not know, goes into an extended one before it.
    #[expect(clippy::too_many_arguments, reason = "the fields of a header, given once each")]
    fn header(
        &mut self,
        kind: u8,
        path: &[u8],
        stat: &Stat,
        size: u64,
        link: &[u8],
        records: &[(&str, Vec<u8>)],
    ) -> Result<(), Error> {
        let inside = |map: &IdMap, id: u32| map.to_inside(id).unwrap_or(OVERFLOW_ID);
        let (uid, gid) = match (self.real.take(), self.terms.ids) {
            (Some(real), _) => real,
            (None, Some(maps)) => (inside(&maps.uid, stat.uid), inside(&maps.gid, stat.gid)),
            (None, None) => (stat.uid, stat.gid),
        };
        let mut pax = Vec::new();
        for (key, value) in records {
            if *key != "linkpath" || link.len() > 100 {
                record(&mut pax, key, value);
            }
        }
        if path.len() > 100 {
            record(&mut pax, "path", path);
        }
        let time = stat.mtime;
        if time.seconds < 0 || time.nanoseconds > 0 {
            record(&mut pax, "mtime", time.to_decimal().as_bytes());
        }
        for (key, value, most) in
            [("size", size, 0o77_777_777_777), ("uid", uid.into(), 0o7_777_777), ("gid", gid.into(), 0o7_777_777)]
        {
            if value > most {
                record(&mut pax, key, value.to_string().as_bytes());
            }
        }
        if !pax.is_empty() {
            self.block(b'x', b"PaxHeaders/x", [0o644, 0, 0, pax.len() as u64, 0], b"")?;
            self.write(&pax)?;
            self.pad(pax.len() as u64)?;
        }
        let fields = [stat.mode.into(), uid.into(), gid.into(), size, u64::try_from(time.seconds).unwrap_or(0)];
        self.block(kind, path, fields, link)
    }

    fn block(&mut self, kind: u8, path: &[u8], fields: [u64; 5], link: &[u8]) -> Result<(), Error> {
        let mut block = [0_u8; 512];
        let short = |text: &[u8]| text[..text.len().min(100)].to_vec();
        block[..short(path).len()].copy_from_slice(&short(path));
        block[157..157 + short(link).len()].copy_from_slice(&short(link));
        block[156] = kind;
        block[257..265].copy_from_slice(b"ustar\x0000");
        for ((at, width), value) in [(100, 8), (108, 8), (116, 8), (124, 12), (136, 12)].into_iter().zip(fields) {
            let text = format!("{value:0width$o}", width = width - 1);
            // A number that does not fit stands in the extended header.
            let digits = if text.len() < width { text } else { "0".repeat(width - 1) };
            block[at..at + digits.len()].copy_from_slice(digits.as_bytes());
        }
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        self.write(&block)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.out.write_all(bytes).map_err(Error::Write)
    }
}

/// `LENGTH KEY=VALUE\n`, where the length counts itself.
fn record(to: &mut Vec<u8>, key: &str, value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length.to_string().len() + rest != length {
        length = length.to_string().len() + rest;
    }
    to.extend(format!("{length} {key}=").bytes());
    to.extend_from_slice(value);
    to.push(b'\n');
}

/// Extended attributes that mean something elsewhere, as records.
fn xattrs(fd: std::os::fd::BorrowedFd<'_>, path: &[u8]) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let failed = |source| read_failed(path, source);
    let mut records = Vec::new();
    for name in xattr::list(fd).map_err(failed)? {
        let wanted = name.as_bytes().starts_with(b"user.") && !name.as_bytes().starts_with(b"user.containers.");
        if (wanted && !xattr::is_overlay(&name)) || name == "security.capability" {
            let (Some(text), Some(value)) = (name.to_str(), xattr::get(fd, &name).map_err(failed)?) else { continue };
            records.push((format!("SCHILY.xattr.{text}"), value));
        }
    }
    Ok(records)
}

/// A name that was removed, or became something else, since it was listed is passed over.
pub(super) fn gone_is_none<T>(result: sys::Result<T>) -> sys::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error)
            if [Errno::ENOENT, Errno::ENOTDIR, Errno::ELOOP, Errno::EINVAL, Errno::ENXIO].contains(&error.errno) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Joins runs over the smallest gaps between them until there are no more than `most`: what is written then is not much more
/// than the data, whatever size the file claims.
fn close_gaps(runs: &mut Vec<(u64, u64)>, most: usize) {
    let surplus = runs.len().saturating_sub(most);
    if surplus == 0 {
        return;
    }
    let mut gaps: Vec<(u64, usize)> = (1..runs.len()).map(|at| (runs[at].0 - runs[at - 1].1, at)).collect();
    gaps.select_nth_unstable(surplus - 1);
    let closed: std::collections::HashSet<usize> = gaps[..surplus].iter().map(|(_, at)| *at).collect();
    let mut joined: Vec<(u64, u64)> = Vec::with_capacity(most);
    for (at, run) in runs.iter().enumerate() {
        match joined.last_mut() {
            Some(last) if closed.contains(&at) => last.1 = run.1,
            _ => joined.push(*run),
        }
    }
    *runs = joined;
}

fn read_failed(path: &[u8], source: sys::Error) -> Error {
    Error::Read { path: OsStr::from_bytes(path).to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::close_gaps;

    #[test]
    fn the_smallest_gaps_are_closed() {
        let runs = [(0, 1), (2, 3), (10, 11), (12, 13), (100, 101)];
        for (most, expected) in [
            (9, runs.to_vec()),
            (5, runs.to_vec()),
            (3, vec![(0, 3), (10, 13), (100, 101)]),
            (2, vec![(0, 13), (100, 101)]),
            (1, vec![(0, 101)]),
        ] {
            let mut left = runs.to_vec();
            close_gaps(&mut left, most);
            assert_eq!(left, expected, "{most}");
        }
    }
}
