//! Values that a deployment gives to the template, checked as CloudFormation checks them.

use std::collections::BTreeMap;

use regex_lite::Regex;

use super::Fault;
use super::intrinsics::Document;
use super::value::Value;
use crate::account::Region;

/// What the deployment of a template adds to its text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inputs {
    /// Values of parameters, by name, instead of their defaults.
    pub(crate) parameters: BTreeMap<String, String>,
    /// The Region.
    pub(crate) region: Region,
}

impl Document {
    /// Refuses a value for a parameter that the template does not have, and one that the parameter does not allow.
    pub(super) fn check_parameters(&self) -> Result<(), Fault> {
        let declared = self.root().get("Parameters")?;
        for (name, value) in &self.inputs.parameters {
            let parameter = declared.as_ref().map_or(Ok(None), |declared| declared.get(name))?;
            let Some(parameter) = parameter else {
                let line = declared.as_ref().map_or(1, Value::line);
                return Err(Fault::new(line, format!("there is no parameter {name}")));
            };
            let kind = parameter.required("Type")?.text()?;
            let values = if is_list(&kind) { value.split(',').map(str::trim).collect() } else { vec![value.as_str()] };
            for value in values {
                if let Some(problem) = problem(&parameter, kind.contains("Number"), value)? {
                    return Err(parameter.fault(format!("{name} cannot be {value:?}: {problem}")));
                }
            }
        }
        Ok(())
    }
}

/// Whether the type `kind` of a parameter is a list, whose values are separated by commas.
pub(super) fn is_list(kind: &str) -> bool {
    kind == "CommaDelimitedList" || kind.starts_with("List<")
}

