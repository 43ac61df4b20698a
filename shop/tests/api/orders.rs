//! `GET /checkout-token`, `POST /orders` and `GET /orders/status/{executionArn}`.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Api, body};

#[tokio::test]
#[ignore = "needs a deployment at SHOP_API_URL"]
async fn deployed_an_order_is_confirmed_and_repeating_it_has_the_same_answer() {
    let api = Api::new();
    let (token, body) = (api.token().await, body(&[("1", 1), ("2", 2), ("3", 3)]));
    let accepted = api.order(&token, &body).await;
    assert_eq!(accepted.status, 202, "{accepted:?}");
    assert_eq!(api.outcome(&accepted.body["order_id"]).await, ("SUCCEEDED".into(), Value::Null));

    let again = api.order(&token, &body).await;
    assert_eq!((again.status, &again.body), (202, &accepted.body));
    let arn = accepted.body["executionArn"].as_str().unwrap();
    for name in [arn, &arn.replace(':', "%3A")] {
        let status = api.get(&format!("/orders/status/{name}")).await;
        assert_eq!(status.body, json!({"status": "SUCCEEDED", "order_id": accepted.body["order_id"]}));
    }
}

#[tokio::test]
#[ignore = "needs a deployment at SHOP_API_URL"]
async fn deployed_of_fifty_posts_of_one_token_all_have_one_answer() {
    let api = Api::new();
    let (token, body) = (api.token().await, body(&[("4", 1)]));
    // An execution that exists and cannot be looked at yet is a 503.
    let answers = join_all((0..50).map(|_| api.order(&token, &body)));
    let answers = answers.await;
    for answer in &answers {
        assert_eq!((answer.status, &answer.body), (202, &answers[0].body));
    }
    assert_eq!(api.outcome(&answers[0].body["order_id"]).await.0, "SUCCEEDED");
}

#[tokio::test]
#[ignore = "needs a deployment at SHOP_API_URL"]
async fn deployed_another_order_under_a_token_is_refused_and_names_the_first() {
    let api = Api::new();
    let token = api.token().await;
    let accepted = api.order(&token, &body(&[("1", 1)])).await;
    assert_eq!(accepted.status, 202);
    let refused = api.order(&token, &body(&[("1", 2)])).await;
    assert_eq!(refused.refusal(), (401, "already_used"));
    assert_eq!(refused.body["order_id"], accepted.body["order_id"]);
}

#[tokio::test]
#[ignore = "needs a deployment at SHOP_API_URL"]
async fn deployed_the_price_of_the_shop_counts() {
    let api = Api::new();
    let token = api.token().await;
    let mut shown = body(&[("1", 1)]);
    shown["customerproduct"]["productsToSubmit"][0]["price"] = json!("0.01");
    assert_eq!(api.order(&token, &shown).await.refusal(), (409, "price_changed"));
    assert_eq!(api.order(&token, &body(&[("nothing", 1)])).await.refusal(), (409, "unknown_product"));
    // Nothing was ordered, and the token is as good as before.
    assert_eq!(api.order(&token, &body(&[("1", 1)])).await.status, 202);
}

#[tokio::test]
#[ignore = "needs a deployment at SHOP_API_URL"]
async fn deployed_bad_requests_are_refused_and_order_nothing() {
    let api = Api::new();
    let token = api.token().await;
    let post = || api.request(Method::POST, "/orders").header("x-access-token", &token);
    let with = |pointer: &str, value: Value| {
        let mut body = body(&[("1", 1)]);
        *body.pointer_mut(pointer).unwrap() = value;
        body.to_string()
    };
    for (member, body) in [
        ("customer_name", with("/personalInfo/customer_name", json!(""))),
        ("email", with("/personalInfo/email", json!("ada"))),
        ("phone", with("/personalInfo/phone", json!("1"))),
        ("quantity", with("/customerproduct/productsToSubmit/0/quantity", json!(0))),
        ("id", with("/customerproduct/productsToSubmit/0/id", json!("a b"))),
        ("productsToSubmit", with("/customerproduct/productsToSubmit", json!([]))),
        ("personalInfo", "{}".to_owned()),
        ("personalInfo", "[]".to_owned()),
        ("personalInfo", String::new()),
    ] {
        let refused = api.send(post().body(body)).await;
        assert_eq!(refused.refusal(), (400, "invalid_request"), "{member}");
        assert!(refused.body["message"].as_str().unwrap().contains(&format!("`{member}`")), "{refused:?}");
    }
    let large = with("/personalInfo/customer_name", json!("x".repeat(5000)));
    assert_eq!(api.send(post().body(large)).await.refusal(), (413, "request_too_large"));

    let valid = body(&[("1", 1)]).to_string();
    let without_token = api.request(Method::POST, "/orders").body(valid.clone());
    assert_eq!(api.send(without_token).await.refusal(), (400, "invalid_request"));
    let in_query = api.request(Method::POST, "/orders?token=x").body(valid.clone());
    assert_eq!(api.send(in_query).await.refusal(), (400, "invalid_request"));
    for forged in ["x", &format!("{token}x"), &token[1..]] {
        let refused = api.order(forged, &body(&[("1", 1)])).await;
        assert_eq!(refused.refusal(), (401, "invalid_token"));
        assert!(!refused.body.to_string().contains(forged) || forged == "x");
    }
    // The token still makes an order.
    assert_eq!(api.order(&token, &body(&[("1", 1)])).await.status, 202);
}

#[tokio::test]
#[ignore = "needs a deployment at SHOP_API_URL"]
async fn deployed_the_status_of_anything_but_an_order_of_the_shop_is_404() {
    let api = Api::new();
    let accepted = api.order(&api.token().await, &body(&[("1", 1)])).await;
    let (arn, id) = (accepted.body["executionArn"].as_str().unwrap(), accepted.body["order_id"].as_str().unwrap());
    let unknown = "0198d7a2-6c0e-4f5e-9d43-3a1b2c4d5e6f";
    for name in [
        unknown,
        "17",
        &arn.replace(id, unknown),
        &arn.replace(":execution:", ":execution:other-"),
        &arn[..arn.len() - 1],
    ] {
        assert_eq!(api.get(&format!("/orders/status/{name}")).await.refusal(), (404, "not_found"), "{name}");
    }
}
