//! Reads a REQUEST authorizer's answer, its policy or its simple response, and its context, as API Gateway does.
//!
//! It does not use a library, because API Gateway accepts less than IAM: one action, one resource, no
//! principal. An evaluator for all of IAM would accept policies that an authorizer must not return.

use std::fmt;

use serde_json::{Map, Value};

/// The action that a statement must cover to apply to a call.
const INVOKE: &str = "execute-api:Invoke";

/// The decision of a well-formed answer about the called method.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Decision {
    /// Whether the policy allows the call.
    pub(crate) is_allowed: bool,
    /// The authorizer's context. In a REST API, with `principalId`, and every value as a string or null.
    pub(crate) context: Map<String, Value>,
}

/// Why API Gateway cannot use an authorizer's answer. It contains no value of the answer.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Malformed(&'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Reads the answer of a REST API's authorizer for the method `method_arn`.
pub(crate) fn decide(answer: &Value, method_arn: &str) -> Result<Decision, Malformed> {
    let (is_allowed, principal) = read_policy(answer, method_arn)?;
    let mut context = read_context(&answer["context"])?;
    context.insert("principalId".to_owned(), Value::from(principal));
    Ok(Decision { is_allowed, context })
}

/// Reads the answer of an HTTP API's authorizer of payload 2.0 for the route `route_arn`: a simple response or
/// a policy. The values of its context stay as they are.
pub(crate) fn decide_in_http_api(answer: &Value, route_arn: &str, is_simple: bool) -> Result<Decision, Malformed> {
    let is_allowed = if is_simple {
        answer["isAuthorized"].as_bool().ok_or(Malformed("isAuthorized is neither true nor false"))?
    } else {
        read_policy(answer, route_arn)?.0
    };
    let context = match &answer["context"] {
        Value::Null => Map::new(),
        Value::Object(members) => members.clone(),
        _ => return Err(Malformed("the context is not an object")),
    };
    Ok(Decision { is_allowed, context })
}

/// Whether a policy allows a call, and for whom: an explicit Deny wins, then an Allow counts.
fn read_policy<'a>(answer: &'a Value, arn: &str) -> Result<(bool, &'a str), Malformed> {
    let principal = answer["principalId"].as_str().filter(|principal| !principal.is_empty());
    let principal = principal.ok_or(Malformed("principalId is missing"))?;
    let policy = answer["policyDocument"].as_object().ok_or(Malformed("policyDocument is missing"))?;
    if !matches!(policy.get("Version").and_then(Value::as_str), Some("2012-10-17" | "2008-10-17")) {
        return Err(Malformed("unknown policy Version"));
    }
    let statements = match policy.get("Statement") {
        Some(Value::Array(statements)) if !statements.is_empty() => statements.as_slice(),
        Some(statement @ Value::Object(_)) => std::slice::from_ref(statement),
        _ => return Err(Malformed("the policy has no Statement")),
    };
    let (mut allow, mut deny) = (false, false);
    for statement in statements {
        let (effect, applies) = read_statement(statement, arn)?;
        match effect {
            Effect::Allow => allow |= applies,
            Effect::Deny => deny |= applies,
        }
    }
    Ok((allow && !deny, principal))
}

/// The effect of a statement, if it applies.
enum Effect {
    /// Allows the call.
    Allow,
    /// Refuses the call, whatever else allows it.
    Deny,
}

