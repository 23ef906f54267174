//! In which form an image goes out: `push` and `manifest push`.

use super::super::error::Error;
use crate::engine::images::{Compression, LayerForm, ManifestFormat, layer_form};

/// Flags of the manifest's format and of the layers' compression.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct FormFlags {
    /// Compression of layers: gzip or zstd. Those that have another one are compressed anew.
    #[arg(long, value_name = "FORMAT", value_parser = compression)]
    compression_format: Option<Compression>,
    /// Level of the compression: 1 to 9 for gzip, 1 to 20 for zstd. All layers are compressed anew.
    #[arg(long, value_name = "LEVEL", value_parser = clap::value_parser!(i32).range(1..=20))]
    compression_level: Option<i32>,
    /// Compress layers anew that have another compression than gzip, or than --compression-format says.
    #[arg(long)]
    force_compression: bool,
    /// Format of the manifest: oci or v2s2. As it is if not given.
    #[arg(short, long, value_name = "FORMAT", value_parser = manifest_format)]
    format: Option<ManifestFormat>,
}

impl FormFlags {
    /// In the engine's words.
    pub(crate) fn form(&self) -> Result<(Option<ManifestFormat>, LayerForm), Error> {
        let zstd = self.compression_format == Some(Compression::Zstd);
        if zstd && self.format == Some(ManifestFormat::Docker) {
            return Err(Error::usage("--format v2s2 knows no layers in zstd: use --format oci"));
        }
        if !zstd && self.compression_level.is_some_and(|level| level > 9) {
            return Err(Error::usage("--compression-level: gzip has the levels 1 to 9"));
        }
        // Schema 2 has no name for such layers.
        let format = self.format.or(zstd.then_some(ManifestFormat::Oci));
        Ok((format, layer_form(self.compression_format, self.compression_level, self.force_compression)))
    }
}

fn compression(text: &str) -> Result<Compression, String> {
    match text {
        "gzip" => Ok(Compression::Gzip),
        "zstd" => Ok(Compression::Zstd),
        "zstd:chunked" => Err("gzip or zstd: layers in chunks are not written".to_owned()),
        _ => Err("gzip or zstd".to_owned()),
    }
}

fn manifest_format(text: &str) -> Result<ManifestFormat, String> {
    match text {
        "oci" => Ok(ManifestFormat::Oci),
        // Podman's word for it, too.
        "v2s2" | "docker" => Ok(ManifestFormat::Docker),
        "v2s1" => Err("oci or v2s2: the old schema 1 carries no checked sizes".to_owned()),
        _ => Err("oci or v2s2".to_owned()),
    }
}
