//! CloudFormation's intrinsic functions, resolved node by node when a value is needed.

use std::cell::RefCell;

use super::Fault;
use super::node::{Content, Entry, Node};
use super::parameters::{self, Inputs};

/// The values of the pseudo parameters.
const PSEUDO_PARAMETERS: [(&str, &str); 4] = [
    ("AWS::AccountId", crate::account::ACCOUNT_ID),
    ("AWS::Partition", "aws"),
    ("AWS::StackName", "local"),
    ("AWS::URLSuffix", "amazonaws.com"),
];

/// The template, in which functions look up names.
#[derive(Debug)]
pub(super) struct Document {
    /// The root of the template.
    pub(super) root: Node,
    /// The values of a deployment.
    pub(super) inputs: Inputs,
    /// Names of the conditions being evaluated, to detect one that depends on itself.
    pub(super) evaluating: RefCell<Vec<String>>,
}

impl Document {
    /// Parses the text of a template that is deployed with `inputs`.
    pub(super) fn parse(text: &str, inputs: Inputs) -> Result<Self, Fault> {
        let document = Self { root: Node::parse(text)?, inputs, evaluating: RefCell::default() };
        document.check_parameters()?;
        Ok(document)
    }

    /// The entry `name` of the top-level section `section`.
    pub(super) fn declared(&self, section: &str, name: &str) -> Option<&Entry> {
        self.root.get(section)?.value.get(name)
    }

    /// The node after its own function, if it is one, is resolved; `None` is `AWS::NoValue`.
    pub(super) fn resolve(&self, node: &Node) -> Result<Option<Node>, Fault> {
        let Content::Call(name, argument) = &*node.content else {
            return Ok(Some(node.clone()));
        };
        let line = node.line;
        let text = |text: String| Ok(Some(Node::new(line, Content::Scalar(text))));
        match name.as_str() {
            "Ref" => self.reference(&self.text(argument)?, line),
            "Fn::GetAtt" => match &*argument.content {
                Content::Sequence(_) => text(self.texts(argument)?.join(".")),
                _ => text(self.text(argument)?),
            },
            "Fn::Sub" => text(self.substitute(argument)?),
            "Fn::Join" => {
                let [delimiter, list] = self.arguments(name, argument)?;
                text(self.texts(&list)?.join(&self.text(&delimiter)?))
            }
            "Fn::Select" => {
                let [index, list] = self.arguments(name, argument)?;
                let index: usize =
                    self.text(&index)?.parse().map_err(|_| Fault::new(line, "the index must be a number"))?;
                let items = self.items(&list)?;
                let item = items.get(index).ok_or_else(|| Fault::new(line, format!("the list has no item {index}")))?;
                self.resolve(item)
            }
            "Fn::FindInMap" => {
                let [map, top, second] = self.arguments(name, argument)?;
                let (map, top, second) = (self.text(&map)?, self.text(&top)?, self.text(&second)?);
                self.declared("Mappings", &map)
                    .and_then(|entry| entry.value.get(&top)?.value.get(&second))
                    .map(|entry| Some(entry.value.clone()))
                    .ok_or_else(|| Fault::new(line, format!("Mappings has no {map}.{top}.{second}")))
            }
            "Fn::If" => {
                let [condition, then, otherwise] = self.arguments(name, argument)?;
                let holds = self.condition(&self.text(&condition)?, line)?;
                self.resolve(if holds { &then } else { &otherwise })
            }
            name => Err(Fault::new(line, format!("the function {name} is not supported"))),
        }
    }

