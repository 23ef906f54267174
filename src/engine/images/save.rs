//! `save`, and `push` to a place that is no registry: images of the store into an archive or a directory. Blobs and
//! manifests go out byte for byte, unless the form cannot hold them or the user wants them otherwise.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::outgoing::{Instance, Outgoing};
use super::outgoing_list::Given;
use super::transport::Output;
use crate::engine::{Engine, Error};
use crate::registry::archive::Form;
use crate::registry::archive::{self, DockerItem, OciItem, Writer};
use crate::registry::{Access, ManifestFormat};
use crate::storage::lease::Lease;
use crate::storage::unpack::Compression;
use crate::sys;
use crate::sys::caretaker::Caretaker;
use crate::sys::outfile::{OutDir, OutFile};
use crate::types::descriptor::{DOCUMENT_LIMIT, Descriptor};
use crate::types::digest::{ChainId, Digest};
use crate::types::progress::Progress;
use crate::types::reference::Reference;

/// What to save, and where to.
#[derive(Debug)]
pub(crate) struct SaveRequest {
    /// Names or ids.
    pub(crate) images: Vec<String>,
    pub(crate) form: Form,
    pub(crate) output: Output,
    pub(crate) names: SavedNames,
    /// Of the manifests; as they are if not given. An OCI layout holds OCI's only.
    pub(crate) format: Option<ManifestFormat>,
    pub(crate) layers: LayerForm,
    /// Of a list: every image that is here, not only this machine's.
    pub(crate) all: bool,
    /// How to reach registries where blobs are that are not here.
    pub(crate) access: Access,
}

/// The names of the images in the archive.
#[derive(Debug)]
pub(crate) enum SavedNames {
    /// As the user named them (an id is no name); the only image gets these, too.
    AsAsked(Vec<Reference>),
    /// This, or none.
    Only(Option<String>),
}

/// How layers shall be compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LayerForm {
    /// As they are.
    Kept,
    Plain,
    /// Those that are plain, with gzip.
    Squeezed,
    /// All of them, at this level.
    Compressed(Compression, Option<i32>),
}

/// What was written.
#[derive(Debug)]
pub(crate) struct SaveReport {
    /// Of the manifest or index of each image, as it stands there.
    pub(crate) digests: Vec<Digest>,
}

impl Engine {
    /// Saves. After an error nothing is at the path that was not there before.
    pub(crate) fn save(&self, request: &SaveRequest, progress: &dyn Progress) -> Result<SaveReport, Error> {
        let lease = self.store.lease()?;
        let saved = self.save_in(&lease, request, progress);
        self.end_lease(lease, saved)
    }

    fn save_in(&self, lease: &Lease, request: &SaveRequest, progress: &dyn Progress) -> Result<SaveReport, Error> {
        let all = request.all && request.form != Form::DockerArchive;
        if request.all && !all {
            self.refuse_lists(&request.images)?;
        }
        let given = Given { access: &request.access, registry: None };
        let mut images = self.outgoing(lease, &request.images, &request.names, all, &given)?;
        if request.form == Form::Dir && images.len() > 1 {
            return Err(Error::OneImageOnly { count: images.len() });
        }
        if request.form == Form::DockerArchive {
            // Its layers are plain, whatever they came in.
            for image in &mut images {
                self.complete(lease, image, None, LayerForm::Plain, (&given, progress))?;
            }
        } else {
            let format = match request.form {
                Form::Dir => request.format,
                _ => Some(ManifestFormat::Oci),
            };
            for image in &mut images {
                // A list stays as it is unless somebody wants it otherwise; but a layout holds none of Docker's.
                let format = match &image.list {
                    Some(list) if !list.is_docker() => request.format,
                    _ => request.format.or(format),
                };
                self.complete(lease, image, format, request.layers, (&given, progress))?;
                self.rewrite(lease, image, format, request.layers, progress)?;
            }
        }
        let digests = images.iter().map(|image| image.digest.clone()).collect();
        match (&request.output, request.form.is_tar()) {
            (Output::Path(path), true) => {
                let target = OutFile::create(path).map_err(|source| unwritable(path, source))?;
                self.write_tar(&target, &path.display().to_string(), &images, request.form, progress)?;
                target.publish().map_err(|source| unwritable(path, source))?;
            }
            (Output::Stream(stream), true) => {
                let name = "standard output";
                let stream = sys::stream::duplicate(stream).map_err(|error| unwritable(Path::new(name), error))?;
                self.write_tar(&OutFile::stream(stream.into()), name, &images, request.form, progress)?;
            }
            (Output::Path(path), false) => self.write_dir(path, &images, request.form, progress)?,
            (Output::Stream(_), false) => return Err(Error::DirectoryAsStream),
        }
        Ok(SaveReport { digests })
    }

