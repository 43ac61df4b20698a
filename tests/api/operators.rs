//! The routes of backends and operators.

use serde_json::{Value, json};

use crate::api::{Answer, Api, body, send};

async fn api() -> Api {
    Api::start("operators").await
}

/// The answer to a signed `POST` of JSON.
async fn operator(api: &Api, path: &str, body: &Value) -> Answer {
    send(api.signed(path, body.to_string())).await
}

/// A token for a named audience, and its `jti`.
async fn minted_for(api: &Api, audience: &str) -> (String, String) {
    let answer = operator(api, "/tokens/mint", &json!({ "audience": audience })).await;
    assert_eq!(answer.status, 200);
    let text = |name: &str| answer.json()[name].as_str().unwrap().to_owned();
    (text("token"), text("jti"))
}

/// What introspection says of `token`.
async fn state(api: &Api, token: &str) -> (bool, String) {
    let answer = operator(api, "/tokens/introspect", &json!({ "token": token })).await;
    assert_eq!(answer.status, 200);
    (answer.json()["active"].as_bool().unwrap(), answer.json()["state"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_token_for_another_audience_is_invalid_on_the_open_route() {
    let api = api().await;
    let (token, _) = minted_for(&api, "report-link").await;
    assert_eq!(api.validate(body(&token)).await.refusal(), (401, "invalid_token".into()));
    assert_eq!(state(&api, &token).await, (true, "unspent".into()));
}

#[tokio::test]
async fn an_operator_sees_a_token_s_whole_life_and_spends_nothing() {
    let api = api().await;
    let token = api.mint().await;
    for _ in 0..2 {
        assert_eq!(state(&api, &token).await, (true, "unspent".into()));
    }
    assert_eq!(api.validate(body(&token)).await.status, 200);
    assert_eq!(state(&api, &token).await, (false, "already_used".into()));
    let garbage = operator(&api, "/tokens/introspect", &json!({"token": "eyJ.a.b"})).await;
    assert_eq!((garbage.status, garbage.body.as_str()), (200, r#"{"active":false}"#));
}

#[tokio::test]
async fn a_token_is_revoked_by_itself_or_by_its_id_and_a_spent_one_stays_spent() {
    let api = api().await;
    let revoke = async |body: Value| {
        let answer = operator(&api, "/tokens/revoke", &body).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"status":"success"}"#));
    };
    let token = api.mint().await;
    revoke(json!({ "token": token })).await;
    revoke(json!({ "token": token })).await;
    assert_eq!(api.validate(body(&token)).await.refusal(), (401, "revoked".into()));
    assert_eq!(state(&api, &token).await, (false, "revoked".into()));

    let (token, jti) = minted_for(&api, "report-link").await;
    revoke(json!({ "jti": jti })).await;
    assert_eq!(state(&api, &token).await, (false, "revoked".into()));

    let token = api.mint().await;
    assert_eq!(api.validate(body(&token)).await.status, 200);
    revoke(json!({ "token": token })).await;
    assert_eq!(state(&api, &token).await, (false, "already_used".into()));
}

#[tokio::test]
async fn a_form_is_read_as_json_is() {
    let api = api().await;
    let token = api.mint().await;
    for (path, status) in [("/tokens/introspect", 200), ("/tokens/revoke", 200), ("/tokens/mint", 400)] {
        assert_eq!(send(api.signed(path, format!("token={token}"))).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn a_malformed_request_of_an_operator_is_400_with_the_code_of_oauth() {
    let api = api().await;
    for (path, request_body) in [
        ("/tokens/introspect", "{}".to_owned()),
        ("/tokens/introspect", "token=a&token=b".to_owned()),
        ("/tokens/revoke", String::new()),
        ("/tokens/revoke", "jti=17".to_owned()),
    ] {
        let answer = send(api.signed(path, request_body)).await;
        assert_eq!(answer.refusal(), (400, "invalid_request".into()), "{path}");
        assert_eq!(answer.json()["error"], "invalid_request", "{path}");
    }
    for mint in [json!({}), json!({"audience": "Prod"}), json!({"audience": "a", "ttlSeconds": 86_401})] {
        assert_eq!(operator(&api, "/tokens/mint", &mint).await.refusal(), (400, "invalid_request".into()));
    }
    let large = send(api.signed("/tokens/revoke", format!("token={}", "x".repeat(4096)))).await;
    assert_eq!(large.refusal(), (413, "request_too_large".into()));
}
