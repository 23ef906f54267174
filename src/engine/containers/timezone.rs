//! `--tz`: the host's description of a zone (`tzfile(5)`) becomes the container's `/etc/localtime`, so that the image needs
//! no `tzdata`.

use std::path::{Path, PathBuf};

use crate::engine::error::Error;
use crate::sys;

/// Where the zones of the host are (`tzset(3)`).
const ZONES: &str = "/usr/share/zoneinfo";

/// A zone is a few thousand bytes.
const LARGEST: u64 = 1 << 20;

/// The file of `zone`, a name like `Europe/Berlin`, or `local` for the host's own. None: the host has no `/etc/localtime` and
/// so keeps UTC, as does a container without one.
pub(super) fn read(zone: &str) -> Result<Option<Vec<u8>>, Error> {
    let local = zone == "local";
    let path = if local { PathBuf::from("/etc/localtime") } else { Path::new(ZONES).join(zone) };
    let wrong = |why| Error::TimeZone { zone: zone.to_owned(), path: path.clone(), why };
    let found = sys::fs::stat(&path).map_err(|source| Error::Path { what: "look at", path: path.clone(), source })?;
    match found {
        None if local => return Ok(None),
        None => return Err(wrong("does not exist")),
        Some(meta) if !meta.is_file() => return Err(wrong("is not a zone but a directory of them")),
        Some(_) => {}
    }
    let bytes = sys::fs::read_limited(&path, LARGEST);
    let bytes = bytes.map_err(|source| Error::Path { what: "read", path: path.clone(), source })?;
    if bytes.starts_with(b"TZif") { Ok(Some(bytes)) } else { Err(wrong("does not describe a zone")) }
}
