//! `hello`: returns its authorizer's token, and nothing that a client sent.

use ::hello::{Service, handle};
use apigw::Settings;

use crate::helpers::{NOW, body, event, invocation, sample, setting_with};

/// `hello` with one changed setting.
fn service_with(variable: &str, value: &str) -> Service {
    Service::new(Settings::new(&setting_with(&[(variable, value)])), || NOW.0).unwrap()
}

fn service(cached_policy_check: &str) -> Service {
    service_with("CACHED_POLICY_CHECK", cached_policy_check)
}

#[tokio::test]
async fn it_returns_the_token_in_header_and_body() {
    let response = handle(&service("refuse"), event("hello", "eyJ.t.t", "hello-1")).await.unwrap();
    assert_eq!(response.status_code, 200);
    assert_eq!(response.headers["x-access-token"], "eyJ.t.t");
    assert_eq!(response.headers["cache-control"], "no-store");
    let body = body(&response);
    assert_eq!((&body["accessToken"], &body["status"]), (&"eyJ.t.t".into(), &"success".into()));
    assert_eq!(body["expiresAt"], "2099-01-01T00:05:00Z");
}

#[tokio::test]
async fn a55_without_its_authorizer_it_is_500_and_echoes_nothing_that_the_client_sent() {
    let response = handle(&service("refuse"), event("hello-without-authorizer", "eyJ.t.t", "hello-1")).await.unwrap();
    assert_eq!(response.status_code, 500);
    assert!(response.headers.get("x-access-token").is_none());
    assert_eq!(body(&response)["reason"], "internal");
    assert!(!body(&response).to_string().contains("eyJ"));
}

#[tokio::test]
async fn a_decision_of_another_request_is_500() {
    for name in ["hello-decision-of-another-request", "hello-decision-too-old"] {
        let response = handle(&service("refuse"), event(name, "eyJ.t.t", "hello-1")).await.unwrap();
        assert_eq!((response.status_code, body(&response)["reason"].as_str()), (500, Some("internal")), "{name}");
        assert!(response.headers.get("x-access-token").is_none());
    }
}

#[tokio::test]
async fn a_decision_without_a_time_is_500() {
    let mut hello = sample("hello", "eyJ.t.t");
    hello["requestContext"]["authorizer"]["decidedAt"] = "yesterday".into();
    assert_eq!(handle(&service("refuse"), invocation(&hello, "hello-1")).await.unwrap().status_code, 500);
}

#[tokio::test]
async fn a_decision_of_another_request_passes_if_it_is_only_counted() {
    let event = event("hello-decision-of-another-request", "eyJ.t.t", "hello-1");
    assert_eq!(handle(&service("count"), event).await.unwrap().status_code, 200);
}

#[tokio::test]
async fn a_closed_route_is_403_with_the_common_error_body() {
    let response = handle(&service_with("OPEN_ROUTES", "false"), event("hello", "eyJ.t.t", "hello-1")).await.unwrap();
    assert_eq!((response.status_code, body(&response)["reason"].as_str()), (403, Some("invalid_request")));
    assert!(response.headers.get("x-access-token").is_none() && !response.body.contains("eyJ"));
}

#[tokio::test]
async fn a_decision_without_a_token_is_500_also_where_a_cached_one_is_only_counted() {
    // While OpenRoutes changes, the authorizer may be closed already, and this function not yet.
    let mut hello = sample("hello", "");
    for name in ["accessToken", "expiresAt", "mintedFor", "decidedAt"] {
        hello["requestContext"]["authorizer"][name] = "".into();
    }
    for check in ["refuse", "count"] {
        let response = handle(&service(check), invocation(&hello, "hello-1")).await.unwrap();
        assert_eq!(response.status_code, 500, "{check}");
        assert!(response.headers.get("x-access-token").is_none());
    }
}

#[tokio::test]
async fn a_request_that_the_guard_let_through_succeeds() {
    let response = handle(&service("refuse"), event("guarded", "eyJ.t.t", "hello-1")).await.unwrap();
    assert_eq!((response.status_code, response.body.as_str()), (200, r#"{"status":"success"}"#));
    assert!(response.headers.get("x-access-token").is_none());
}

#[tokio::test]
async fn a_guarded_request_without_the_guard_s_context_is_500_whatever_the_client_sends() {
    let minted = sample("hello", "eyJ.t.t")["requestContext"]["authorizer"].clone();
    for context in [serde_json::Value::Null, serde_json::json!({}), minted] {
        let mut hello = sample("guarded", "eyJ.t.t");
        hello["headers"]["jti"] = "0198d7a2-6c0e-4f5e-9d43-3a1b2c4d5e6f".into();
        hello["requestContext"]["authorizer"] = context;
        for check in ["refuse", "count"] {
            let response = handle(&service(check), invocation(&hello, "hello-1")).await.unwrap();
            assert_eq!((response.status_code, body(&response)["reason"].as_str()), (500, Some("internal")));
        }
    }
}

#[tokio::test]
async fn a_guard_s_decision_of_another_request_is_500_unless_it_is_only_counted() {
    for (name, value) in [("spentFor", "another"), ("decidedAt", "2001-01-01T00:00:00Z"), ("decidedAt", "now")] {
        let mut hello = sample("guarded", "eyJ.t.t");
        hello["requestContext"]["authorizer"][name] = value.into();
        for (check, status) in [("refuse", 500), ("count", 200)] {
            let response = handle(&service(check), invocation(&hello, "hello-1")).await.unwrap();
            assert_eq!(response.status_code, status, "{name}, {check}");
        }
    }
}

#[tokio::test]
async fn a_guarded_route_is_open_while_the_minting_routes_are_closed() {
    let event = event("guarded", "eyJ.t.t", "hello-1");
    assert_eq!(handle(&service_with("OPEN_ROUTES", "false"), event).await.unwrap().status_code, 200);
}
