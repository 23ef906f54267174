//! `tag` and `untag`: names of images.

use crate::engine::{Engine, Error};
use crate::storage::lists::ListRecord;
use crate::storage::store::Exclusive;
use crate::types::reference::Reference;

impl Engine {
    /// Gives an image, or a manifest list, further names; those that led elsewhere are moved. All names are checked before
    /// the first is made.
    pub(crate) fn tag_image(&self, image: &str, names: &[String]) -> Result<(), Error> {
        let lock = self.store.lock_exclusive()?;
        let list = self.find_list(image)?;
        let found = if list.is_none() { Some(self.find_own_image(image)?) } else { None };
        let names = names.iter().map(|name| new_name(name)).collect::<Result<Vec<_>, _>>()?;
        for name in &names {
            self.must_not_end_list(name, list.as_ref())?;
        }
        for name in names {
            if let Some(found) = &found {
                self.store.tag(&name, &found.image.record.digest, &lock)?;
                self.store.remove_list(&name, &lock)?;
            } else if let Some(list) = &list {
                self.store.put_list(&ListRecord { name: name.clone(), ..list.clone() }, &lock)?;
                self.store.untag(&name, &lock)?;
            }
        }
        Ok(())
    }

    /// An error if the name is the only one of a manifest list, and of another one than this: it is not moved.
    fn must_not_end_list(&self, name: &Reference, wanted: Option<&ListRecord>) -> Result<(), Error> {
        let Some(list) = self.store.list(name)? else { return Ok(()) };
        let digest = list.digest();
        let same = |other: &ListRecord| other.digest() == digest;
        if wanted.is_some_and(same) || self.store.lists()?.0.iter().any(|other| other.name != *name && same(other)) {
            return Ok(());
        }
        Err(Error::LastListName(list.name))
    }

    /// Takes names away from an image, all of them if none is given. The image stays.
    pub(crate) fn untag_image(&self, image: &str, names: &[String]) -> Result<(), Error> {
        let lock = self.store.lock_exclusive()?;
        if let Some(list) = self.find_list(image)? {
            return self.untag_list(&list, names, &lock);
        }
        let found = self.find_own_image(image)?;
        let has = &self.store.whole_image(&found)?.names;
        for name in gone(self, has, names)? {
            self.store.untag(&name, &lock)?;
        }
        Ok(())
    }

    /// A list is there by its names alone: the last one is not taken, because with it the list would go.
    fn untag_list(&self, list: &ListRecord, names: &[String], lock: &Exclusive) -> Result<(), Error> {
        let digest = list.digest();
        let same = self.store.lists()?.0.into_iter().filter(|other| other.digest() == digest);
        let has: Vec<Reference> = same.map(|other| other.name).collect();
        let gone = gone(self, &has, names)?;
        if has.iter().all(|name| gone.contains(name)) {
            return Err(Error::LastListName(list.name.clone()));
        }
        for name in gone {
            self.store.remove_list(&name, lock)?;
        }
        Ok(())
    }
}

/// The names that go: those that are given, or all.
fn gone(engine: &Engine, has: &[Reference], names: &[String]) -> Result<Vec<Reference>, Error> {
    if names.is_empty() {
        return Ok(has.to_vec());
    }
    let one = |text: &String| {
        let names = engine.image_word(text)?.names.map_err(Error::Reference)?;
        let found = names.into_iter().find(|name| has.contains(name));
        found.ok_or_else(|| Error::NotAName(text.clone()))
    };
    names.iter().map(one).collect()
}

/// A name to give, by `tag`, by `import` or by what an archive says. One without a registry is `localhost/…`, as in Podman.
/// A digest says what a registry has there: nobody but a pull, which has looked, may say so of an image.
pub(super) fn new_name(text: &str) -> Result<Reference, Error> {
    let name = Reference::local(text).map_err(Error::Reference)?;
    if name.digest().is_some() { Err(Error::DigestAsName(text.to_owned())) } else { Ok(name) }
}
