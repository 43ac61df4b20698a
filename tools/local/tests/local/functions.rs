//! The project's own template, served with its functions.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use local::{Options, Server};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

/// Serves the project's template with a fresh store and key. Returns its URL.
async fn start() -> String {
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
    let options = Options::new(template);
    let server = Server::bind(options, &local::functions().unwrap()).await.unwrap();
    assert_eq!(server.warnings(), [""; 0]);
    let url = server.url().to_owned();
    tokio::spawn(server.serve(std::future::pending()));
    url
}

/// The status and the body of the answer.
async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn a_token_from_get_tokens_can_be_spent_with_the_same_store_and_key() {
    let (url, client) = (start().await, Client::new());

    let (_, issued) = answer(client.get(format!("{url}/tokens"))).await;
    let (status, spent) = answer(client.post(format!("{url}/tokens")).json(&json!({"token": issued["token"]}))).await;

    let payload = issued["token"].as_str().unwrap().split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    assert_eq!([&claims["iss"], &claims["aud"]], ["local", "local/Prod"]);
    assert_eq!((status, spent["isValid"].as_bool()), (200, Some(true)));
}

#[tokio::test]
async fn each_start_draws_a_new_key() {
    let (one, other, client) = (start().await, start().await, Client::new());

    let (_, issued) = answer(client.get(format!("{one}/tokens"))).await;
    let (status, refused) =
        answer(client.post(format!("{other}/tokens")).json(&json!({"token": issued["token"]}))).await;

    assert_eq!((status, refused["reason"].as_str()), (401, Some("invalid_token")));
}
