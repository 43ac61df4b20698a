//! Bad input gets a clear response and does not spend the token of the request.

use reqwest::Method;

use crate::api::{Api, body, send};

async fn api() -> Api {
    Api::start("refusals").await
}

#[tokio::test]
async fn a_refused_token_is_401_with_the_complete_error_body() {
    let answer = api().await.validate(body("eyJ.a.b")).await;
    assert_eq!(answer.refusal(), (401, "invalid_token".into()));
    assert!(
        answer.body.starts_with(r#"{"isValid":false,"message":"Invalid or expired token","reason":"invalid_token","#)
    );
    assert!(answer.json()["requestId"].as_str().is_some_and(|id| !id.is_empty()));
}

#[tokio::test]
async fn a14_a_tampered_token_is_invalid_and_the_real_one_can_still_be_spent() {
    let api = api().await;
    let token = api.mint().await;
    let (message, mac) = token.rsplit_once('.').unwrap();
    let other_mac: String = mac.chars().rev().collect();
    for tampered in [format!("{message}.{other_mac}"), format!("{token}."), format!("{token}="), message.to_owned()] {
        assert_eq!(api.validate(body(&tampered)).await.refusal(), (401, "invalid_token".into()));
    }
    assert_eq!(api.validate(body(&token)).await.status, 200);
}

#[tokio::test]
async fn a43_a44_a46_a_request_without_exactly_one_token_is_400_and_spends_nothing() {
    let api = api().await;
    let token = api.mint().await;
    let post = |path: &str| api.request(Method::POST, path);
    let requests = [
        post("/validate"),
        post("/validate").body("{}"),
        post("/validate").body(body("")),
        post("/validate").body(format!("token={token}")),
        post("/validate").body(format!(r#"["{token}"]"#)),
        post("/validate").body(format!(r#"{{"token":"{token}","token":"{token}"}}"#)),
        post("/validate").body(format!(r#"{{"token":["{token}"]}}"#)),
        post("/validate").body(format!("\u{feff}{}", body(&token))),
        post("/validate").body(body(&token)).header("x-access-token", &token),
        post("/validate").header("authorization", format!("Bearer {token}")).header("x-access-token", &token),
        post("/validate").header("authorization", format!("Basic {token}")),
        post("/validate").header("authorization", "Bearer "),
        post("/validate").header("x-access-token", ""),
        // No real token there: servers write query strings into their logs.
        post("/validate?token=x").body(body(&token)),
        post("/validate?access_token=x").body(body(&token)),
    ];
    for (index, request) in requests.into_iter().enumerate() {
        assert_eq!(send(request).await.refusal(), (400, "invalid_request".into()), "request {index}");
    }
    assert_eq!(api.validate(body(&token)).await.status, 200);
}

#[tokio::test]
async fn a18_a47_a_body_over_4_kb_is_413_and_an_oversized_token_401() {
    let api = api().await;
    assert_eq!(api.validate(body(&"x".repeat(4097))).await.refusal(), (413, "request_too_large".into()));
    assert_eq!(api.validate(body(&"x".repeat(1025))).await.refusal(), (401, "invalid_token".into()));
}
