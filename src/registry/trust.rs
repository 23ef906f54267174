//! Whom we trust, and what we show: the certificates of a connection.

use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts};

use super::error::Error;
use crate::config::certs::Certificates;

/// The system's certificate authorities, and those that were given for this registry.
pub(super) fn roots(certificates: &Certificates) -> Result<RootCerts, Error> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::debug!(%error, "root certificate left out");
    }
    let mut all: Vec<Certificate<'static>> =
        found.certs.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
    for (path, pem) in &certificates.authorities {
        let more = certificates_of(pem);
        if more.is_empty() {
            return Err(Error::Certificate { path: path.clone(), why: "no certificate in PEM is in it" });
        }
        all.extend(more);
    }
    if all.is_empty() {
        return Err(Error::RootCertificates(None));
    }
    Ok(all.into())
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
