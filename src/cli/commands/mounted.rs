//! What `mount` and `image mount` have in common: they go on after a failure, and print where things are.

use std::path::PathBuf;

use serde::Serialize;

use crate::engine;

use super::super::context::Context;
use super::super::error::Error;
use super::super::exit::Worst;
use super::super::output::{json, table::Table};

/// Something that is mounted.
pub(super) struct Row<O> {
    /// In the table.
    pub(super) name: String,
    pub(super) path: PathBuf,
    /// Podman's JSON of it.
    pub(super) object: O,
}

/// How it is printed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    Json,
    /// Paths alone.
    Paths,
    Table,
}

impl Shape {
    /// `--format` counts before all else; `alone`: the user knows whose paths they are.
    pub(super) fn of(format: Option<&str>, alone: bool) -> Self {
        match (format, alone) {
            (Some(_), _) => Self::Json,
            (None, true) => Self::Paths,
            (None, false) => Self::Table,
        }
    }
}

/// Mounts all, and tells of those that cannot be.
pub(super) fn each<T>(
    words: &[String],
    worst: &mut Worst,
    mut mount: impl FnMut(&str) -> Result<T, engine::Error>,
) -> Vec<T> {
    let mut mounted = Vec::with_capacity(words.len());
    for word in words {
        match mount(word) {
            Ok(one) => mounted.push(one),
            Err(error) => worst.report(error),
        }
    }
    mounted
}

pub(super) fn print<O: Serialize>(rows: Vec<Row<O>>, shape: Shape, context: &Context) -> Result<(), Error> {
    match shape {
        Shape::Json => json::print(&context.ui, &rows.into_iter().map(|row| row.object).collect::<Vec<_>>()),
        Shape::Paths => rows.iter().try_for_each(|row| context.ui.line(row.path.display())),
        Shape::Table => {
            let mut table = Table::new(None);
            for row in &rows {
                table.row([&row.name, &row.path.display().to_string()]);
            }
            table.print(&context.ui)
        }
    }
}
