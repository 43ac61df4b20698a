//! The headers of a function's response that a REST API renames.

use crate::api::{Api, body};

#[tokio::test]
async fn the_challenge_of_a_refusal_is_renamed_by_the_rest_api() {
    let api = Api::start("remapping").await;
    let answer = api.validate(body("eyJ.a.b")).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("x-amzn-remapped-www-authenticate"), r#"Bearer error="invalid_token""#);
    assert!(answer.header("www-authenticate").is_empty());
}
