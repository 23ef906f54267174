//! The trust policy of the user or the host, asked before anything is fetched.

use std::path::Path;

use crate::config::policy_json::{self, Policy};
use crate::engine::Error;
use crate::types::reference::Reference;

/// Refuses an image of a registry that the policy does not trust.
pub(super) fn admit_reference(reference: &Reference, policy: Option<&Path>) -> Result<(), Error> {
    admit(&reference.to_string(), "docker", policy, || policy_json::registry_scopes(reference))
}

/// Refuses an archive or a directory (`docker-archive`, `oci-archive`, `oci`, `dir`) that the policy does not trust.
/// `path` is absolute; a stream has none.
pub(super) fn admit_archive(
    name: &str,
    transport: &str,
    path: Option<&Path>,
    policy: Option<&Path>,
) -> Result<(), Error> {
    // Rules for docker-archive have no scopes.
    let path = path.filter(|_| transport != "docker-archive");
    admit(name, transport, policy, || path.map(policy_json::path_scopes).unwrap_or_default())
}

fn admit(
    name: &str,
    transport: &str,
    policy: Option<&Path>,
    scopes: impl FnOnce() -> Vec<String>,
) -> Result<(), Error> {
    let Some(policy) = Policy::load(policy).map_err(Error::Config)? else { return Ok(()) };
    policy.admit(transport, &scopes()).map_err(|refusal| Error::Untrusted {
        name: name.to_owned(),
        policy: refusal.path,
        scope: refusal.scope,
        why: refusal.why,
    })
}
