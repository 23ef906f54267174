//! The forms of images outside of a registry, by their transports (containers-transports(5)).

use super::Archive;
use super::plain_dir;
use crate::registry::error::Error;

/// The forms of an image outside of a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// What `docker save` writes: a tar with plain layers.
    DockerArchive,
    /// An OCI layout in a tar.
    OciArchive,
    /// An OCI layout.
    OciDir,
    /// A manifest and its blobs beside each other, whatever their format.
    Dir,
}

impl Form {
    /// True if it is one file.
    pub(crate) fn is_tar(self) -> bool {
        matches!(self, Self::DockerArchive | Self::OciArchive)
    }

    /// Name of the transport, which the rules of a policy go by.
    pub(crate) fn transport(self) -> &'static str {
        match self {
            Self::DockerArchive => "docker-archive",
            Self::OciArchive => "oci-archive",
            Self::OciDir => "oci",
            Self::Dir => "dir",
        }
    }
}

impl Archive {
    /// The form that it has, for who names none.
    pub(crate) fn form(&self) -> Result<Form, Error> {
        // `docker save` of today writes an OCI layout, too; its own list has the full names.
        match self.read("manifest.json")? {
            Some(list) if plain_dir::is_manifest(&list) && plain_dir::is_one(self)? => Ok(Form::Dir),
            Some(_) => Ok(Form::DockerArchive),
            None if self.read("index.json")?.is_none() => Err(Error::NoImagesInside(self.name.clone())),
            None if self.is_dir => Ok(Form::OciDir),
            None => Ok(Form::OciArchive),
        }
    }

    /// Refuses what cannot be read in the form that the user has named.
    pub(crate) fn expect_form(&self, form: Form) -> Result<(), Error> {
        let manifest = self.read("manifest.json")?;
        let fits = form.is_tar() != self.is_dir
            && match form {
                Form::DockerArchive => manifest.is_some_and(|bytes| !plain_dir::is_manifest(&bytes)),
                Form::OciArchive | Form::OciDir => self.read("index.json")?.is_some(),
                Form::Dir => manifest.is_some_and(|bytes| plain_dir::is_manifest(&bytes)),
            };
        if fits {
            return Ok(());
        }
        let kind = if self.is_dir { "a directory" } else { "a file" };
        let why = if form.is_tar() == self.is_dir {
            format!("{kind} is not what {}: names", form.transport())
        } else {
            format!("it has the form of {}:, not of {}:", self.form()?.transport(), form.transport())
        };
        Err(super::archived::invalid(&self.name, why))
    }
}
