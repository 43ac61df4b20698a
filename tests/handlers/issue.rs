//! `issue`: mints a token on demand.

use std::sync::Arc;

use ::issue::{Service, handle};
use apigw::Settings;
use tokens::{Insert, KeyStore};

use crate::helpers::{DownKeyStore, DownStore, UntouchedStore, body, event, keys, ports, setting, setting_with, store};

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
