//! I3: layers against their indexes, in one worker in P.

use super::look::Depth;
use crate::engine::error::failure;
use crate::engine::{Engine, Error};
use crate::rootless::worker;
use crate::storage::check::{self, Damage, Finding, Invariant, Part, TreeJob};
use crate::storage::layers::{LayerKey, MapKey};

impl Engine {
    pub(super) fn check_trees(&self, depth: &Depth) -> Result<Vec<Finding>, Error> {
        let mut jobs = Vec::new();
        for key in self.store.layer_keys()? {
            if depth.layers.as_ref().is_none_or(|layers| layers.contains(&key)) {
                jobs.push(self.tree_job(key)?);
            }
        }
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let damages = worker::run(&self.outer()?, || {
            check::compare(&self.store, &jobs, depth.content).map_err(|error| failure(&error))
        });
        let damages: Vec<Damage> = match damages {
            Ok(damages) => damages,
            // A store can be looked at where no container could run.
            Err(error) => {
                tracing::warn!(%error, "no user namespace: files of subordinate ids are not looked at");
                for job in &mut jobs {
                    (job.ids, job.tolerant) = (None, true);
                }
                check::compare(&self.store, &jobs, depth.content)?
            }
        };
        let finding = |damage: Damage| {
            let (repair, advice) = check::cure(&self.store, &damage.key, &damage.key.chain)?;
            let subject = format!("layer {}", damage.key.dir_name());
            let finding = Finding::new(Invariant::I3, subject, damage.problem, repair);
            Ok(finding.advised(advice).of(Part::Layer(damage.key)))
        };
        damages.into_iter().map(finding).collect()
    }

    /// The ids of a layer mean something only in the P that it was unpacked in: `/etc/subuid` may have changed since.
    fn tree_job(&self, key: LayerKey) -> Result<TreeJob, Error> {
        let ids = self.store.layer(&key).ok().flatten().and_then(|meta| meta.ids);
        let outer = &self.wish()?.maps;
        let ids = ids.filter(|ids| MapKey::new(outer, ids) == key.map);
        Ok(TreeJob { tolerant: ids.is_none(), key, ids })
    }
}
