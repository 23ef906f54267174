//! Content digests (OCI image spec, "Digests"). Only `sha256` is accepted: it is what every registry serves.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use super::id::is_lower_hex;

/// Text that is not a digest that we accept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a digest: \"sha256:\" and 64 lower-case hexadecimal digits")]
pub(crate) struct InvalidDigest(String);

/// `sha256:<64 hex>`. Safe as a path component by construction (case B02).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Digest([u8; 32]);

impl Digest {
    /// Digest of bytes at hand.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> [u8; 32] {
        self.0
    }

    /// The 64 hexadecimal digits.
    pub(crate) fn hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let invalid = || InvalidDigest(text.chars().take(200).collect());
        let digits = text.strip_prefix("sha256:").ok_or_else(invalid)?;
        if digits.len() != 64 || !is_lower_hex(digits) {
            return Err(invalid());
        }
        let mut bytes = [0; 32];
        hex::decode_to_slice(digits, &mut bytes).ok().ok_or_else(invalid)?;
        Ok(Self(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Parses the text where it lies: a listing reads thousands of digests.
        struct Text;

        impl serde::de::Visitor<'_> for Text {
            type Value = Digest;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a digest")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Digest, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Text)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", &self.hex()[..12])
    }
}

/// Digest of an uncompressed layer tar.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct DiffId(pub(crate) Digest);

/// Digest of a stack of layers (OCI image spec, "Layer ChainID").
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct ChainId(pub(crate) Digest);

impl ChainId {
    /// Chain id of the first layer.
    pub(crate) fn first(diff: &DiffId) -> Self {
        Self(diff.0.clone())
    }

    /// Chain id of `diff` on top of `self`.
    pub(crate) fn then(&self, diff: &DiffId) -> Self {
        Self(Digest::of(format!("{} {}", self.0, diff.0).as_bytes()))
    }

    /// Chain ids of a stack, bottom first, one for each layer.
    pub(crate) fn of_stack(diffs: &[DiffId]) -> Vec<Self> {
        let mut chain: Vec<Self> = Vec::with_capacity(diffs.len());
        for diff in diffs {
            let next = chain.last().map_or_else(|| Self::first(diff), |below| below.then(diff));
            chain.push(next);
        }
        chain
    }
}

#[cfg(test)]
mod tests {
    use super::Digest;

    #[test]
    fn b02_digest_grammar() {
        let good = format!("sha256:{}", "0a".repeat(32));
        assert_eq!(good.parse::<Digest>().expect("valid").to_string(), good);
        for bad in [
            "sha256:../../x".to_owned(),
            format!("sha256:{}", "0A".repeat(32)),
            "sha256:00".to_owned(),
            "md5:d41d8cd98f00b204e9800998ecf8427e".to_owned(),
            format!(":{}", "00".repeat(32)),
            format!("sha256:{}\0", "00".repeat(31)),
            String::new(),
        ] {
            assert!(bad.parse::<Digest>().is_err(), "{bad:?}");
        }
    }
}
