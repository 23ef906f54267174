//! Blobs that a pull has not fetched because their layers were here in another compression: what stands in for them, and
//! how an image goes out as it came all the same.

use super::outgoing::{Instance, Outgoing};
use super::outgoing_list::Given;
use super::save::LayerForm;
use crate::engine::{Engine, Error};
use crate::registry::{self, ManifestFormat};
use crate::storage::blobs::StagedBlob;
use crate::storage::images::ImageRecord;
use crate::storage::lease::Lease;
use crate::storage::unpack::Compression;
use crate::sys;
use crate::types::descriptor::Descriptor;
use crate::types::digest::{DiffId, Digest};
use crate::types::failure::chain;
use crate::types::progress::Progress;

/// A manifest with blobs that were never fetched, because their layers were here already.
#[derive(Debug)]
pub(super) struct Pulled {
    pub(super) digest: Digest,
    pub(super) bytes: Vec<u8>,
    pub(super) layers: Vec<Descriptor>,
    /// Those that are not here, with what stands in for them.
    pub(super) absent: Vec<Absent>,
}

/// A blob that is not here.
#[derive(Debug)]
pub(super) struct Absent {
    pub(super) layer: Descriptor,
    pub(super) diff_id: DiffId,
    /// The same layer in another compression; none if the store has lost that, too.
    pub(super) twin: Option<Descriptor>,
}

impl Instance {
    /// Its manifest is of schema 2.
    pub(super) fn is_docker(&self) -> bool {
        self.media_type.contains("docker")
    }

    /// Goes back to the manifest that came. Who does so has found a way to the blobs that are not here.
    pub(super) fn restore(&mut self) {
        if let Some(pulled) = &self.pulled {
            self.digest = pulled.digest.clone();
            self.bytes.clone_from(&pulled.bytes);
            self.layers.clone_from(&pulled.layers);
        }
    }
}

impl Engine {
    /// True if a blob is here, for as long as the lease, or in an additional store.
    pub(super) fn relies_on(&self, lease: &Lease, blob: &Digest) -> Result<bool, Error> {
        Ok(lease.rely_on_blob(&self.store, blob)? || sys::fs::exists(&self.store.find_blob(blob)))
    }

    /// The same layer as the record knows it, or as another image has it: a pull fetches no blob whose layer is here.
    pub(super) fn same_layer(
        &self,
        lease: &Lease,
        record: &ImageRecord,
        diff_id: &DiffId,
        format: ManifestFormat,
    ) -> Result<Option<Descriptor>, Error> {
        let images = self.store.images()?.0;
        for layer in std::iter::once(record).chain(images.iter().map(|image| &image.record)).flat_map(|r| &r.layers) {
            if layer.diff_id == *diff_id
                && let Some(blob) = &layer.blob
                && self.relies_on(lease, blob)?
            {
                let media_type = registry::media_type(format, &layer.media_type);
                return Ok(Some(Descriptor { media_type, digest: blob.clone(), size: layer.size }));
            }
        }
        Ok(None)
    }

    /// Brings images back to what came, as far as the form in which they go out has anything of it: the blobs that are not
    /// here are made of what is, or fetched from where the image was pulled. Without that, the layers go out as they are
    /// here, and this is told; a layer that is not here at all is an error.
    pub(super) fn complete(
        &self,
        lease: &Lease,
        image: &mut Outgoing,
        format: Option<ManifestFormat>,
        form: LayerForm,
        (given, progress): (&Given<'_>, &dyn Progress),
    ) -> Result<(), Error> {
        for instance in &mut image.instances {
            let Some(pulled) = &instance.pulled else { continue };
            let lost = pulled.absent.iter().find(|absent| absent.twin.is_none());
            let same_format = format.is_none_or(|format| (format == ManifestFormat::Docker) == instance.is_docker());
            let as_it_came = matches!(form, LayerForm::Kept | LayerForm::Squeezed) && same_format;
            if lost.is_none() && !as_it_came {
                continue;
            }
            match self.bring_absent(lease, instance, pulled, given, progress) {
                Ok(staged) => {
                    instance.staged.extend(staged.into_iter().map(|blob| (blob.digest.clone(), blob)));
                    instance.restore();
                    instance.pulled = None;
                }
                Err(error) if lost.is_none() => {
                    let why = chain(&error);
                    let cure = error.origin_login().map(|host| format!("; log in there with sampan login {host}"));
                    progress.warn(&format!(
                        "layers of {} are here in another compression than they came in, and go out in that: the digest \
                         changes ({why}{})",
                        pulled.digest,
                        cure.unwrap_or_default()
                    ));
                }
                Err(error) => return Err(error),
            }
            if image.list.is_none() {
                image.digest = instance.digest.clone();
            }
        }
        Ok(())
    }

    fn bring_absent(
        &self,
        lease: &Lease,
        instance: &Instance,
        pulled: &Pulled,
        given: &Given<'_>,
        progress: &dyn Progress,
    ) -> Result<Vec<StagedBlob>, Error> {
        let mut staged = Vec::with_capacity(pulled.absent.len());
        for Absent { layer, diff_id, twin } in &pulled.absent {
            let id = &layer.digest.hex()[..12];
            progress.begin(id, &format!("Copying blob {id}"), Some(layer.size));
            staged.push(match (twin, &instance.source) {
                (Some(twin), _) if layer.digest == diff_id.0 => {
                    self.recode(lease, (twin, &instance.staged), diff_id, None, Compression::None)?
                }
                (_, Some(source)) => self.fetch_blob(lease, &source.reference, source.tls_verify, layer, given)?,
                (_, None) => return Err(Error::BlobGone(layer.digest.clone())),
            });
            progress.phase(id, "fetched");
        }
        Ok(staged)
    }
}
