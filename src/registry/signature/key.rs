//! Public keys in PEM, as `cosign generate-key-pair` writes them.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{SignatureVerificationAlgorithm, SubjectPublicKeyInfoDer};
use webpki::RawPublicKeyEntity;
use webpki::ring::{ECDSA_P256_SHA256, ECDSA_P384_SHA256, ED25519, RSA_PKCS1_2048_8192_SHA256};

use crate::config::policy_json::KeySource;
use crate::sys;

/// Largest file that is read.
const LIMIT: u64 = 64 << 10;

/// One for each kind of key; sigstore signs the SHA-256 of what is signed, and with Ed25519 the bytes themselves.
static ALGORITHMS: [&dyn SignatureVerificationAlgorithm; 4] =
    [ECDSA_P256_SHA256, ECDSA_P384_SHA256, ED25519, RSA_PKCS1_2048_8192_SHA256];

/// A key that signatures can be verified with.
pub(crate) struct Key {
    der: SubjectPublicKeyInfoDer<'static>,
    algorithm: &'static dyn SignatureVerificationAlgorithm,
}

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadKey {
    #[error("read it")]
    Read(#[source] sys::Error),
    #[error("it holds no public key in PEM (BEGIN PUBLIC KEY): {0}")]
    Pem(String),
    #[error("it is not valid: {0}")]
    Der(webpki::Error),
    #[error("sampan knows ECDSA on P-256 and P-384, Ed25519, and RSA: this is none of them")]
    Kind,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

impl Key {
    /// Reads a key of the policy.
    pub(crate) fn read(source: &KeySource) -> Result<Self, BadKey> {
        match source {
            KeySource::Path(path) => Self::from_pem(&sys::fs::read_named(path, LIMIT).map_err(BadKey::Read)?),
            KeySource::Data { pem, .. } => Self::from_pem(pem),
        }
    }

    /// The first public key in this text.
    pub(in crate::registry) fn from_pem(pem: &[u8]) -> Result<Self, BadKey> {
        let der = SubjectPublicKeyInfoDer::from_pem_slice(pem).map_err(|error| BadKey::Pem(error.to_string()))?;
        let key = RawPublicKeyEntity::try_from(&der).map_err(BadKey::Der)?;
        // An algorithm says of a key of another kind that it is one, and of its own that this is no signature.
        let fits = |algorithm: &&&'static dyn SignatureVerificationAlgorithm| {
            matches!(key.verify_signature(**algorithm, b"", b""), Err(webpki::Error::InvalidSignatureForPublicKey))
        };
        let algorithm = *ALGORITHMS.iter().find(fits).ok_or(BadKey::Kind)?;
        Ok(Self { der, algorithm })
    }

    /// True if the owner of this key has signed these bytes.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let key = RawPublicKeyEntity::try_from(&self.der);
        key.is_ok_and(|key| key.verify_signature(self.algorithm, message, signature).is_ok())
    }
}