/// A statement's effect and whether it applies to the call.
fn read_statement(statement: &Value, method_arn: &str) -> Result<(Effect, bool), Malformed> {
    let members = statement.as_object().ok_or(Malformed("a Statement is not an object"))?;
    // If a Condition, NotAction or NotResource were ignored, a refusal could become an Allow. An empty
    // Condition has no effect.
    let says_more = |(key, value): (&String, &Value)| match key.as_str() {
        "Sid" | "Effect" | "Action" | "Resource" => false,
        "Condition" => value.as_object().is_none_or(|conditions| !conditions.is_empty()),
        _ => true,
    };
    if members.iter().any(says_more) {
        return Err(Malformed("a Statement has a member other than Sid, Effect, Action and Resource"));
    }
    let effect = match statement["Effect"].as_str() {
        Some("Allow") => Effect::Allow,
        Some("Deny") => Effect::Deny,
        _ => return Err(Malformed("a Statement's Effect is neither Allow nor Deny")),
    };
    let covers = |member: &'static str, value: &str, fold: fn(&str) -> String| {
        let patterns = match &statement[member] {
            Value::Array(patterns) if !patterns.is_empty() => patterns.as_slice(),
            pattern @ Value::String(_) => std::slice::from_ref(pattern),
            _ => return Err(Malformed("a Statement's Action or Resource is missing")),
        };
        let mut covered = false;
        for pattern in patterns {
            let text = pattern.as_str().ok_or(Malformed("an Action or Resource is not a string"))?;
            covered |= matches(&parse_pattern(&fold(text))?, &fold(value));
        }
        Ok(covered)
    };
    let action = covers("Action", INVOKE, str::to_lowercase)?;
    let resource = covers("Resource", method_arn, str::to_owned)?;
    Ok((effect, action && resource))
}

/// The context for the function and for gateway responses.
fn read_context(context: &Value) -> Result<Map<String, Value>, Malformed> {
    let members = match context {
        Value::Null => return Ok(Map::new()),
        Value::Object(members) => members,
        _ => return Err(Malformed("the context is not an object")),
    };
    let text = |(key, value): (&String, &Value)| match value {
        Value::String(_) | Value::Null => Ok((key.clone(), value.clone())),
        Value::Number(_) | Value::Bool(_) => Ok((key.clone(), Value::from(value.to_string()))),
        Value::Array(_) | Value::Object(_) => Err(Malformed("a context value is a list or an object")),
    };
    members.iter().map(text).collect()
}

/// A piece of an IAM pattern.
#[derive(Debug, Eq, PartialEq)]
enum Glob {
    /// `*`: any text.
    Any,
    /// `?`: any one character.
    One,
    /// The character itself.
    Literal(char),
}

/// Parses a pattern with IAM's wildcards and its escapes `${*}`, `${?}` and `${$}`.
fn parse_pattern(pattern: &str) -> Result<Vec<Glob>, Malformed> {
    let mut globs = Vec::with_capacity(pattern.len());
    let mut rest = pattern.chars();
    while let Some(next) = rest.next() {
        globs.push(match next {
            '*' => Glob::Any,
            '?' => Glob::One,
            '$' if rest.as_str().starts_with('{') => {
                let mut escape = rest.as_str().chars().skip(1);
                match (escape.next(), escape.next()) {
                    (Some(literal @ ('*' | '?' | '$')), Some('}')) => {
                        rest.nth(2);
                        Glob::Literal(literal)
                    }
                    _ => return Err(Malformed("a policy variable is not supported")),
                }
            }
            literal => Glob::Literal(literal),
        });
    }
    Ok(globs)
}

