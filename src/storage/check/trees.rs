//! I3: the trees of layers are what their indexes say. For a worker in P, which may read files of subordinate ids.

use serde::{Deserialize, Serialize};

use crate::storage::error::{At as _, Error};
use crate::storage::layers::LayerKey;
use crate::storage::store::Store;
use crate::storage::unpack::{self, Comparison};
use crate::sys;
use crate::sys::root::RootDir;
use crate::types::failure::chain;
use crate::types::idmap::IdMaps;

/// A layer to compare.
#[derive(Debug, Clone)]
pub(crate) struct TreeJob {
    pub(crate) key: LayerKey,
    /// Ids of the image → ids of P; none: unpacked under another P, whose owners cannot be told.
    pub(crate) ids: Option<IdMaps>,
    /// Pass over what cannot be read.
    pub(crate) tolerant: bool,
}

/// A layer that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Damage {
    pub(crate) key: LayerKey,
    pub(crate) problem: String,
}

/// Compares layers with their indexes; `content`: file by file.
pub(crate) fn compare(store: &Store, jobs: &[TreeJob], content: bool) -> Result<Vec<Damage>, Error> {
    let mut damages = Vec::new();
    for job in jobs {
        let problem = match compare_one(store, job, content) {
            Ok(problem) => problem,
            // It may be whole: that we lack descriptors or memory is no damage of its.
            Err(error) if error.is_shortage() => return Err(error),
            Err(error) => Some(chain(&error)),
        };
        // Swept meanwhile: nothing is wrong.
        if let Some(problem) = problem
            && sys::fs::exists(&store.layer_dir(&job.key))
        {
            damages.push(Damage { key: job.key.clone(), problem });
        }
    }
    Ok(damages)
}

fn compare_one(store: &Store, job: &TreeJob, content: bool) -> Result<Option<String>, Error> {
    // Without its parts it is the business of `layers`.
    let Ok(Some(meta)) = store.layer(&job.key) else { return Ok(None) };
    let (diff, index) = (store.layer_diff(&job.key), store.layer_index(&job.key));
    if !sys::fs::exists(&diff) || !sys::fs::exists(&index) {
        return Ok(None);
    }
    let how = Comparison {
        ids: job.ids.as_ref(),
        content,
        whiteouts_in_index: meta.whiteouts_in_index,
        tolerant: job.tolerant,
    };
    let found = unpack::compare(&RootDir::open(&diff).reading(&diff)?, &index, &how)?;
    if found.entries != meta.entries {
        return Ok(Some(format!("idx has {} of {} entries", found.entries, meta.entries)));
    }
    Ok(found.text())
}
