//! Who may call the routes of backends and operators.

use reqwest::Method;
use serde_json::json;

use crate::{
    api::{Answer, Api, send},
    target::Target,
};

const ROUTES: [&str; 3] = ["/tokens/mint", "/tokens/introspect", "/tokens/revoke"];

/// A body that each of the routes accepts.
fn body() -> String {
    json!({"audience": "report-link", "token": "eyJ.a.b"}).to_string()
}

/// Asserts that API Gateway refused a request, which has told its caller nothing.
fn assert_refused(answer: &Answer) {
    assert_eq!(answer.refusal(), (403, "invalid_request".into()));
    assert_eq!(answer.json().as_object().unwrap().len(), 3);
    assert!(!answer.body.contains("eyJ"));
}

#[tokio::test]
async fn an_unsigned_request_is_refused() {
    let api = Api::start("iam").await;
    for route in ROUTES {
        let post = || api.request(Method::POST, route).body(body());
        assert_refused(&send(post()).await);
        assert_refused(&send(post().header("authorization", "Bearer eyJ.a.b")).await);
        assert_refused(&send(post().header("authorization", "AWS4-HMAC-SHA256")).await);
    }
}

#[tokio::test]
async fn a_signed_request_passes_and_a_changed_one_is_refused() {
    let api = Api::start("iam").await;
    for route in ROUTES {
        assert_eq!(send(api.signed(route, body())).await.status, 200, "{route}");
        assert_refused(&send(api.signed(route, body()).body("{}")).await);
        let mut wrongly_signed = api.clone();
        wrongly_signed.sign_with("wrong-secret");
        assert_refused(&send(wrongly_signed.signed(route, body())).await);
    }
}

#[tokio::test]
async fn a_signature_of_another_route_or_of_yesterday_is_refused() {
    let api = Api::start("iam").await;
    let of_revoke = api.signed("/tokens/revoke", body()).build().unwrap();
    let mut elsewhere = api.request(Method::POST, "/tokens/mint").body(body());
    for (name, value) in of_revoke.headers() {
        elsewhere = elsewhere.header(name, value);
    }
    assert_refused(&send(elsewhere).await);
    // ministack does not compare the time of a signature with its clock.
    if api.target != Target::Emulator {
        assert_refused(&send(api.signed_at("/tokens/revoke", body(), 86_400)).await);
    }
}

#[tokio::test]
async fn an_unsigned_request_for_the_counts_is_refused() {
    assert_refused(&Api::start("iam").await.get("/usage").await);
}
