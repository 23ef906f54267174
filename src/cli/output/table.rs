//! Tables as Podman prints them: Go's `tabwriter` with cells of at least 12 columns and two spaces between.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::Write;

use tabwriter::TabWriter;

use super::super::error::{Error, OnStdout};
use super::ui::Ui;

/// A table under construction.
#[derive(Debug, Default)]
pub(crate) struct Table {
    text: String,
}

impl Table {
    /// A table with this heading, or none for `--noheading`.
    pub(crate) fn new(heading: Option<&[&str]>) -> Self {
        let mut table = Self::default();
        if let Some(heading) = heading {
            table.row(heading.iter());
        }
        table
    }

    /// Adds a row. Control characters, which come from images and users, are shown escaped.
    pub(crate) fn row<S: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = S>) {
        for (index, cell) in cells.into_iter().enumerate() {
            if index > 0 {
                self.text.push('\t');
            }
            self.text.push_str(&clean(cell.as_ref()));
        }
        self.text.push('\n');
    }

    /// Aligns the columns.
    pub(crate) fn render(&self) -> Result<Vec<u8>, Error> {
        align(&self.text)
    }

    pub(crate) fn print(&self, ui: &Ui) -> Result<(), Error> {
        ui.write(&self.render()?)
    }
}

/// Runs text with tabs through the tab writer (Go: `tabwriter.NewWriter(w, 12, 2, 2, ' ', 0)`; Go's smallest width
/// has the padding in it, this crate's has not).
pub(crate) fn align(text: &str) -> Result<Vec<u8>, Error> {
    let mut writer = TabWriter::new(Vec::new()).minwidth(10).padding(2);
    writer.write_all(text.as_bytes()).on_stdout()?;
    writer.into_inner().map_err(|error| std::io::Error::new(error.error().kind(), error.to_string())).on_stdout()
}

/// Shows control characters (C0, DEL, C1) and direction overrides escaped, so that a hostile name can neither move
/// the cursor nor forge a row.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    let hostile = |c: char| {
        c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(hostile) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' => shown.push_str("\\n"),
            '\t' => shown.push_str("\\t"),
            '\r' => shown.push_str("\\r"),
            c if hostile(c) && u32::from(c) < 0x100 => {
                push_escaped(&mut shown, format_args!("\\x{:02x}", u32::from(c)));
            }
            c if hostile(c) => push_escaped(&mut shown, format_args!("\\u{{{:04x}}}", u32::from(c))),
            c => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

fn push_escaped(to: &mut String, escaped: std::fmt::Arguments<'_>) {
    to.write_fmt(escaped).expect("writing to a String cannot fail");
}

#[cfg(test)]
mod tests {
    use super::{Table, clean};

    #[test]
    fn columns_are_those_of_podman() {
        let mut table = Table::new(Some(&["CONTAINER ID", "IMAGE", "NAMES"]));
        table.row(["0123456789ab", "localhost/base:1", "web"]);
        let text = String::from_utf8(table.render().expect("text")).expect("UTF-8");
        assert_eq!(text, "CONTAINER ID  IMAGE             NAMES\n0123456789ab  localhost/base:1  web\n");
        let mut table = Table::new(Some(&["ID", "X"]));
        table.row(["a", "b"]);
        assert_eq!(String::from_utf8(table.render().expect("text")).expect("UTF-8"), "ID          X\na           b\n");
    }

    #[test]
    fn control_characters_are_shown() {
        assert_eq!(clean("a\u{1b}[2Jb\nc\u{9b}\u{202e}"), "a\\x1b[2Jb\\nc\\x9b\\u{202e}");
        assert_eq!(clean("grün"), "grün");
    }
}
