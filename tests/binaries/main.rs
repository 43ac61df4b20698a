//! The functions' binaries from `sam build`, with a fake Lambda Runtime API and a fake AWS.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

use std::{
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex},
};

use harness::{
    FUNCTIONS, FakeAws, Function,
    fake_aws::{Reply, works},
    process::{Variables, command, variables},
    runtime_api::RuntimeApi,
};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;

/// Where `sam build` puts the functions.
const BUILD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../.aws-sam/build");

/// A value that must be in no log and no reply.
const CANARY: &str = "canary";

/// The members of an event that a function reads, each with another type than API Gateway sends.
fn unreadable(function: Function) -> Vec<Value> {
    let sample: Value = serde_json::from_str(&function.event().unwrap()).unwrap();
    let members = if function.name == "rotate" {
        vec![("/Step", json!([CANARY])), ("/SecretId", json!({CANARY: 1})), ("/ClientRequestToken", json!([CANARY]))]
    } else {
        vec![
            ("/headers", json!(CANARY)),
            ("/headers", json!({"Authorization": {"Bearer": CANARY}})),
            ("/multiValueHeaders", json!([CANARY])),
            ("/multiValueHeaders", json!({"X-Access-Token": CANARY})),
            ("/queryStringParameters", json!(CANARY)),
            ("/queryStringParameters", json!({"token": [CANARY]})),
            ("/httpMethod", json!({"method": CANARY})),
            ("/path", json!([CANARY])),
            ("/requestContext", json!(CANARY)),
            ("/requestContext/requestId", json!([CANARY])),
            ("/requestContext/domainName", json!({"name": CANARY})),
            ("/requestContext/authorizer", json!(CANARY)),
            ("/body", json!({"token": CANARY})),
            ("/isBase64Encoded", json!(CANARY)),
            ("/version", json!(CANARY)),
        ]
    };
    let broken = members.into_iter().map(|(place, value)| {
        let mut event = sample.clone();
        let (parent, name) = place.rsplit_once('/').unwrap();
        event.pointer_mut(parent).unwrap()[name] = value;
        event
    });
    broken.chain([json!(CANARY), json!([CANARY]), json!(null), json!(7)]).collect()
}

/// Sends `events` to a process of `function`. Returns for each whether it failed and its answer, and the whole log.
async fn answers(function: Function, variables: &Variables, events: &[Value]) -> (Vec<(bool, Value)>, String) {
    let mut api = RuntimeApi::start().await.unwrap();
    let mut process =
        command(&function.binary(Path::new(BUILD)), variables, &api).stderr(Stdio::piped()).spawn().unwrap();
    let mut answers = Vec::new();
    let mut next = api.next().await.unwrap();
    for event in events {
        let call = api.invoke(next, event.to_string()).await.unwrap();
        answers.push((call.is_error(), serde_json::from_str(&call.body).unwrap()));
        drop(call);
        next = api.next().await.unwrap();
    }
    let mut stderr = process.stderr.take().unwrap();
    process.kill().await.unwrap();
    let mut log = String::new();
    stderr.read_to_string(&mut log).await.unwrap();
    (answers, log)
}

/// A token, from a process of `authorizer`.
async fn minted() -> String {
    let aws = FakeAws::start(works).await.unwrap();
    let authorizer = Function::named("authorizer");
    let event = serde_json::from_str(&authorizer.event().unwrap()).unwrap();
    let (answers, log) = answers(authorizer, &variables(&aws.url, &aws.url, "tokens"), &[event]).await;
    answers[0].1["context"]["accessToken"].as_str().unwrap_or_else(|| panic!("{log}")).to_owned()
}

#[tokio::test]
#[ignore = "needs `sam build --config-env local`"]
async fn built_guard_claims_a_token_as_another_claimant_when_an_invocation_is_delivered_again() {
    let claimants = Arc::new(Mutex::new(Vec::new()));
    let seen = claimants.clone();
    let aws = FakeAws::start(move |call| {
        if call.action != "UpdateItem" || call.body.contains("\"warm-") {
            return works(call);
        }
        let body: Value = serde_json::from_str(&call.body).unwrap();
        let mut claimants = seen.lock().unwrap();
        claimants.push(body["ExpressionAttributeValues"][":me"]["S"].as_str().unwrap().to_owned());
        if claimants.len() == 1 { Reply::done() } else { Reply::condition_failed() }
    });
    let aws = aws.await.unwrap();
    let variables = variables(&aws.url, &aws.url, "tokens");

    let token = minted().await;
    let mut api = RuntimeApi::start().await.unwrap();
    let guard = Function::named("guard");
    let mut process = command(&guard.binary(Path::new(BUILD)), &variables, &api).spawn().unwrap();
    let event = guard.event().unwrap().replace("TOKEN", &token);
    let mut effects = Vec::new();
    let mut next = api.next().await.unwrap();
    for _ in 0..2 {
        let answer = api.deliver(next, "one-invocation".to_owned(), event.clone()).await.unwrap();
        let decision: Value = serde_json::from_str(&answer.body).unwrap();
        effects.push(decision["policyDocument"]["Statement"][0]["Effect"].as_str().unwrap().to_owned());
        drop(answer);
        next = api.next().await.unwrap();
    }
    process.kill().await.unwrap();
    assert_eq!(effects, ["Allow", "Deny"]);
    let claimants = claimants.lock().unwrap();
    assert!(claimants.iter().all(|claimant| claimant.starts_with("r:one-invocation.")), "{claimants:?}");
    assert!(claimants.len() == 2 && claimants[0] != claimants[1], "{claimants:?}");
}

