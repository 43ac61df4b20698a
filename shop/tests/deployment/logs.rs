//! The log of the deployed functions.

use serde_json::{Value, json};
use shop::OrderId;
use uuid::Uuid;

use crate::{
    emulator::{Emulator, Principal, body},
    lives::accepted,
};

#[tokio::test]
#[ignore = "needs ministack with a deployed shop"]
async fn ministack_no_log_holds_a_token_or_a_customer() {
    let emulator = Emulator::new();
    let (cookie, few) = (emulator.product(5).await, emulator.product(0).await);
    let of_canary = |mut body: Value| {
        body["personalInfo"] =
            json!({"customer_name": "canary-name", "email": "canary@example.com", "phone": "+99 000 111 222"});
        body
    };
    // Confirmed, rejected, refused by the machine, and refused by `checkout` in two ways.
    let (token, id) = emulator.token(1800).await;
    assert_eq!(emulator.order(&token, &of_canary(body(&cookie, 1))).await.0, 202);
    assert_eq!(emulator.outcome(&id).await.0, "SUCCEEDED");
    assert_eq!(emulator.order(&token, &of_canary(body(&cookie, 2))).await.0, 401);
    let (rejected, id) = emulator.token(1800).await;
    assert_eq!(emulator.order(&rejected, &of_canary(body(&few, 1))).await.0, 202);
    assert_eq!(emulator.outcome(&id).await.1, "out_of_stock");
    let misspelt = json!({"order": of_canary(json!({})), "has_token": "canary-name"});
    assert_eq!(emulator.invoke("NewOrderFunction", &misspelt).await["errorType"], "Invalid");
    // Signed with the key, and never minted: the key has leaked.
    let forged = accepted(&OrderId::new(Uuid::new_v4()), &cookie, 1, apigw::epoch_seconds());
    assert_eq!(emulator.invoke("NewOrderFunction", &forged).await["errorType"], "TokenRefused");
    let mut invalid = of_canary(body(&cookie, 1));
    invalid["customerproduct"] = json!("canary-name");
    assert_eq!(emulator.order(&token, &invalid).await.0, 400);

    let messages = messages(&emulator).await;
    for expected in ["already_used", "invalid_request", "unknown_token"] {
        assert!(messages.contains(expected), "{expected} is not in the log that this test reads");
    }
    for canary in ["eyJ", "canary", "+99 000", "Ada Lovelace", "ada@example.com"] {
        assert!(!messages.contains(canary), "{canary} was logged");
    }
    for token in [token, rejected] {
        assert!(!messages.contains(token.rsplit('.').next().unwrap()), "a MAC was logged");
    }
}

/// The messages of all log groups, those that Lambda makes for itself too.
pub(crate) async fn messages(emulator: &Emulator) -> String {
    let mut messages = String::new();
    for group in pages(emulator, "DescribeLogGroups", json!({}), "logGroups").await {
        let group = json!({"logGroupName": group["logGroupName"]});
        for stream in pages(emulator, "DescribeLogStreams", group.clone(), "logStreams").await {
            let mut of_stream = json!({"logStreamName": stream["logStreamName"], "startFromHead": true});
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
