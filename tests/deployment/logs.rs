//! The logs of the deployed functions.

use reqwest::Method;
use serde_json::{Value, json};

use crate::emulator::{Emulator, Principal};

#[tokio::test]
#[ignore = "needs ministack with a deployed stack"]
async fn ministack_a61_no_log_of_a_function_holds_a_token_a_mac_a_body_or_a_key() {
    let emulator = Emulator::new();
    let (_, minted) = emulator.api(Method::GET, "/tokens", None).await;
    let token = minted.split(r#""token":""#).nth(1).unwrap().split('"').next().unwrap();
    for _ in 0..2 {
        emulator.api(Method::POST, "/validate", Some(&json!({"token": token, "note": "a body of the tests"}))).await;
    }

    let messages = messages(&emulator).await;
    assert!(messages.contains("already_used"), "the refusal is not in the logs that this test reads");
    let secret = json!({"SecretId": emulator.secret().await});
    let ring = emulator.json(&Principal::root(), "secretsmanager", "secretsmanager.GetSecretValue", &secret).await;
    let ring: Value = serde_json::from_str(ring["SecretString"].as_str().unwrap()).unwrap();
    assert!(!messages.contains(ring["k1"].as_str().unwrap()), "a key was logged");
    assert!(!messages.contains("eyJ"), "a token was logged");
    assert!(!messages.contains(token.rsplit('.').next().unwrap()), "a MAC was logged");
    assert!(!messages.contains("a body of the tests"), "a body was logged");
    assert!(!messages.to_lowercase().contains("bearer"), "an Authorization header was logged");
}

/// The events of all log groups.
async fn messages(emulator: &Emulator) -> String {
    let root = Principal::root();
    let groups = emulator.json(&root, "logs", "Logs_20140328.DescribeLogGroups", &json!({})).await;
    let mut messages = String::new();
    for group in groups["logGroups"].as_array().unwrap() {
        let filter = json!({"logGroupName": group["logGroupName"], "limit": 10_000});
        let events = emulator.json(&root, "logs", "Logs_20140328.FilterLogEvents", &filter).await;
        messages += &events["events"].to_string();
    }
    messages
}