/// Whether a pattern covers a text. The worst case takes time proportional to the product of both lengths.
fn matches(pattern: &[Glob], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // The positions after the last `*`: of the rest of the pattern, and of its last attempt in the text.
    let mut resume: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(Glob::Any) => {
                p += 1;
                resume = Some((p, t));
            }
            Some(glob) if *glob == Glob::One || *glob == Glob::Literal(text[t]) => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((after_star, tried)) = resume else { return false };
                p = after_star;
                t = tried + 1;
                resume = Some((after_star, t));
            }
        }
    }
    pattern[p..].iter().all(|glob| *glob == Glob::Any)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ARN: &str = "arn:aws:execute-api:local:123456789012:local/Prod/GET/hello";

    fn statement(effect: &str, resource: &str) -> Value {
        json!({"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource})
    }

    fn answer(statements: &Value) -> Value {
        json!({"principalId": "p", "policyDocument": {"Version": "2012-10-17", "Statement": statements}})
    }

    fn is_allowed(statements: &Value) -> bool {
        decide(&answer(statements), ARN).unwrap().is_allowed
    }

    #[test]
    fn deny_wins_over_allow_in_either_order() {
        assert!(is_allowed(&json!([statement("Allow", ARN)])));
        assert!(!is_allowed(&json!([statement("Allow", ARN), statement("Deny", ARN)])));
        assert!(!is_allowed(&json!([statement("Allow", &ARN.to_uppercase())])), "ARNs are case-sensitive");
        assert!(!is_allowed(&json!([statement("Deny", "*"), statement("Allow", ARN)])));
    }

    #[test]
    fn a_statement_counts_only_where_action_and_resource_cover_the_call() {
        assert!(!is_allowed(&json!([statement(
            "Allow",
            "arn:aws:execute-api:local:123456789012:local/Prod/POST/hello"
        )])));
        assert!(is_allowed(&json!([statement("Allow", ARN), statement("Deny", "arn:*/POST/*")])));
        assert!(is_allowed(&json!({"Effect": "Allow", "Action": ["s3:*", "EXECUTE-API:*"], "Resource": ["x", ARN]})));
        assert!(!is_allowed(&json!({"Effect": "Allow", "Action": "execute-api:ManageConnections", "Resource": "*"})));
        assert!(is_allowed(&json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {}})));
    }

    #[test]
    fn resources_match_with_wildcards_and_literal_escapes() {
        let covers = |pattern: &str, text: &str| matches(&parse_pattern(pattern).unwrap(), text);
        assert!(covers("a*c?", "abbbcd") && covers("*", "") && covers("a*b*c", "a-b-b-c") && covers("a**", "a"));
        assert!(!covers("a*c?", "abbbc") && !covers("a", "A") && !covers("a?", "a") && !covers("", "a"));
        assert!(covers("a${*}${?}${$}", "a*?$") && !covers("a${*}", "ab") && !covers("a${?}", "ab"));
        assert!(parse_pattern("a${aws:username}").is_err());
    }

    #[test]
    fn a_malformed_answer_is_not_a_refusal() {
        let allow = statement("Allow", "*");
        let with = |key: &str, value: Value| {
            let mut statement = allow.clone();
            statement[key] = value;
            answer(&json!([statement]))
        };
        let mut no_principal = answer(&json!([allow]));
        no_principal["principalId"] = Value::Null;
        let mut empty = answer(&json!([allow]));
        empty["principalId"] = json!("");
        let mut old = answer(&json!([allow]));
        old["policyDocument"]["Version"] = json!("2020-01-01");
        for (name, malformed) in [
            ("no principal", no_principal),
            ("empty principal", empty),
            ("no policy", json!({"principalId": "p"})),
            ("unknown version", old),
            ("no statement", answer(&json!([]))),
            ("effect", with("Effect", json!("allow"))),
            ("no action", with("Action", Value::Null)),
            ("resource", with("Resource", json!([1]))),
            ("condition", with("Condition", json!({"Bool": {"a": "b"}}))),
            ("condition that is not an object", with("Condition", Value::Null)),
            ("negation", with("NotResource", json!("*"))),
            ("negated action", with("NotAction", json!("*"))),
            ("text", json!("Allow")),
        ] {
            assert!(decide(&malformed, ARN).is_err(), "{name}");
        }
    }

    #[test]
    fn context_values_become_strings_except_null_and_lists_and_objects_are_refused() {
        let mut answer = answer(&json!([statement("Allow", "*")]));
        answer["context"] = json!({"text": "a", "number": 7, "flag": true, "none": null});
        let context = decide(&answer, ARN).unwrap().context;
        let expected = json!({"text": "a", "number": "7", "flag": "true", "none": null, "principalId": "p"});
        assert_eq!(Value::from(context), expected);
        for value in [json!([1]), json!({"a": 1})] {
            answer["context"] = json!({"key": value});
            assert!(decide(&answer, ARN).is_err());
        }
    }
}
