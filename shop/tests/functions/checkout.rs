//! `checkout`: a token makes at most one order, and a lost reply costs nothing.

use std::sync::atomic::Ordering;

use serde_json::json;
use shop::{Accepted, Cents, Customer, Executions as _, OrderId};
use tokens::Spend as _;

use crate::helpers::{Answer, NOW, Shop, body, product, product_id, setting_with};

/// The answer to an order that is accepted.
fn accepted(shop: &Shop, id: OrderId) -> Answer {
    Answer { status: 202, body: json!({"executionArn": shop.executions.arn(&id), "order_id": id}) }
}

#[tokio::test]
async fn an_order_is_accepted_under_the_id_of_its_token_at_the_prices_of_the_shop() {
    let shop = Shop::new();
    let (token, id) = shop.token(0).await;
    assert_eq!(shop.order(&token, &body(&[("2", 2), ("1", 3)])).await, accepted(&shop, id));

    let [Accepted { order, has_token: true }] = &shop.executions.started()[..] else { panic!("not one execution") };
    assert_eq!((order.id, order.placed_at, order.total()), (id, NOW, Cents(1300)));
    let lines: Vec<_> =
        order.items.iter().map(|line| (line.product_name.as_str(), line.quantity, line.price)).collect();
    assert_eq!(lines, [("Cookie 1", 3, Cents(200)), ("Cookie 2", 2, Cents(350))]);
    assert_eq!(order.customer, Customer::new("Ada Lovelace", "ada@example.com", "+1 555 010 9999").unwrap());
}

#[tokio::test]
async fn the_token_is_checked_and_not_spent() {
    let shop = Shop::new();
    let (token, id) = shop.token(0).await;
    shop.order(&token, &body(&[("1", 1)])).await;
    let claimant = tokens::Claimant::of_invocation("other").unwrap();
    assert!(shop.tokens.spend(&id, &claimant, NOW).await.unwrap().verdict.into_result().is_ok());
}

#[tokio::test]
async fn the_same_order_again_has_the_same_answer_and_makes_no_other_order() {
    let shop = Shop::new();
    let (token, id) = shop.token(0).await;
    for body in [body(&[("1", 3)]), body(&[("1", 1), ("1", 2)]), body(&[("1", 3)])] {
        assert_eq!(shop.order(&token, &body).await, accepted(&shop, id));
    }
    assert_eq!(shop.executions.started().len(), 1);
}

#[tokio::test]
async fn another_order_under_the_token_is_refused_and_names_the_first() {
    let shop = Shop::new();
    let (token, id) = shop.token(0).await;
    shop.order(&token, &body(&[("1", 3)])).await;
    let mut of_another_customer = body(&[("1", 3)]);
    of_another_customer["personalInfo"]["email"] = json!("eve@example.com");
    for other in [body(&[("1", 2)]), body(&[("1", 3), ("2", 1)]), of_another_customer] {
        let refused = shop.order(&token, &other).await;
        assert_eq!(refused.refusal(), (401, "already_used"));
        assert_eq!(refused.body["order_id"], json!(id));
    }
    assert_eq!(shop.executions.started().len(), 1);
}

#[tokio::test]
async fn an_accepted_order_stays_accepted_when_its_token_is_revoked_since() {
    let shop = Shop::new();
    let (token, id) = shop.token(1799).await;
    assert_eq!(shop.order(&token, &body(&[("1", 1)])).await, accepted(&shop, id));
    let service = shop.checkout(&setting_with("REVOKED_BEFORE", "1700000000"));
    assert_eq!(shop.order_at(&service, &token, &body(&[("1", 1)])).await, accepted(&shop, id));
    assert_eq!(shop.order_at(&service, &token, &body(&[("1", 2)])).await.refusal(), (401, "already_used"));
}

