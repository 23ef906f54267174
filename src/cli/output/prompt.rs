//! Questions before something is destroyed.

use std::io::BufRead;

use super::super::context::Context;
use super::super::error::Error;

/// Prints a warning and asks whether to go on. Anything but `y` and `yes`, the end of the input too, is a no.
pub(crate) fn confirm(context: &Context, warning: &str) -> Result<bool, Error> {
    context.ui.line(format!("WARNING! {warning}"))?;
    context.ui.write(b"Are you sure you want to continue? [y/N] ")?;
    context.ui.flush()?;
    let mut answer = String::new();
    // An input that cannot be read has not said yes.
    let read = std::io::stdin().lock().read_line(&mut answer);
    Ok(read.is_ok() && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}
