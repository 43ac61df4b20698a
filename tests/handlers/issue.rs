//! `issue`: a token on demand.

use std::sync::Arc;

use ::issue::{Config, Service, handle};
use tokens::{KeyStore, TokenStore};

use crate::helpers::{DownKeyStore, DownStore, NOW, body, event, keys, setting, store};

fn service(keys: Arc<dyn KeyStore>, store: Arc<dyn TokenStore>) -> Service {
    Service::new(Config::from_lookup(setting).unwrap(), keys, store, || NOW)
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
