//! `idx`: what a layer holds, one entry for each name, in the order of unpacking. The checker compares the tree with
//! it, and where the file system takes no whiteouts (K-B5) they live here alone.
//!
//! ```text
//! "sampan-idx-4\n"
//! entry*   kind u8 · mode u32 · uid u32 · gid u32 · size u64 · device (u32, u32) · path · target
//!          · [content: 16 bytes] · [xattrs: 32 bytes]
//!          path and target: length u32, bytes. All numbers little endian. The digest of the content (`layer_content`)
//!          is there for regular files whose kind has the bit 0x20, that of the attributes where it has the bit 0x40.
//! end      0xff · number of entries u64 · sha256 of everything before it
//! ```
//! A file that does not end with the end mark was cut off. "sampan-idx-2" and "sampan-idx-3" have 32 bytes for the content
//! of every regular file, by other functions; they are read as if it had not been computed, and no longer written.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::error::Error;
use super::layer_content::{self, Content};
use super::unpack::Inherited;
use crate::sys;
use crate::sys::Call as _;

const MAGIC: &[u8; 13] = b"sampan-idx-4\n";
/// Those with other digests of contents.
const OLD_MAGICS: [&[u8; MAGIC.len()]; 2] = [b"sampan-idx-2\n", b"sampan-idx-3\n"];
const END: u8 = 0xff;
/// In the kind of an entry: it has extended attributes.
const WITH_XATTRS: u8 = 0x40;
/// In the kind of a regular file: there is a digest of its content.
const WITH_CONTENT: u8 = 0x20;

/// Longest path or target: a longer one could not be unpacked either.
const LONGEST: u32 = 1 << 16;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum EntryKind {
    Regular = 1,
    Directory = 2,
    Symlink = 3,
    /// Another name of a file of this layer: `target`.
    Hardlink = 4,
    Fifo = 5,
    CharDevice = 6,
    BlockDevice = 7,
    /// Hides what lower layers have here.
    Whiteout = 8,
    /// A directory that hides what lower layers have in it.
    OpaqueDirectory = 9,
}

impl EntryKind {
    fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Regular,
            2 => Self::Directory,
            3 => Self::Symlink,
            4 => Self::Hardlink,
            5 => Self::Fifo,
            6 => Self::CharDevice,
            7 => Self::BlockDevice,
            8 => Self::Whiteout,
            9 => Self::OpaqueDirectory,
            _ => return None,
        })
    }
}

impl EntryKind {
    /// For messages.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Regular | Self::Hardlink => "a file",
            Self::Directory | Self::OpaqueDirectory => "a directory",
            Self::Symlink => "a symbolic link",
            Self::Fifo => "a FIFO",
            Self::CharDevice | Self::BlockDevice => "a device",
            Self::Whiteout => "a whiteout",
        }
    }
}

/// One name of a layer. Ids are those of the layer's tar, whatever the map made of them on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Relative to the root of the layer, without `.` and `..`; empty for the root itself.
    pub(crate) path: PathBuf,
    pub(crate) kind: EntryKind,
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Of regular files.
    pub(crate) size: u64,
    /// Of device nodes.
    pub(crate) device: (u32, u32),
    /// Of symbolic and hard links.
    pub(crate) target: OsString,
    /// Of regular files, if it was computed.
    pub(crate) content: Option<Content>,
    /// Of regular files and directories: `layer_xattrs::digest` of what they have on disk. All zero if they have none.
    pub(crate) xattrs: [u8; 32],
}

/// Writes an index as a stream; [`IndexWriter::finish`] ends it.
#[derive(Debug)]
pub(crate) struct IndexWriter<W: Write> {
    out: W,
    hash: Sha256,
    count: u64,
    buffer: Vec<u8>,
}

/// Digest and number of entries of a finished index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IndexEnd {
    pub(crate) entries: u64,
    pub(crate) digest: [u8; 32],
}

impl IndexWriter<BufWriter<File>> {
    /// Makes the file `path`.
    pub(crate) fn create(path: &Path) -> sys::Result<Self> {
        Self::new(BufWriter::with_capacity(64 << 10, sys::fs::create_new(path, 0o600)?))
    }
}

impl<W: Write> IndexWriter<W> {
    /// Begins an index.
    pub(crate) fn new(mut out: W) -> sys::Result<Self> {
        out.write_all(MAGIC).call("write", || "idx".to_owned())?;
        Ok(Self { out, hash: Sha256::new_with_prefix(MAGIC), count: 0, buffer: Vec::new() })
    }

