//! The program's terminal.

use std::path::Path;

use crate::runtime::bundle::Bundle;
use crate::runtime::error::Error;
use crate::sys::pty;

/// Opens one in the container's own devpts, as large as the caller's.
pub(super) fn open(bundle: &Bundle) -> Result<pty::Pair, Error> {
    let pair = pty::open(Path::new("/dev/pts/ptmx")).map_err(Error::Console)?;
    if let Some(size) = bundle.window() {
        pty::set_window_size(&pair.master, size).map_err(Error::Console)?;
    }
    Ok(pair)
}