    /// All images of a list are wanted, in a form that has one each.
    fn refuse_lists(&self, texts: &[String]) -> Result<(), Error> {
        for text in texts {
            if let Some(list) = self.find_list(text)?
                && list.entries.len() > 1
            {
                return Err(Error::ListInDockerArchive { list: list.name, count: list.entries.len() });
            }
        }
        Ok(())
    }

    fn write_tar(
        &self,
        target: &OutFile,
        name: &str,
        images: &[Outgoing],
        form: Form,
        progress: &dyn Progress,
    ) -> Result<(), Error> {
        let file = target.duplicate().map_err(|error| unwritable(Path::new(name), error))?;
        let mut out = Out { writer: Writer::tar(file, name), name: name.to_owned(), layout: None, progress };
        match form {
            Form::DockerArchive => self.write_docker(&mut out, images)?,
            _ => self.write_oci(&mut out, images, None)?,
        }
        out.finish()
    }

    /// A directory that is not there yet is made beside its place; one that is there is added to, or replaced.
    fn write_dir(&self, path: &Path, images: &[Outgoing], form: Form, progress: &dyn Progress) -> Result<(), Error> {
        let name = path.display().to_string();
        // Without the slash at the end, so that it has a parent.
        let path = &path.components().collect::<PathBuf>();
        loop {
            if self.try_write_dir(path, images, form, &name, progress)? {
                return Ok(());
            }
        }
    }

    /// False: the layout has been made by somebody else meanwhile, and can be added to.
    fn try_write_dir(
        &self,
        path: &Path,
        images: &[Outgoing],
        form: Form,
        name: &str,
        progress: &dyn Progress,
    ) -> Result<bool, Error> {
        let failed = |source| unwritable(path, source);
        let name = name.to_owned();
        let mark = if form == Form::Dir { "version" } else { "index.json" };
        let there = sys::fs::stat(path).map_err(failed)?;
        if there.is_some_and(|stat| !stat.is_dir()) {
            return Err(Error::SaveToFile(path.to_owned()));
        }
        // One writer at a time: the others wait, and add to what is there then.
        let lock = sys::outfile::lock_dir(path).map_err(failed)?;
        let empty = lock.is_none() || sys::fs::names(path).map_err(failed)?.is_empty();
        if !empty && !sys::fs::exists(&path.join(mark)) {
            return Err(Error::ForeignDirectory(path.to_owned()));
        }
        if !empty && form == Form::OciDir {
            // Nobody else writes here now.
            sys::outfile::sweep_dir(&path.join("blobs/sha256"));
            let index = sys::fs::read_limited(&path.join(mark), DOCUMENT_LIMIT).map_err(failed)?;
            let mut out = Out { writer: Writer::dir(path), name, layout: Some(path), progress };
            self.write_oci(&mut out, images, Some(&index))?;
            return out.finish().map(|()| true);
        }
        let staging = sys::outfile::temporary(path);
        // Without one, what a killed command leaves is the next writer's to take away.
        let _caretaker = Caretaker::of(&staging).inspect_err(|error| tracing::debug!(%error, "no caretaker"));
        let staged = OutDir::create(path, staging).map_err(failed)?;
        let mut out = Out { writer: Writer::dir(staged.dir()), name, layout: None, progress };
        let written = match form {
            Form::Dir => self.write_plain(&mut out, images),
            _ => self.write_oci(&mut out, images, None),
        };
        let written = written.and_then(|()| out.finish());
        if let Err(error) = written {
            // The error that brought us here is the one to tell.
            drop(staged.discard());
            return Err(error);
        }
        let temporary = staged.dir().to_owned();
        match staged.publish(lock.is_some()) {
            Ok(()) => Ok(true),
            Err(error) => {
                drop(sys::fs::remove_tree(&temporary));
                if error.is(sys::Errno::EEXIST) { Ok(false) } else { Err(failed(error)) }
            }
        }
    }

    fn write_oci(&self, out: &mut Out<'_>, images: &[Outgoing], index: Option<&[u8]>) -> Result<(), Error> {
        let mut items = Vec::with_capacity(images.len());
        for image in images {
            for instance in &image.instances {
                self.write_blobs(out, instance, &archive::oci_blob)?;
                out.put(&archive::oci_blob(&instance.digest), &instance.bytes)?;
            }
            if let Some(list) = &image.list {
                out.put(&archive::oci_blob(&image.digest), &list.bytes)?;
            }
            let (media_type, size) = image.top();
            let descriptor = Descriptor { media_type, digest: image.digest.clone(), size };
            let platform =
                image.instances.first().filter(|_| image.list.is_none()).and_then(|one| one.platform.clone());
            items.push(OciItem { descriptor, platform, names: image.names.clone() });
        }
        archive::finish_oci(&mut out.writer, &items, index).map_err(saving(&out.name))
    }