/// Why `parameter` does not allow `value`; `None` if it does.
fn problem(parameter: &Value<'_>, is_number: bool, value: &str) -> Result<Option<String>, Fault> {
    if let Some(allowed) = parameter.get("AllowedValues")? {
        let allowed = allowed.items()?.iter().map(Value::text).collect::<Result<Vec<_>, _>>()?;
        if !allowed.iter().any(|allowed| allowed == value) {
            return Ok(Some(format!("AllowedValues are {}", allowed.join(", "))));
        }
    }
    if let Some(pattern) = parameter.get("AllowedPattern")? {
        let text = pattern.text()?;
        // The whole value must match.
        let whole = Regex::new(&format!("^(?:{text})$"));
        if !whole.map_err(|err| pattern.fault(format!("AllowedPattern is not supported: {err}")))?.is_match(value) {
            let description = parameter.text_of("ConstraintDescription")?;
            return Ok(Some(description.map_or(format!("AllowedPattern is {text}"), |it| format!("it must be {it}"))));
        }
    }
    let (least, most, size) = if is_number {
        let is_plain = value.bytes().all(|byte| byte.is_ascii_digit() || b"+-.".contains(&byte));
        let Some(number) = value.parse::<f64>().ok().filter(|_| is_plain) else {
            return Ok(Some("it must be a number".to_owned()));
        };
        ("MinValue", "MaxValue", number)
    } else {
        ("MinLength", "MaxLength", u32::try_from(value.chars().count()).unwrap_or(u32::MAX).into())
    };
    let limit = |name| parameter.get(name)?.map(|limit| limit.number::<f64>()).transpose();
    Ok(match (limit(least)?, limit(most)?) {
        (Some(limit), _) if size < limit => Some(format!("{least} is {limit}")),
        (_, Some(limit)) if size > limit => Some(format!("{most} is {limit}")),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Api, Kind};
    use super::*;

    const TEMPLATE: &str = "\
Parameters:
  Seconds: { Type: Number, Default: 300, MinValue: 1, MaxValue: 86400 }
  Level:
    Type: String
    Default: INFO
    AllowedValues: [INFO, WARN]
  Name: { Type: String, AllowedPattern: '[a-z]+', ConstraintDescription: one or more small letters }
  Bare: { Type: String, Default: a, AllowedPattern: '[a-z]+' }
  Code: { Type: String, Default: abc, MinLength: 2, MaxLength: 4 }
  Names: { Type: CommaDelimitedList, Default: a, AllowedPattern: '[a-z]' }
  Numbers: { Type: List<Number>, Default: 1, MaxValue: 9 }
  Odd: { Type: String, Default: a, AllowedPattern: '(?=a)' }
  Untyped: { Default: a }
Resources: {}
";

    /// The document with these values for the parameters, or the text of its fault.
    fn with(values: &[(&str, &str)]) -> Result<Document, String> {
        let parameters = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Document::parse(TEMPLATE, Inputs { parameters, ..Inputs::default() }).map_err(|fault| fault.to_string())
    }

    #[test]
    fn a_value_that_the_template_allows_is_accepted() {
        for (name, value) in [
            ("Seconds", "1"),
            ("Seconds", "86400"),
            ("Seconds", "1.5"),
            ("Level", "WARN"),
            ("Name", "abc"),
            ("Code", "日本"),
            ("Names", "a, b"),
            ("Numbers", "1,9"),
        ] {
            with(&[(name, value)]).unwrap();
        }
    }

    #[test]
    fn a_value_that_the_template_forbids_is_a_fault_with_the_constraint() {
        for (name, value, expected) in [
            ("Seconds", "0", "2: Seconds cannot be \"0\": MinValue is 1"),
            ("Seconds", "86401", "2: Seconds cannot be \"86401\": MaxValue is 86400"),
            ("Seconds", "five", "2: Seconds cannot be \"five\": it must be a number"),
            ("Seconds", "inf", "2: Seconds cannot be \"inf\": it must be a number"),
            ("Seconds", "", "2: Seconds cannot be \"\": it must be a number"),
            ("Level", "info", "3: Level cannot be \"info\": AllowedValues are INFO, WARN"),
            ("Name", "abc1", "7: Name cannot be \"abc1\": it must be one or more small letters"),
            ("Bare", "", "8: Bare cannot be \"\": AllowedPattern is [a-z]+"),
            ("Code", "a", "9: Code cannot be \"a\": MinLength is 2"),
            ("Code", "abcde", "9: Code cannot be \"abcde\": MaxLength is 4"),
            ("Names", "a,bc", "10: Names cannot be \"bc\": AllowedPattern is [a-z]"),
            ("Numbers", "1,10", "11: Numbers cannot be \"10\": MaxValue is 9"),
            ("Numbers", "1,x", "11: Numbers cannot be \"x\": it must be a number"),
            ("Untyped", "a", "13: Type is missing"),
            ("seconds", "5", "1: there is no parameter seconds"),
        ] {
            assert_eq!(with(&[(name, value)]).unwrap_err(), expected);
        }
        assert!(with(&[("Odd", "a")]).unwrap_err().starts_with("12: AllowedPattern is not supported: "));
        let parameters = BTreeMap::from([("A".to_owned(), "1".to_owned())]);
        let without = Document::parse("Resources: {}\n", Inputs { parameters, ..Inputs::default() });
        assert_eq!(without.unwrap_err().to_string(), "1: there is no parameter A");
    }

    #[test]
    fn a_value_takes_the_place_of_the_default_and_of_a_missing_one() {
        let template = "\
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: { Type: String }
  Rate: { Type: Number, Default: 5 }
Mappings:
  Bursts: { eu-west-1: { burst: 7 } }
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: !Ref Stage
      MethodSettings:
        - HttpMethod: '*'
          ResourcePath: /*
          ThrottlingRateLimit: !Ref Rate
          ThrottlingBurstLimit: !FindInMap [Bursts, !Ref AWS::Region, burst]
";
        let region = Region::parse("eu-west-1").unwrap();
        let parameters = [("Stage", "Test"), ("Rate", "6")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let api = Api::read(template, Inputs { parameters: parameters.into(), region: region.clone() }).unwrap();
        let Kind::Rest { stage, throttling: Some(throttling), .. } = api.kind else { panic!("{api:?}") };
        assert_eq!((stage.as_str(), throttling.rate, throttling.burst), ("Test", 6.0, 7.0));

        let missing = Api::read(template, Inputs { region, ..Inputs::default() }).unwrap_err();
        assert_eq!(missing.to_string(), "3: the parameter Stage has no Default, and no value was given");
        let elsewhere = Inputs { parameters: [("Stage".to_owned(), "Test".to_owned())].into(), ..Inputs::default() };
        assert_eq!(Api::read(template, elsewhere).unwrap_err().to_string(), "16: Mappings has no Bursts.local.burst");
    }
}
