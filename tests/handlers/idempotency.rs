//! `Idempotency-Key`: a client that lost the response asks again and gets the same one.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use ::validate::{Service, handle};
use apigw::{Event, Response, Settings};
use serde_json::json;
use tokens::{Spend, Timestamp};
use tokio::sync::Mutex;

use crate::helpers::{
    NOW, UntouchedStore, body, event, invocation, jti, keys, minted, ports, rotated_keys, sample, service_at,
    setting_with, store, withdrawn_keys,
};

/// A request with `token` and an `Idempotency-Key` header for each of `keys`, in a new invocation.
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
async fn a38_the_same_key_gets_the_success_again_and_any_other_caller_does_not() {
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

/// The answer of `validate`, this many seconds after the mint of a token that lives 300 s.
async fn after(seconds: u64, store: Arc<impl Spend + 'static>, event: Event) -> (u16, Option<String>) {
    static CLOCK: AtomicU64 = AtomicU64::new(0);
    let _one_at_a_time = ONE_CLOCK.lock().await;
    CLOCK.store(NOW.0 + seconds, Ordering::SeqCst);
    let service = service_at(|| Timestamp(CLOCK.load(Ordering::SeqCst)), keys(), store);
    let response = handle(&service, event).await.unwrap();
    let outcome = &body(&response)[if response.status_code == 200 { "replayed" } else { "reason" }];
    (response.status_code, outcome.as_str().map(str::to_owned).or(outcome.as_bool().map(|it| it.to_string())))
}

/// Held while a test uses the clock of [`after`].
static ONE_CLOCK: Mutex<()> = Mutex::const_new(());

fn told(status: u16, outcome: &str) -> (u16, Option<String>) {
    (status, Some(outcome.to_owned()))
}

#[tokio::test]
async fn a38_a_replay_outlives_the_token_that_was_spent_in_its_last_second() {
    let store = store();
    let token = minted(keys(), store.clone()).await;
    assert_eq!(after(299, store.clone(), request(&token, "order-17")).await, (200, None));
    for seconds in [300, 358, 359] {
        let store = || store.clone();
        assert_eq!(after(seconds, store(), request(&token, "order-17")).await, told(200, "true"), "{seconds} s");
        assert_eq!(after(seconds, store(), request(&token, "order-18")).await, told(401, "already_used"));
        assert_eq!(after(seconds, store(), event("validate", &token, "spend-2")).await, told(401, "expired"));
    }
    let untouched = Arc::new(UntouchedStore);
    assert_eq!(after(360, untouched.clone(), request(&token, "order-17")).await, told(401, "expired"));
    assert_eq!(after(360, untouched, event("validate", &token, "spend-2")).await, told(401, "expired"));
}

#[tokio::test]
async fn a_token_is_never_spent_first_at_or_after_its_exp_with_a_key_or_without() {
    let store = store();
    let token = minted(keys(), store.clone()).await;
    for seconds in [300, 359, 360] {
        assert_eq!(after(seconds, store.clone(), request(&token, "order-17")).await, told(401, "expired"));
        let untouched = Arc::new(UntouchedStore);
        assert_eq!(after(seconds, untouched, event("validate", &token, "spend-1")).await, told(401, "expired"));
    }
    assert_eq!(store.row(&jti(&token)).unwrap().used_at, None);
}

#[tokio::test]
async fn a_forged_token_costs_no_call_in_the_minute_after_its_exp_either() {
    let token = minted(keys(), store()).await;
    let (message, _) = token.rsplit_once('.').unwrap();
    let forged = format!("{message}.{}", "A".repeat(43));
    let untouched = Arc::new(UntouchedStore);
    assert_eq!(after(301, untouched, request(&forged, "order-17")).await, told(401, "invalid_token"));
}

#[tokio::test]
async fn an_operator_ends_a_replay_without_a_call_to_the_store() {
    let store = store();
    let token = minted(keys(), store.clone()).await;
    let spent = handle(&service_at(|| NOW, keys(), store), request(&token, "order-17")).await.unwrap();
    assert_eq!(spent.status_code, 200);

    let revoked_before = NOW.0.to_string();
    let overrides = [("REVOKED_BEFORE", revoked_before.as_str())];
    let untouched = || Arc::new(UntouchedStore);
    let revoking = Service::new(Settings::new(&setting_with(&overrides)), ports(keys(), untouched())).unwrap();
    let withdrawn = service_at(|| NOW, withdrawn_keys(), untouched());
    for (service, reason) in [(revoking, "revoked"), (withdrawn, "invalid_token")] {
        let response = handle(&service, request(&token, "order-17")).await.unwrap();
        assert_eq!((response.status_code, body(&response)["reason"].as_str()), (401, Some(reason)));
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

#[tokio::test]
async fn a39_a_deleted_row_is_unknown_to_a_client_in_the_minute_after_exp_and_to_no_other_caller() {
    let token = minted(keys(), store()).await;
    for (seconds, reason) in [(299, "unknown_token"), (359, "unknown_token"), (360, "expired")] {
        assert_eq!(after(seconds, store(), request(&token, "order-17")).await, told(401, reason), "{seconds} s");
    }
    assert_eq!(after(300, store(), event("validate", &token, "spend-1")).await, told(401, "expired"));
}
