//! The transformed template with its parameters filled in.

use std::collections::BTreeMap;

use regex_lite::Regex;
use serde_json::{Map, Value, json};

/// What CloudFormation would make of the transformed template.
///
/// Conditions are decided and parameters filled in, as texts. What is only known once the stack is
/// there stays a name in the manner of `Fn::Sub`: `${Api}` for `!Ref Api`, `${TokensTable.Arn}` for
/// `!GetAtt TokensTable.Arn`.
pub(crate) struct Stack {
    /// The resources by their logical ids, without those whose condition is false.
    pub(crate) resources: BTreeMap<String, Value>,
}

impl Stack {
    /// The stack with every parameter at its default.
    pub(crate) fn by_default() -> Self {
        Self::with(&[])
    }

    /// The stack with these parameters, and the others at their defaults.
    pub(crate) fn with(parameters: &[(&str, &str)]) -> Self {
        let template = Template::read(parameters);
        let mut resources = BTreeMap::new();
        for (id, resource) in template.document["Resources"].as_object().unwrap() {
            if resource.get("Condition").is_none_or(|condition| template.holds(condition)) {
                resources.insert(id.clone(), template.filled_in(resource).unwrap());
            }
        }
        Self { resources }
    }

    /// The stack with every resource that a parameter can add.
    pub(crate) fn with_all_resources() -> Self {
        Self::with(&[
            ("AccessLogs", "true"),
            ("AlarmEmail", "ops@example.com"),
            ("RotationDays", "30"),
            ("WafRateLimit", "1000"),
        ])
    }

    /// The logical ids and the properties of all resources of one type.
    pub(crate) fn all(&self, resource_type: &str) -> Vec<(&str, &Value)> {
        let of_type = |resource: &Value| resource["Type"] == resource_type;
        self.resources.iter().filter(|(_, r)| of_type(r)).map(|(id, r)| (id.as_str(), &r["Properties"])).collect()
    }

    /// The properties of the only resource of a type.
    pub(crate) fn the(&self, resource_type: &str) -> &Value {
        let [(_, properties)] = self.all(resource_type)[..] else {
            panic!("there is not exactly one {resource_type}");
        };
        properties
    }

    /// The definition of the API.
    pub(crate) fn api(&self) -> &Value {
        &self.the("AWS::ApiGateway::RestApi")["Body"]
    }
}

/// A template and the values of its parameters.
struct Template {
    document: Value,
    parameters: BTreeMap<String, String>,
}

impl Template {
    fn read(overrides: &[(&str, &str)]) -> Self {
        let path = apigw::env("TRANSFORMED_TEMPLATE").expect(
            "TRANSFORMED_TEMPLATE is not set: it names a file with the transformed template as JSON, \
             and .ci/run shows how to make one",
        );
        let document: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let defaults = document["Parameters"].as_object().unwrap();
        let mut parameters: BTreeMap<_, _> =
            defaults.iter().map(|(name, parameter)| (name.clone(), text(&parameter["Default"]))).collect();
        for (name, value) in overrides {
            let parameter = parameters.get_mut(*name).unwrap_or_else(|| panic!("no parameter {name}"));
            assert!(is_allowed(&defaults[*name], value), "{name} may not be {value}");
            *parameter = (*value).to_owned();
        }
        Self { document, parameters }
    }

    fn holds(&self, condition: &Value) -> bool {
        let name = condition.as_str().unwrap();
        let decided = self.filled_in(&self.document["Conditions"][name]).unwrap();
        decided.as_bool().unwrap_or_else(|| panic!("{name} is {decided}"))
    }

    /// `value` without intrinsic functions; nothing for `AWS::NoValue`.
    fn filled_in(&self, value: &Value) -> Option<Value> {
        match value {
            Value::Object(members) if members.len() == 1 => {
                let (name, argument) = members.iter().next()?;
                match name.as_str() {
                    "Ref" if argument == "AWS::NoValue" => None,
                    "Ref" => Some(json!(self.substituted(format!("${{{}}}", text(argument))))),
                    "Fn::GetAtt" => Some(json!(format!("${{{}.{}}}", text(&argument[0]), text(&argument[1])))),
                    "Fn::Sub" => Some(json!(self.sub(argument))),
                    "Fn::If" => self.filled_in(&argument[if self.holds(&argument[0]) { 1 } else { 2 }]),
                    "Fn::FindInMap" => {
                        let keys: Vec<_> = argument.as_array().unwrap().iter().map(text).collect();
                        let found = &self.document["Mappings"][&keys[0]][&keys[1]][&keys[2]];
                        assert!(!found.is_null(), "there is no mapping {keys:?}");
                        Some(found.clone())
                    }
                    // CloudFormation compares texts: -1 equals "-1".
                    "Fn::Equals" => {
                        let side = |index: usize| self.filled_in(&argument[index]).as_ref().map(text);
                        Some(json!(side(0) == side(1)))
                    }
                    "Fn::Not" => Some(json!(self.filled_in(&argument[0])? == json!(false))),
                    unknown if unknown.starts_with("Fn::") => panic!("these tests do not know {unknown} yet"),
                    _ => Some(self.members(members)),
                }
            }
            Value::Object(members) => Some(self.members(members)),
            Value::Array(items) => Some(items.iter().filter_map(|item| self.filled_in(item)).collect()),
            other => Some(other.clone()),
        }
    }

    fn members(&self, members: &Map<String, Value>) -> Value {
        members.iter().filter_map(|(name, value)| Some((name.clone(), self.filled_in(value)?))).collect()
    }

    /// `Fn::Sub`: a text, or a list of a text and its own variables.
    fn sub(&self, argument: &Value) -> String {
        let Some(with_variables) = argument.as_array() else { return self.substituted(text(argument)) };
        let mut substituted = text(&with_variables[0]);
        for (name, value) in with_variables[1].as_object().unwrap() {
            substituted = substituted.replace(&format!("${{{name}}}"), &text(&self.filled_in(value).unwrap()));
        }
        self.substituted(substituted)
    }

    fn substituted(&self, text: String) -> String {
        self.parameters.iter().fold(text, |text, (name, value)| text.replace(&format!("${{{name}}}"), value))
    }
}

/// Whether a parameter takes a value.
fn is_allowed(parameter: &Value, value: &str) -> bool {
    let is_within = |limit: &str, is_within: fn(f64, f64) -> bool| {
        parameter[limit].as_f64().is_none_or(|limit| is_within(value.parse().unwrap(), limit))
    };
    let pattern = parameter["AllowedPattern"].as_str();
    let values = parameter["AllowedValues"].as_array();
    is_within("MinValue", |value, limit| value >= limit)
        && is_within("MaxValue", |value, limit| value <= limit)
        && pattern.is_none_or(|pattern| Regex::new(pattern).unwrap().is_match(value))
        && values.is_none_or(|values| values.iter().any(|allowed| text(allowed) == value))
}

/// A scalar as CloudFormation passes it on.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// The names of an object's members, sorted.
pub(crate) fn names(object: &Value) -> Vec<&str> {
    let mut names: Vec<_> = object.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}
