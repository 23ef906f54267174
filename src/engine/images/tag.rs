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
        if let Some(list) = self.store.find_list(image)? {
            return self.untag_list(&list, names);
        }
        let lock = self.store.lock_exclusive()?;
        let found = self.store.find_own_image(image)?;
        let has = &self.store.whole_image(&found)?.names;
        for name in gone(image, has, names)? {
            self.store.untag(&name, &lock)?;
        }
        Ok(())
    }

    /// A list is there by its names alone: the last one is not taken, because with it the list would go.
    fn untag_list(&self, list: &ListRecord, names: &[String]) -> Result<(), Error> {
        let digest = list.digest();
        let lock = self.store.lock_exclusive()?;
        let same = self.store.lists()?.0.into_iter().filter(|other| other.digest() == digest);
        let has: Vec<Reference> = same.map(|other| other.name).collect();
        let gone = gone(&list.name.to_string(), &has, names)?;
        if has.iter().all(|name| gone.contains(name)) {
            return Err(Error::LastListName(list.name.clone()));
        }
        for name in gone {
            self.store.remove_list(&name, &lock)?;
        }
        Ok(())
    }
}

/// The names that go: those that are given, or all.
fn gone(image: &str, has: &[Reference], names: &[String]) -> Result<Vec<Reference>, Error> {
    if names.is_empty() {
        return Ok(has.to_vec());
    }
    let one = |text: &String| {
        let candidates = Reference::candidates(text).map_err(Error::Reference)?;
        let found = candidates.into_iter().find(|name| has.contains(name));
        found.ok_or_else(|| Error::NotAName { image: image.to_owned(), name: text.clone() })
    };
    names.iter().map(one).collect()
}

/// A name to give, by `tag`, by `import` or by what an archive says. One without a registry is `localhost/…`, as in Podman.
/// A digest says what a registry has there: nobody but a pull, which has looked, may say so of an image.
pub(super) fn new_name(text: &str) -> Result<Reference, Error> {
    let name = Reference::local(text).map_err(Error::Reference)?;
    if name.digest().is_some() { Err(Error::DigestAsName(text.to_owned())) } else { Ok(name) }
}
