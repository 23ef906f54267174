//! `null` in documents of others.

use serde::Deserialize;

/// Go's encoders write `null` for a list or a map that was never made, where the OCI specs and Docker's want an empty one;
/// Go's decoders take it as such. So do Docker and BuildKit with image configurations, and container-libs with `auth.json`.
pub(crate) fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}
