//! Questions: before something is destroyed, and for passwords.

use std::io::BufRead;
use std::os::fd::AsFd;

use crate::engine::registries;
use crate::types::secret::Secret;

use super::super::context::Context;
use super::super::error::Error;

/// Prints a warning and asks whether to go on. Anything but `y` and `yes` is a no; no answer at all is an error, so that a
/// script without a terminal does not take it for done.
pub(crate) fn confirm(context: &Context, warning: &str) -> Result<bool, Error> {
    context.ui.line(format!("WARNING! {warning}"))?;
    context.ui.write(b"Are you sure you want to continue? [y/N] ")?;
    context.ui.flush()?;
    let mut answer = String::new();
    if std::io::stdin().lock().read_line(&mut answer).map_err(Error::Input)? == 0 {
        // Not in the line of the question.
        context.ui.line("")?;
        return Err(Error::NoAnswer);
    }
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Asks the terminal for a password, which it does not show.
pub(crate) fn ask_password(context: &Context) -> Result<Secret, Error> {
    let mut asked = Ok(());
    let answer = registries::ask_hidden(std::io::stdin().as_fd(), || asked = context.ui.prompt("Password: "));
    asked.and_then(|()| context.ui.prompt("\n"))?;
    answer?.ok_or_else(|| Error::usage("no password was given"))
}
