//! What is in a regular file: copies that keep holes, reads and writes by offset.

use std::fs::File;
use std::os::fd::AsFd;

use super::dir::fstat;
use super::error::{Call, Errno, Error, Result};

/// Copies all bytes of `from` into the empty file `to`: as a clone that shares blocks where the file system can
/// (`FICLONE`), else by `copy_file_range` extent by extent so that holes stay holes, else by reading and writing.
pub(crate) fn copy_file(from: &File, to: &File) -> Result<u64> {
    let size = fstat(from.as_fd())?.size;
    if size == 0 || rustix::fs::ioctl_ficlone(to, from).is_ok() {
        return Ok(size);
    }
    let mut offset = 0_u64;
    while offset < size {
        let data = match rustix::fs::seek(from, rustix::fs::SeekFrom::Data(offset)) {
            Ok(data) => data.min(size),
            // No data from here to the end.
            Err(rustix::io::Errno::NXIO) => break,
            Err(_) => offset,
        };
        let end = match rustix::fs::seek(from, rustix::fs::SeekFrom::Hole(data)) {
            Ok(hole) if hole > data => hole.min(size),
            _ => size,
        };
        copy_extent(from, to, data, end)?;
        offset = end;
    }
    rustix::fs::ftruncate(to, size).call("ftruncate", || size.to_string())?;
    Ok(size)
}

fn copy_extent(from: &File, to: &File, start: u64, end: u64) -> Result<()> {
    let (mut input, mut output) = (start, start);
    let mut buffer = Vec::new();
    while input < end {
        let wanted = usize::try_from(end - input).unwrap_or(usize::MAX).min(1 << 30);
        if buffer.is_empty() {
            match rustix::fs::copy_file_range(from, Some(&mut input), to, Some(&mut output), wanted) {
                // The file became shorter while we read it.
                Ok(0) => return Ok(()),
                Ok(_) => continue,
                // EXDEV, EINVAL, EOPNOTSUPP, ENOSYS, EPERM: these two files cannot; copy through memory.
                Err(rustix::io::Errno::NOSPC) => {
                    return Err(Error::new("copy_file_range", wanted.to_string(), Errno::ENOSPC));
                }
                Err(_) => buffer.resize(128 << 10, 0),
            }
        }
        let wanted = wanted.min(buffer.len());
        let count = rustix::io::pread(from, &mut buffer[..wanted], input).call("pread64", || wanted.to_string())?;
        if count == 0 {
            return Ok(());
        }
        write_all_at(to, &buffer[..count], output)?;
        input += count as u64;
        output += count as u64;
    }
    Ok(())
}

/// Reads at `offset` until the buffer is full or the file ends; returns how much.
pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match rustix::io::pread(file, &mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error).call("pread64", || format!("at {offset}")),
        }
    }
    Ok(filled)
}

/// Where a file of this size has data, as (start, end), in order; the rest are holes.
pub(crate) fn data_runs(file: &File, size: u64) -> Result<Vec<(u64, u64)>> {
    use rustix::fs::SeekFrom;
    let mut runs = Vec::new();
    let mut end = 0;
    while end < size {
        let start = match rustix::fs::seek(file, SeekFrom::Data(end)) {
            Ok(start) if start < size => start,
            // No data from here on.
            Ok(_) | Err(rustix::io::Errno::NXIO) => break,
            Err(error) => return Err(error).call("lseek", || format!("{end}, SEEK_DATA")),
        };
        let hole = rustix::fs::seek(file, SeekFrom::Hole(start)).call("lseek", || format!("{start}, SEEK_HOLE"))?;
        end = hole.clamp(start + 1, size);
        runs.push((start, end));
    }
    Ok(runs)
}

/// Writes all bytes at `offset`.
pub(crate) fn write_all_at(file: &File, mut bytes: &[u8], mut offset: u64) -> Result<()> {
    while !bytes.is_empty() {
        match rustix::io::pwrite(file, bytes, offset) {
            Ok(count) => {
                bytes = &bytes[count..];
                offset += count as u64;
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error).call("pwrite64", || format!("{} bytes at {offset}", bytes.len())),
        }
    }
    Ok(())
}

/// Sets the length of a file; what is added is a hole.
pub(crate) fn set_len(file: &File, length: u64) -> Result<()> {
    rustix::fs::ftruncate(file, length).call("ftruncate", || length.to_string())
}
