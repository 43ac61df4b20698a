//! `Idempotency-Key`: a client that lost the reply asks again and is told the same.

use ::validate::handle;
use apigw::{Event, Response};
use serde_json::json;
use tokens::Timestamp;

use crate::helpers::{NOW, body, event, invocation, jti, keys, minted, rotated_keys, sample, service_at, store};

/// A request with `token` and the headers `Idempotency-Key`, in an invocation of its own.
fn request_with(token: &str, keys: &[&str]) -> Event {
    let mut request = sample("validate-idempotency-key", token);
    request["headers"]["Idempotency-Key"] = json!(keys[keys.len() - 1]);
    request["multiValueHeaders"]["Idempotency-Key"] = json!(keys);
    invocation(&request, &uuid::Uuid::new_v4().to_string())
}

fn request(token: &str, key: &str) -> Event {
    request_with(token, &[key])
}

fn outcome(response: &Response) -> (u16, bool) {
    (response.status_code, body(response)["replayed"] == true)
}

#[tokio::test]
async fn a38_the_same_key_is_told_yes_again_and_any_other_caller_is_not() {
    let store = store();
    let token = minted(keys(), store.clone()).await;
    let service = service_at(|| NOW, keys(), store);

    let first = handle(&service, request(&token, "order-17")).await.unwrap();
    assert_eq!(outcome(&first), (200, false));
    assert!(body(&first).get("replayed").is_none());

    let again = handle(&service, request(&token, "order-17")).await.unwrap();
    assert_eq!(outcome(&again), (200, true));
    assert_eq!(body(&again)["isValid"], true);

    for other in ["order-18", "order-1", "ORDER-17"] {
        let refused = handle(&service, request(&token, other)).await.unwrap();
        assert_eq!((refused.status_code, &body(&refused)["reason"]), (401, &"already_used".into()), "{other}");
    }
    let without = handle(&service, event("validate", &token, "spend-3")).await.unwrap();
    assert_eq!(outcome(&without), (401, false));
}

#[tokio::test]
async fn a38_a_replay_is_answered_for_sixty_seconds() {
    let store = store();
    let token = minted(keys(), store.clone()).await;
    for (now, status) in [(0, 200), (60, 200), (61, 401)] {
        let clock: fn() -> Timestamp = match now {
            0 => || NOW,
            60 => || NOW.plus(60),
            _ => || NOW.plus(61),
        };
        let service = service_at(clock, keys(), store.clone());
        let response = handle(&service, request(&token, "order-17")).await.unwrap();
        assert_eq!(response.status_code, status, "{now} s");
    }
}

#[tokio::test]
async fn a38_the_same_key_for_another_token_is_another_claimant() {
    let store = store();
    let (one, other) = (minted(keys(), store.clone()).await, minted(keys(), store.clone()).await);
    let service = service_at(|| NOW, keys(), store);
    for token in [&one, &other] {
        assert_eq!(outcome(&handle(&service, request(token, "order-17")).await.unwrap()), (200, false));
    }
}

#[tokio::test]
async fn a_key_rotation_in_between_changes_nothing() {
    let store = store();
    let token = minted(keys(), store.clone()).await;
    let before = service_at(|| NOW, keys(), store.clone());
    assert_eq!(outcome(&handle(&before, request(&token, "order-17")).await.unwrap()), (200, false));
    let after = service_at(|| NOW, rotated_keys(), store);
    assert_eq!(outcome(&handle(&after, request(&token, "order-17")).await.unwrap()), (200, true));
}

#[tokio::test]
async fn a_malformed_key_is_400_and_leaves_the_token_unspent() {
    let store = store();
    let token = minted(keys(), store.clone()).await;
    let service = service_at(|| NOW, keys(), store);
    for key in ["", "ключ", "a\tb", &"x".repeat(256)] {
        let response = handle(&service, request(&token, key)).await.unwrap();
        assert_eq!((response.status_code, &body(&response)["reason"]), (400, &"invalid_request".into()));
    }
    assert_eq!(handle(&service, request_with(&token, &["a", "a"])).await.unwrap().status_code, 400);

    let longest = "x".repeat(255);
    assert_eq!(outcome(&handle(&service, request(&token, &longest)).await.unwrap()), (200, false));
}

#[tokio::test]
async fn a_reader_of_the_table_learns_nothing_of_the_key() {
    let store = store();
    let service = service_at(|| NOW, keys(), store.clone());
    let mut stored = Vec::new();
    for _ in 0..2 {
        let token = minted(keys(), store.clone()).await;
        handle(&service, request(&token, "order-17")).await.unwrap();
        stored.push(String::from(store.row(&jti(&token)).unwrap().used_by.unwrap()));
    }
    assert!(stored[0].starts_with("i:") && stored[0].len() == 2 + 43, "{}", stored[0]);
    assert!(!stored[0].contains("order-17"));
    assert!(stored[0] != stored[1], "the same key shows on two tokens");
}
