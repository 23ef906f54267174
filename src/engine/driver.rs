//! How root file systems are put together here: kernel overlay, else fuse-overlayfs, else copies. Probed once for each
//! boot and store, by doing it.

use std::path::Path;

use crate::rootless::worker;
use crate::runtime;
use crate::storage::container_record::StorageDriver;
use crate::sys::spawn::find_program;
use crate::sys::{self, Errno};

use super::error::{Error, failure};
use super::handle::Engine;

const DRIVERS: [StorageDriver; 3] = [StorageDriver::Overlay, StorageDriver::FuseOverlayfs, StorageDriver::Copy];

/// The kernel, its policy or the file system of the store knows no such overlay. Anything else passes (no memory, a full
/// disk), and nothing is chosen for good by it.
const NOT_HERE: [Errno; 6] =
    [Errno::EPERM, Errno::EACCES, Errno::EINVAL, Errno::ENODEV, Errno::EOPNOTSUPP, Errno::ENOSYS];

impl Engine {
    /// The driver of new containers.
    pub(crate) fn driver(&self) -> Result<StorageDriver, Error> {
        if let Some(forced) = self.config.storage_driver {
            return Ok(forced);
        }
        let cache = self.store.layout().driver();
        let known = sys::fs::read_if_exists(&cache).ok().flatten();
        let known = known.and_then(|text| DRIVERS.into_iter().find(|driver| self.driver_note(*driver) == text));
        if let Some(driver) = known {
            return Ok(driver);
        }
        let driver = self.probe_driver()?;
        self.store.make_run()?;
        sys::fs::replace_volatile(&cache, &self.driver_note(driver)).map_err(|source| Error::Path {
            what: "write",
            path: cache,
            source,
        })?;
        Ok(driver)
    }

    /// What is remembered: the driver, and the store that it was found for, because several may share a runroot.
    fn driver_note(&self, driver: StorageDriver) -> Vec<u8> {
        [driver.name().as_bytes(), b"\n", self.store.layout().graphroot().as_os_str().as_encoded_bytes()].concat()
    }

    /// The driver, as reports name it; one that cannot be found out shows as the first choice.
    pub(crate) fn driver_name(&self) -> &'static str {
        self.driver().map_or(StorageDriver::Overlay.name(), StorageDriver::name)
    }

    /// Mounts one in P, on the file system of the store.
    pub(super) fn probe_overlay(&self) -> Result<bool, Error> {
        let lease = self.store.lease()?;
        let dir = lease.new_path("probe");
        let overlay = worker::run(&self.outer()?, || {
            for name in ["lower", "upper", "work"] {
                sys::fs::mkdir_all(&dir.join(name), 0o700).map_err(|error| failure(&error))?;
            }
            match runtime::probe_overlay(&dir.join("lower"), &dir.join("upper"), &dir.join("work")) {
                Ok(()) => Ok(true),
                Err(error) if NOT_HERE.into_iter().any(|errno| error.is(errno)) => Ok(false),
                Err(error) => Err(failure(&error)),
            }
        });
        let passed = lease.finish(&self.store)?;
        if let Err(error) = self.clean_up(passed) {
            tracing::debug!(%error, "trash stays");
        }
        Ok(overlay?)
    }

    fn probe_driver(&self) -> Result<StorageDriver, Error> {
        if self.probe_overlay()? {
            return Ok(StorageDriver::Overlay);
        }
        let fuse = find_program("fuse-overlayfs", &self.config.path).is_some()
            && sys::fs::is_writable(Path::new("/dev/fuse"))
            && !runtime::fuse_splits(&self.config.graphroot);
        Ok(if fuse { StorageDriver::FuseOverlayfs } else { StorageDriver::Copy })
    }
}