    /// Appends an entry.
    pub(crate) fn push(&mut self, entry: &Entry) -> sys::Result<()> {
        let buffer = &mut self.buffer;
        buffer.clear();
        let with_xattrs = entry.xattrs != [0; 32];
        let content = entry.content.filter(|_| entry.kind == EntryKind::Regular);
        let bits = [content.map(|_| WITH_CONTENT), with_xattrs.then_some(WITH_XATTRS)];
        buffer.push(bits.into_iter().flatten().fold(entry.kind as u8, |kind, bit| kind | bit));
        for number in [entry.mode, entry.uid, entry.gid] {
            buffer.extend(number.to_le_bytes());
        }
        buffer.extend(entry.size.to_le_bytes());
        buffer.extend(entry.device.0.to_le_bytes());
        buffer.extend(entry.device.1.to_le_bytes());
        for bytes in [entry.path.as_os_str().as_bytes(), entry.target.as_bytes()] {
            let length = u32::try_from(bytes.len()).ok().filter(|length| *length <= LONGEST);
            let too_long = || sys::Error::new("write", format!("idx: {:?}", entry.path), sys::Errno::ENAMETOOLONG);
            buffer.extend(length.ok_or_else(too_long)?.to_le_bytes());
            buffer.extend(bytes);
        }
        buffer.extend(content.iter().flat_map(|content| content.0));
        if with_xattrs {
            buffer.extend(entry.xattrs);
        }
        self.hash.update(&*buffer);
        self.count += 1;
        self.out.write_all(buffer).call("write", || "idx".to_owned())
    }

    /// Writes the end mark and flushes.
    pub(crate) fn finish(mut self) -> sys::Result<IndexEnd> {
        let mut end = vec![END];
        end.extend(self.count.to_le_bytes());
        self.hash.update(&end);
        let digest: [u8; 32] = self.hash.finalize().into();
        end.extend(digest);
        self.out.write_all(&end).and_then(|()| self.out.flush()).call("write", || "idx".to_owned())?;
        Ok(IndexEnd { entries: self.count, digest })
    }
}

/// Reads an index as a stream; stops with an error at the first thing that is wrong.
#[derive(Debug)]
pub(crate) struct IndexReader<R: Read> {
    input: R,
    path: PathBuf,
    hash: Sha256,
    count: u64,
    done: bool,
    /// It is of an older format.
    old: bool,
}

impl IndexReader<BufReader<File>> {
    /// Opens the index at `path`.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let file = sys::fs::open_ordinary(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        Self::new(BufReader::with_capacity(64 << 10, file), path)
    }
}

impl<R: Read> IndexReader<R> {
    /// Reads from `input`; `path` is for messages.
    pub(crate) fn new(input: R, path: &Path) -> Result<Self, Error> {
        let mut reader = Self { input, path: path.to_owned(), hash: Sha256::new(), count: 0, done: false, old: false };
        let magic: [u8; MAGIC.len()] = reader.array()?;
        reader.old = OLD_MAGICS.contains(&&magic);
        if !reader.old && magic != *MAGIC {
            return Err(reader.damaged("it is not an index of a format that this sampan knows"));
        }
        Ok(reader)
    }

    /// The next entry; none after the last one, when the end mark was there and right.
    pub(crate) fn next_entry(&mut self) -> Result<Option<Entry>, Error> {
        if self.done {
            return Ok(None);
        }
        let [kind] = self.array()?;
        if kind == END {
            return self.end().map(|()| None);
        }
        let bits = kind & (WITH_XATTRS | WITH_CONTENT);
        let (with_xattrs, with_content) = (bits & WITH_XATTRS != 0, bits & WITH_CONTENT != 0);
        let kind = EntryKind::from_byte(kind & !bits).ok_or_else(|| self.damaged("unknown kind of entry"))?;
        if with_content && kind != EntryKind::Regular {
            return Err(self.damaged("a digest of what has no content"));
        }
        let (mode, uid, gid) = (self.number()?, self.number()?, self.number()?);
        let size = u64::from_le_bytes(self.array()?);
        let device = (self.number()?, self.number()?);
        let path = PathBuf::from(OsString::from_vec(self.bytes()?));
        let target = OsString::from_vec(self.bytes()?);
        let content = if self.old {
            if kind == EntryKind::Regular {
                self.array::<32>()?;
            }
            None
        } else if with_content {
            Some(Content(self.array::<{ layer_content::LENGTH }>()?))
        } else {
            None
        };
        let xattrs = if with_xattrs { self.array()? } else { [0; 32] };
        self.count += 1;
        Ok(Some(Entry { path, kind, mode, uid, gid, size, device, target, content, xattrs }))
    }

    fn end(&mut self) -> Result<(), Error> {
        let count = u64::from_le_bytes(self.array()?);
        let computed: [u8; 32] = self.hash.clone().finalize().into();
        let written: [u8; 32] = self.array()?;
        if count != self.count || computed != written {
            return Err(self.damaged("its digest or its number of entries is wrong"));
        }
        self.done = true;
        Ok(())
    }

