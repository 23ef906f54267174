//! `image exists`.

use crate::engine::{Engine, Error};

impl Engine {
    /// True if the text names an image of the store.
    pub(crate) fn image_exists(&self, text: &str) -> Result<bool, Error> {
        if self.find_list(text)?.is_some() {
            return Ok(true);
        }
        match self.try_find_image(text) {
            Ok(found) => Ok(found.is_some()),
            // No image can have a name that is none.
            Err(error) if error.is_bad_name() => Ok(false),
            Err(error) => Err(error),
        }
    }
}
