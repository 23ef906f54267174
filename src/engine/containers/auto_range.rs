//! `--userns=auto`: a range of subordinate ids that no other such container has.

use std::path::PathBuf;

use crate::engine::error::Error;
use crate::engine::handle::Engine;
use crate::runtime;
use crate::storage::container_record::ContainerConfig;
use crate::storage::images::FoundImage;
use crate::sys::lock::FileLock;
use crate::types::namespace::UsernsMode;

/// Smallest range, as in Podman.
const SMALLEST: u32 = 1024;

impl Engine {
    /// Fills in size and start of an automatic range. The lock is held until the container is made.
    pub(super) fn choose_range(
        &self,
        userns: &mut UsernsMode,
        image: Option<&FoundImage>,
        user: (u32, u32),
    ) -> Result<Option<FileLock>, Error> {
        let UsernsMode::Auto { size, start } = userns else { return Ok(None) };
        let outer = &self.wish()?.maps;
        if outer.is_single() {
            // There is one id: the container gets it, as every other.
            *userns = UsernsMode::Default;
            return Ok(None);
        }
        self.store.make_run()?;
        let path = self.store.layout().auto_lock();
        let lock = FileLock::exclusive(&path).map_err(|source| Error::Path { what: "lock", path, source })?;
        let wanted = match *size {
            Some(size) => size,
            None => self.ids_of(image)?.max(user.0.saturating_add(1)).max(user.1.saturating_add(1)).max(SMALLEST),
        };
        let have = outer.uid.max_inside().unwrap_or(0).min(outer.gid.max_inside().unwrap_or(0));
        let mut taken = Vec::new();
        for id in self.store.container_ids()? {
            if let Ok(ContainerConfig { spec, .. }) = self.store.container_config(&id)
                && let UsernsMode::Auto { size: Some(size), start: Some(start) } = spec.userns
            {
                taken.push((start, size));
            }
        }
        let first = free(&taken, wanted, have).ok_or(Error::NoAutoRange { size: wanted, have })?;
        (*size, *start) = (Some(wanted), Some(first));
        Ok(Some(lock))
    }

    /// How many ids the users and groups of an image need.
    fn ids_of(&self, image: Option<&FoundImage>) -> Result<u32, Error> {
        let Some(found) = image else { return Ok(0) };
        let keys = self.layer_keys(&found.image.chains())?;
        let diffs: Vec<PathBuf> = keys.iter().rev().map(|key| self.store.layer_diff(key)).collect();
        let diffs: Vec<_> = diffs.iter().map(PathBuf::as_path).collect();
        runtime::user::ids_needed(&diffs).map_err(Error::User)
    }
}

/// The first gap of `wanted` ids from 1 to `have`.
fn free(taken: &[(u32, u32)], wanted: u32, have: u32) -> Option<u32> {
    let mut taken = taken.to_vec();
    taken.sort_unstable();
    let mut first = 1_u32;
    for (start, size) in taken {
        if start.checked_sub(first).is_some_and(|gap| gap >= wanted) {
            break;
        }
        first = first.max(start.saturating_add(size));
    }
    (first.checked_add(wanted)? - 1 <= have).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::free;

    #[test]
    fn first_gap_that_fits() {
        assert_eq!(free(&[], 1024, 65536), Some(1));
        assert_eq!(free(&[(1, 1024)], 1024, 65536), Some(1025));
        assert_eq!(free(&[(3000, 10), (1, 1024)], 1024, 65536), Some(1025));
        assert_eq!(free(&[(2000, 10), (1, 1024)], 1024, 65536), Some(2010));
        assert_eq!(free(&[(1, 65000)], 1024, 65536), None);
        assert_eq!(free(&[], u32::MAX, 65536), None);
    }
}
