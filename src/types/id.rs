//! Identifiers of containers, images and exec sessions: 64 lower-case hexadecimal digits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Text that is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an id: 64 lower-case hexadecimal digits")]
pub(crate) struct InvalidId(String);

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub(crate) struct $name(String);

        impl $name {
            /// Makes an id of 32 bytes (random, or a SHA-256).
            pub(crate) fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(hex::encode(bytes))
            }

            pub(crate) fn as_str(&self) -> &str {
                &self.0
            }

            /// The first 12 digits, as tables print it.
            pub(crate) fn short(&self) -> &str {
                &self.0[..12]
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let valid = text.len() == 64 && is_lower_hex(text);
                if valid { Ok(Self(text.to_owned())) } else { Err(InvalidId(text.to_owned())) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.short())
            }
        }
    };
}

id! {
    /// A container.
    ContainerId
}
id! {
    /// An image: the SHA-256 of its configuration, as `images` prints it.
    ImageId
}
id! {
    /// An exec session.
    ExecId
}

/// True if `text` could be the beginning of an id.
pub(crate) fn is_id_prefix(text: &str) -> bool {
    !text.is_empty() && text.len() <= 64 && is_lower_hex(text)
}

/// True if `text` has no other characters than the digits of an id.
pub(super) fn is_lower_hex(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}
