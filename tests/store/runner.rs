//! `local --dynamodb`: the API on this machine over a table of DynamoDB.

use std::path::PathBuf;

use reqwest::Client;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::stores::emulator;

/// Serves the API over a table that does not exist yet, and once more; mints a token and spends it twice.
async fn a_missing_table_is_created_and_a_token_spent_once(variable: &str) {
    let url = emulator(variable);
    let table = format!("Tokens-{}", Uuid::new_v4());
    for run in ["the table is created", "the table exists"] {
        let functions = local::functions_over(local::dynamodb(&url, &table).await.unwrap()).unwrap();
        let template = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml"));
        let options = local::Options::new(template);
        let server = local::Server::bind(options, &functions).await.unwrap();
        let api = server.url().to_owned();
        tokio::spawn(server.serve(std::future::pending()));

        let client = Client::new();
        let minted: Value = client.get(format!("{api}/hello")).send().await.unwrap().json().await.unwrap();
        for expected in [200, 401] {
            let body = json!({"token": minted["accessToken"]}).to_string();
            let answer = client.post(format!("{api}/validate")).body(body).send().await.unwrap();
            assert_eq!(answer.status(), expected, "{run}");
        }
    }
}

#[tokio::test]
#[ignore = "needs ministack at MINISTACK_URL"]
async fn ministack_serves_the_api_on_this_machine() {
    a_missing_table_is_created_and_a_token_spent_once("MINISTACK_URL").await;
}

#[tokio::test]
#[ignore = "needs DynamoDB Local at DYNAMODB_LOCAL_URL"]
async fn dynamodb_local_serves_the_api_on_this_machine() {
    a_missing_table_is_created_and_a_token_spent_once("DYNAMODB_LOCAL_URL").await;
}
