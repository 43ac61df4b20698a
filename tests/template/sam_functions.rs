//! The functions and their logs.

use std::collections::BTreeSet;

use aws::Access;
use harness::FUNCTIONS;

use crate::stack::{Stack, names};

/// What a function may have: no VPC, no layer, no address of its own, no queue for failures.
const PROPERTIES: [&str; 12] = [
    "Architectures",
    "Code",
    "Description",
    "Environment",
    "Handler",
    "LoggingConfig",
    "MemorySize",
    "ReservedConcurrentExecutions",
    "Role",
    "Runtime",
    "Tags",
    "Timeout",
];

/// The variables of every function.
const SHARED_VARIABLES: [&str; 6] = [
    "ALLOWED_ORIGIN",
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_ENDPOINT_URL_SECRETS_MANAGER",
    "EXPOSED_HEADERS",
    "OPEN_ROUTES",
    "STACK_NAME",
];

#[test]
#[ignore = "needs SAM's transform of the template"]
fn every_function_is_stopped_after_five_seconds_and_one_that_calls_often_later() {
    for (id, function) in Stack::by_default().all("AWS::Lambda::Function") {
        let seconds = match id {
            "RotateFunction" => 30,
            "UsageFunction" => 60,
            _ => 5,
        };
        assert_eq!(function["Timeout"], seconds, "{id}");
    }
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn every_function_is_a_binary_for_arm64_with_256_mb_and_nothing_attached() {
    for (id, function) in Stack::by_default().all("AWS::Lambda::Function") {
        let known = BTreeSet::from(PROPERTIES);
        assert!(names(function).into_iter().all(|name| known.contains(name)), "{id}: {:?}", names(function));
        assert_eq!(
            (&function["Runtime"], &function["Handler"]),
            (&"provided.al2023".into(), &"bootstrap".into()),
            "{id}"
        );
        assert_eq!((&function["MemorySize"], &function["Architectures"][0]), (&"256".into(), &"arm64".into()), "{id}");
    }
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn every_function_logs_json_to_a_group_of_its_own() {
    let stack = Stack::by_default();
    let functions = stack.all("AWS::Lambda::Function");
    let mut groups = BTreeSet::new();
    for (id, function) in &functions {
        let logging = &function["LoggingConfig"];
        assert_eq!((&logging["LogFormat"], &logging["SystemLogLevel"]), (&"JSON".into(), &"WARN".into()), "{id}");
        groups.insert(logging["LogGroup"].as_str().unwrap());
    }
    let all: Vec<_> = stack.all("AWS::Logs::LogGroup").into_iter().map(|(id, _)| format!("${{{id}}}")).collect();
    assert_eq!(groups, all.iter().map(String::as_str).collect());
    assert_eq!(groups.len(), functions.len(), "a log group is shared");
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn every_log_is_deleted_after_the_configured_days() {
    for (parameters, days) in [(&[][..], "30"), (&[("LogRetentionDays", "7")], "7")] {
        let stack = Stack::with(&[&[("AccessLogs", "true")], parameters].concat());
        for (id, group) in stack.all("AWS::Logs::LogGroup") {
            assert_eq!(group["RetentionInDays"], days, "{id}");
        }
    }
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn every_function_has_the_shared_variables_and_only_those_that_touch_tokens_know_table_and_key_ring() {
    let stack = Stack::by_default();
    for function in FUNCTIONS {
        let id = function.logical_id("Function");
        let variables = names(&stack.resources[&id]["Properties"]["Environment"]["Variables"]);
        for shared in SHARED_VARIABLES {
            assert!(variables.contains(&shared), "{id}: {shared}");
        }
        for own in ["TABLE_NAME", "TOKEN_ISSUER"] {
            assert_eq!(variables.contains(&own), function.access.is_some(), "{id}: {own}");
        }
        let reads_ring = function.actions().contains(&"secretsmanager:GetSecretValue");
        assert_eq!(variables.contains(&"KEY_RING_SECRET_ID"), reads_ring, "{id}");
        // Operators see the tokens of every audience.
        let has_audience = matches!(function.access, Some(Access::Mint | Access::Spend));
        assert_eq!(variables.contains(&"TOKEN_AUDIENCE"), has_audience, "{id}");
    }
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn open_routes_are_a_variable_and_change_no_route_preflight_or_permission() {
    let [open, closed] = ["true", "false"].map(|value| Stack::with(&[("OpenRoutes", value)]));
    assert_eq!(Stack::by_default().resources, open.resources);
    for (id, function) in closed.all("AWS::Lambda::Function") {
        assert_eq!(function["Environment"]["Variables"]["OPEN_ROUTES"], "false", "{id}");
    }
    for (id, resource) in &open.resources {
        let is_function = resource["Type"] == "AWS::Lambda::Function";
        assert_eq!(*resource != closed.resources[id], is_function, "{id}");
    }
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn the_web_page_is_a_variable_of_its_function_alone_and_changes_no_route_preflight_or_permission() {
    let [open, closed] = ["true", "false"].map(|value| Stack::with(&[("WebPage", value)]));
    assert_eq!(Stack::by_default().resources, open.resources);
    for (id, resource) in &open.resources {
        assert_eq!(*resource != closed.resources[id], id == "PageFunction", "{id}");
    }
    let variables = &closed.resources["PageFunction"]["Properties"]["Environment"]["Variables"];
    assert_eq!(variables["WEB_PAGE"], "false");
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn no_function_is_sent_to_an_emulator_by_default() {
    let stack = Stack::by_default();
    for (id, function) in stack.all("AWS::Lambda::Function") {
        let variables = &function["Environment"]["Variables"];
        for name in names(variables).into_iter().filter(|name| name.contains("ENDPOINT")) {
            assert_eq!(variables[name], "", "{id}: {name}");
        }
    }
}
