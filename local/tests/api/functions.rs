//! The project's own template and functions.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use local::Server;
use serde_json::json;

use crate::helpers::{Answer, at};

fn template() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml")
}

#[tokio::test]
async fn a_token_of_get_tokens_is_of_the_same_store_and_key() {
    let server = Server::bind(at(&template()), &local::functions().unwrap()).await.unwrap();
    assert_eq!(server.warnings(), [""; 0]);
    let url = server.url().to_owned();
    tokio::spawn(server.serve(std::future::pending()));
    let client = reqwest::Client::new();

    let issued = Answer::of(client.get(format!("{url}/tokens"))).await.json();
    let spent = Answer::of(client.post(format!("{url}/tokens")).json(&json!({"token": issued["token"]}))).await;

    let payload = issued["token"].as_str().unwrap().split('.').nth(1).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    assert_eq!([&claims["iss"], &claims["aud"]], ["local", "local/Prod"]);
    assert_eq!((spent.status, spent.json()["isValid"].as_bool()), (200, Some(true)));
}

#[tokio::test]
async fn each_start_draws_a_key_of_its_own() {
    let mut urls = Vec::new();
    for _ in 0..2 {
        let server = Server::bind(at(&template()), &local::functions().unwrap()).await.unwrap();
        urls.push(server.url().to_owned());
        tokio::spawn(server.serve(std::future::pending()));
    }
    let client = reqwest::Client::new();

    let issued = Answer::of(client.get(format!("{}/tokens", urls[0]))).await.json();
    let refused = Answer::of(client.post(format!("{}/tokens", urls[1])).json(&json!({"token": issued["token"]}))).await;

    assert_eq!((refused.status, refused.json()["reason"].as_str()), (401, Some("invalid_token")));
}
