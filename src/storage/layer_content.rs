//! Digests of what is in the files of a layer. They find damage and tell `diff` what is the same; what a layer has to
//! be is said by its diff id alone, which covers every byte of it. So each byte is hashed twice on its way into the
//! store, and here by BLAKE3, which costs less than SHA-256 even where the processor has instructions for that. Indexes
//! that were written earlier have SHA-256.

use sha2::{Digest as _, Sha256};

/// Digest of a file's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// It was not computed.
    Unknown,
    Sha256([u8; 32]),
    Blake3([u8; 32]),
}

/// Computes a [`Content`] piece by piece.
#[derive(Debug)]
pub(crate) enum ContentHasher {
    Sha256(Sha256),
    Blake3(Box<blake3::Hasher>),
}

impl Content {
    /// Digest of bytes at hand.
    #[cfg(test)]
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut hasher = ContentHasher::new();
        hasher.update(bytes);
        hasher.finish()
    }

    /// Computes a digest that can be compared with this one; none if this one says nothing.
    pub(crate) fn hasher(self) -> Option<ContentHasher> {
        match self {
            Self::Unknown => None,
            Self::Sha256(_) => Some(ContentHasher::Sha256(Sha256::new())),
            Self::Blake3(_) => Some(ContentHasher::new()),
        }
    }
}

impl ContentHasher {
    /// Of a file that is being written.
    pub(crate) fn new() -> Self {
        Self::Blake3(Box::new(blake3::Hasher::new()))
    }

    /// Adds what follows.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hash) => hash.update(bytes),
            Self::Blake3(hash) => {
                hash.update(bytes);
            }
        }
    }

    /// The digest of all that was added. What is added afterwards belongs to another file.
    pub(crate) fn finish(&mut self) -> Content {
        match self {
            Self::Sha256(hash) => Content::Sha256(hash.finalize_reset().into()),
            Self::Blake3(hash) => {
                let digest = *hash.finalize().as_bytes();
                hash.reset();
                Content::Blake3(digest)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Content, ContentHasher};

    /// The empty input of the BLAKE3 paper's test vectors, and of FIPS 180-4.
    const EMPTY: [(&str, &str); 2] = [
        ("blake3", "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"),
        ("sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ];

    #[test]
    fn digests_are_the_published_ones_and_begin_anew() {
        let hex = |content| match content {
            Content::Blake3(digest) => ("blake3", hex::encode(digest)),
            Content::Sha256(digest) => ("sha256", hex::encode(digest)),
            Content::Unknown => ("unknown", String::new()),
        };
        let like = |content: Content| content.hasher().expect("a known function");
        for (mut hasher, (name, digest)) in
            [ContentHasher::new(), like(Content::Sha256([0; 32]))].into_iter().zip(EMPTY)
        {
            assert_eq!(hex(hasher.finish()), (name, digest.to_owned()));
            hasher.update(b"something");
            let something = hasher.finish();
            assert_eq!(hex(hasher.finish()), (name, digest.to_owned()), "begins anew");
            let mut again = like(something);
            for piece in [&b"some"[..], b"thing"] {
                again.update(piece);
            }
            assert_eq!(again.finish(), something);
        }
        assert!(Content::Unknown.hasher().is_none());
    }
}
