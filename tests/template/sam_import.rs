//! What API Gateway's import would read: the definition of the API, as a document.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::stack::{Stack, names};

#[test]
#[ignore = "needs SAM's transform of the template"]
fn the_definition_is_openapi_2_which_is_the_form_that_sam_writes_without_errors() {
    let stack = Stack::by_default();
    assert_eq!(stack.api()["swagger"], "2.0");
    assert!(stack.api()["openapi"].is_null());
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn a_warning_of_the_import_does_not_end_the_deployment() {
    // SAM's own output is not free of them, as the next test shows.
    let stack = Stack::by_default();
    assert!(stack.the("AWS::ApiGateway::RestApi")["FailOnWarnings"].is_null());
}

#[test]
#[ignore = "needs SAM's transform of the template and a strict parser"]
fn a_strict_parser_misses_the_responses_of_proxy_methods_and_finds_no_other_issue() {
    let stack = Stack::by_default();
    // The specification wants at least one response. SAM writes none for a proxy integration, which
    // has none, in any template: API Gateway imports that.
    let mut left_out_by_sam = BTreeSet::new();
    for (path, operations) in stack.api()["paths"].as_object().unwrap() {
        for method in names(operations).into_iter().filter(|method| *method != "options") {
            left_out_by_sam.insert(format!("attribute paths.'{path}'({method}).responses is missing"));
        }
    }
    assert_eq!(issues(&stack), left_out_by_sam);
}

/// What swagger-parser finds wrong with the definition.
///
/// API Gateway reports an import's issues in the words of the same library. `openapi-generator-cli`
/// contains it.
fn issues(stack: &Stack) -> BTreeSet<String> {
    let parser = apigw::env("OPENAPI_GENERATOR")
        .expect("OPENAPI_GENERATOR is not set: it names openapi-generator-cli, which is on PyPI");
    let definition = Path::new(env!("CARGO_TARGET_TMPDIR")).join("definition.json");
    std::fs::write(&definition, stack.api().to_string()).unwrap();
    let output = Command::new(parser).arg("validate").arg("--input-spec").arg(&definition).output().unwrap();
    let report = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    // A list, in lines of at most 100 characters.
    let words = report.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.contains("No validation issues detected.") {
        return BTreeSet::new();
    }
    let (_, list) = words.split_once("Errors: - ").unwrap_or_else(|| panic!("{report}"));
    let (list, _) = list.split_once(" [error] Spec has ").unwrap_or_else(|| panic!("{report}"));
    list.split(" - ").map(ToOwned::to_owned).collect()
}
