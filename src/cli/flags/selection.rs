//! The containers that a verb means.

use std::path::PathBuf;

use crate::config::user_file;
use crate::engine::containers::select::Selection;

use super::super::error::Error;

/// Containers by name, id, or as a group.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct SelectionFlags {
    /// Names or ids of containers.
    #[arg(value_name = "CONTAINER")]
    pub(crate) containers: Vec<String>,
    /// All containers.
    #[arg(short, long, conflicts_with_all = ["containers", "latest"])]
    pub(crate) all: bool,
    /// The container that was made last.
    #[arg(short, long, conflicts_with = "containers")]
    pub(crate) latest: bool,
    /// File with the id of a container, as --cidfile of run wrote it.
    #[arg(long, value_name = "FILE")]
    pub(crate) cidfile: Vec<PathBuf>,
}

impl SelectionFlags {
    /// In the engine's words. No container at all is an error: nobody means that.
    pub(crate) fn selection(self, filters: Vec<String>, ignore: bool) -> Result<Selection, Error> {
        self.select(filters, ignore, "name a container, or use --all, --latest, --filter or --cidfile")
    }

    /// The same for a verb without --filter.
    pub(crate) fn without_filters(self) -> Result<Selection, Error> {
        self.select(Vec::new(), false, "name a container, or use --all, --latest or --cidfile")
    }

    fn select(self, filters: Vec<String>, ignore: bool, hint: &'static str) -> Result<Selection, Error> {
        let mut names = self.containers;
        for path in &self.cidfile {
            match user_file::read(path) {
                Ok(bytes) => {
                    names.extend(String::from_utf8_lossy(&bytes).lines().next().map(|id| id.trim().to_owned()));
                }
                // The container is gone, and its file with it.
                Err(_) if ignore => {}
                Err(error) => return Err(error.into()),
            }
        }
        let nothing = names.is_empty() && self.cidfile.is_empty() && filters.is_empty() && !self.all && !self.latest;
        if nothing {
            return Err(Error::usage(hint));
        }
        Ok(Selection { names, all: self.all, latest: self.latest, filters, ignore })
    }
}