    /// The value of `Ref` for `name`.
    fn reference(&self, name: &str, line: usize) -> Result<Option<Node>, Fault> {
        let text = |text: &str| Ok(Some(Node::new(line, Content::Scalar(text.to_owned()))));
        if name == "AWS::NoValue" {
            return Ok(None);
        }
        if name == "AWS::Region" {
            return text(self.inputs.region.name());
        }
        if let Some((_, value)) = PSEUDO_PARAMETERS.iter().find(|(pseudo, _)| *pseudo == name) {
            return text(value);
        }
        if let Some(parameter) = self.declared("Parameters", name) {
            let kind = match parameter.value.get("Type") {
                Some(entry) => self.text(&entry.value)?,
                None => return Err(Fault::new(parameter.line, format!("the parameter {name} has no Type"))),
            };
            if kind.starts_with("AWS::SSM::") {
                return Err(Fault::new(
                    line,
                    format!("the parameter {name} is in Parameter Store, which is not supported"),
                ));
            }
            let value = match (self.inputs.parameters.get(name), parameter.value.get("Default")) {
                (Some(given), _) => given.clone(),
                (None, Some(default)) => self.text(&default.value)?,
                (None, None) => {
                    let message = format!("the parameter {name} has no Default, and no value was given");
                    return Err(Fault::new(parameter.line, message));
                }
            };
            return match value {
                list if parameters::is_list(&kind) => {
                    let items = list.split(',').map(|item| Node::new(line, Content::Scalar(item.trim().to_owned())));
                    Ok(Some(Node::new(line, Content::Sequence(items.collect()))))
                }
                value => text(&value),
            };
        }
        match self.declared("Resources", name) {
            Some(_) => text(name),
            None => Err(Fault::new(line, format!("{name} is neither a parameter nor a resource"))),
        }
    }

