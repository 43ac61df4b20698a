//! `authorizer`: allows with a token, or fails.

use std::sync::Arc;

use apigw::Settings;
use serde_json::json;

use crate::helpers::{
    DownKeyStore, DownStore, NOW, UntouchedStore, answer, authorizer, event, invocation, jti, keys, ports, sample,
    setting_with, store, token,
};

#[tokio::test]
async fn it_allows_the_called_method_and_passes_a_token_on() {
    let answer = answer(&authorizer(ports(keys(), store())), event("authorizer", "", "mint-1")).await.unwrap();

    let arn = "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/Prod/GET/hello";
    let statement = json!([{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": arn}]);
    assert_eq!(answer["policyDocument"], json!({"Version": "2012-10-17", "Statement": statement}));

    let context = &answer["context"];
    let names: Vec<_> = context.as_object().unwrap().keys().collect();
    assert_eq!(names, ["accessToken", "decidedAt", "expiresAt", "mintedFor"]);
    assert_eq!(context["mintedFor"], "c6af9ac6-7b61-11e6-9a41-93e8deadbeef");
    assert_eq!(context["decidedAt"], "2023-11-14T22:13:20Z");
    assert_eq!(context["expiresAt"], "2023-11-14T22:18:20Z");
    assert_eq!(answer["principalId"].as_str().unwrap().len(), 36);
}

#[tokio::test]
async fn the_row_names_the_invocation_and_the_host() {
    let store = store();
    let service = authorizer(ports(keys(), store.clone()));
    let answer = answer(&service, event("authorizer", "", "mint-1")).await.unwrap();
    let row = store.row(&jti(&token(&answer))).unwrap();
    assert_eq!(row.minted_by.as_str(), "r:mint-1");
    assert_eq!(row.host.as_deref(), Some("abcdef1234.execute-api.eu-west-1.amazonaws.com"));
}

#[tokio::test]
async fn an_invocation_without_an_id_mints_nothing() {
    let untouched = authorizer(ports(keys(), Arc::new(UntouchedStore)));
    assert!(answer(&untouched, event("authorizer", "", "")).await.is_err());
}

#[tokio::test]
async fn a58_two_requests_never_share_a_token() {
    let service = authorizer(ports(keys(), store()));
    let mut tokens = std::collections::HashSet::new();
    for _ in 0..10_000 {
        let answer = answer(&service, event("authorizer", "", "the same request id")).await.unwrap();
        assert!(tokens.insert(token(&answer)));
    }
}

#[tokio::test]
async fn without_a_store_there_is_an_error_and_no_token() {
    let service = authorizer(ports(keys(), Arc::new(DownStore)));
    assert!(answer(&service, event("authorizer", "", "mint-1")).await.is_err());
}

#[tokio::test]
async fn without_a_key_there_is_an_error_and_no_row() {
    let service = authorizer(ports(Arc::new(DownKeyStore), Arc::new(UntouchedStore)));
    assert!(answer(&service, event("authorizer", "", "mint-1")).await.is_err());
}

#[tokio::test]
async fn an_event_without_a_method_arn_is_an_error() {
    let service = authorizer(ports(keys(), Arc::new(UntouchedStore)));
    let error = answer(&service, event("authorizer-without-method-arn", "", "mint-1")).await.unwrap_err();
    assert_eq!(error, "the event has no methodArn");
}

#[tokio::test]
async fn an_event_of_a_token_authorizer_is_an_error() {
    let service = authorizer(ports(keys(), Arc::new(UntouchedStore)));
    let mut event = sample("authorizer", "");
    event["type"] = "TOKEN".into();
    let error = answer(&service, invocation(&event, "mint-1")).await.unwrap_err();
    assert_eq!(error, "the event's type is not REQUEST");
}

#[tokio::test]
async fn while_the_routes_are_closed_it_allows_without_a_token_and_writes_no_row() {
    let closed = setting_with(&[("OPEN_ROUTES", "false")]);
    let ports = ports(keys(), Arc::new(UntouchedStore));
    let service = ::authorizer::Service::new(Settings::new(&closed), ports).unwrap();
    let answer = answer(&service, event("authorizer", "", "mint-1")).await.unwrap();
    assert_eq!(answer["policyDocument"]["Statement"][0]["Effect"], "Allow");
    assert_eq!(token(&answer), "");
}

#[tokio::test]
async fn while_revoked_before_is_in_the_future_it_is_an_error_and_writes_no_row() {
    for (revoked_before, expected) in [(NOW.minus(1), true), (NOW, false), (NOW.plus(3600), false)] {
        let seconds = revoked_before.0.to_string();
        let overrides = [("REVOKED_BEFORE", seconds.as_str())];
        let settings = setting_with(&overrides);
        let service = if expected {
            ::authorizer::Service::new(Settings::new(&settings), ports(keys(), store()))
        } else {
            ::authorizer::Service::new(Settings::new(&settings), ports(keys(), Arc::new(UntouchedStore)))
        };
        let answer = answer(&service.unwrap(), event("authorizer", "", "mint-1")).await;
        assert_eq!(answer.is_ok(), expected);
        if let Err(error) = answer {
            assert!(error.contains(&seconds) && error.contains("RevokedBefore"), "{error}");
        }
    }
}

#[tokio::test]
async fn payload_2_0_has_a_simple_response_with_the_same_context() {
    let answer = answer(&authorizer(ports(keys(), store())), event("authorizer-http-api", "", "mint-1")).await.unwrap();
    assert_eq!(answer["isAuthorized"], true);
    let names: Vec<_> = answer["context"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["accessToken", "decidedAt", "expiresAt", "mintedFor"]);
    assert_eq!(answer["context"]["mintedFor"], "JKJaXmPLvHcESHA=");
    assert_eq!(answer.as_object().unwrap().len(), 2);
}
