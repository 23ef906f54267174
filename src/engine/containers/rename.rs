//! `rename`.

use crate::engine::{Engine, Error};
use crate::types::name::ContainerName;

impl Engine {
    /// Gives a container another name, also while it runs.
    pub(crate) fn rename(&self, word: &str, name: &ContainerName) -> Result<(), Error> {
        let id = self.store.find_container(word)?;
        let mut locked = self.store.lock_container(&id)?;
        Ok(self.store.rename_container(&mut locked, name)?)
    }
}
