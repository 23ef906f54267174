//! A file from any web server, by the same rules as from a registry: no credentials, few redirects, never from https
//! to http, and a time limit for silence.

use std::io::Read as _;

use super::client::{Ask, Client};
use super::error::Error;
use super::session::BlobSink;
use super::url::{self, Origin};

/// Fetches `address` (http or https) into `sink`.
pub(crate) fn download(address: &str, sink: &mut dyn BlobSink) -> Result<(), Error> {
    let invalid = |why: &str| Error::Invalid { what: format!("address {address:?}"), why: why.to_owned() };
    let uri = url::parse(address).map_err(invalid)?;
    let origin = Origin::of(&uri).ok_or_else(|| invalid("it names no host"))?;
    let mut client = Client::new(&origin.name(), false);
    if !origin.is_https() {
        client.allow_http();
    }
    let reply = client.ask(&Ask::get(uri))?;
    let (status, host) = (reply.status, reply.host.clone());
    if status != 200 {
        return Err(Error::Status { url: address.to_owned(), status, detail: reply.detail() });
    }
    let mut body = reply.into_reader();
    let mut buffer = vec![0; 256 << 10];
    loop {
        match body.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => sink.write(&buffer[..count]).map_err(Error::Sink)?,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(super::reply::body_failure(error, &host)),
        }
    }
}
