//! Every event of `events/` through `sam local invoke`, in Lambda's container image.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

use std::{path::Path, process::Command};

use aws::Access;
use harness::Function;
use serde_json::Value;

/// The folder with the template and the output of `sam build`.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Invokes a function with `sam local invoke`; returns its reply.
fn invoke(function: Function, event: &Path) -> Value {
    let resource = function.logical_id("Function");
    let arguments = apigw::env("SAM_LOCAL_ARGUMENTS").expect("SAM_LOCAL_ARGUMENTS is not set");
    let mut sam = Command::new("sam");
    sam.current_dir(ROOT).args(["local", "invoke", &resource, "--event"]).arg(event).args(arguments.split(' '));
    let output = sam.output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{resource}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Whether `reply` is right for the event `name`, whose token is the text `TOKEN` and therefore refused.
fn is_expected(function: Function, name: &str, reply: &Value) -> bool {
    let status = reply["statusCode"].as_u64();
    match name {
        "authorizer-http-api" => reply["isAuthorized"] == true,
        "guard-http-api" => reply["isAuthorized"] == false,
        "rotate" => reply["errorMessage"] == "the event is for another secret",
        "guard" => reply["policyDocument"]["Statement"][0]["Effect"] == "Deny",
        "usage-stream" => *reply == serde_json::json!({"state": {}}),
        "issue-mint" => status == Some(200),
        "authorizer" => reply["policyDocument"]["Statement"][0]["Effect"] == "Allow",
        "authorizer-without-method-arn" => reply["errorMessage"] == "the event has no methodArn",
        _ if name.starts_with("hello-") => status == Some(500),
        _ if name == function.name && function.access != Some(Access::Spend) => status == Some(200),
        _ => matches!(status, Some(400 | 401 | 413)),
    }
}

/// Whether the function asks for a retry, because one of its calls to AWS took too long.
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
        let function = Function::named(name.split('-').next().unwrap());
        let mut reply = invoke(function, &event);
        for _ in 0..2 {
            if !is_unavailable(&reply) {
                break;
            }
            reply = invoke(function, &event); // like a client
        }
        assert!(
            is_expected(function, name, &reply),
            "{name}: status {}, {}",
            reply["statusCode"],
            reply["errorMessage"]
        );
    }
}
