//! Errors of TOML in one line, with their place: the library's own text draws the line and an arrow below it.

/// `line 3, column 7: why`, for an error of parsing `text`.
pub(super) fn why(error: &toml::de::Error, text: &str) -> String {
    let message = error.message().split('\n').map(str::trim).collect::<Vec<_>>().join(", ");
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else { return message };
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}: {message}")
}

#[cfg(test)]
mod tests {
    use super::why;

    #[test]
    fn one_line_with_its_place() {
        for (text, place) in [
            ("[containers\n", "line 1, column 12: "),
            ("a = 1\n\u{e9} = 2\n", "line 2, column 1: "),
            ("a = 1\nb = \"x\nc = 2", "line 2, column 7: "),
            ("a = 1\na = 2\n", "line 2, column 1: "),
            ("a = [1,\n  nonsense]\n", "line 2, column 3: "),
            ("", ""),
        ] {
            match text.parse::<toml::Table>() {
                Ok(_) => assert_eq!(place, "", "{text:?}"),
                Err(error) => {
                    let told = why(&error, text);
                    assert!(!place.is_empty() && told.starts_with(place) && !told.contains('\n'), "{text:?}: {told}");
                }
            }
        }
    }
}
