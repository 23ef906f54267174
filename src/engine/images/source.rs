//! Images from a place that is no registry: `pull oci:DIR:NAME` and the like.

use super::load::{ArchiveInput, LoadRequest, LoadedImage};
use super::pull::PullRequest;
use super::tag::new_name;
use super::transport::{Place, index_of};
use crate::engine::{Engine, Error};
use crate::registry::archive::{ArchivedImage, Form};
use crate::types::progress::Progress;
use crate::types::reference::{Reference, has_domain};

impl Engine {
    /// Takes in what a place holds: all images of a docker-archive, of the others the one that is meant. The names that
    /// they get are told as messages (case B18).
    pub(crate) fn pull_place(
        &self,
        place: &Place,
        request: &PullRequest,
        progress: &dyn Progress,
    ) -> Result<Vec<LoadedImage>, Error> {
        let load = LoadRequest {
            input: ArchiveInput::Path(place.path.clone()),
            form: Some(place.form),
            platform: request.platform.clone(),
            signature_policy: request.access.signature_policy.clone(),
        };
        let chosen = |images: Vec<ArchivedImage>| choose(place, images);
        let loaded = self.load_chosen(load, &chosen, progress)?;
        for name in loaded.iter().flat_map(|image| &image.names) {
            progress.message(&format!("Named {name}"));
        }
        Ok(loaded)
    }
}

/// The images that are meant, with the names that they shall get.
fn choose(place: &Place, mut images: Vec<ArchivedImage>) -> Result<Vec<(ArchivedImage, Vec<Reference>)>, Error> {
    let missing = |why: String| Error::Place { text: place.path.display().to_string(), why };
    let all: Vec<String> = images.iter().flat_map(|image| image.names.clone()).collect();
    let Some(wanted) = &place.name else {
        if images.len() > 1 && place.form != Form::DockerArchive {
            return Err(missing(format!("it holds {} images, name one: {}", images.len(), all.join(", "))));
        }
        return images
            .into_iter()
            .map(|image| {
                let names = image.names.iter().map(|name| new_name(name)).collect::<Result<Vec<_>, _>>()?;
                Ok((image, names))
            })
            .collect();
    };
    if let Some(index) = index_of(wanted) {
        if index >= images.len() {
            return Err(missing(format!("it holds {} images", images.len())));
        }
        let image = images.swap_remove(index);
        // As Podman: a docker-archive says what its images are called, whichever way one is chosen.
        let names = if place.form == Form::DockerArchive { image.names.as_slice() } else { &[] };
        let names = names.iter().map(|name| new_name(name)).collect::<Result<Vec<_>, _>>()?;
        return Ok(vec![(image, names)]);
    }
    let same = |name: &str| {
        name == wanted
            || (place.form == Form::DockerArchive
                && matches!((name.parse::<Reference>(), wanted.parse::<Reference>()), (Ok(a), Ok(b)) if a == b))
    };
    let found = images.into_iter().find_map(|image| {
        let name = image.names.iter().find(|name| same(name)).cloned()?;
        Some((image, name))
    });
    match found {
        Some((image, name)) => {
            // A docker-archive may have the whole name where a short one was asked for.
            let name = new_name(if has_domain(wanted) { wanted } else { &name })?;
            Ok(vec![(image, vec![name])])
        }
        None if all.is_empty() => Err(missing(format!("no image in it is named {wanted:?}: none has a name"))),
        None => Err(missing(format!("no image in it is named {wanted:?}; it has: {}", all.join(", ")))),
    }
}