    fn write_plain(&self, out: &mut Out<'_>, images: &[Outgoing]) -> Result<(), Error> {
        for image in images {
            for instance in &image.instances {
                self.write_blobs(out, instance, &archive::dir_blob)?;
            }
            match (&image.list, image.instances.first()) {
                (Some(list), _) => {
                    let instances: Vec<_> =
                        image.instances.iter().map(|one| (one.digest.clone(), one.bytes.clone())).collect();
                    archive::finish_dir(&mut out.writer, &list.bytes, &instances).map_err(saving(&out.name))?;
                }
                (None, Some(one)) => {
                    archive::finish_dir(&mut out.writer, &one.bytes, &[]).map_err(saving(&out.name))?;
                }
                (None, None) => {}
            }
        }
        Ok(())
    }

    fn write_blobs(
        &self,
        out: &mut Out<'_>,
        instance: &Instance,
        file_name: &dyn Fn(&Digest) -> String,
    ) -> Result<(), Error> {
        for descriptor in instance.layers.iter().chain([&instance.config]) {
            let name = file_name(&descriptor.digest);
            let there = out.layout.and_then(|layout| sys::fs::stat(&layout.join(&name)).ok().flatten());
            if out.writer.has(&name) || there.is_some_and(|stat| stat.len() == descriptor.size) {
                continue;
            }
            let id = &descriptor.digest.hex()[..12];
            out.progress.begin(id, id, Some(descriptor.size));
            let mut blob: Box<dyn Read> = match instance.staged.get(&descriptor.digest) {
                Some(staged) => Box::new(staged.open()?),
                None => Box::new(self.kept_blob(&descriptor.digest)?),
            };
            let mut content = Told { inner: &mut blob, progress: out.progress, id, at: 0 };
            out.stream(&name, descriptor.size, &descriptor.digest, &mut content)?;
            out.progress.phase(id, "done");
        }
        Ok(())
    }

    /// Layers go out as the plain tars that `docker load` and every other reader of this form takes.
    fn write_docker(&self, out: &mut Out<'_>, images: &[Outgoing]) -> Result<(), Error> {
        let mut items: Vec<DockerItem> = Vec::with_capacity(images.len());
        for image in images {
            let Some(instance) = image.instances.first() else { continue };
            let chains = ChainId::of_stack(&instance.diff_ids);
            for ((layer, diff_id), chain) in instance.layers.iter().zip(&instance.diff_ids).zip(&chains) {
                let name = archive::docker_layer(diff_id);
                if out.writer.has(&name) {
                    continue;
                }
                let size = self.plain_size(layer, &instance.staged, chain)?;
                let id = &layer.digest.hex()[..12];
                out.progress.begin(id, id, Some(size));
                let mut plain = self.plain_layer(&layer.digest, &instance.staged)?;
                let mut content = Told { inner: &mut plain, progress: out.progress, id, at: 0 };
                match out.stream(&name, size, &diff_id.0, &mut content) {
                    Ok(()) => plain.finish()?,
                    Err(error) => return Err(plain.abandon(error)),
                };
                out.progress.phase(id, "done");
            }
            let config = self.document(&instance.config.digest)?;
            out.put(&archive::docker_config(&instance.config.digest), &config)?;
            // Two manifests of one image are one image of an archive that holds no manifest of either.
            match items.iter_mut().find(|item| item.config == instance.config.digest) {
                Some(item) => item.names.extend(image.names.iter().cloned()),
                None => items.push(DockerItem {
                    config: instance.config.digest.clone(),
                    layers: instance.diff_ids.clone(),
                    names: image.names.clone(),
                }),
            }
        }
        archive::finish_docker(&mut out.writer, &items).map_err(saving(&out.name))
    }
}

/// An archive being written, and who hears of it.
struct Out<'a> {
    writer: Writer,
    name: String,
    /// A layout that is added to: what it has is not written again.
    layout: Option<&'a Path>,
    progress: &'a dyn Progress,
}

impl Out<'_> {
    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        self.writer.put(name, bytes).map_err(saving(&self.name))
    }

    fn stream(&mut self, name: &str, size: u64, digest: &Digest, content: &mut dyn Read) -> Result<(), Error> {
        self.writer.stream(name, size, digest, content).map_err(saving(&self.name))
    }

    fn finish(self) -> Result<(), Error> {
        let saving = saving(&self.name);
        self.writer.finish().map_err(saving)
    }
}

/// Tells the progress of what is read through it.
struct Told<'a> {
    inner: &'a mut dyn Read,
    progress: &'a dyn Progress,
    id: &'a str,
    at: u64,
}

impl Read for Told<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.at += count as u64;
        self.progress.advance(self.id, self.at);
        Ok(count)
    }
}

fn saving(name: &str) -> impl Fn(crate::registry::Error) -> Error {
    move |source| Error::SaveTo { name: name.to_owned(), source: Box::new(source) }
}

fn unwritable(path: &Path, source: sys::Error) -> Error {
    Error::Output { path: path.to_owned(), source }
}
