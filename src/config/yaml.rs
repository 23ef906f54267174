//! YAML documents as small trees: what a configuration file needs of YAML, and no more (no aliases, which can make a
//! file of a few lines grow without bound).

use granit_parser::{Event, Parser, ScalarStyle, StrInput};

/// How deep a document may be nested.
const DEPTH: u32 = 32;

/// A node of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// Text as it means; plain if it was written without quotes.
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    /// In the order of the file; no key is there twice.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// Parses a text of one document or none.
    pub(super) fn parse(text: &str) -> Result<Option<Self>, String> {
        let mut reader = Reader(Parser::new_from_str(text));
        let mut document = None;
        loop {
            match reader.next()? {
                Event::StreamEnd => return Ok(document),
                Event::StreamStart | Event::DocumentEnd => {}
                Event::DocumentStart(..) if document.is_some() => return Err("more than one document".to_owned()),
                Event::DocumentStart(..) => {
                    let first = reader.next()?;
                    document = Some(reader.node(first, DEPTH)?);
                }
                other => return Err(format!("{other:?} outside of a document")),
            }
        }
    }

    /// Nothing, as YAML writes it.
    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// The pairs of a map; none if there is nothing.
    pub(super) fn pairs(&self) -> Option<&[(String, Self)]> {
        match self {
            Self::Map(pairs) => Some(pairs),
            other => other.is_null().then_some(&[]),
        }
    }

    /// Yes or no, in the words of YAML 1.1, which Go's programs read.
    pub(super) fn as_bool(&self) -> Option<bool> {
        let Self::Scalar { text, plain: true } = self else { return None };
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "y" => Some(true),
            "false" | "no" | "off" | "n" => Some(false),
            _ => None,
        }
    }
}

struct Reader<'a>(Parser<'a, StrInput<'a>>);

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Event<'a>, String> {
        match self.0.next_event() {
            Some(Ok((event, _))) => Ok(event),
            Some(Err(error)) => Err(error.to_string()),
            None => Err("the text ends too early".to_owned()),
        }
    }

    fn node(&mut self, event: Event<'a>, depth: u32) -> Result<Node, String> {
        let depth = depth.checked_sub(1).ok_or_else(|| format!("nested deeper than {DEPTH}"))?;
        match event {
            Event::Scalar(text, style, ..) => {
                Ok(Node::Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain })
            }
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        Event::SequenceEnd => return Ok(Node::List(items)),
                        event => items.push(self.node(event, depth)?),
                    }
                }
            }
            Event::MappingStart(..) => {
                let mut pairs: Vec<(String, Node)> = Vec::new();
                loop {
                    let key = match self.next()? {
                        Event::MappingEnd => return Ok(Node::Map(pairs)),
                        Event::Scalar(text, ..) => text.into_owned(),
                        _ => return Err("a key that is not text".to_owned()),
                    };
                    if pairs.iter().any(|(known, _)| *known == key) {
                        return Err(format!("the key {key:?} is there twice"));
                    }
                    let value = self.next()?;
                    pairs.push((key, self.node(value, depth)?));
                }
            }
            Event::Alias(_) => Err("aliases are not supported".to_owned()),
            other => Err(format!("{other:?} where a value should be")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Node;

    #[test]
    fn documents_become_trees() {
        let text = |text: &str, plain| Node::Scalar { text: text.to_owned(), plain };
        for (yaml, expected) in [
            ("", None),
            ("# nothing\n", None),
            ("---\n", Some(text("~", true))),
            ("a: \"yes\"", Some(Node::Map(vec![("a".to_owned(), text("yes", false))]))),
            ("- a # b\n- {c: [d]}", {
                let map = Node::Map(vec![("c".to_owned(), Node::List(vec![text("d", true)]))]);
                Some(Node::List(vec![text("a", true), map]))
            }),
        ] {
            assert_eq!(Node::parse(yaml), Ok(expected), "{yaml}");
        }
        assert_eq!((text("No", true).as_bool(), text("no", false).as_bool()), (Some(false), None));
        assert_eq!((text("~", true).pairs(), text("a", true).pairs()), (Some([].as_slice()), None));
    }

    #[test]
    fn hostile_documents_are_errors() {
        let deep = "[".repeat(5000);
        let closed = format!("{}{}", "[".repeat(40), "]".repeat(40));
        for yaml in
            ["{", "a: 1\na: 2", "[a]: b", "a: &x b\nc: *x", "a\n---\nb", "\u{1}", &deep, &closed, "*x", "a: b: c"]
        {
            assert!(Node::parse(yaml).is_err(), "{yaml}");
        }
    }
}
