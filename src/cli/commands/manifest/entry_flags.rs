//! What an entry of a list shall say.

use std::collections::BTreeMap;

use super::super::super::error::Error;
use crate::engine::images::EntryChange;

/// Flags of `manifest add` and `manifest annotate`.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct EntryFlags {
    /// Annotation of the entry.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) annotation: Vec<String>,
    /// Architecture that the entry names.
    #[arg(long, value_name = "ARCH")]
    pub(crate) arch: Option<String>,
    /// Feature of the processor that the entry names.
    #[arg(long, value_name = "FEATURE", value_delimiter = ',')]
    pub(crate) features: Vec<String>,
    /// Operating system that the entry names.
    #[arg(long, value_name = "OS")]
    pub(crate) os: Option<String>,
    /// Feature of the operating system that the entry names.
    #[arg(long, value_name = "FEATURE", value_delimiter = ',')]
    pub(crate) os_features: Vec<String>,
    /// Version of the operating system that the entry names.
    #[arg(long, value_name = "VERSION")]
    pub(crate) os_version: Option<String>,
    /// Variant of the architecture that the entry names.
    #[arg(long, value_name = "VARIANT")]
    pub(crate) variant: Option<String>,
}

impl EntryFlags {
    /// In the engine's words.
    pub(crate) fn change(self) -> Result<EntryChange, Error> {
        // As in scripts: an empty text is none.
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        Ok(EntryChange {
            os: given(self.os),
            architecture: given(self.arch),
            variant: given(self.variant),
            os_version: given(self.os_version),
            os_features: self.os_features,
            features: self.features,
            annotations: annotations(&self.annotation)?,
        })
    }
}

/// `KEY=VALUE…` as a map.
pub(crate) fn annotations(texts: &[String]) -> Result<BTreeMap<String, String>, Error> {
    texts
        .iter()
        .map(|text| match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
            _ => Err(Error::usage(format!("--annotation {text:?}: KEY=VALUE is wanted"))),
        })
        .collect()
}