    /// `Fn::Sub` in both its forms.
    fn substitute(&self, argument: &Node) -> Result<String, Fault> {
        let (pattern, variables) = match &*argument.content {
            Content::Sequence(_) => {
                let [pattern, variables] = self.arguments("Fn::Sub", argument)?;
                (self.text(&pattern)?, Some(variables))
            }
            _ => (self.text(argument)?, None),
        };
        let line = argument.line;
        let mut result = String::with_capacity(pattern.len());
        let mut rest = pattern.as_str();
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) =
                after.split_once('}').ok_or_else(|| Fault::new(line, "Fn::Sub has a ${ without a }"))?;
            result.push_str(before);
            if let Some(literal) = name.strip_prefix('!') {
                result.push_str(&format!("${{{literal}}}"));
            } else if let Some(entry) = variables.as_ref().and_then(|variables| variables.get(name)) {
                result.push_str(&self.text(&entry.value)?);
            } else if name.contains('.') {
                result.push_str(name); // like GetAtt
            } else {
                let value = self.reference(name, line)?;
                let value = value.ok_or_else(|| Fault::new(line, format!("{name} has no value for Fn::Sub")))?;
                result.push_str(&self.text(&value)?);
            }
            rest = after;
        }
        Ok(result + rest)
    }

    /// The arguments of a function, of which there must be exactly `N`.
    pub(super) fn arguments<const N: usize>(&self, name: &str, argument: &Node) -> Result<[Node; N], Fault> {
        let items = self.items(argument)?;
        items.try_into().map_err(|_| Fault::new(argument.line, format!("{name} takes a list of {N}")))
    }

    /// The items of a list, including those that are `AWS::NoValue`.
    pub(super) fn items(&self, node: &Node) -> Result<Vec<Node>, Fault> {
        match self.resolve(node)?.as_ref().map(|node| &*node.content) {
            Some(Content::Sequence(items)) => Ok(items.clone()),
            _ => Err(Fault::new(node.line, "a list is expected here")),
        }
    }

    /// The items of a list of strings.
    fn texts(&self, node: &Node) -> Result<Vec<String>, Fault> {
        self.items(node)?.iter().map(|item| self.text(item)).collect()
    }

    /// The text of a scalar.
    pub(super) fn text(&self, node: &Node) -> Result<String, Fault> {
        match self.resolve(node)?.as_ref().map(|node| &*node.content) {
            Some(Content::Scalar(text)) if text.contains("{{resolve:") => {
                Err(Fault::new(node.line, "dynamic references ({{resolve:…}}) are not supported"))
            }
            Some(Content::Scalar(text) | Content::Literal(text)) => Ok(text.clone()),
            _ => Err(Fault::new(node.line, "a string is expected here")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = r#"
Parameters:
  Name: { Type: String, Default: ada }
  Count: { Type: Number, Default: 7 }
  List: { Type: CommaDelimitedList, Default: "a, b" }
  Undecided: { Type: String }
  Stored: { Type: "AWS::SSM::Parameter::Value<String>", Default: /path }
Mappings:
  Map: { top: { second: mapped } }
Conditions:
  Holds: !Equals [!Ref Name, ada]
  Fails: !Not [!Condition Holds]
  Both: !And [!Condition Holds, { Condition: Fails }]
  Either: { "Fn::Or": [{ Condition: Holds }, !Condition Fails] }
  Loop: !Not [!Condition Loop]
Resources:
  Table: { Type: "AWS::DynamoDB::Table" }
Test:
"#;

    /// The text of an expression, or the message of its fault, in the template above.
    fn text(expression: &str) -> Result<String, String> {
        let document = Document::parse(&format!("{TEMPLATE}  value: {expression}\n"), Inputs::default()).unwrap();
        let test = document.root().required("Test").unwrap();
        test.required("value").and_then(|value| value.text()).map_err(|fault| {
            assert_eq!(
                fault.line,
                if expression.contains("Undecided") {
                    6
                } else if expression.contains("Loop") {
                    15
                } else {
                    19
                }
            );
            fault.message
        })
    }

    #[test]
    fn functions_resolve_in_both_forms() {
        for (expression, expected) in [
            ("!Ref Name", "ada"),
            ("{ Ref: Count }", "7"),
            ("!Ref Table", "Table"),
            ("!Ref AWS::Region", "local"),
            ("!GetAtt Table.Arn", "Table.Arn"),
            ("!GetAtt [Table, Arn]", "Table.Arn"),
            ("!Sub '${Name}-${AWS::Partition}-${Table.Arn}-${!Literal}'", "ada-aws-Table.Arn-${Literal}"),
            ("!Sub ['${a}${Name}', { a: !Ref Count }]", "7ada"),
            ("{ 'Fn::Sub': '${Name}' }", "ada"),
            ("!Join ['-', [x, !Ref Name]]", "x-ada"),
            ("!Join ['+', !Ref List]", "a+b"),
            ("!Select [1, !Ref List]", "b"),
            ("!FindInMap [Map, top, second]", "mapped"),
            ("!If [Holds, !Ref Name, other]", "ada"),
            ("!If [Fails, x, !If [Either, y, z]]", "y"),
            ("!If [Both, x, y]", "y"),
        ] {
            assert_eq!(text(expression).as_deref(), Ok(expected), "{expression}");
        }
    }

    #[test]
    fn an_unresolvable_function_is_a_fault_with_its_line() {
        for (expression, expected) in [
            ("!ImportValue x", "the function Fn::ImportValue is not supported"),
            ("{ 'Fn::Split': [a, b] }", "the function Fn::Split is not supported"),
            ("!Ref Nothing", "Nothing is neither a parameter nor a resource"),
            ("!Sub '${Nothing}'", "Nothing is neither a parameter nor a resource"),
            ("!Sub '${Name'", "Fn::Sub has a ${ without a }"),
            ("!Ref Undecided", "the parameter Undecided has no Default, and no value was given"),
            ("!Ref Stored", "the parameter Stored is in Parameter Store, which is not supported"),
            ("!FindInMap [Map, top, third]", "Mappings has no Map.top.third"),
            ("!Select [2, !Ref List]", "the list has no item 2"),
            ("!If [Nothing, a, b]", "Conditions has no Nothing"),
            ("!If [Holds, a]", "Fn::If takes a list of 3"),
            ("!If [Loop, a, b]", "the condition Loop depends on itself"),
            ("!Join ['-', x]", "a list is expected here"),
            ("[a]", "a string is expected here"),
        ] {
            assert_eq!(text(expression).as_ref().map_err(String::as_str), Err(expected), "{expression}");
        }
    }

    #[test]
    fn no_value_removes_a_property_and_an_item() {
        let none = "{ a: !Ref AWS::NoValue, b: !If [Fails, x, !Ref AWS::NoValue], c: [x, !Ref AWS::NoValue], d: ~ }";
        let document = Document::parse(&format!("{TEMPLATE}  value: {none}\n"), Inputs::default()).unwrap();
        let value = document.root().required("Test").unwrap().required("value").unwrap();
        assert_eq!(value.members().unwrap().len(), 1);
        assert!(value.get("a").unwrap().is_none() && value.get("b").unwrap().is_none());
        assert_eq!(value.required("c").unwrap().items().unwrap().len(), 1);
    }
}