    fn number(&mut self) -> Result<u32, Error> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn bytes(&mut self) -> Result<Vec<u8>, Error> {
        let length = self.number()?;
        if length > LONGEST {
            return Err(self.damaged("a path is too long"));
        }
        let mut bytes = vec![0; length as usize];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        match self.input.read_exact(bytes) {
            Ok(()) => {
                self.hash.update(bytes);
                Ok(())
            }
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(self.damaged("it is cut off")),
            Err(error) => Err(error)
                .call("read", || format!("{:?}", self.path))
                .map_err(|source| Error::Read { path: self.path.clone(), source }),
        }
    }

    fn damaged(&self, why: &'static str) -> Error {
        Error::DamagedIndex { path: self.path.clone(), why }
    }
}

/// Writes an index anew with what some of its directories have become. Nobody sees the layer yet.
pub(crate) fn amend(path: &Path, inherited: &[Inherited]) -> Result<(), Error> {
    if inherited.is_empty() {
        return Ok(());
    }
    let failed = |source| Error::Write { path: path.to_owned(), source };
    let by_path: HashMap<&[u8], &Inherited> = inherited.iter().map(|dir| (dir.path.as_slice(), dir)).collect();
    let mut reader = IndexReader::open(path)?;
    let new = path.with_extension("new");
    let mut writer = IndexWriter::create(&new).map_err(failed)?;
    while let Some(mut entry) = reader.next_entry()? {
        if let Some(dir) = by_path.get(entry.path.as_os_str().as_bytes()) {
            entry = Entry { mode: dir.mode, uid: dir.uid, gid: dir.gid, xattrs: dir.xattrs, ..entry };
        }
        writer.push(&entry).map_err(failed)?;
    }
    writer.finish().map_err(failed)?;
    sys::fs::rename(&new, path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::{Content, Entry, EntryKind, IndexReader, IndexWriter};
    use sha2::{Digest as _, Sha256};
    use std::path::{Path, PathBuf};

    fn entry(path: &str, kind: EntryKind) -> Entry {
        Entry {
            path: PathBuf::from(path),
            kind,
            mode: 0o4755,
            uid: 7,
            gid: 8,
            size: 9,
            device: (1, 3),
            target: "t".into(),
            content: (kind == EntryKind::Regular && path != "d").then_some(Content([5; 16])),
            xattrs: if path == "a" { [6; 32] } else { [0; 32] },
        }
    }

    fn read(bytes: &[u8]) -> Result<Vec<Entry>, super::Error> {
        let mut reader = IndexReader::new(bytes, Path::new("idx"))?;
        let mut entries = Vec::new();
        while let Some(entry) = reader.next_entry()? {
            entries.push(entry);
        }
        Ok(entries)
    }

    #[test]
    fn f07_index_comes_back_and_any_damage_is_seen() {
        let mut bytes = Vec::new();
        let entries = [
            entry("", EntryKind::Directory),
            entry("a", EntryKind::Regular),
            entry("b", EntryKind::Whiteout),
            entry("c", EntryKind::Regular),
            entry("d", EntryKind::Regular),
        ];
        let mut writer = IndexWriter::new(&mut bytes).expect("begins");
        for entry in &entries {
            writer.push(entry).expect("writes");
        }
        assert_eq!(writer.finish().expect("ends").entries, 5);
        assert_eq!(read(&bytes).expect("whole"), entries);
        for cut in 0..bytes.len() {
            assert!(read(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        for position in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[position] ^= 1;
            assert!(read(&flipped).is_err(), "bit flipped at {position}");
        }
    }

    #[test]
    fn an_index_of_an_older_format_is_read() {
        let body = |entry: &Entry| {
            let mut bytes = Vec::new();
            let mut writer = IndexWriter::new(&mut bytes).expect("begins");
            writer.push(entry).expect("writes");
            writer.finish().expect("ends");
            bytes[super::MAGIC.len()..bytes.len() - 41].to_vec()
        };
        let without = Entry { xattrs: [0; 32], content: None, ..entry("a", EntryKind::Regular) };
        let entries = [entry("", EntryKind::Directory), without.clone(), without];
        for (magic, bit) in super::OLD_MAGICS.into_iter().zip([0, super::WITH_CONTENT]) {
            let mut bytes = magic.to_vec();
            bytes.extend(body(&entries[0]));
            // One with a digest, one where it was not computed.
            for (digest, bit) in [([5; 32], bit), ([0; 32], 0)] {
                let mut file = body(&entries[1]);
                file[0] |= bit;
                bytes.extend(file);
                bytes.extend(digest);
            }
            bytes.push(super::END);
            bytes.extend(3_u64.to_le_bytes());
            let digest: [u8; 32] = Sha256::digest(&bytes).into();
            bytes.extend(digest);
            assert_eq!(read(&bytes).expect("whole"), entries, "{:?}", String::from_utf8_lossy(magic));
        }
    }
}
