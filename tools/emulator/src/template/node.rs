//! The template as a tree in which every node knows its line and intrinsic functions are told apart.

use std::rc::Rc;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use super::Fault;

/// One node of the template; a clone shares the content.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Line in the file, from 1.
    pub(super) line: usize,
    /// What the node holds.
    pub(super) content: Rc<Content>,
}

/// What a node holds.
#[derive(Debug)]
pub(super) enum Content {
    /// Nothing: an empty value or `null`.
    Null,
    /// A scalar as it is written: whether `0123` is a number is the business of the property that holds it.
    Scalar(String),
    /// A list.
    Sequence(Vec<Node>),
    /// A mapping in the order of the file.
    Mapping(Vec<Entry>),
    /// An intrinsic function: its long name (`Fn::Sub`, `Ref`) and its argument.
    Call(String, Node),
}

/// One member of a mapping.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The key.
    pub(super) key: String,
    /// The line of the key.
    pub(super) line: usize,
    /// The value.
    pub(super) value: Node,
}

impl Node {
    /// Makes a node.
    pub(super) fn new(line: usize, content: Content) -> Self {
        Self { line, content: Rc::new(content) }
    }

    /// Parses the text of a template: the first YAML document in it.
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let mut events = Parser::new_from_str(text);
        loop {
            match next(&mut events)? {
                (Event::StreamEnd, _) => return Err(Fault::new(1, "the template is empty")),
                (Event::StreamStart | Event::DocumentStart(_), _) => {}
                (event, span) => return Self::build(&mut events, event, span),
            }
        }
    }

    /// The members of a mapping; none for anything else.
    pub(super) fn entries(&self) -> &[Entry] {
        match &*self.content {
            Content::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The member `key` of a mapping.
    pub(super) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// Builds the node that begins with `event`.
    fn build(events: &mut Events<'_>, event: Event<'_>, span: Span) -> Result<Self, Fault> {
        let line = span.start.line();
        let (content, tag) = match event {
            Event::Scalar(text, style, _, tag) => {
                let is_null = style == ScalarStyle::Plain && matches!(&*text, "" | "~" | "null");
                (if is_null { Content::Null } else { Content::Scalar(text.into_owned()) }, tag)
            }
            Event::SequenceStart(_, tag) => {
                let mut items = Vec::new();
                loop {
                    match next(events)? {
                        (Event::SequenceEnd, _) => break,
                        (event, span) => items.push(Self::build(events, event, span)?),
                    }
                }
                (Content::Sequence(items), tag)
            }
            Event::MappingStart(_, tag) => (Self::mapping(events)?, tag),
            Event::Alias(_) => return Err(Fault::new(line, "YAML aliases are not supported")),
            _ => return Err(Fault::new(line, "a value is expected here")),
        };
        let node = Self::new(line, content);
        Ok(match tag.as_deref().and_then(long_name) {
            Some(name) => Self::new(line, Content::Call(name, node)),
            None => node,
        })
    }

    /// Builds the rest of a mapping, or the call of a function in its long form.
    fn mapping(events: &mut Events<'_>) -> Result<Content, Fault> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let (key, line) = match next(events)? {
                (Event::MappingEnd, _) => break,
                (Event::Scalar(key, ..), span) => (key.into_owned(), span.start.line()),
                (_, span) => return Err(Fault::new(span.start.line(), "a key must be a string")),
            };
            if entries.iter().any(|entry| entry.key == key) {
                return Err(Fault::new(line, format!("duplicate key {key}")));
            }
            let (event, span) = next(events)?;
            entries.push(Entry { key, line, value: Self::build(events, event, span)? });
        }
        Ok(match entries.as_slice() {
            [Entry { key, value, .. }] if key == "Ref" || key.starts_with("Fn::") => {
                Content::Call(key.clone(), value.clone())
            }
            _ => Content::Mapping(entries),
        })
    }
}

/// The events of the YAML parser.
type Events<'text> = Parser<'text, StrInput<'text>>;

/// The next event, or the fault of the text.
fn next<'text>(events: &mut Events<'text>) -> Result<(Event<'text>, Span), Fault> {
    let fault = |err: &ScanError| Fault::new(err.marker().line(), err.info());
    events.next().unwrap_or_else(|| Ok((Event::StreamEnd, Span::default()))).map_err(|err| fault(&err))
}

/// The long name of a function that is written as a tag; none for the tags of YAML itself.
fn long_name(tag: &Tag) -> Option<String> {
    match tag.suffix.as_str() {
        _ if tag.is_yaml_core_schema() => None,
        short @ ("Ref" | "Condition") => Some(short.to_owned()),
        short => Some(format!("Fn::{short}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_forms_are_the_same_call() {
        for text in ["!Sub x", "Fn::Sub: x"] {
            let node = Node::parse(text).unwrap();
            assert!(matches!(&*node.content, Content::Call(name, _) if name == "Fn::Sub"), "{text}");
        }
    }

    #[test]
    fn a_duplicate_key_is_refused_with_its_line_however_it_is_quoted() {
        for text in ["a: 1\nb: 2\na: 3\n", "a: 1\nb: 2\n\"a\": 3\n"] {
            assert_eq!(Node::parse(text).unwrap_err(), Fault::new(3, "duplicate key a"));
        }
    }

    #[test]
    fn a_scalar_keeps_its_spelling() {
        let node = Node::parse("[0123, 1.10, 'null', null]").unwrap();
        let Content::Sequence(items) = &*node.content else { panic!("{node:?}") };
        let spelled: Vec<_> = items
            .iter()
            .map(|item| match &*item.content {
                Content::Scalar(text) => Some(text.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(spelled, [Some("0123"), Some("1.10"), Some("null"), None]);
    }

    #[test]
    fn broken_yaml_is_a_fault_with_its_line() {
        assert_eq!(Node::parse("a:\n  - [b\nc: d\n").unwrap_err().line, 3);
    }
}
