//! `inspect`: returns the state of a token, and never spends it.

use std::sync::Arc;

use ::inspect::{Service, handle};
use apigw::{Event, Settings};
use serde_json::{Value, json};
use tokens::{Find, KeyStore, Revoke as _};

use crate::helpers::{
    DownKeyStore, DownStore, NOW, UntouchedStore, body, claims, event, invocation, jti, keys, minted, ports, sample,
    service, setting, store, withdrawn_keys,
};

/// `inspect` with the given keys and store.
fn inspect(keys: Arc<dyn KeyStore>, store: Arc<impl Find + 'static>) -> Service {
    Service::new(Settings::new(&setting), ports(keys, store)).unwrap()
}

/// The request of an operator with this body.
fn request(body: impl Into<Value>) -> Event {
    let mut request = sample("inspect", "");
    request["body"] = body.into();
    invocation(&request, "inspect-1")
}

/// What `service` says of `token`.
async fn inspected(service: &Service, token: &str) -> Value {
    let response = handle(service, event("inspect", token, "inspect-1")).await.unwrap();
    assert_eq!(response.status_code, 200);
    body(&response)
}

#[tokio::test]
async fn an_unspent_token_is_active_with_its_claims_and_stays_unspent() {
    let store = store();
    let token = minted(keys(), store.clone()).await;
    let service = inspect(keys(), store.clone());
    let expected = json!({
        "active": true,
        "iss": "token-auth.eu-west-1",
        "aud": "token-auth.eu-west-1/Prod",
        "jti": jti(&token).to_string(),
        "iat": NOW.0,
        "nbf": NOW.0,
        "exp": NOW.0 + 300,
        "state": "unspent",
        "host": "abcdef1234.execute-api.eu-west-1.amazonaws.com",
    });
    for body_of in [json!({"token": token, "unknown": 1}).to_string(), format!("token={token}&token_type_hint=jwt")] {
        let response = handle(&service, request(body_of)).await.unwrap();
        assert_eq!((response.status_code, body(&response)), (200, expected.clone()));
        assert!(response.body.starts_with(r#"{"active":true,"#));
    }
    assert_eq!(store.row(&jti(&token)).unwrap().used_by, None);
}

#[tokio::test]
async fn a_spent_a_revoked_an_expired_and_an_unknown_token_are_inactive_with_what_happened() {
    let spent_in = store();
    let spent = minted(keys(), spent_in.clone()).await;
    ::validate::handle(&service(keys(), spent_in.clone()), event("validate", &spent, "validate-1")).await.unwrap();
    let told = inspected(&inspect(keys(), spent_in), &spent).await;
    assert_eq!((&told["active"], &told["state"]), (&false.into(), &"already_used".into()));
    assert_eq!((&told["usedAt"], &told["revokedAt"]), (&"2023-11-14T22:13:20Z".into(), &Value::Null));

    let revoked_in = store();
    let revoked = minted(keys(), revoked_in.clone()).await;
    revoked_in.revoke(&jti(&revoked), NOW).await.unwrap();
    let told = inspected(&inspect(keys(), revoked_in), &revoked).await;
    assert_eq!((&told["active"], &told["state"]), (&false.into(), &"revoked".into()));
    assert_eq!((&told["usedAt"], &told["revokedAt"]), (&Value::Null, &"2023-11-14T22:13:20Z".into()));

    let expired_in = store();
    let expired = minted(keys(), expired_in.clone()).await;
    let later = tokens::Ports { keys: keys(), store: expired_in, now: || NOW.plus(300) };
    let told = inspected(&Service::new(Settings::new(&setting), later).unwrap(), &expired).await;
    assert_eq!((&told["active"], &told["state"]), (&false.into(), &"expired".into()));

    let unknown = minted(keys(), store()).await;
    let told = inspected(&inspect(keys(), store()), &unknown).await;
    assert_eq!((&told["active"], &told["state"]), (&false.into(), &"unknown_token".into()));
    assert_eq!(told["host"], Value::Null);
}

#[tokio::test]
async fn a_token_of_every_audience_is_inspected() {
    let store = store();
    let token = crate::issue::minted_for("report-link", store.clone()).await;
    let told = inspected(&inspect(keys(), store), &token).await;
    assert_eq!((&told["active"], &told["aud"]), (&true.into(), &claims(&token)["aud"]));
}

#[tokio::test]
async fn of_a_token_that_is_not_genuine_it_says_only_that_it_is_inactive_and_calls_no_store() {
    let token = minted(keys(), store()).await;
    let service = inspect(keys(), Arc::new(UntouchedStore));
    let response = handle(&service, event("inspect", "eyJ.t.t", "inspect-1")).await.unwrap();
    assert_eq!(response.body, r#"{"active":false}"#);
    let withdrawn = inspect(withdrawn_keys(), Arc::new(UntouchedStore));
    assert_eq!(inspected(&withdrawn, &token).await, json!({"active": false}));
}

#[tokio::test]
async fn anything_but_one_token_is_400_with_the_code_of_oauth() {
    let service = inspect(keys(), Arc::new(UntouchedStore));
    let bodies = [
        Value::Null,
        "{}".into(),
        "[]".into(),
        "token=".into(),
        "jti=0198d7a2-6c0e-4f5e-9d43-3a1b2c4d5e6f".into(),
        "token=a&token=b".into(),
        r#"{"token":"a","token":"b"}"#.into(),
        r#"{"token":1}"#.into(),
        r#"{"token":"a"}&token=b"#.into(),
        r#"{"token":"a""#.into(),
    ];
    for request_body in bodies {
        let response = handle(&service, request(request_body.clone())).await.unwrap();
        let body = body(&response);
        assert_eq!(response.status_code, 400, "{request_body}");
        assert_eq!((&body["error"], &body["reason"]), (&"invalid_request".into(), &"invalid_request".into()));
    }
    let response = handle(&service, request(format!("token={}", "x".repeat(4096)))).await.unwrap();
    assert_eq!((response.status_code, &body(&response)["error"]), (413, &"invalid_request".into()));
    let mut in_query = sample("inspect", "a");
    in_query["queryStringParameters"] = json!({"access_token": "a"});
    assert_eq!(handle(&service, invocation(&in_query, "inspect-1")).await.unwrap().status_code, 400);
}

#[tokio::test]
async fn without_a_store_or_a_key_it_is_503_with_the_code_of_oauth() {
    let token = minted(keys(), store()).await;
    for service in [inspect(keys(), Arc::new(DownStore)), inspect(Arc::new(DownKeyStore), Arc::new(DownStore))] {
        let response = handle(&service, event("inspect", &token, "inspect-1")).await.unwrap();
        let body = body(&response);
        assert_eq!((response.status_code, &body["error"]), (503, &"temporarily_unavailable".into()));
        assert!(!body.to_string().contains("Tokens-1A2B"));
    }
}
