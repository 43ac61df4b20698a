//! A guarded route, which a token opens once.

use reqwest::Method;
use serde_json::json;

use crate::{
    api::{Answer, Api, body, send},
    target::Target,
};

async fn api() -> Api {
    Api::start("guard").await
}

/// `POST /hello` with the token in a header.
async fn guarded(api: &Api, token: &str) -> Answer {
    send(api.request(Method::POST, "/hello").header("x-access-token", token)).await
}

/// Asserts that the guard refused a request for `reason`.
fn assert_denied(api: &Api, answer: &Answer, reason: &str) {
    match api.target {
        // It ignores the template's gateway responses, so the reason is not shown.
        Target::Sam => assert_eq!(answer.status, 403),
        _ => assert_eq!(answer.refusal(), (401, reason.into())),
    }
}

#[tokio::test]
async fn a_token_opens_a_guarded_route_once() {
    let api = api().await;
    let token = api.mint().await;
    let opened = guarded(&api, &token).await;
    assert_eq!((opened.status, opened.body.as_str()), (200, r#"{"status":"success"}"#));
    assert_denied(&api, &guarded(&api, &token).await, "already_used");
    assert_eq!(api.validate(body(&token)).await.refusal(), (401, "already_used".into()));
}

#[tokio::test]
async fn a_token_that_was_validated_opens_no_route() {
    let api = api().await;
    let token = api.mint().await;
    assert_eq!(api.validate(body(&token)).await.status, 200);
    assert_denied(&api, &guarded(&api, &token).await, "already_used");
}

#[tokio::test]
async fn a_guarded_request_without_exactly_one_token_is_refused_and_spends_nothing() {
    let api = api().await;
    let token = api.mint().await;
    let post = |path: &str| api.request(Method::POST, path);
    let mut requests = vec![
        post("/hello"),
        post("/hello").body(body(&token)),
        post("/hello").header("x-access-token", ""),
        post("/hello").header("authorization", format!("Basic {token}")),
        post("/hello").header("x-access-token", &token).header("authorization", format!("Bearer {token}")),
        post("/hello?token=x").header("x-access-token", &token),
        post("/hello?access_token=x").header("x-access-token", &token),
    ];
    // ministack joins the values of a repeated header.
    if api.target != Target::Emulator {
        requests.push(post("/hello").header("x-access-token", &token).header("x-access-token", &token));
    }
    for request in requests {
        assert_denied(&api, &send(request).await, "invalid_request");
    }
    assert_denied(&api, &guarded(&api, "eyJ.a.b").await, "invalid_token");
    assert_eq!(send(post("/hello").header("authorization", format!("Bearer {token}"))).await.status, 200);
}

#[tokio::test]
async fn an_idempotency_key_opens_no_route_twice() {
    let api = api().await;
    let token = api.mint().await;
    let request = || {
        let request = api.request(Method::POST, "/hello").header("x-access-token", &token);
        request.header("idempotency-key", "order-17")
    };
    assert_eq!(send(request()).await.status, 200);
    assert_denied(&api, &send(request()).await, "already_used");
}

#[tokio::test]
async fn a_token_that_was_revoked_or_is_for_another_audience_opens_no_route() {
    let api = api().await;
    let token = api.mint().await;
    assert_eq!(send(api.signed("/tokens/revoke", body(&token))).await.status, 200);
    assert_denied(&api, &guarded(&api, &token).await, "revoked");

    let minted = send(api.signed("/tokens/mint", json!({"audience": "report-link"}).to_string())).await.json();
    assert_denied(&api, &guarded(&api, minted["token"].as_str().unwrap()).await, "invalid_token");
}
