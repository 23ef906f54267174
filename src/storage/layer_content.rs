//! Digests of what is in the files of a layer. They find damage, and tell `diff` which files it need not read. What a layer
//! has to be is said by its diff id alone, which covers every byte of it. So each byte is hashed twice on its way into the
//! store, and here by XXH3, at a tenth of what SHA-256 costs. It withstands no attacker: that two digests are different
//! says that the files are, that they are equal says nothing of files that somebody made for it.

use twox_hash::XxHash3_128;

/// Bytes of a digest.
pub(crate) const LENGTH: usize = 16;

/// Digest of a file's content: XXH3 with 128 bits and without a seed, big endian (its canonical form).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Content(pub(crate) [u8; LENGTH]);

/// Computes a [`Content`] piece by piece.
pub(crate) struct ContentHasher(XxHash3_128);

impl std::fmt::Debug for ContentHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ContentHasher").finish_non_exhaustive()
    }
}

impl Content {
    /// Digest of bytes at hand.
    #[cfg(test)]
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut hasher = ContentHasher::new();
        hasher.update(bytes);
        hasher.finish()
    }
}

impl ContentHasher {
    /// Of a file from its beginning.
    pub(crate) fn new() -> Self {
        Self(XxHash3_128::new())
    }

    /// Adds what follows.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    /// The digest of all that was added.
    pub(crate) fn finish(self) -> Content {
        Content(self.0.finish_128().to_be_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::Content;

    #[test]
    fn digests_are_those_of_xxh128sum() {
        for (input, digest) in
            [("", "99aa06d3014798d86001c324468d497f"), ("Sampan\n", "48ee3984c517e91f1909289607cd3c4b")]
        {
            assert_eq!(hex::encode(Content::of(input.as_bytes()).0), digest, "{input:?}");
        }
        let long: Vec<u8> = (0..100_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        assert_eq!(hex::encode(Content::of(&long).0), "077f8d86a61f4d7439cf9d035d60ad58");
    }
}
