//! The trust policy of the user or the host: asked before anything is fetched, and, where it wants a signature, again
//! when the manifest is known and before a layer is.

use std::path::{Path, PathBuf};

use crate::config::policy_json::{self, Policy, Refused, SigstoreSigned, Wanted};
use crate::config::registries_d::RegistriesD;
use crate::engine::Error;
use crate::registry::archive::{Archive, Form};
use crate::registry::signature::{self, Attachment, BadKey, Key};
use crate::registry::{RemoteImage, Source};
use crate::types::digest::Digest;
use crate::types::reference::Reference;

/// Why an image is not trusted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Distrust {
    #[error(transparent)]
    Refused(Refused),
    #[error("it asks for a signature, and images of {0} cannot hold one")]
    NoPlace(&'static str),
    #[error("it asks for a signature, and none is looked for at {registry}")]
    NotLookedFor { registry: String },
    #[error("requirement {number} (sigstoreSigned): use key {key}")]
    Key {
        number: usize,
        key: String,
        #[source]
        source: BadKey,
    },
    #[error("requirement {number} (sigstoreSigned by {keys}): {why}")]
    Signature { number: usize, keys: String, place: String, why: signature::Distrust },
}

/// Refuses an image of a registry that the policy does not trust. Gives back what it must be signed by.
pub(super) fn admit_reference(reference: &Reference, policy: Option<&Path>) -> Result<Option<Wanted>, Error> {
    admit(&reference.to_string(), "docker", policy, || policy_json::registry_scopes(reference))
}

/// Refuses an archive or a directory (`docker-archive`, `oci-archive`, `oci`, `dir`) that the policy does not trust.
/// `path` is absolute; a stream has none.
pub(super) fn admit_archive(
    name: &str,
    form: Form,
    path: Option<&Path>,
    policy: Option<&Path>,
) -> Result<Option<Wanted>, Error> {
    // Rules for docker-archive have no scopes.
    let path = path.filter(|_| form != Form::DockerArchive);
    let wanted = admit(name, form.transport(), policy, || path.map(policy_json::path_scopes).unwrap_or_default())?;
    match wanted {
        Some(wanted) if form != Form::Dir => Err(untrusted(name, &wanted, Distrust::NoPlace(form.transport()))),
        wanted => Ok(wanted),
    }
}

/// Refuses a root file system (Podman's transport `tarball`, which has no scopes) that the policy does not trust.
pub(super) fn admit_import(name: &str, policy: Option<&Path>) -> Result<(), Error> {
    match admit(name, "tarball", policy, Vec::new)? {
        Some(wanted) => Err(untrusted(name, &wanted, Distrust::NoPlace("tarball"))),
        None => Ok(()),
    }
}

/// `None`: it may be used as it is.
fn admit(
    name: &str,
    transport: &str,
    policy: Option<&Path>,
    scopes: impl FnOnce() -> Vec<String>,
) -> Result<Option<Wanted>, Error> {
    let Some(policy) = Policy::load(policy).map_err(Error::Config)? else { return Ok(None) };
    match policy.admit(transport, &scopes()) {
        Ok(wanted) => Ok(Some(wanted).filter(|wanted| !wanted.signatures.is_empty())),
        Err(refusal) => {
            let (policy, scope) = (refusal.path, refusal.scope);
            Err(error(name, policy, scope, Distrust::Refused(refusal.why)))
        }
    }
}

/// Refuses an image of a registry that is not signed as the policy wants. Of an index the image for the platform is
/// what must be signed, as in Podman.
pub(super) fn verify_reference(
    wanted: &Wanted,
    reference: &Reference,
    image: &Digest,
    source: &mut Source,
) -> Result<(), Error> {
    let name = reference.to_string();
    let keys = read_keys(&name, wanted)?;
    let place = source.place().unwrap_or_default();
    let known = RegistriesD::load().map_err(Error::Config)?;
    if !known.uses_sigstore_attachments(place.clone(), &reference.suffix()) {
        let registry = place.split('/').next().unwrap_or_default().to_owned();
        return Err(untrusted(&name, wanted, Distrust::NotLookedFor { registry }));
    }
    let failed = |source| Error::Pull { name: name.clone(), source: Box::new(source) };
    let attachments = source.signatures(image).map_err(failed)?;
    let place = format!("{place}:{}", signature::tag(image));
    verify(wanted, &keys, &attachments, &Candidate { name: &name, image, asked: Some(reference), place })
}

/// Refuses an image of a directory that is not signed as the policy wants. It has no name: only a rule with a name of
/// its own can be met.
pub(super) fn verify_archived(
    wanted: &Wanted,
    archive: &Archive,
    name: &str,
    image: &RemoteImage,
) -> Result<(), Error> {
    let keys = read_keys(name, wanted)?;
    let digest = &image.manifest_digest;
    let attachments = archive.signatures(image.index.is_some().then_some(digest));
    let attachments =
        attachments.map_err(|source| Error::Archive { name: name.to_owned(), source: Box::new(source) })?;
    let place = format!("{name}/signature-1");
    verify(wanted, &keys, &attachments, &Candidate { name, image: digest, asked: None, place })
}

/// All keys of all requirements: one that cannot be used is an error even if another one would do.
fn read_keys(name: &str, wanted: &Wanted) -> Result<Vec<Vec<Key>>, Error> {
    let of_one = |(number, signed): &(usize, SigstoreSigned)| {
        let read = |key| {
            let bad = |source| Distrust::Key { number: *number, key: format!("{key}"), source };
            Key::read(key).map_err(|source| untrusted(name, wanted, bad(source)))
        };
        signed.keys.iter().map(read).collect::<Result<Vec<_>, _>>()
    };
    wanted.signatures.iter().map(of_one).collect()
}

/// An image that is not admitted yet.
struct Candidate<'a> {
    /// For messages.
    name: &'a str,
    image: &'a Digest,
    /// The name that it was asked for by.
    asked: Option<&'a Reference>,
    /// Where its signatures are looked for.
    place: String,
}

fn verify(
    wanted: &Wanted,
    keys: &[Vec<Key>],
    attachments: &[Attachment],
    candidate: &Candidate<'_>,
) -> Result<(), Error> {
    for ((number, signed), keys) in wanted.signatures.iter().zip(keys) {
        let checked = signature::check(attachments, keys, &signed.identity, candidate.image, candidate.asked);
        checked.map_err(|why| {
            let keys: Vec<String> = signed.keys.iter().map(|key| format!("key {key}")).collect();
            let (keys, place) = (keys.join(" or "), candidate.place.clone());
            untrusted(candidate.name, wanted, Distrust::Signature { number: *number, keys, place, why })
        })?;
    }
    Ok(())
}

fn untrusted(name: &str, wanted: &Wanted, why: Distrust) -> Error {
    error(name, wanted.path.clone(), wanted.scope.clone(), why)
}

fn error(name: &str, policy: PathBuf, scope: String, why: Distrust) -> Error {
    Error::Untrusted { name: name.to_owned(), policy, scope, why: Box::new(why) }
}
