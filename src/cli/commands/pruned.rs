//! What a `prune` of one kind of objects prints.

use std::fmt::Display;
use std::process::ExitCode;

use crate::engine;

use super::super::context::Context;
use super::super::error::Error;
use super::super::exit::Worst;

/// The name of each that is gone, and the reason of each that is not.
pub(super) fn tell<I: Display>(
    removed: Vec<I>,
    failed: Vec<(I, engine::Error)>,
    context: &Context,
) -> Result<ExitCode, Error> {
    for object in removed {
        context.ui.line(object)?;
    }
    let mut worst = Worst::default();
    for (_, error) in failed {
        worst.report(error);
    }
    Ok(worst.code())
}
