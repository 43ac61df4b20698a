//! What a REST API does to the headers of a function's response.

use crate::api::{Api, body};

#[tokio::test]
async fn the_challenge_of_a_refusal_arrives_under_the_name_that_a_rest_api_gives_it() {
    let api = Api::start("remapping").await;
    let answer = api.validate(body("eyJ.a.b")).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("x-amzn-remapped-www-authenticate"), r#"Bearer error="invalid_token""#);
    assert!(answer.header("www-authenticate").is_empty());
}
