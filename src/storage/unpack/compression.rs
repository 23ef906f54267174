//! How a layer is compressed, told by its first bytes.

use std::fmt;

use super::error::Error;

/// Compressions that layers may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    /// Number of first bytes that [`Self::sniff`] wants to see.
    pub(crate) const MAGIC_LEN: usize = 6;

    /// True for a stream of xz or bzip2: no layer may be one, but an archive.
    pub(crate) fn is_of_archives(magic: &[u8]) -> bool {
        Self::is_xz(magic) || Self::is_bzip2(magic)
    }

    pub(super) fn is_xz(magic: &[u8]) -> bool {
        magic.starts_with(&[0xfd, b'7', b'z', b'X', b'Z', 0])
    }

    pub(super) fn is_bzip2(magic: &[u8]) -> bool {
        magic.starts_with(b"BZh")
    }

    /// What a stream that begins with these bytes is; what we know but cannot read is an error.
    pub(crate) fn sniff(magic: &[u8]) -> Result<Self, Error> {
        match magic {
            [0x1f, 0x8b, 0x08, ..] => Ok(Self::Gzip),
            // A frame, or a skippable frame in front of one (RFC 8878).
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Ok(Self::Zstd),
            magic if Self::is_xz(magic) => Err(Error::UnsupportedCompression("xz")),
            magic if Self::is_bzip2(magic) => Err(Error::UnsupportedCompression("bzip2")),
            [0x04, 0x22, 0x4d, 0x18, ..] => Err(Error::UnsupportedCompression("lz4")),
            _ => Ok(Self::None),
        }
    }

    /// The compression that a layer's media type announces; `None` for a type that is no layer we can read (A27).
    pub(crate) fn of_media_type(media_type: &str) -> Option<Self> {
        match media_type {
            "application/vnd.oci.image.layer.v1.tar"
            | "application/vnd.oci.image.layer.nondistributable.v1.tar"
            | "application/vnd.docker.image.rootfs.diff.tar" => Some(Self::None),
            "application/vnd.oci.image.layer.v1.tar+gzip"
            | "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
            | "application/vnd.docker.image.rootfs.diff.tar.gzip"
            | "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" => Some(Self::Gzip),
            "application/vnd.oci.image.layer.v1.tar+zstd"
            | "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd"
            | "application/vnd.docker.image.rootfs.diff.tar.zstd" => Some(Self::Zstd),
            _ => None,
        }
    }

    /// Media type of an OCI layer that is compressed like this.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::None => "application/vnd.oci.image.layer.v1.tar",
            Self::Gzip => "application/vnd.oci.image.layer.v1.tar+gzip",
            Self::Zstd => "application/vnd.oci.image.layer.v1.tar+zstd",
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "uncompressed",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }
}