#[tokio::test]
#[ignore = "needs `sam build --config-env local`"]
async fn built_functions_reach_aws_through_the_proxy_of_their_environment() {
    let proxy = FakeAws::start(works).await.unwrap();
    let mut variables = variables("http://dynamodb.invalid", "http://secretsmanager.invalid", "tokens");
    variables.push(("HTTP_PROXY", proxy.url.clone()));
    let authorizer = Function::named("authorizer");
    let event = serde_json::from_str(&authorizer.event().unwrap()).unwrap();
    let (answers, log) = answers(authorizer, &variables, &[event]).await;
    assert_eq!(answers[0].1["policyDocument"]["Statement"][0]["Effect"], "Allow", "{answers:?}\n{log}");
}

#[tokio::test]
#[ignore = "needs `sam build --config-env local`"]
async fn built_functions_repeat_nothing_of_an_event_that_they_cannot_parse() {
    let aws = FakeAws::start(works).await.unwrap();
    let mut variables = variables(&aws.url, &aws.url, "tokens");
    variables.push(("AWS_LAMBDA_LOG_LEVEL", "TRACE".to_owned()));
    for function in FUNCTIONS {
        let events = unreadable(function);
        let (answers, log) = answers(function, &variables, &events).await;
        for (event, (is_error, answer)) in events.iter().zip(&answers) {
            assert!(!answer.to_string().contains(CANARY), "{}: {event} => {answer}", function.name);
            // An authorizer fails, so that API Gateway does not allow the request; the others answer 500.
            let is_refused = *is_error || answer["statusCode"] == 500;
            assert!(is_refused, "{}: {event} => {answer}", function.name);
        }
        let line = log.lines().find(|line| line.contains(CANARY));
        assert_eq!(line, None, "{} logged an event", function.name);
        let reason = if function.name == "rotate" { "not a rotation event" } else { "not a valid API Gateway event" };
        assert!(log.contains(reason), "{}: {log}", function.name);
    }
    let calls = ["PutItem", "UpdateItem", "GetItem"].map(|action| aws.calls(action));
    assert_eq!(calls, [2, 3, 1], "the warm-ups, and nothing else");
}

#[tokio::test]
#[ignore = "needs `sam build --config-env local`"]
async fn built_functions_log_the_cause_of_a_failure_once_and_nothing_of_the_reply_of_aws() {
    let token = minted().await;
    // A ring, cut off: its key is in a reply that the SDK cannot parse.
    let garbage = Reply::new(StatusCode::OK, format!(r#"{{"SecretString":"{CANARY}"#));
    let aws = FakeAws::start(move |_| garbage.clone()).await.unwrap();
    let mut variables = variables(&aws.url, &aws.url, "tokens");
    variables.push(("AWS_LAMBDA_LOG_LEVEL", "TRACE".to_owned()));
    for function in FUNCTIONS {
        let mut event: Value = serde_json::from_str(&function.event().unwrap().replace("TOKEN", &token)).unwrap();
        if function.name == "rotate" {
            let (_, secret) = variables.iter().find(|(name, _)| *name == "KEY_RING_SECRET_ID").unwrap();
            event["SecretId"] = json!(secret);
        }
        let (answers, log) = answers(function, &variables, &[event]).await;
        let [(_, answer)] = answers.as_slice() else { panic!("{answers:?}") };
        assert!(!log.contains(CANARY) && !answer.to_string().contains(CANARY), "{}: {log}", function.name);
        let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let errors = lines.iter().filter(|line| line["level"] == "ERROR").map(|line| line["message"].as_str().unwrap());
        // That is of the warm-up.
        let failures = errors.filter(|message| !message.starts_with("the key ring could not be fetched")).count();
        let uses_aws = !["hello", "guarded", "page"].contains(&function.name);
        assert_eq!(failures, usize::from(uses_aws), "{}: {log}", function.name);
    }
}

#[tokio::test]
#[ignore = "needs `sam build --config-env local`"]
async fn built_functions_count_each_refusal_by_one_line_at_every_log_level() {
    const REFUSALS: usize = 20;

    let aws = FakeAws::start(works).await.unwrap();
    for level in ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"] {
        let mut variables = variables(&aws.url, &aws.url, "tokens");
        variables.push(("AWS_LAMBDA_LOG_LEVEL", level.to_owned()));
        for name in ["validate", "guard"] {
            let function = Function::named(name);
            let event = serde_json::from_str(&function.event().unwrap().replace("TOKEN", CANARY)).unwrap();
            let (_, log) = answers(function, &variables, &vec![event; REFUSALS]).await;
            assert!(!log.contains(CANARY), "{name} logged a token");
            let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            let refusals: Vec<_> = lines.iter().filter(|line| line["message"] == "request refused").collect();
            assert_eq!(refusals.len(), REFUSALS, "{name} at {level}: {log}");
            for line in refusals {
                assert_eq!((&line["level"], &line["Refused"]), (&json!(level), &json!(1)), "{line}");
                assert_eq!((&line["Stack"], &line["Reason"]), (&json!("proof"), &json!("invalid_token")), "{line}");
                assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"], "Refused");
            }
        }
    }
}

#[tokio::test]
#[ignore = "needs `sam build --config-env local`"]
async fn built_functions_do_not_start_without_the_name_of_the_stack() {
    let mut variables = variables("", "", "tokens");
    variables.retain(|(name, _)| *name != "STACK_NAME");
    for function in FUNCTIONS {
        let api = RuntimeApi::start().await.unwrap();
        let output = command(&function.binary(Path::new(BUILD)), &variables, &api).stderr(Stdio::piped()).output();
        let output = output.await.unwrap();
        assert!(!output.status.success(), "{}", function.name);
        assert!(String::from_utf8_lossy(&output.stderr).contains("STACK_NAME"), "{}", function.name);
    }
}
