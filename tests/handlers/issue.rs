//! `issue`: mints a token on demand.

use std::sync::Arc;

use ::issue::{Service, handle};
use apigw::Settings;
use serde_json::{Value, json};
use tokens::{Insert, KeyStore};

use crate::helpers::{
    DownKeyStore, DownStore, NOW, UntouchedStore, body, event, invocation, jti, keys, ports, sample, setting,
    setting_with, store,
};

fn service(keys: Arc<dyn KeyStore>, store: Arc<impl Insert + 'static>) -> Service {
    Service::new(Settings::new(&setting), ports(keys, store)).unwrap()
}

#[tokio::test]
async fn it_answers_with_a_token_and_its_expiration() {
    let response = handle(&service(keys(), store()), event("issue", "", "issue-1")).await.unwrap();
    assert_eq!(response.status_code, 200);
    let body = body(&response);
    assert_eq!(body["token"].as_str().unwrap().split('.').count(), 3);
    assert_eq!(body["expiration"], "2023-11-14T22:18:20Z");
    assert_eq!(body.as_object().unwrap().len(), 2);
}

#[tokio::test]
async fn without_a_store_or_a_key_it_is_503_and_there_is_no_token() {
    let services = [service(keys(), Arc::new(DownStore)), service(Arc::new(DownKeyStore), store())];
    for service in services {
        let response = handle(&service, event("issue", "", "issue-1")).await.unwrap();
        assert_eq!((response.status_code, &response.headers["retry-after"]), (503, &"1".parse().unwrap()));
        let text = body(&response).to_string();
        assert!(text.contains("unavailable") && !text.contains("isValid") && !text.contains("eyJ"));
        assert!(!text.contains("Tokens-1A2B") && !text.contains("secret"), "the cause is for the log alone");
    }
}

#[tokio::test]
async fn a_closed_route_is_403_with_the_common_error_body_and_writes_no_row() {
    let closed = setting_with(&[("OPEN_ROUTES", "false")]);
    let service = Service::new(Settings::new(&closed), ports(keys(), Arc::new(UntouchedStore))).unwrap();
    let response = handle(&service, event("issue", "", "issue-1")).await.unwrap();
    let names: Vec<_> = body(&response).as_object().unwrap().keys().cloned().collect();
    assert_eq!((response.status_code, body(&response)["reason"].as_str()), (403, Some("invalid_request")));
    assert_eq!(names, ["message", "reason", "requestId"]);
}

#[tokio::test]
async fn an_invocation_without_an_id_mints_nothing() {
    let response = handle(&service(keys(), Arc::new(UntouchedStore)), event("issue", "", "")).await.unwrap();
    assert_eq!((response.status_code, body(&response)["reason"].as_str()), (500, Some("internal")));
}

#[tokio::test]
async fn the_row_names_the_invocation_and_the_host() {
    let store = store();
    let response = handle(&service(keys(), store.clone()), event("issue", "", "issue-1")).await.unwrap();
    let row = store.row(&crate::helpers::jti(body(&response)["token"].as_str().unwrap())).unwrap();
    assert_eq!(row.minted_by.as_str(), "r:issue-1");
    assert_eq!(row.host.as_deref(), Some("abcdef1234.execute-api.eu-west-1.amazonaws.com"));
}

#[tokio::test]
async fn while_revoked_before_is_in_the_future_it_is_503_and_writes_no_row() {
    let ahead = setting_with(&[("REVOKED_BEFORE", "9999999999")]);
    let service = Service::new(Settings::new(&ahead), ports(keys(), Arc::new(UntouchedStore))).unwrap();
    let response = handle(&service, event("issue", "", "issue-1")).await.unwrap();
    assert_eq!((response.status_code, body(&response)["reason"].as_str()), (503, Some("unavailable")));
}

/// The request of a backend with this body.
fn mint(body: impl Into<Value>) -> apigw::Event {
    let mut request = sample("issue-mint", "");
    request["body"] = body.into();
    invocation(&request, "mint-1")
}

/// A token for the audience `name`, minted in `store`.
pub(crate) async fn minted_for(name: &str, store: Arc<impl Insert + 'static>) -> String {
    let request = mint(json!({ "audience": name }).to_string());
    let response = handle(&service(keys(), store), request).await.unwrap();
    body(&response)["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_backend_mints_a_token_for_a_named_audience_with_the_life_that_it_asks_for() {
    for (ttl, expiration) in [
        (json!(null), "2023-11-14T22:18:20Z"),
        (json!(1), "2023-11-14T22:13:21Z"),
        (json!(600), "2023-11-14T22:23:20Z"),
        (json!(86_400), "2023-11-15T22:13:20Z"),
    ] {
        let store = store();
        let request = mint(json!({"audience": "report-link", "ttlSeconds": ttl, "unknown": [1]}).to_string());
        let response = handle(&service(keys(), store.clone()), request).await.unwrap();
        let body = body(&response);
        assert_eq!((response.status_code, &body["expiration"]), (200, &expiration.into()));
        let names: Vec<_> = body.as_object().unwrap().keys().collect();
        assert_eq!(names, ["expiration", "jti", "token"]);
        let token = body["token"].as_str().unwrap();
        assert_eq!(body["jti"], jti(token).to_string());
        assert_eq!(crate::helpers::claims(token)["aud"], "token-auth.eu-west-1/report-link");
        let row = store.row(&jti(token)).unwrap();
        assert_eq!((row.minted_by.as_str(), row.created_at), ("r:mint-1", NOW));
    }
}

#[tokio::test]
async fn a_mint_without_a_proper_audience_or_life_is_400_and_writes_no_row() {
    let service = service(keys(), Arc::new(UntouchedStore));
    let long = "x".repeat(65);
    let mut bodies: Vec<Value> = ["", "Prod", "a b", "a/b", "ä", "a\n", &long]
        .map(|audience| json!({ "audience": audience }).to_string().into())
        .to_vec();
    for ttl in [json!(0), json!(-1), json!(86_401), json!(1.5), json!("600"), json!(true), json!([])] {
        bodies.push(json!({"audience": "report-link", "ttlSeconds": ttl}).to_string().into());
    }
    for text in [
        "{}",
        "[]",
        r#"["report-link"]"#,
        "audience=report-link",
        "not JSON",
        r#"{"audience":1}"#,
        r#"{"audience":null}"#,
        r#"{"audience":"a","audience":"b"}"#,
        r#"{"audience":"a","ttlSeconds":1,"ttlSeconds":2}"#,
        r#"{"audience":"a"}&audience=b"#,
    ] {
        bodies.push(text.into());
    }
    bodies.push(Value::Null);
    for request in bodies {
        let response = handle(&service, mint(request.clone())).await.unwrap();
        let reason = body(&response)["reason"].as_str().map(str::to_owned);
        assert_eq!((response.status_code, reason.as_deref()), (400, Some("invalid_request")), "{request}");
    }
    let response = handle(&service, mint(format!(r#"{{"audience":"a","unknown":"{}"}}"#, "x".repeat(4096)))).await;
    assert_eq!(response.unwrap().status_code, 413);
}

#[tokio::test]
async fn a_backend_mints_also_while_the_open_routes_are_closed() {
    let closed = setting_with(&[("OPEN_ROUTES", "false")]);
    let service = Service::new(Settings::new(&closed), ports(keys(), store())).unwrap();
    assert_eq!(handle(&service, event("issue-mint", "", "mint-1")).await.unwrap().status_code, 200);
}
