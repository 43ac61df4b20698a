//! The binary: it starts only as a function that it knows, and with every variable that the template gives that one.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

use std::process::Command;

use serde_json::Value;

/// What Lambda sets.
const OF_LAMBDA: [&str; 3] = ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

/// Starts the binary with these variables and no others; returns what it prints before it ends.
fn start<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_shop")).env_clear().envs(variables).output().unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

/// A value that each variable accepts.
fn value(name: &str) -> &'static str {
    match name {
        "REVOKED_BEFORE" => "0",
        "CHECKOUT_TOKEN" => "required",
        "TOKEN_TTL_SECONDS" => "3600",
        "ORDER_MACHINE_ARN" | "REPORT_MACHINE_ARN" => "arn:aws:states:us-east-1:123456789012:stateMachine:orders",
        // Where nothing answers.
        name if name.starts_with("AWS_ENDPOINT_URL") || name.ends_with("_URL") => "http://127.0.0.1:9",
        _ => "value",
    }
}

#[test]
fn a_function_that_is_not_of_the_shop_does_not_start_and_is_named() {
    assert!(start([("_HANDLER", "bootstrap"), ("STACK_NAME", "shop")]).contains("there is no function bootstrap"));
}

#[test]
fn a_function_without_one_of_its_variables_does_not_start_and_names_it() {
    let template: Value = serde_saphyr::from_str(include_str!("../template.yaml")).unwrap();
    let names = |of: &Value| of["Environment"]["Variables"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let mut started = 0;
    for (id, resource) in template["Resources"].as_object().unwrap() {
        if resource["Metadata"]["BuildProperties"]["Binary"] != "shop" {
            continue;
        }
        let common = names(&template["Globals"]["Function"]);
        let all: Vec<_> = common.into_iter().chain(names(&resource["Properties"])).collect();
        let handler = resource["Properties"]["Handler"].as_str().unwrap();
        // The machine calls its functions, which answer no browser.
        let is_behind_api = resource["Properties"]["Events"].is_object();
        let is_required = |name: &&String| match name.as_str() {
            "ALLOWED_ORIGIN" | "EXPOSED_HEADERS" => is_behind_api,
            name => !name.starts_with("AWS_ENDPOINT_URL"),
        };
        for missing in all.iter().filter(is_required) {
            let others = all.iter().map(String::as_str).chain(OF_LAMBDA).filter(|name| name != missing);
            let printed = start(others.map(|name| (name, value(name))).chain([("_HANDLER", handler)]));
            assert!(printed.contains(&format!("Missing(\"{missing}\")")), "{id} without {missing}: {printed}");
            started += 1;
        }
    }
    assert!(started > 15, "only {started} were tried");
}
