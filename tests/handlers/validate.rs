//! `validate`: spends a token once, or gives the reason for its refusal.

use std::sync::Arc;

use ::validate::{Service, handle};
use apigw::Settings;

use crate::helpers::{
    DownKeyStore, DownStore, IdleKeyStore, NOW, UntouchedStore, body, event, keys, minted, ports, service, service_at,
    setting_with, store,
};

/// The status and the reason of the answer to `events/{name}.json` with a live token, from a claimant that
/// no other call shares.
async fn answer(name: &str) -> (u16, Option<String>) {
    let store = store();
    let token = minted(keys(), store.clone()).await;
    let response = handle(&service(keys(), store), event(name, &token, "spend-1")).await.unwrap();
    let body = body(&response);
    assert_eq!(body["isValid"], response.status_code == 200, "{name}");
    (response.status_code, body["reason"].as_str().map(str::to_owned))
}

#[tokio::test]
async fn a33_a_token_is_spent_once_and_refused_with_the_true_reason_afterwards() {
    let store = store();
    let token = minted(keys(), store.clone()).await;
    let service = service(keys(), store);

    let first = handle(&service, event("validate", &token, "spend-1")).await.unwrap();
    let second = handle(&service, event("validate", &token, "spend-2")).await.unwrap();

    assert_eq!(first.status_code, 200);
    assert_eq!(body(&first).to_string(), r#"{"isValid":true,"message":"Token validated successfully"}"#);
    assert_eq!((second.status_code, &body(&second)["reason"]), (401, &"already_used".into()));
    assert_eq!(body(&second)["usedAt"], "2023-11-14T22:13:20Z");
    assert_eq!(body(&second)["message"], "Invalid or expired token");
    assert_eq!(second.headers["www-authenticate"], r#"Bearer error="invalid_token""#);
}

#[tokio::test]
async fn a_token_is_taken_from_body_header_or_bearer() {
    for name in ["validate", "validate-by-post-tokens", "validate-header", "validate-bearer"] {
        assert_eq!(answer(name).await, (200, None), "{name}");
    }
}

#[tokio::test]
async fn an_invocation_without_an_id_claims_nothing() {
    let store = store();
    let token = minted(keys(), store.clone()).await;
    let service = service(keys(), store);
    assert_eq!(handle(&service, event("validate", &token, "")).await.unwrap().status_code, 500);
    assert_eq!(handle(&service, event("validate", &token, "spend-1")).await.unwrap().status_code, 200);
}

#[tokio::test]
async fn a46_a_base64_body_is_decoded() {
    assert_eq!(answer("validate-base64").await, (401, Some("invalid_token".into())));
}

#[tokio::test]
async fn a_token_that_was_not_minted_here_is_401_without_a_call_to_the_store() {
    let service = service(keys(), Arc::new(UntouchedStore));
    for token in ["eyJ.a.b", &"x".repeat(1025), "ｅｙＪ.𝕒.ß"] {
        let response = handle(&service, event("validate", token, "spend-1")).await.unwrap();
        assert_eq!((response.status_code, &body(&response)["reason"]), (401, &"invalid_token".into()), "{token}");
    }
}

#[tokio::test]
async fn a32_a_token_that_was_never_stored_is_unknown() {
    let token = minted(keys(), store()).await;
    let response = handle(&service(keys(), store()), event("validate", &token, "spend-1")).await.unwrap();
    assert_eq!((response.status_code, &body(&response)["reason"]), (401, &"unknown_token".into()));
}

#[tokio::test]
async fn a40_an_expired_token_whose_row_is_still_there_is_401() {
    let store = store();
    let token = minted(keys(), store.clone()).await;
    let later = service_at(|| NOW.plus(300), keys(), store);
    let response = handle(&later, event("validate", &token, "spend-1")).await.unwrap();
    assert_eq!((response.status_code, &body(&response)["reason"]), (401, &"expired".into()));
}

#[tokio::test]
async fn tokens_minted_before_the_second_of_the_revocation_are_revoked() {
    for (revoked_before, reason) in [(NOW, Some("revoked")), (NOW.minus(1), None)] {
        let store = store();
        let token = minted(keys(), store.clone()).await;
        let revoked_before = revoked_before.0.to_string();
        let overrides = [("REVOKED_BEFORE", revoked_before.as_str())];
        let service = Service::new(Settings::new(&setting_with(&overrides)), ports(keys(), store)).unwrap();
        let response = handle(&service, event("validate", &token, "spend-1")).await.unwrap();
        assert_eq!(body(&response)["reason"].as_str(), reason);
    }
}

#[tokio::test]
async fn a_revocation_holds_for_the_first_request_after_an_idle_hour() {
    let store = store();
    let token = minted(keys(), store.clone()).await;
    let service = service(Arc::new(IdleKeyStore::default()), store);
    let response = handle(&service, event("validate", &token, "spend-1")).await.unwrap();
    assert_eq!((response.status_code, &body(&response)["reason"]), (401, &"revoked".into()));
}

#[tokio::test]
async fn when_the_outcome_is_unknown_it_is_503_and_neither_a_success_nor_a_refusal() {
    let token = minted(keys(), store()).await;
    let services = [service(keys(), Arc::new(DownStore)), service(Arc::new(DownKeyStore), store())];
    for service in services {
        let response = handle(&service, event("validate", &token, "spend-1")).await.unwrap();
        assert_eq!((response.status_code, &response.headers["retry-after"]), (503, &"1".parse().unwrap()));
        let text = body(&response).to_string();
        assert!(text.contains(r#""isValid":false"#) && text.contains(r#""reason":"unavailable""#), "{text}");
        assert!(!text.contains("Tokens-1A2B") && !text.contains("secret"), "the cause is for the log alone");
    }
}

#[tokio::test]
async fn a_panic_is_500_with_a_constant_body() {
    let token = minted(keys(), store()).await;
    let response = handle(&service(keys(), Arc::new(UntouchedStore)), event("validate", &token, "spend-1")).await;
    let body = body(&response.unwrap());
    assert_eq!((&body["reason"], &body["message"]), (&"internal".into(), &"Internal server error".into()));
}
