//! The template as a tree in which every node has its line, and intrinsic functions are their own kind of node.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::LazyLock;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};
use regex_lite::Regex;

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
    /// A string.
    Scalar(String),
    /// A number, a date or a boolean, which is not in quotes, as it is written. A boolean is `true` or `false`.
    Literal(String),
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
        let options = granit_parser::options! { emit_anchor_events: true };
        let events = Parser::new_from_str_with_options(text, options);
        Builder { events, anchors: HashMap::new(), names: HashSet::new() }.document()
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
}

/// Builds nodes from the events of the YAML parser.
struct Builder<'text> {
    /// The rest of the text.
    events: Parser<'text, StrInput<'text>>,
    /// The nodes that have an anchor, by the number that the parser gives the anchor.
    anchors: HashMap<usize, Node>,
    /// The names of the anchors: unlike YAML 1.2, `PyYAML` refuses a repeated one.
    names: HashSet<String>,
}

impl<'text> Builder<'text> {
    /// Builds the first document.
    fn document(&mut self) -> Result<Node, Fault> {
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Err(Fault::new(1, "the template is empty")),
                (Event::StreamStart | Event::DocumentStart(..), _) => {}
                (event, span) => return self.node(event, span),
            }
        }
    }

    /// Builds the node that begins with `event`.
    fn node(&mut self, event: Event<'_>, span: Span) -> Result<Node, Fault> {
        let line = span.start.line();
        let (content, anchor, tag) = match event {
            Event::Alias(anchor) => return self.alias(anchor, line),
            Event::Scalar(text, style, anchor, tag) => {
                let is_plain = style == ScalarStyle::Plain && tag.is_none();
                (if is_plain { plain(&text) } else { Content::Scalar(text.into_owned()) }, anchor, tag)
            }
            Event::SequenceStart(_, anchor, tag) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => break,
                        (event, span) => items.push(self.node(event, span)?),
                    }
                }
                (Content::Sequence(items), anchor, tag)
            }
            Event::MappingStart(_, anchor, tag) => (self.mapping()?, anchor, tag),
            _ => return Err(Fault::new(line, "a value is expected here")),
        };
        let node = Node::new(line, content);
        let node = match tag.as_deref().and_then(long_name) {
            Some(name) => Node::new(line, Content::Call(name, node)),
            None => node,
        };
        self.anchors.insert(anchor, node.clone());
        Ok(node)
    }

    /// The node that an alias in `line` repeats.
    fn alias(&self, anchor: usize, line: usize) -> Result<Node, Fault> {
        let node = self
            .anchors
            .get(&anchor)
            .ok_or_else(|| Fault::new(line, "an alias refers to the value that contains it"))?;
        Ok(Node { line, ..node.clone() })
    }

    /// Builds the rest of a mapping, or the call of a function in its long form.
    fn mapping(&mut self) -> Result<Content, Fault> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            let line = span.start.line();
            let key = match event {
                Event::MappingEnd => break,
                Event::Scalar(key, ScalarStyle::Plain, ..) if key == "<<" => {
                    return Err(Fault::new(
                        line,
                        "merge keys (<<) are not supported: repeat the members, or use an alias",
                    ));
                }
                Event::Scalar(key, _, 0, _) => key.into_owned(),
                event => match &*self.node(event, span)?.content {
                    Content::Scalar(key) | Content::Literal(key) => key.clone(),
                    _ => return Err(Fault::new(line, "a key must be a string")),
                },
            };
            if key.starts_with("Fn::ForEach") {
                return Err(Fault::new(line, "Fn::ForEach is not supported: write out what it repeats"));
            }
            if entries.iter().any(|entry| entry.key == key) {
                return Err(Fault::new(line, format!("duplicate key {key}")));
            }
            let (event, span) = self.next()?;
            entries.push(Entry { key, line, value: self.node(event, span)? });
        }
        Ok(match entries.as_slice() {
            [Entry { key, value, .. }] if key == "Ref" || key.starts_with("Fn::") => {
                Content::Call(key.clone(), value.clone())
            }
            _ => Content::Mapping(entries),
        })
    }

    /// The next event, or the fault of the text.
    fn next(&mut self) -> Result<(Event<'text>, Span), Fault> {
        let fault = |err: &ScanError| Fault::new(err.marker().line(), err.info());
        loop {
            match self.events.next().transpose().map_err(|err| fault(&err))? {
                Some((Event::Anchor(_, name), span)) => {
                    if !self.names.insert(name.to_string()) {
                        return Err(Fault::new(span.start.line(), format!("duplicate anchor {name}")));
                    }
                }
                Some(event) => return Ok(event),
                None => return Ok((Event::StreamEnd, Span::default())),
            }
        }
    }
}

