//! The small text files below one directory, read one after another: for listings, which read hundreds of them.

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, RawDir};

use super::error::{Call, Errno, Error, Result};
use super::fs::absent_is_none;

/// An open directory of ours, and one buffer for all of its files.
#[derive(Debug)]
pub(crate) struct SmallFiles {
    dir: OwnedFd,
    path: PathBuf,
    bytes: Vec<u8>,
}

impl SmallFiles {
    /// Opens a directory by a path that we trust; none if it is not there.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = rustix::fs::open(path, flags, Mode::empty()).call("open", || format!("{path:?}, O_DIRECTORY"));
        Ok(absent_is_none(opened)?.map(|dir| Self { dir, path: path.to_owned(), bytes: Vec::new() }))
    }

    /// Names in the directory, without `.` and `..`, sorted. Once only: the position in it is not wound back.
    pub(crate) fn names(&self) -> Result<Vec<OsString>> {
        let mut buffer = Vec::with_capacity(32 << 10);
        let mut entries = RawDir::new(&self.dir, buffer.spare_capacity_mut());
        let mut names = Vec::new();
        while let Some(entry) = entries.next() {
            let entry = entry.call("getdents64", || format!("{:?}", self.path))?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                names.push(OsString::from_vec(name.to_vec()));
            }
        }
        names.sort_unstable_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
        Ok(names)
    }

    /// The bytes of the file `name`, which may be in a directory below; none if it is not there. The last component is
    /// not followed. A longer one than `limit` is EFBIG.
    pub(crate) fn read(&mut self, name: &OsStr, limit: u64) -> Result<Option<&[u8]>> {
        self.bytes.clear();
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(&self.dir, name, flags, Mode::empty()).call("openat", || format!("{name:?}"));
        let Some(file) = absent_is_none(opened)? else { return Ok(None) };
        loop {
            if self.bytes.len() as u64 > limit {
                return Err(Error::new("read", format!("{name:?}: more than {limit} bytes"), Errno::EFBIG));
            }
            if self.bytes.capacity() - self.bytes.len() < 4096 {
                self.bytes.reserve(16 << 10);
            }
            match rustix::io::read(&file, rustix::buffer::spare_capacity(&mut self.bytes)) {
                Ok(0) => return Ok(Some(&self.bytes)),
                // What we write is one line: where that ends and less came than was asked for, there is no more.
                Ok(_) if self.bytes.ends_with(b"\n") && self.bytes.len() < self.bytes.capacity() => {
                    return Ok(Some(&self.bytes));
                }
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(errno).call("read", || format!("{name:?}")),
            }
        }
    }

    /// True if there is something of this name, which may be in a directory below.
    pub(crate) fn has(&self, name: &OsStr) -> Result<bool> {
        match rustix::fs::statat(&self.dir, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => Ok(false),
            Err(errno) => Err(errno).call("fstatat", || format!("{name:?}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SmallFiles;
    use std::ffi::OsStr;

    #[test]
    fn files_of_every_length_are_read_whole() {
        let dir = tempfile::tempdir().expect("temporary directory");
        assert!(SmallFiles::open(&dir.path().join("none")).expect("open").is_none());
        let mut texts: Vec<Vec<u8>> = [0, 1, 16 << 10, (16 << 10) + 1, 100_000].map(|length| vec![b'x'; length]).into();
        texts.extend(texts.clone().into_iter().map(|text| [&text[..], b"\n"].concat()));
        // A line that ends where the buffer does, and more after it.
        texts.push([&vec![b'x'; (16 << 10) - 1][..], b"\n", &[b'y'; 5000]].concat());
        for (index, text) in texts.iter().enumerate() {
            crate::sys::fs::write_new(&dir.path().join(format!("{index:02}")), text).expect("write");
        }
        let mut files = SmallFiles::open(dir.path()).expect("open").expect("there");
        let names = files.names().expect("names");
        assert_eq!(names.len(), texts.len());
        for (name, text) in names.iter().zip(&texts) {
            assert_eq!(files.read(name, 1 << 20).expect("read"), Some(&text[..]), "{name:?}");
        }
        assert!(files.has(&names[0]).expect("has") && !files.has(OsStr::new("none")).expect("has"));
        assert_eq!(files.read(OsStr::new("none"), 1 << 20).expect("read"), None);
        assert!(files.read(&names[4], 100).expect_err("too long").is(crate::sys::Errno::EFBIG));
    }
}
