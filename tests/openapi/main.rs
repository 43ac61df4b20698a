//! `openapi.yaml` says what the template, the code and the document say.
//!
//! `tests/api` compares it with responses.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

use std::{collections::BTreeSet, fs};

use local::{Options, Server};
use regex_lite::Regex;
use serde_json::{Value, json};

/// A file of the repository.
fn read(path: &str) -> String {
    fs::read_to_string(format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn description() -> Value {
    serde_saphyr::from_str(&read("openapi.yaml")).unwrap()
}

/// Who may call an operation, by its security requirements, in the words of the summary of `local`.
///
/// To a client, a route whose authorizer mints is open, and so is one that takes the token also from the body.
fn caller(security: &Value) -> &'static str {
    let alternatives = security.as_array().unwrap();
    let names = |name: &str| alternatives.iter().any(|it| it.get(name).is_some());
    let is_optional = alternatives.is_empty() || alternatives.contains(&json!({}));
    match (is_optional, names("signature"), names("accessToken") && names("bearer")) {
        (true, false, _) => "open",
        (false, true, false) => "AWS_IAM",
        (false, false, true) => "GuardAuthorizer",
        _ => panic!("{security}"),
    }
}

#[tokio::test]
async fn its_routes_and_their_security_are_those_of_the_template() {
    let template = format!("{}/../template.yaml", env!("CARGO_MANIFEST_DIR"));
    let server = Server::bind(Options::new(template), &local::functions().unwrap()).await.unwrap();
    let mut expected = BTreeSet::new();
    for line in server.summary().lines() {
        let Some((route, _)) = line.split_once(" -> ") else { continue };
        let words: Vec<_> = route.split_whitespace().collect();
        let caller = match words[2..] {
            ["no", "authorizer"] | ["MintingAuthorizer"] => "open",
            ["GuardAuthorizer"] => "GuardAuthorizer",
            ["AWS_IAM"] => "AWS_IAM",
            _ => panic!("{line}"),
        };
        expected.insert((words[1].to_owned(), words[0].to_lowercase(), caller));
        // "OPTIONS on every path is a CORS preflight"
        expected.insert((words[1].to_owned(), "options".to_owned(), "open"));
    }
    assert!(server.summary().contains("OPTIONS on every path is a CORS preflight"));

    let description = description();
    let mut described = BTreeSet::new();
    for (path, operations) in description["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let security = operation.get("security").unwrap_or(&description["security"]);
            described.insert((path.clone(), method.clone(), caller(security)));
        }
    }
    assert_eq!(described, expected);
}

/// The words in `text` that `pattern` captures.
fn captures<'a>(text: &'a str, pattern: &str) -> BTreeSet<&'a str> {
    Regex::new(pattern).unwrap().captures_iter(text).map(|found| found.get(1).unwrap().as_str()).collect()
}

#[test]
fn its_reasons_are_those_of_the_code_and_of_the_gateway_responses() {
    let description = description();
    let described = |name: &str| -> BTreeSet<String> {
        let reasons = description["components"]["schemas"][name]["enum"].as_array().unwrap();
        reasons.iter().map(|reason| reason.as_str().unwrap().to_owned()).collect()
    };
    let owned = |reasons: BTreeSet<&str>| reasons.into_iter().map(str::to_owned).collect::<BTreeSet<_>>();

    let refusals = read("crates/tokens/src/refusal.rs");
    let (_, reason) = refusals.split_once("fn reason(self)").unwrap();
    let (reason, _) = reason.split_once("\n    }\n").unwrap();
    assert_eq!(described("TokenReason"), owned(captures(reason, r#"Self::\w+[^=]*=> "(\w+)""#)));

    let errors = read("crates/apigw/src/error.rs");
    let mut of_functions = captures(&errors, r#"Self::new\(StatusCode::\w+, \w*"?[^,]*, "(\w+)"\)"#);
    // Only the shop uses these.
    for reason in ["forbidden", "not_found"] {
        assert!(of_functions.remove(reason));
    }
    // All constructors but `refused` and `conflict`, which take their reason.
    let constructors = errors.matches("Self::new(StatusCode::").count();
    assert_eq!(constructors, Regex::new(r#", "\w+"\)"#).unwrap().find_iter(&errors).count() + 2);
    let template = read("template.yaml");
    let of_gateway = captures(&template, r#""reason":"(\w+)""#);
    assert_eq!(described("RequestReason"), owned(of_functions.union(&of_gateway).copied().collect()));
}

/// All values below `value`, each with its JSON pointer.
fn walk<'a>(value: &'a Value, pointer: &str, visit: &mut impl FnMut(&str, &'a Value)) {
    visit(pointer, value);
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                walk(member, &format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")), visit);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &format!("{pointer}/{index}"), visit);
            }
        }
        _ => {}
    }
}

#[test]
fn its_references_lead_somewhere_and_its_examples_are_valid() {
    let description = description();
    let mut examples = Vec::new();
    walk(&description, "", &mut |pointer, value| {
        if let Some(target) = value.get("$ref") {
            let target = target.as_str().unwrap().strip_prefix('#').unwrap();
            assert!(description.pointer(target).is_some(), "{pointer}: {target}");
        }
        if let Some(id) = value.get("operationId").filter(|_| pointer.contains("/links/")) {
            let mut operations =
                description["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
            assert!(operations.any(|operation| operation.get("operationId") == Some(id)), "{pointer}: {id}");
        }
        if let (Some(_), Some(example)) = (value.get("schema"), value.get("example")) {
            examples.push((format!("{pointer}/schema"), example));
        }
        if let (Some(_), Some(named)) = (value.get("schema"), value.get("examples")) {
            examples.extend(named.as_object().unwrap().values().map(|it| (format!("{pointer}/schema"), &it["value"])));
        }
        if let Some(example) = value.get("example").filter(|_| value.get("type").is_some()) {
            examples.push((pointer.to_owned(), example));
        }
    });
    assert!(examples.len() > 15);
    for (pointer, example) in examples {
        let mut document = description.clone();
        document["$ref"] = json!(format!("#{pointer}"));
        // The tokens in the examples are shortened.
        let example = example.to_string().replace("eyJ…", "eyJ.a.b");
        let valid = jsonschema::draft202012::new(&document)
            .unwrap()
            .validate(&serde_json::from_str(&example).unwrap())
            .map_err(|err| err.to_string());
        assert_eq!(valid, Ok(()), "{pointer}");
    }
}
