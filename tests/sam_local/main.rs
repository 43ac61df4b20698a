//! The events of `events/` through `sam local invoke`, in Lambda's container image.
//!
//! `SAM_LOCAL_ARGUMENTS` holds further arguments for `sam local invoke`, such as where DynamoDB and
//! Secrets Manager are.

#![expect(clippy::unwrap_used, reason = "what a test cannot set up fails it")]

use std::{path::Path, process::Command};

use serde_json::Value;

/// The folder of the template, with what `sam build` has made in it.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// What a function replies to an event, by `sam local invoke`.
fn invoke(function: &str, event: &Path) -> Value {
    let arguments = apigw::env("SAM_LOCAL_ARGUMENTS").expect("SAM_LOCAL_ARGUMENTS is not set");
    let mut sam = Command::new("sam");
    sam.current_dir(ROOT).args(["local", "invoke", function, "--event"]).arg(event).args(arguments.split(' '));
    let output = sam.output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{function}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Whether `reply` is what the event `name` is answered while its token is the text `TOKEN`.
fn is_expected(name: &str, reply: &Value) -> bool {
    let status = reply["statusCode"].as_u64();
    match name {
        "authorizer" => reply["policyDocument"]["Statement"][0]["Effect"] == "Allow",
        "authorizer-without-method-arn" => reply["errorMessage"] == "the event has no methodArn",
        "hello" | "issue" => status == Some(200),
        _ if name.starts_with("hello-") => status == Some(500),
        _ => matches!(status, Some(400 | 401 | 413)),
    }
}

/// Whether the function asks to be called again: a call of its own took too long.
fn is_unavailable(reply: &Value) -> bool {
    let down = ["no key to sign with", "the new token could not be stored"];
    reply["statusCode"] == 503 || down.into_iter().any(|message| reply["errorMessage"] == message)
}

#[test]
#[ignore = "needs Docker, SAM and the built functions"]
fn sam_local_every_event_is_answered_by_its_function() {
    let mut events: Vec<_> = std::fs::read_dir(format!("{ROOT}/events")).unwrap().map(|e| e.unwrap().path()).collect();
    events.sort();
    assert!(!events.is_empty());
    for event in events {
        let name = event.file_stem().unwrap().to_str().unwrap();
        let function = match name.split('-').next().unwrap() {
            "authorizer" => "AuthorizerFunction",
            "hello" => "HelloFunction",
            "issue" => "IssueFunction",
            "validate" => "ValidateFunction",
            other => panic!("no function for {other}"),
        };
        let mut reply = invoke(function, &event);
        for _ in 0..2 {
            if !is_unavailable(&reply) {
                break;
            }
            reply = invoke(function, &event); // a busy machine: what a client would do
        }
        assert!(is_expected(name, &reply), "{name}: status {}, {}", reply["statusCode"], reply["errorMessage"]);
    }
}
