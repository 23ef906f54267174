//! Entry points of `fuzz/`.

use super::{auth_file, credential_helper};

/// What a credential helper answers. An empty secret is none.
pub(crate) fn helper_answer(bytes: &[u8]) {
    if let Ok(Some(found)) = credential_helper::credentials_in(bytes) {
        let secret = match &found {
            auth_file::Credentials::Password { password, .. } => password,
            auth_file::Credentials::IdentityToken { token, .. } => token,
        };
        assert!(!secret.is_empty());
    }
}