/// The numbers and dates of YAML 1.1: `0x1F`, `1_000`, `190:20:30`, `.5`, `-.inf`, `2010-09-09`.
static NUMBER_OR_DATE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let integer = r"[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*(?::[0-5]?[0-9])*)";
    let float = r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?";
    let special = r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)";
    let time = r"(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d\d?(?::\d\d)?))?";
    let date = format!(r"\d{{4}}-\d\d-\d\d|\d{{4}}-\d\d?-\d\d?{time}");
    Regex::new(&format!("^(?:{integer}|{float}|{special}|{date})$")).ok()
});

/// A plain scalar as YAML 1.1, and therefore SAM, reads it: `yes` and `Off` are booleans.
fn plain(text: &str) -> Content {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Content::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Content::Literal("true".to_owned()),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            Content::Literal("false".to_owned())
        }
        text if NUMBER_OR_DATE.as_ref().is_some_and(|pattern| pattern.is_match(text)) => {
            Content::Literal(text.to_owned())
        }
        text => Content::Scalar(text.to_owned()),
    }
}

/// The long name of a function that is written as a tag; `None` for the tags of YAML itself.
fn long_name(tag: &Tag) -> Option<String> {
    match tag.suffix() {
        "!" => None, // the tag `!`, which says that a scalar is a string
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

    /// A node as JSON, in the form that tests/yaml/record.py writes.
    fn json(node: &Node) -> serde_json::Value {
        match &*node.content {
            Content::Null => serde_json::Value::Null,
            Content::Scalar(text) => text.as_str().into(),
            Content::Literal(text) => serde_json::json!({"literal": text}),
            Content::Sequence(items) => items.iter().map(json).collect(),
            Content::Mapping(entries) => entries.iter().map(|entry| (entry.key.clone(), json(&entry.value))).collect(),
            Content::Call(name, argument) => serde_json::json!({name: json(argument)}),
        }
    }

    #[test]
    fn a_document_is_read_as_pyyaml_reads_it() {
        let corpus: serde_json::Value = serde_json::from_str(include_str!("../../tests/yaml/corpus.json")).unwrap();
        let differing = corpus.as_array().unwrap().iter().filter(|entry| {
            let read = Node::parse(entry["text"].as_str().unwrap()).as_ref().map(json).ok();
            read.as_ref() != entry.get("tree")
        });
        assert_eq!(differing.collect::<Vec<_>>(), [&serde_json::Value::Null; 0]);
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
                Content::Scalar(text) | Content::Literal(text) => Some(text.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(spelled, [Some("0123"), Some("1.10"), Some("null"), None]);
    }

    #[test]
    fn an_alias_repeats_the_node_of_the_anchor_at_the_alias_own_line() {
        let text = "a: &x\n  b: !Ref c\nd: *x\ne: &k f\n*k : [*k]\ng: &y 1\nh: *y\ni: &t !Sub j\nk: *t\n";
        let root = Node::parse(text).unwrap();
        let repeated = &root.get("d").unwrap().value;
        assert_eq!(repeated.line, 3);
        assert!(matches!(&*repeated.get("b").unwrap().value.content, Content::Call(name, _) if name == "Ref"));
        let Content::Sequence(items) = &*root.get("f").unwrap().value.content else { panic!("{root:?}") };
        assert!(matches!(&*items[0].content, Content::Scalar(text) if text == "f"));
        assert!(matches!(&*root.get("h").unwrap().value.content, Content::Literal(text) if text == "1"));
        assert!(matches!(&*root.get("k").unwrap().value.content, Content::Call(name, _) if name == "Fn::Sub"));
    }

    #[test]
    fn an_alias_without_a_finished_anchor_and_a_merge_are_faults_with_their_line() {
        for (text, message) in [
            ("a: 1\nb: *x\n", "while parsing node, found unknown anchor"),
            ("a: &x\n  b: *x\n", "an alias refers to the value that contains it"),
            ("a: &x 1\nb: &x 2\n", "duplicate anchor x"),
            ("a: &x { b: 1 }\n<<: *x\n", "merge keys (<<) are not supported: repeat the members, or use an alias"),
        ] {
            assert_eq!(Node::parse(text).unwrap_err(), Fault::new(2, message), "{text}");
        }
        assert!(Node::parse("'<<': 1\n").is_ok(), "a quoted << is an ordinary key");
    }

    #[test]
    fn broken_yaml_is_a_fault_with_its_line() {
        assert_eq!(Node::parse("a:\n  - [b\nc: d\n").unwrap_err().line, 3);
    }
}
