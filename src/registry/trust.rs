//! Whom we trust, and what we show: the certificates of a connection.

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{AlertDescription, CertificateError};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey};

use super::error::Error;
use super::tls::{Verifier, is_authority, provider};
use crate::config::certs::Certificates;

/// Why no connection came to be that can be trusted, as far as the user can do something about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TlsFault {
    /// There is only plain http.
    Absent,
    /// Nobody whom we trust has signed the registry's certificate.
    Authority,
    /// It is not valid yet, or no longer: by the clock of this machine.
    Clock,
    /// It is for other hosts.
    Name,
    /// The registry wants a certificate from us, or another one.
    Client,
    Other,
}

impl TlsFault {
    /// What this error of a handshake comes to.
    pub(super) fn of(error: &rustls::Error) -> Self {
        use AlertDescription as Alert;
        use CertificateError as Wrong;
        match error {
            rustls::Error::InvalidCertificate(why) => match why {
                Wrong::UnknownIssuer | Wrong::BadSignature => Self::Authority,
                why if is_authority(why) => Self::Authority,
                Wrong::Expired | Wrong::ExpiredContext { .. } => Self::Clock,
                Wrong::NotValidYet | Wrong::NotValidYetContext { .. } => Self::Clock,
                Wrong::NotValidForName | Wrong::NotValidForNameContext { .. } => Self::Name,
                _ => Self::Other,
            },
            rustls::Error::AlertReceived(
                Alert::BadCertificate
                | Alert::CertificateRequired
                | Alert::CertificateUnknown
                | Alert::CertificateExpired
                | Alert::UnsupportedCertificate
                | Alert::UnknownCA
                | Alert::AccessDenied,
            ) => Self::Client,
            _ => Self::Other,
        }
    }
}

/// The system's certificate authorities, and those that were given for this registry.
pub(super) fn verifier(certificates: &Certificates) -> Result<Verifier, Error> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::debug!(%error, "root certificate left out");
    }
    let mut all = found.certs;
    let given: Vec<_> = certificates.authorities.iter().map(|(path, pem)| (path, certificates_of(pem))).collect();
    for (path, more) in &given {
        let why = "no certificate in PEM is in it";
        match more.as_slice() {
            [] if given.iter().all(|(_, more)| more.is_empty()) => {
                return Err(Error::Certificate { path: (*path).clone(), why });
            }
            [] => tracing::warn!("{} is passed over: {why}", path.display()),
            more => all.extend(more.iter().map(|one| CertificateDer::from(one.der().to_vec()))),
        }
    }
    Verifier::new(all).ok_or(Error::RootCertificates(None))
}

/// The client certificate in place `shown`, if there is one.
pub(super) fn client_certificate(certificates: &Certificates, shown: usize) -> Result<Option<ClientCert>, Error> {
    let Some(client) = certificates.clients.get(shown) else { return Ok(None) };
    let wrong = |why| Error::Certificate { path: client.path.clone(), why };
    let chain = certificates_of(&client.chain);
    if chain.is_empty() {
        return Err(wrong("no certificate in PEM is in it"));
    }
    let key = PrivateKey::from_pem(client.key.expose().as_bytes());
    let key = key.ok().ok_or_else(|| wrong("no private key in PEM (unencrypted) is beside it"))?;
    // The HTTP library takes for granted that they fit: it panics.
    let ders = chain.iter().map(|one| CertificateDer::from(one.der().to_vec())).collect();
    let unusable = "the key beside it is of a kind that is not supported: RSA, P-256, P-384 and Ed25519 are";
    let key_der = PrivateKeyDer::try_from(key.der().to_vec()).ok().ok_or_else(|| wrong(unusable))?;
    let provider = provider();
    provider.key_provider.load_private_key(key_der.clone_key()).ok().ok_or_else(|| wrong(unusable))?;
    match CertifiedKey::from_der(ders, key_der, &provider) {
        Ok(_) => {}
        Err(rustls::Error::InconsistentKeys(_)) => {
            return Err(wrong("the key beside it is not that of this certificate"));
        }
        Err(_) => {
            return Err(wrong("it is not of X.509 version 3: make it anew, with extensions (openssl x509 -extfile)"));
        }
    }
    Ok(Some(ClientCert::new_with_certs(&chain, key)))
}

fn certificates_of(pem: &[u8]) -> Vec<Certificate<'static>> {
    let items = ureq::tls::parse_pem(pem).filter_map(Result::ok);
    let certificates = items.filter_map(|item| match item {
        PemItem::Certificate(certificate) => Some(certificate),
        _ => None,
    });
    certificates.collect()
}
