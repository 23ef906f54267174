//! `load`: images out of an archive, by the same way as a pull; the archive takes the registry's place.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use super::caged::spool;
use super::tag::new_name;
use super::trust;
use crate::engine::{Engine, Error};
use crate::registry;
use crate::registry::archive::{Archive, ArchivedImage, Form};
use crate::storage::images::Image;
use crate::storage::lease::Lease;
use crate::storage::unpack::Compression;
use crate::sys;
use crate::sys::dir::FileKind;
use crate::sys::fs::File;
use crate::types::platform::Platform;
use crate::types::progress::Progress;
use crate::types::reference::Reference;

/// Where an archive comes from.
#[derive(Debug)]
pub(crate) enum ArchiveInput {
    /// A file or a directory.
    Path(PathBuf),
    /// Standard input.
    Stream(OwnedFd),
}

/// What to load.
#[derive(Debug)]
pub(crate) struct LoadRequest {
    pub(crate) input: ArchiveInput,
    /// The one that the user has named; the content tells if not given.
    pub(crate) form: Option<Form>,
    /// This machine's if not given.
    pub(crate) platform: Option<Platform>,
    /// Trust policy instead of the usual files.
    pub(crate) signature_policy: Option<PathBuf>,
}

/// An image that is in the store now.
#[derive(Debug, Clone)]
pub(crate) struct LoadedImage {
    pub(crate) image: Image,
    /// The names that it got by this load: exactly these are told to the user (case B18).
    pub(crate) names: Vec<Reference>,
}

impl Engine {
    /// Takes in all images of an archive.
    pub(crate) fn load(&self, request: LoadRequest, progress: &dyn Progress) -> Result<Vec<LoadedImage>, Error> {
        self.load_chosen(request, &all, progress)
    }

    /// Takes in the images that `choose` leaves over, under the names that it gives them.
    pub(super) fn load_chosen(
        &self,
        request: LoadRequest,
        choose: &Choose<'_>,
        progress: &dyn Progress,
    ) -> Result<Vec<LoadedImage>, Error> {
        // What has to be spooled lies in a lease of its own, until all images are in.
        let lease = self.store.lease()?;
        let loaded = self.load_from(&lease, request, choose, progress);
        self.end_lease(lease, loaded)
    }

    fn load_from(
        &self,
        lease: &Lease,
        request: LoadRequest,
        choose: &Choose<'_>,
        progress: &dyn Progress,
    ) -> Result<Vec<LoadedImage>, Error> {
        let path = match &request.input {
            ArchiveInput::Path(path) => sys::fs::canonical(path).ok(),
            ArchiveInput::Stream(_) => None,
        };
        let (mut archive, name) = open(lease, request.input)?;
        let failed = |source| Error::Archive { name: name.clone(), source: Box::new(source) };
        // One form for the policy and for the reader: a rule must not be escaped by what else lies there.
        let form = request.form.map_or_else(|| archive.form(), Ok).map_err(failed)?;
        let wanted = trust::admit_archive(&name, form, path.as_deref(), request.signature_policy.as_deref())?;
        request.form.map_or(Ok(()), |named| archive.expect_form(named)).map_err(failed)?;
        let images = archive.images(form, &request.platform.unwrap_or_else(Platform::host)).map_err(failed)?;
        let mut loaded = Vec::with_capacity(images.len());
        let chosen = choose(images).map_err(|error| match error {
            wrong @ (Error::Reference(_) | Error::DigestAsName(_)) => {
                failed(registry::Error::Invalid { what: format!("archive {name:?}"), why: wrong.to_string() })
            }
            error => error,
        })?;
        // All of them before the first is taken in.
        let chosen = chosen.into_iter().map(|(archived, names)| Ok((archived.image.map_err(failed)?, names)));
        for (image, names) in chosen.collect::<Result<Vec<_>, Error>>()? {
            if let Some(wanted) = &wanted {
                trust::verify_archived(wanted, &archive, &name, &image)?;
            }
            // After the check: what is signed is the manifest as it came.
            let image = if form == Form::Dir { image.truly_labelled().map_err(failed)? } else { image };
            let image = self.take_in(&names, &mut archive, image, None, progress)?;
            loaded.push(LoadedImage { image, names });
        }
        Ok(loaded)
    }
}

/// Decides which images of an archive are meant, and what they shall be called.
pub(super) type Choose<'a> = dyn Fn(Vec<ArchivedImage>) -> Result<Vec<(ArchivedImage, Vec<Reference>)>, Error> + 'a;

/// All of them, as the archive names them.
fn all(images: Vec<ArchivedImage>) -> Result<Vec<(ArchivedImage, Vec<Reference>)>, Error> {
    let named = |image: ArchivedImage| {
        let names = image.names.iter().map(|name| new_name(name)).collect::<Result<Vec<_>, _>>()?;
        Ok((image, names))
    };
    images.into_iter().map(named).collect()
}

/// Opens the archive; what is compressed, or no file, is spooled to the lease's directory first.
fn open(lease: &Lease, input: ArchiveInput) -> Result<(Archive, String), Error> {
    let failed = |name: &str| {
        let name = name.to_owned();
        move |source| Error::Archive { name, source: Box::new(source) }
    };
    match input {
        ArchiveInput::Path(path) => {
            let name = path.display().to_string();
            let stat = sys::fs::stat(&path).map_err(|source| unreadable(&path, source))?;
            if stat.as_ref().is_some_and(|stat| stat.is_dir()) {
                return Ok((Archive::from_dir(&path).map_err(failed(&name))?, name));
            }
            let file = sys::fs::open(&path).map_err(|source| unreadable(&path, source))?;
            let plain = stat.is_some_and(|stat| stat.is_file()) && is_plain(&file, &path)?;
            let file = if plain { file } else { spool(lease, file, &name)? };
            Ok((Archive::from_tar(file, &name).map_err(failed(&name))?, name))
        }
        ArchiveInput::Stream(stream) => {
            let name = "standard input";
            let file = File::from(stream);
            // `load < FILE`: what can be read at any place needs no copy.
            let stat = sys::dir::fstat(file.as_fd()).map_err(|source| unreadable(Path::new(name), source))?;
            let at_start = stat.kind == FileKind::Regular && sys::fs::is_at_start(&file);
            let plain = at_start && is_plain(&file, Path::new(name))?;
            let file = if plain { file } else { spool(lease, file, name)? };
            Ok((Archive::from_tar(file, name).map_err(failed(name))?, name.to_owned()))
        }
    }
}

fn is_plain(file: &File, path: &Path) -> Result<bool, Error> {
    let mut magic = [0; Compression::MAGIC_LEN];
    let count = sys::contents::read_at(file, &mut magic, 0).map_err(|source| unreadable(path, source))?;
    Ok(matches!(Compression::sniff(&magic[..count]), Ok(Compression::None)))
}

pub(super) fn unreadable(path: &Path, source: sys::Error) -> Error {
    Error::Path { what: "read", path: path.to_owned(), source }
}
