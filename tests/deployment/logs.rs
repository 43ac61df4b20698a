//! The logs of the deployed functions.

use reqwest::Method;
use serde_json::{Value, json};

use crate::emulator::{Emulator, Principal, send};

/// Values that requests carry and no log may hold.
const CANARIES: [&str; 4] = ["canary-body", "canary-key", "canary-credentials", "canary-query"];

#[tokio::test]
#[ignore = "needs ministack with a deployed stack"]
async fn ministack_a61_no_log_of_a_function_holds_a_token_a_mac_a_body_or_a_key() {
    let emulator = Emulator::new().await;
    let before = messages(&emulator).await;
    let mut macs = Vec::new();
    for (name, prefix) in [("", ""), ("x-access-token", ""), ("authorization", "Bearer ")] {
        let token = emulator.mint().await;
        for (key, expected) in [("canary-key", 200), ("canary-key-of-another", 401)] {
            let post = emulator.request(Method::POST, "/validate").await.header("idempotency-key", key);
            let post = match name {
                "" => post.body(json!({"token": token, "note": "canary-body"}).to_string()),
                name => post.header(name, format!("{prefix}{token}")),
            };
            assert_eq!(send(post).await.0, expected, "the token in {name:?}");
        }
        macs.push(token.rsplit('.').next().unwrap().to_owned());
    }
    let malformed = emulator.request(Method::POST, "/validate?token=canary-query").await;
    let malformed = malformed.header("authorization", "Basic canary-credentials").body("canary-body");
    assert_eq!(send(malformed).await.0, 400);

    let messages = messages(&emulator).await;
    for (reason, refusals) in [("already_used", 3), ("invalid_request", 1)] {
        let count = |messages: &str| messages.matches(reason).count();
        assert_eq!(
            count(&messages) - count(&before),
            refusals,
            "not all refusals are in the logs that this test reads"
        );
    }
    let secret = json!({"SecretId": emulator.secret().await});
    let ring = emulator.json(&Principal::root(), "secretsmanager", "secretsmanager.GetSecretValue", &secret).await;
    let ring: Value = serde_json::from_str(ring["SecretString"].as_str().unwrap()).unwrap();
    assert!(!messages.contains(ring["k1"].as_str().unwrap()), "a key was logged");
    assert!(!messages.contains("eyJ"), "a token was logged");
    assert!(!macs.iter().any(|mac| messages.contains(mac)), "a MAC was logged");
    assert!(!messages.to_lowercase().contains("bearer"), "an Authorization header was logged");
    for canary in CANARIES {
        assert!(!messages.contains(canary), "{canary} was logged");
    }
}

/// The messages of all log groups.
async fn messages(emulator: &Emulator) -> String {
    let mut messages = String::new();
    for group in pages(emulator, "DescribeLogGroups", json!({}), "logGroups").await {
        let group = json!({"logGroupName": group["logGroupName"]});
        for stream in pages(emulator, "DescribeLogStreams", group.clone(), "logStreams").await {
            // Small pages, so that there is more than one.
            let mut of_stream = json!({"logStreamName": stream["logStreamName"], "startFromHead": true, "limit": 10});
            of_stream["logGroupName"] = group["logGroupName"].clone();
            for event in pages(emulator, "GetLogEvents", of_stream, "events").await {
                messages += &format!("{}\n", event["message"]);
            }
        }
    }
    messages
}

/// The items in the member `list` of all pages of a reply of CloudWatch Logs.
async fn pages(emulator: &Emulator, action: &str, mut request: Value, list: &str) -> Vec<Value> {
    let mut items = Vec::new();
    loop {
        let target = format!("Logs_20140328.{action}");
        let page = emulator.json(&Principal::root(), "logs", &target, &request).await;
        items.extend_from_slice(page[list].as_array().unwrap());
        // The last page has no token, or the one that it was asked for with.
        match page.get("nextToken").or(page.get("nextForwardToken")) {
            Some(next) if *next != request["nextToken"] => request["nextToken"] = next.clone(),
            _ => return items,
        }
    }
}
