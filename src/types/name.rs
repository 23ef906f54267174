//! Names that users give: containers, volumes, networks. One grammar, Podman's: `[a-zA-Z0-9][a-zA-Z0-9_.-]*`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Longest name in bytes: a name is also a file name and a host name part.
const LONGEST: usize = 128;

/// Text that is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a valid name: it must match [a-zA-Z0-9][a-zA-Z0-9_.-]* and have at most 128 characters")]
pub(crate) struct InvalidName(String);

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub(crate) struct $type(String);

        impl $type {
            pub(crate) fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                if is_name(text) { Ok(Self(text.to_owned())) } else { Err(InvalidName(text.to_owned())) }
            }
        }

        impl TryFrom<String> for $type {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<Self, InvalidName> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// Name of a container.
    ContainerName
}
name! {
    /// Name of a volume; an anonymous one has 64 hexadecimal digits.
    VolumeName
}

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphanumeric())
        && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
        && text.len() <= LONGEST
}

#[cfg(test)]
mod tests {
    use super::ContainerName;

    #[test]
    fn f01_name_injection_is_refused() {
        for bad in ["", "../x", "-rf", "a\nb", "a/b", ".hidden", "_x", "a b", "ä", &"x".repeat(129)] {
            assert!(bad.parse::<ContainerName>().is_err(), "{bad:?}");
        }
        for good in ["a", "A1", "web_1.x-y", &"x".repeat(128)] {
            assert!(good.parse::<ContainerName>().is_ok(), "{good:?}");
        }
    }
}
