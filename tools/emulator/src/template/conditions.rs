//! The section `Conditions`, evaluated when a resource or a function uses one.

use super::Fault;
use super::intrinsics::Document;
use super::node::{Content, Entry, Node};

impl Document {
    /// Whether the condition `name` of the section `Conditions` holds.
    pub(super) fn condition(&self, name: &str, line: usize) -> Result<bool, Fault> {
        let entry =
            self.declared("Conditions", name).ok_or_else(|| Fault::new(line, format!("Conditions has no {name}")))?;
        if self.evaluating.borrow().iter().any(|evaluating| evaluating == name) {
            return Err(Fault::new(entry.line, format!("the condition {name} depends on itself")));
        }
        self.evaluating.borrow_mut().push(name.to_owned());
        let holds = self.holds(&entry.value);
        self.evaluating.borrow_mut().pop();
        holds
    }

    /// Whether an expression of the section `Conditions` holds.
    fn holds(&self, node: &Node) -> Result<bool, Fault> {
        let (name, argument) = match &*node.content {
            Content::Call(name, argument) => (name.as_str(), argument),
            Content::Mapping(_) if let [Entry { key, value, .. }] = node.entries() => (key.as_str(), value),
            _ => return Err(Fault::new(node.line, "a condition is expected here")),
        };
        match name {
            "Condition" => self.condition(&self.text(argument)?, node.line),
            "Fn::Equals" => {
                let [left, right] = self.arguments(name, argument)?;
                Ok(self.text(&left)? == self.text(&right)?)
            }
            "Fn::Not" => {
                let [inner] = self.arguments(name, argument)?;
                Ok(!self.holds(&inner)?)
            }
            "Fn::And" => self.items(argument)?.iter().try_fold(true, |all, item| Ok(all & self.holds(item)?)),
            "Fn::Or" => self.items(argument)?.iter().try_fold(false, |any, item| Ok(any | self.holds(item)?)),
            name => Err(Fault::new(node.line, format!("the function {name} is not supported in a condition"))),
        }
    }
}