#[tokio::test]
async fn a_refused_token_without_an_order_is_refused_with_its_reason() {
    let shop = Shop::new();
    let (expired, _) = shop.token(1800).await;
    assert_eq!(shop.order(&expired, &body(&[("1", 1)])).await.refusal(), (401, "expired"));
    let (revoked, _) = shop.token(10).await;
    let service = shop.checkout(&setting_with("REVOKED_BEFORE", "1700000000"));
    assert_eq!(shop.order_at(&service, &revoked, &body(&[("1", 1)])).await.refusal(), (401, "revoked"));
    assert_eq!(shop.executions.started().len(), 0);
}

#[tokio::test]
async fn an_accepted_order_is_found_after_its_token_has_expired() {
    let shop = Shop::new();
    // As if it had been accepted when the token was still valid.
    let (token, id) = shop.token(1800).await;
    let (valid, other) = shop.token(0).await;
    shop.order(&valid, &body(&[("1", 1)])).await;
    let input =
        serde_json::to_string(&shop.executions.started()[0]).unwrap().replace(&other.to_string(), &id.to_string());
    shop.executions.start(&id, input).await.unwrap();
    assert_eq!(shop.order(&token, &body(&[("1", 1)])).await, accepted(&shop, id));
    assert_eq!(shop.order(&token, &body(&[("1", 2)])).await.refusal(), (401, "already_used"));
}

#[tokio::test]
async fn a_token_that_is_not_genuine_or_for_something_else_is_refused_as_invalid() {
    let shop = Shop::new();
    let (token, _) = shop.token(0).await;
    let (report, _) = shop.token_for("shop.eu-west-1/reports", 0).await;
    for token in [report.as_str(), &token[..token.len() - 1], "x", &format!("{token}x")] {
        assert_eq!(shop.order(token, &body(&[("1", 1)])).await.refusal(), (401, "invalid_token"));
    }
    assert_eq!(shop.executions.started().len(), 0);
}

#[tokio::test]
async fn a_shown_price_must_be_the_present_one() {
    let shop = Shop::new();
    let (token, id) = shop.token(0).await;
    let shown = |price| {
        let mut body = body(&[("1", 1)]);
        body["customerproduct"]["productsToSubmit"][0]["price"] = price;
        body
    };
    assert_eq!(shop.order(&token, &shown(json!("1.99"))).await.refusal(), (409, "price_changed"));
    assert_eq!(shop.order(&token, &body(&[("1", 1), ("9", 1)])).await.refusal(), (409, "unknown_product"));
    assert_eq!(shop.executions.started().len(), 0);
    // The token is as good as before.
    for price in [json!("2.00"), json!(2), json!(2.0), json!("2")] {
        assert_eq!(shop.order(&token, &shown(price)).await, accepted(&shop, id));
    }
}

#[tokio::test]
async fn an_accepted_order_stays_accepted_when_prices_change_or_a_product_is_no_longer_sold() {
    let shop = Shop::new();
    let (token, id) = shop.token(0).await;
    let mut shown = body(&[("1", 1)]);
    shown["customerproduct"]["productsToSubmit"][0]["price"] = json!("2.00");
    assert_eq!(shop.order(&token, &shown).await, accepted(&shop, id));

    shop.data.put_product(product("1", 250));
    assert_eq!(shop.order(&token, &shown).await, accepted(&shop, id));
    shop.data.remove_product(&product_id("1"));
    assert_eq!(shop.order(&token, &shown).await, accepted(&shop, id));
    assert_eq!(shop.order(&token, &body(&[("1", 2)])).await.refusal(), (401, "already_used"));

    // Whether it was accepted cannot be found out now.
    shop.look.fails.store(true, Ordering::Relaxed);
    assert_eq!(shop.order(&token, &shown).await.refusal(), (503, "unavailable"));
}

