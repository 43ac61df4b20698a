//! A value of the template, resolved when it is read, and the faults of unexpected values.

use super::Fault;
use super::intrinsics::Document;
use super::node::{Content, Entry, Node};

/// A node whose own function, if it was one, is resolved. Its members are resolved when they are read.
#[derive(Clone, Debug)]
pub(super) struct Value<'doc> {
    /// The document in which its members' functions look up names.
    document: &'doc Document,
    /// The node, never a function.
    node: Node,
}

impl Document {
    /// The root of the template.
    pub(super) fn root(&self) -> Value<'_> {
        Value { document: self, node: self.root.clone() }
    }
}

impl<'doc> Value<'doc> {
    /// The line that a fault of this value names.
    pub(super) fn line(&self) -> usize {
        self.node.line
    }

    /// A fault at this value's line.
    pub(super) fn fault(&self, message: impl Into<String>) -> Fault {
        Fault::new(self.line(), message)
    }

    /// The member `key`, unless it is missing, null or `AWS::NoValue`.
    pub(super) fn get(&self, key: &str) -> Result<Option<Value<'doc>>, Fault> {
        match self.node.get(key) {
            Some(entry) => self.member(entry),
            None => Ok(None),
        }
    }

    /// The member `key`, which is required.
    pub(super) fn required(&self, key: &str) -> Result<Value<'doc>, Fault> {
        self.get(key)?.ok_or_else(|| self.fault(format!("{key} is missing")))
    }

    /// The text of the member `key`, if it is there.
    pub(super) fn text_of(&self, key: &str) -> Result<Option<String>, Fault> {
        self.get(key)?.map(|value| value.text()).transpose()
    }

    /// The members of a mapping that have a value, by key.
    pub(super) fn members(&self) -> Result<Vec<(String, Value<'doc>)>, Fault> {
        if !self.is_mapping() {
            return Err(self.fault("a mapping is expected here"));
        }
        let members = self.node.entries().iter().map(|entry| Ok((entry.key.clone(), self.member(entry)?)));
        members.filter_map(|member| member.map(|(key, value)| Some((key, value?))).transpose()).collect()
    }

    /// The items of a list.
    pub(super) fn items(&self) -> Result<Vec<Value<'doc>>, Fault> {
        let items = self.document.items(&self.node)?;
        let resolved = items.iter().map(|item| self.document.resolve(item));
        resolved.filter_map(Result::transpose).map(|node| Ok(Value { document: self.document, node: node? })).collect()
    }

    /// Whether the member `key` is true, as a boolean or as the text of one.
    pub(super) fn is_true(&self, key: &str) -> Result<bool, Fault> {
        Ok(self.text_of(key)?.as_deref() == Some("true"))
    }

    /// Whether the member `key` is there, whatever its value.
    pub(super) fn has(&self, key: &str) -> bool {
        self.node.get(key).is_some()
    }

    /// Whether the member `key` is there and SAM takes it for false: null, the boolean, a zero or an empty string.
    pub(super) fn is_falsy(&self, key: &str) -> Result<bool, Fault> {
        let Some(entry) = self.node.get(key) else { return Ok(false) };
        Ok(match self.document.resolve(&entry.value)?.as_ref().map(|node| &*node.content) {
            Some(Content::Null) => true,
            Some(Content::Scalar(text)) => text.is_empty(),
            Some(Content::Literal(text)) => text == "false" || text.parse() == Ok(0.0),
            _ => false,
        })
    }

    /// Whether this is a number, a date or a boolean, and not a string.
    pub(super) fn is_literal(&self) -> bool {
        matches!(&*self.node.content, Content::Literal(_))
    }

    /// The text of a string. SAM refuses a number or a boolean in its place.
    pub(super) fn string(&self) -> Result<String, Fault> {
        if self.is_literal() { Err(self.fault("a string is expected here: put it in quotes")) } else { self.text() }
    }

    /// Whether this is a list.
    pub(super) fn is_list(&self) -> bool {
        matches!(&*self.node.content, Content::Sequence(_))
    }

    /// Whether this is a mapping.
    pub(super) fn is_mapping(&self) -> bool {
        matches!(&*self.node.content, Content::Mapping(_))
    }

    /// The text of a scalar.
    pub(super) fn text(&self) -> Result<String, Fault> {
        self.document.text(&self.node)
    }

    /// The number of a scalar.
    pub(super) fn number<N: std::str::FromStr>(&self) -> Result<N, Fault> {
        self.text()?.parse().map_err(|_| self.fault("a number is expected here"))
    }

    /// Refuses a value that is not a mapping, and members other than `known`: to ignore a property is to guess.
    pub(super) fn allow_only(&self, known: &[&str]) -> Result<(), Fault> {
        if !self.is_mapping() {
            return Err(self.fault("a mapping is expected here"));
        }
        match self.node.entries().iter().find(|entry| !known.contains(&entry.key.as_str())) {
            Some(entry) => Err(Fault::new(entry.line, format!("{} is not supported", entry.key))),
            None => Ok(()),
        }
    }

    /// Whether the `Condition` of this resource, if it has one, holds.
    pub(super) fn exists(&self) -> Result<bool, Fault> {
        match self.node.get("Condition") {
            Some(entry) => self.document.condition(&self.document.text(&entry.value)?, entry.line),
            None => Ok(true),
        }
    }

    /// The value of an entry, with the line of its key; `None` if it has no value.
    fn member(&self, entry: &Entry) -> Result<Option<Value<'doc>>, Fault> {
        let resolved = self.document.resolve(&entry.value)?;
        let present = resolved.filter(|node| !matches!(&*node.content, Content::Null));
        Ok(present.map(|node| Value { document: self.document, node: Node { line: entry.line, ..node } }))
    }
}
