//! `tag` and `untag`: names of images.

use crate::engine::{Engine, Error};
use crate::storage::lists::ListRecord;
use crate::types::reference::Reference;

impl Engine {
    /// Gives an image further names; those that pointed elsewhere are moved. All names are checked before the first is
    /// made.
    pub(crate) fn tag_image(&self, image: &str, names: &[String]) -> Result<(), Error> {
        if let Some(list) = self.store.find_list(image)? {
            for name in names {
                let name = new_name(name)?;
                let copy = ListRecord { name: name.clone(), ..list.clone() };
                self.store.change_list(&name, |_| Ok::<_, Error>((copy, ())))?;
            }
            return Ok(());
        }
        let found = self.store.find_own_image(image)?;
        let names = names.iter().map(|name| new_name(name)).collect::<Result<Vec<_>, _>>()?;
        for name in &names {
            self.store.tag(name, &found.image.record.digest)?;
        }
        Ok(())
    }

    /// Takes names away from an image, all of them if none is given. The image stays.
    pub(crate) fn untag_image(&self, image: &str, names: &[String]) -> Result<(), Error> {
        let found = self.store.find_own_image(image)?;
        let has = &self.store.whole_image(&found)?.names;
        let mut gone = Vec::new();
        for text in names {
            let candidates = Reference::candidates(text).map_err(Error::Reference)?;
            match candidates.into_iter().find(|name| has.contains(name)) {
                Some(name) => gone.push(name),
                None => return Err(Error::NotAName { image: image.to_owned(), name: text.clone() }),
            }
        }
        for name in if names.is_empty() { has } else { &gone } {
            self.store.untag(name)?;
        }
        Ok(())
    }
}

/// A name to give, by `tag`, by `import` or by what an archive says. One without a registry is `localhost/…`, as in Podman.
/// A digest says what a registry has there: nobody but a pull, which has looked, may say so of an image.
pub(super) fn new_name(text: &str) -> Result<Reference, Error> {
    let name = Reference::local(text).map_err(Error::Reference)?;
    if name.digest().is_some() { Err(Error::DigestAsName(text.to_owned())) } else { Ok(name) }
}