#[tokio::test]
async fn an_order_whose_outcome_is_unknown_is_503_and_the_same_token_finds_out() {
    let shop = Shop::new();
    let (token, id) = shop.token(0).await;
    shop.catalogue.fails.store(true, Ordering::Relaxed);
    assert_eq!(shop.order(&token, &body(&[("1", 1)])).await.refusal(), (503, "unavailable"));
    shop.catalogue.fails.store(false, Ordering::Relaxed);
    assert_eq!(shop.order(&token, &body(&[("1", 1)])).await, accepted(&shop, id));

    shop.look.fails.store(true, Ordering::Relaxed);
    assert_eq!(shop.order(&token, &body(&[("1", 1)])).await.refusal(), (503, "unavailable"));
    let (expired, _) = shop.token(1800).await;
    assert_eq!(shop.order(&expired, &body(&[("1", 1)])).await.refusal(), (503, "unavailable"));
}

#[tokio::test]
async fn without_keys_it_is_503() {
    let (token, _) = Shop::new().token(0).await;
    let shop = Shop::new().without_keys();
    assert_eq!(shop.order(&token, &body(&[("1", 1)])).await.refusal(), (503, "unavailable"));
}

#[tokio::test]
async fn where_the_token_is_optional_an_order_without_one_gets_an_id_of_its_own() {
    let shop = Shop::new();
    let service = shop.checkout(&setting_with("CHECKOUT_TOKEN", "optional"));
    let first = shop.order_at(&service, "", &body(&[("1", 1)])).await;
    let second = shop.order_at(&service, "", &body(&[("1", 1)])).await;
    assert_eq!((first.status, second.status), (202, 202));
    assert!(first.body["order_id"] != second.body["order_id"]);
    assert!(shop.executions.started().iter().all(|accepted| !accepted.has_token));
    assert_eq!(shop.order_at(&service, "x", &body(&[("1", 1)])).await.refusal(), (401, "invalid_token"));
}

#[tokio::test]
async fn the_status_of_an_order_is_found_by_its_arn_and_by_its_id() {
    let shop = Shop::new();
    let (token, id) = shop.token(0).await;
    let accepted = shop.order(&token, &body(&[("1", 1)])).await;
    let arn = accepted.body["executionArn"].as_str().unwrap();
    for name in [arn, &id.to_string(), &arn.replace(':', "%3A")] {
        let expected = json!({"status": "RUNNING", "order_id": id});
        assert_eq!(shop.status(name).await, Answer { status: 200, body: expected }, "{name}");
    }
    for (status, error, reason) in [
        ("SUCCEEDED", None, None),
        ("FAILED", Some("OutOfStock"), Some("out_of_stock")),
        ("FAILED", Some("TokenRefused"), Some("token_refused")),
        ("FAILED", Some("Busy"), Some("failed")),
        ("FAILED", None, Some("failed")),
        ("TIMED_OUT", Some("States.Timeout"), None),
        ("ABORTED", None, None),
    ] {
        shop.executions.end(&id, status, error);
        let mut expected = json!({"status": status, "order_id": id});
        if let Some(reason) = reason {
            expected["reason"] = json!(reason);
        }
        assert_eq!(shop.status(&id.to_string()).await.body, expected);
    }
}

#[tokio::test]
async fn the_status_of_anything_else_is_404() {
    let shop = Shop::new();
    let (token, id) = shop.token(0).await;
    shop.order(&token, &body(&[("1", 1)])).await;
    let unknown = "0198d7a2-6c0e-4f5e-9d43-3a1b2c4d5e6f";
    for name in [
        unknown,
        "",
        "17",
        "%FF",
        &format!("arn:aws:states:us-east-1:123456789012:execution:orders:{unknown}"),
        &format!("arn:aws:states:us-east-1:123456789012:execution:other:{id}"),
        &format!("arn:aws:states:us-east-1:210987654321:execution:orders:{id}"),
        &format!(":{id}"),
    ] {
        assert_eq!(shop.status(name).await.refusal(), (404, "not_found"), "{name}");
    }
    shop.look.fails.store(true, Ordering::Relaxed);
    assert_eq!(shop.status(&id.to_string()).await.refusal(), (503, "unavailable"));
}
