//! A token's whole life: minted, echoed, spent.

use reqwest::Method;

use crate::api::{Api, body, send};

async fn api() -> Api {
    Api::start("life").await
}

#[tokio::test]
async fn hello_returns_a_token_in_header_and_body() {
    let answer = api().await.get("/hello").await;
    assert_eq!(answer.status, 200);
    let json = answer.json();
    assert!(answer.header("x-access-token") == json["accessToken"] && json["accessToken"] != "");
    assert_eq!(json["status"], "success");
    assert!(apigw::parse_rfc3339(json["expiresAt"].as_str().unwrap()).is_some());
    assert_eq!(json.as_object().unwrap().len(), 3);
}

#[tokio::test]
async fn every_hello_returns_another_token() {
    let api = api().await;
    assert!(api.mint().await != api.mint().await);
}

#[tokio::test]
async fn a49_hello_never_echoes_a_token_that_the_client_sent() {
    let answer = send(api().await.request(Method::GET, "/hello").header("x-access-token", "mine")).await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("x-access-token") != "mine");
}

#[tokio::test]
async fn a33_a_token_is_spent_once_and_then_already_used() {
    let api = api().await;
    let token = api.mint().await;

    let first = api.validate(body(&token)).await;
    let second = api.validate(body(&token)).await;

    assert_eq!(first.status, 200);
    assert_eq!(first.body, r#"{"isValid":true,"message":"Token validated successfully"}"#);
    assert_eq!(second.refusal(), (401, "already_used".into()));
    let used_at = second.json()["usedAt"].as_str().unwrap().to_owned();
    assert!(apigw::parse_rfc3339(&used_at).is_some(), "{used_at}");
}

#[tokio::test]
async fn a_token_is_taken_from_either_header_and_by_either_route() {
    let api = api().await;
    for path in ["/validate", "/tokens"] {
        for (name, prefix) in [("x-access-token", ""), ("authorization", "Bearer "), ("authorization", "bearer ")] {
            let token = api.mint().await;
            let request = || api.request(Method::POST, path).header(name, format!("{prefix}{token}"));
            assert_eq!(send(request()).await.status, 200, "{path} {name}");
            assert_eq!(send(request()).await.refusal(), (401, "already_used".into()), "{path} {name}");
        }
    }
}

#[tokio::test]
async fn a_token_on_demand_lives_longer_and_is_spent_once() {
    let api = api().await;
    let answer = api.get("/tokens").await;
    assert_eq!(answer.status, 200);
    let json = answer.json();
    let expiration = apigw::parse_rfc3339(json["expiration"].as_str().unwrap()).unwrap();
    assert!(expiration > apigw::epoch_seconds() + 300);
    assert_eq!(json.as_object().unwrap().len(), 2);

    let token = json["token"].as_str().unwrap();
    assert_eq!(api.validate(body(token)).await.status, 200);
    assert_eq!(api.validate(body(token)).await.refusal(), (401, "already_used".into()));
}

#[tokio::test]
async fn a_function_s_responses_carry_the_headers_of_the_contract() {
    let api = api().await;
    for answer in [api.get("/hello").await, api.get("/tokens").await, api.validate("{}").await] {
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert!(answer.header("access-control-expose-headers").contains("X-Access-Token"));
        assert_eq!(answer.header("content-type"), "application/json");
    }
}
