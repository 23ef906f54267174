//! `--format json`: four spaces of indentation, as Podman prints it.

use serde::Serialize;

use super::super::error::Error;
use super::ui::Ui;

/// Prints one value.
pub(crate) fn print<T: Serialize + ?Sized>(ui: &Ui, value: &T) -> Result<(), Error> {
    ui.line(pretty(value)?)
}

/// The value as indented text.
pub(crate) fn pretty<T: Serialize + ?Sized>(value: &T) -> Result<String, Error> {
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    value.serialize(&mut serializer).map_err(Error::Encode)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
