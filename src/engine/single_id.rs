//! What single-id mode cannot do, said once.

use crate::rootless::wish::SingleReason;

use super::cures::{Caller, Need};
use super::handle::Engine;
use crate::sys;

impl Engine {
    /// Warns at the first start in single-id mode since the boot, with the cure.
    pub(super) fn warn_of_single_id(&self) {
        let Ok(wish) = self.wish() else { return };
        let need = match &wish.single {
            None => return,
            Some(SingleReason::NoMapper) => Need::IdMappers,
            Some(SingleReason::PowerlessMapper(_)) => Need::MapperPrivilege,
            Some(SingleReason::NoSubIds) => Need::SubordinateIds,
        };
        // Made once; a runroot that cannot be written says so elsewhere.
        if sys::fs::write_new(&self.store.layout().single_id_noted(), b"").is_ok() {
            let cure = need.cure(&Caller::this(&self.config.path));
            tracing::warn!(
                "single-id mode: every user of a container is you; su, sshd and servers that give up root need more ids: {cure}"
            );
        }
    }
}
