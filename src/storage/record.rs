//! Versioned JSON files: one per object (rules R1, R10).
//!
//! A file of a future version is refused with words of its own, so that an older binary never half-understands one.
//! Records that are rewritten keep the fields that they do not know ([`Rest`]).

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{At as _, Error};
use super::record_fields;
use crate::sys;

/// Longest record that is read: an image configuration has at most 4 MiB, a container's holds one.
pub(super) const LIMIT: u64 = 16 << 20;

/// An object that has a JSON file of its own.
pub(crate) trait Record: Serialize + DeserializeOwned {
    /// Newest version that this program understands.
    const VERSION: u32 = 1;

    /// Version of this one.
    fn version(&self) -> u32;

    /// Its fields that this program does not know, if it keeps them.
    fn rest(&self) -> Option<&Rest> {
        None
    }

    /// Where those go when it is read.
    fn rest_mut(&mut self) -> Option<&mut Rest> {
        None
    }
}

/// Fields that this program does not know; kept when a record is rewritten. A field of this type is `#[serde(skip)]`:
/// `#[serde(flatten)]` would pass every record twice through memory, which is most of the time of a listing.
pub(crate) type Rest = serde_json::Map<String, serde_json::Value>;

/// Makes a record of a struct with the fields `version` and `rest`.
macro_rules! record {
    ($name:ty) => {
        impl $crate::storage::record::Record for $name {
            fn version(&self) -> u32 {
                self.version
            }

            fn rest(&self) -> Option<&$crate::storage::record::Rest> {
                Some(&self.rest)
            }

            fn rest_mut(&mut self) -> Option<&mut $crate::storage::record::Rest> {
                Some(&mut self.rest)
            }
        }
    };
}
pub(super) use record;

/// Reads a record; none if there is no such file.
pub(crate) fn read_if_exists<T: Record>(path: &Path) -> Result<Option<T>, Error> {
    match sys::fs::absent_is_none(sys::fs::read_ordinary(path, LIMIT)).reading(path)? {
        Some(bytes) => parse(path, &bytes).map(Some),
        None => Ok(None),
    }
}

/// Reads a record that must be there.
pub(crate) fn read<T: Record>(path: &Path) -> Result<T, Error> {
    parse(path, &sys::fs::read_ordinary(path, LIMIT).reading(path)?)
}

/// Parses the bytes of the file at `path`.
pub(crate) fn parse<T: Record>(path: &Path, bytes: &[u8]) -> Result<T, Error> {
    let newer = |found: u64| Error::NewerRecord { path: path.to_owned(), found, known: T::VERSION };
    match record_fields::from_slice::<T>(bytes) {
        Ok((record, _)) if record.version() > T::VERSION => Err(newer(record.version().into())),
        Ok((mut record, unknown)) => {
            if let Some(rest) = record.rest_mut() {
                *rest = unknown;
            }
            Ok(record)
        }
        // What a newer version changed may not parse; then its number is the better answer.
        Err(source) => {
            match serde_json::from_slice::<serde_json::Value>(bytes).ok().and_then(|v| v.get("version")?.as_u64()) {
                Some(found) if found > u64::from(T::VERSION) => Err(newer(found)),
                _ => Err(Error::Parse { path: path.to_owned(), source }),
            }
        }
    }
}

/// Bytes of a record, one line.
pub(crate) fn to_bytes<T: Record>(path: &Path, record: &T) -> Result<Vec<u8>, Error> {
    let encoded = |source| Error::Parse { path: path.to_owned(), source };
    let mut bytes = serde_json::to_vec(record).map_err(encoded)?;
    if let Some(rest) = record.rest().filter(|rest| !rest.is_empty()) {
        // Two objects, neither of them empty, become one.
        let more = serde_json::to_vec(rest).map_err(encoded)?;
        bytes.pop();
        bytes.push(b',');
        bytes.extend_from_slice(&more[1..]);
    }
    bytes.push(b'\n');
    Ok(bytes)
}

/// Replaces a record so that it survives a power cut.
pub(crate) fn write_durable<T: Record>(path: &Path, record: &T) -> Result<(), Error> {
    sys::fs::replace_durable(path, &to_bytes(path, record)?).writing(path)
}

/// Replaces a record that a reboot voids anyway.
pub(crate) fn write_volatile<T: Record>(path: &Path, record: &T) -> Result<(), Error> {
    sys::fs::replace_volatile(path, &to_bytes(path, record)?).writing(path)
}

/// Like [`write_volatile`]; where there is no room for a second file, the first is written over: what ends a container needs
/// none (rule R13). Whoever reads without the object's lock may meet half of it then.
pub(super) fn write_volatile_or_over<T: Record>(path: &Path, record: &T) -> Result<(), Error> {
    let bytes = to_bytes(path, record)?;
    let written = match sys::fs::replace_volatile(path, &bytes) {
        Err(full) if full.is_full() => sys::fs::rewrite_within_blocks(path, &bytes).map_err(|_no_better| full),
        written => written,
    };
    written.writing(path)
}

/// Makes a record in a directory that nobody sees yet; durable or not.
pub(crate) fn write_new<T: Record>(path: &Path, record: &T, durable: bool) -> Result<(), Error> {
    let bytes = to_bytes(path, record)?;
    if durable { sys::fs::write_new_durable(path, &bytes) } else { sys::fs::write_new(path, &bytes) }.writing(path)
}
