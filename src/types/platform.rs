//! What an image runs on: `os/architecture[/variant]`, in the words of Go's GOOS and GOARCH (OCI image index).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A platform with normalised names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Platform {
    pub(crate) os: String,
    pub(crate) architecture: String,
    pub(crate) variant: Option<String>,
}

/// Text that is not a platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid platform {0:?}: OS/ARCH[/VARIANT], for example linux/arm64")]
pub(crate) struct InvalidPlatform(String);

impl Platform {
    /// This machine's.
    pub(crate) fn host() -> Self {
        Self::new("linux", std::env::consts::ARCH, None)
    }

    /// Normalises the names: `x86_64` is `amd64`, `aarch64` is `arm64`.
    pub(crate) fn new(os: &str, architecture: &str, variant: Option<&str>) -> Self {
        let os = os.to_ascii_lowercase();
        let (architecture, implied) = match architecture.to_ascii_lowercase().as_str() {
            "x86_64" | "x86-64" => ("amd64".to_owned(), None),
            "i386" | "i686" | "x86" => ("386".to_owned(), None),
            "aarch64" => ("arm64".to_owned(), None),
            "armhf" => ("arm".to_owned(), Some("v7")),
            "armel" => ("arm".to_owned(), Some("v6")),
            "powerpc64" | "ppc64el" => ("ppc64le".to_owned(), None),
            "loongarch64" => ("loong64".to_owned(), None),
            other => (other.to_owned(), None),
        };
        let variant = variant.filter(|text| !text.is_empty()).map(str::to_ascii_lowercase);
        let variant = variant.or(implied.map(str::to_owned)).map(|text| match text.as_str() {
            "5" | "6" | "7" | "8" => format!("v{text}"),
            _ => text,
        });
        Self { os, architecture, variant }
    }

    /// Variants that run here, best first; `None` stands for "no variant named".
    pub(crate) fn acceptable_variants(&self) -> Vec<Option<&str>> {
        let ladder: &[&str] = match self.architecture.as_str() {
            "arm" => &["v8", "v7", "v6", "v5"],
            "arm64" => &["v8"],
            "amd64" => &["v1"],
            _ => &[],
        };
        let wanted = self.variant.as_deref();
        let from = wanted.and_then(|variant| ladder.iter().position(|step| *step == variant));
        match (wanted, from) {
            // A variant that is not on the ladder (amd64/v3) is meant exactly, but a plain build runs too.
            (Some(variant), None) => vec![Some(variant), None],
            (Some(_), Some(from)) => ladder[from..].iter().map(|step| Some(*step)).chain([None]).collect(),
            // Not every machine of 32 bits runs what was made for the eighth.
            (None, _) => {
                let steps = ladder.iter().filter(|step| (self.architecture.as_str(), **step) != ("arm", "v8"));
                [None].into_iter().chain(steps.map(|step| Some(*step))).collect()
            }
        }
    }
}

impl FromStr for Platform {
    type Err = InvalidPlatform;

    fn from_str(text: &str) -> Result<Self, InvalidPlatform> {
        let parts: Vec<&str> = text.split('/').collect();
        let word = |part: &&str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
        };
        match parts.as_slice() {
            // This machine's architecture, as Podman takes it.
            [os] if word(os) => Ok(Self::new(os, std::env::consts::ARCH, None)),
            [os, architecture] if parts.iter().all(word) => Ok(Self::new(os, architecture, None)),
            [os, architecture, variant] if parts.iter().all(word) => Ok(Self::new(os, architecture, Some(variant))),
            _ => Err(InvalidPlatform(text.to_owned())),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

#[cfg(test)]
mod tests {
    use super::Platform;

    #[test]
    fn names_are_normalised() {
        for (text, full) in [
            ("linux/amd64", "linux/amd64"),
            ("Linux/x86_64", "linux/amd64"),
            ("linux/aarch64/8", "linux/arm64/v8"),
            ("linux/armhf", "linux/arm/v7"),
        ] {
            assert_eq!(text.parse::<Platform>().expect(text).to_string(), full);
        }
        assert_eq!("linux".parse::<Platform>(), Ok(Platform::host()));
        for text in ["", "linux/", "/amd64", "a/b/c/d", "linux/a md"] {
            assert!(text.parse::<Platform>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn variants_go_down_the_ladder() {
        let v6 = Platform::new("linux", "arm", Some("v6"));
        assert_eq!(v6.acceptable_variants(), [Some("v6"), Some("v5"), None]);
        let v8 = Platform::new("linux", "arm", Some("v8"));
        assert_eq!(v8.acceptable_variants(), [Some("v8"), Some("v7"), Some("v6"), Some("v5"), None]);
        let any = Platform::new("linux", "arm", None);
        assert_eq!(any.acceptable_variants(), [None, Some("v7"), Some("v6"), Some("v5")]);
        let plain = Platform::new("linux", "arm64", None);
        assert_eq!(plain.acceptable_variants(), [None, Some("v8")]);
    }
}
