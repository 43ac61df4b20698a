//! `authorizer`: allows with a token, or fails.

use std::sync::Arc;

use ::authorizer::{Config, Service, handle};
use serde_json::to_value;
use tokens::{InMemoryTokenStore, Jti, KeyStore, TokenStore};

use crate::helpers::{DownKeyStore, DownStore, NOW, event, keys, setting, store};

fn service(keys: Arc<dyn KeyStore>, store: Arc<dyn TokenStore>) -> Service {
    Service::new(Config::from_lookup(setting).unwrap(), keys, store, || NOW)
}

#[tokio::test]
async fn it_allows_the_called_method_and_hands_a_token_on() {
    let response = handle(&service(keys(), store()), event("authorizer", "", "mint-1")).await.unwrap();

    let policy = to_value(&response.policy_document).unwrap();
    assert_eq!(policy["Statement"][0]["Effect"], "Allow");
    let arn = "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/Prod/GET/hello";
    assert_eq!(policy["Statement"][0]["Resource"][0], arn);

    let context = to_value(&response.context).unwrap();
    let names: Vec<_> = context.as_object().unwrap().keys().collect();
    assert_eq!(names, ["accessToken", "decidedAt", "expiresAt", "mintedFor"]);
    assert_eq!(context["mintedFor"], "c6af9ac6-7b61-11e6-9a41-93e8deadbeef");
    assert_eq!(context["decidedAt"], "2023-11-14T22:13:20Z");
    assert_eq!(context["expiresAt"], "2023-11-14T22:18:20Z");
    assert_eq!(response.principal_id.unwrap().len(), 36);
}

#[tokio::test]
async fn the_row_names_the_invocation_and_the_host() {
    let store = Arc::new(InMemoryTokenStore::new());
    let service = service(keys(), store.clone());
    let response = handle(&service, event("authorizer", "", "mint-1")).await.unwrap();
    let row = store.row(&Jti::parse(&response.principal_id.unwrap()).unwrap()).unwrap();
    assert_eq!(row.minted_by, "r:mint-1");
    assert_eq!(row.host.as_deref(), Some("abcdef1234.execute-api.eu-west-1.amazonaws.com"));
}

#[tokio::test]
async fn an_invocation_without_an_id_mints_nothing() {
    let untouched = Arc::new(crate::helpers::UntouchedStore);
    assert!(handle(&service(keys(), untouched), event("authorizer", "", "")).await.is_err());
}

#[tokio::test]
async fn a58_two_requests_never_share_a_token() {
    let service = service(keys(), store());
    let mut tokens = std::collections::HashSet::new();
    for _ in 0..10_000 {
        let response = handle(&service, event("authorizer", "", "the same request id")).await.unwrap();
        assert!(tokens.insert(response.context.access_token));
    }
}

#[tokio::test]
async fn without_a_store_there_is_an_error_and_no_token() {
    assert!(handle(&service(keys(), Arc::new(DownStore)), event("authorizer", "", "mint-1")).await.is_err());
}

#[tokio::test]
async fn without_a_key_there_is_an_error_and_no_row() {
    let untouched = Arc::new(crate::helpers::UntouchedStore);
    assert!(handle(&service(Arc::new(DownKeyStore), untouched), event("authorizer", "", "mint-1")).await.is_err());
}

#[tokio::test]
async fn an_event_without_a_method_arn_is_an_error() {
    let error = handle(&service(keys(), store()), event("authorizer-without-method-arn", "", "mint-1")).await;
    assert_eq!(error.unwrap_err().to_string(), "the event has no methodArn");
}
