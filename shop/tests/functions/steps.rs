//! `new_order` and `update_inventory`: the two steps of an order, each repeated at will.

use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use serde::Serialize;
use serde_json::{json, value::to_raw_value};
use shop::{
    Accepted, OrderId, Status,
    functions::{
        TaskError,
        new_order::{self, Placed},
        update_inventory::{self, Confirmed},
    },
};
use tokens::{Claimant, Revoke as _, Spend as _};

use crate::helpers::{NOW, Shop, body, product, product_id};

/// The first step.
pub(crate) async fn new_order(shop: &Shop, input: &impl Serialize) -> Result<Placed, TaskError> {
    let service = new_order::Service { tokens: shop.tokens.clone(), orders: shop.data.clone() };
    new_order::handle(&service, LambdaEvent::new(to_raw_value(input).unwrap(), Context::default())).await
}

/// The second step.
pub(crate) async fn update_inventory(shop: &Shop, input: &impl Serialize) -> Result<Confirmed, TaskError> {
    let service = update_inventory::Service { orders: shop.data.clone() };
    update_inventory::handle(&service, LambdaEvent::new(to_raw_value(input).unwrap(), Context::default())).await
}

/// An order of `quantity` cookies that `checkout` has accepted.
pub(crate) async fn accepted(shop: &Shop, quantity: u32) -> (Accepted, OrderId) {
    let (token, id) = shop.token(0).await;
    assert_eq!(shop.order(&token, &body(&[("1", quantity)])).await.status, 202);
    let accepted = shop.executions.started().into_iter().find(|accepted| accepted.order.id == id);
    (accepted.unwrap(), id)
}

/// The status of an order, and the stock.
fn state(shop: &Shop, id: &OrderId) -> (Option<Status>, Option<u64>) {
    (shop.data.order(id).map(|(_, status)| status), shop.data.stock(&product_id("1")))
}

#[tokio::test]
async fn an_order_spends_its_token_is_written_and_takes_its_stock() {
    let shop = Shop::new();
    let (accepted, id) = accepted(&shop, 3).await;
    let placed = new_order(&shop, &accepted).await.unwrap();
    assert_eq!(
        serde_json::to_value(&placed).unwrap(),
        json!({"order_id": id, "items": [{"product_id": "1", "quantity": 3}]})
    );
    assert_eq!(shop.data.order(&id).unwrap(), (accepted.order, Status::Pending));
    let row = shop.tokens.row(&id).unwrap();
    assert_eq!((row.used_by.unwrap().as_str(), row.used_at), (format!("r:{id}").as_str(), Some(NOW)));

    assert_eq!(update_inventory(&shop, &placed).await.unwrap(), Confirmed { order_id: id });
    assert_eq!(state(&shop, &id), (Some(Status::Confirmed), Some(97)));
}

#[tokio::test]
async fn each_step_may_be_repeated_and_takes_effect_once() {
    let shop = Shop::new();
    let (accepted, id) = accepted(&shop, 3).await;
    let placed = new_order(&shop, &accepted).await.unwrap();
    assert_eq!(new_order(&shop, &accepted).await.unwrap(), placed);
    for _ in 0..3 {
        update_inventory(&shop, &placed).await.unwrap();
        // A late duplicate of the first step.
        assert_eq!(new_order(&shop, &accepted).await.unwrap(), placed);
        assert_eq!(state(&shop, &id), (Some(Status::Confirmed), Some(97)));
    }
}

#[tokio::test]
async fn a_token_that_another_has_spent_or_that_is_revoked_or_unknown_makes_no_order() {
    let shop = Shop::new();
    for end in ["spent", "revoked", "unknown"] {
        let (mut accepted, mut id) = accepted(&shop, 1).await;
        match end {
            "spent" => {
                let other = Claimant::of_invocation("other").unwrap();
                shop.tokens.spend(&id, &other, NOW).await.unwrap();
            }
            "revoked" => shop.tokens.revoke(&id, NOW).await.unwrap(),
            _ => {
                id = OrderId::new(uuid::Uuid::new_v4());
                accepted.order.id = id;
            }
        }
        assert!(matches!(new_order(&shop, &accepted).await, Err(TaskError::TokenRefused(_))), "{end}");
        assert_eq!(state(&shop, &id), (None, Some(100)));
    }
}

#[tokio::test]
async fn an_order_that_was_accepted_in_the_last_second_of_its_token_is_made() {
    let shop = Shop::new();
    let (token, id) = shop.token(1799).await;
    shop.order(&token, &body(&[("1", 1)])).await;
    // However late the machine is: the token is spent as of when the order was accepted.
    let accepted = shop.executions.started().remove(0);
    update_inventory(&shop, &new_order(&shop, &accepted).await.unwrap()).await.unwrap();
    assert_eq!(state(&shop, &id), (Some(Status::Confirmed), Some(99)));
}

#[tokio::test]
async fn an_order_without_a_token_spends_none() {
    let shop = Shop::new();
    let (mut accepted, id) = accepted(&shop, 1).await;
    accepted.has_token = false;
    new_order(&shop, &accepted).await.unwrap();
    assert_eq!(shop.tokens.row(&id).unwrap().used_by, None);
}

#[tokio::test]
async fn an_order_that_is_out_of_stock_is_rejected_and_stays_so() {
    let shop = Shop::new();
    shop.data.put_product(shop::Product { inventory_count: 2, ..product("1", 200) });
    let (accepted, id) = accepted(&shop, 3).await;
    let placed = new_order(&shop, &accepted).await.unwrap();
    assert!(matches!(update_inventory(&shop, &placed).await, Err(TaskError::OutOfStock)));
    assert_eq!(state(&shop, &id), (Some(Status::Rejected), Some(2)));

    shop.data.put_product(product("1", 200));
    assert!(matches!(update_inventory(&shop, &placed).await, Err(TaskError::OutOfStock)), "the customer has been told");
    new_order(&shop, &accepted).await.unwrap();
    assert_eq!(state(&shop, &id), (Some(Status::Rejected), Some(100)));
}

#[tokio::test]
async fn a_product_that_is_no_longer_sold_is_out_of_stock() {
    let shop = Shop::new();
    let (accepted, id) = accepted(&shop, 1).await;
    let placed = new_order(&shop, &accepted).await.unwrap();
    shop.data.remove_product(&product_id("1"));
    assert!(matches!(update_inventory(&shop, &placed).await, Err(TaskError::OutOfStock)));
    assert_eq!(state(&shop, &id), (Some(Status::Rejected), None));
}

#[tokio::test]
async fn an_input_that_is_not_of_the_step_is_invalid_and_not_shown() {
    let shop = Shop::new();
    for input in [json!({}), json!({"order": {"customer": "canary"}}), json!("canary"), json!(null)] {
        for outcome in [new_order(&shop, &input).await.map(drop), update_inventory(&shop, &input).await.map(drop)] {
            let diagnostic = Diagnostic::from(outcome.unwrap_err());
            assert_eq!(diagnostic.error_type, "Invalid");
            assert!(!diagnostic.error_message.contains("canary"));
        }
    }
    let missing = Placed { order_id: OrderId::new(uuid::Uuid::new_v4()), items: Vec::new() };
    assert!(matches!(update_inventory(&shop, &missing).await, Err(TaskError::Invalid)));
}

#[test]
fn the_names_of_errors_are_those_of_the_machine() {
    for (error, name) in [
        (TaskError::OutOfStock, "OutOfStock"),
        (TaskError::TokenRefused(tokens::Refusal::Revoked), "TokenRefused"),
        (TaskError::Invalid, "Invalid"),
        (TaskError::Busy, "Busy"),
        (TaskError::from(shop::Unavailable("down".into())), "Unavailable"),
    ] {
        assert_eq!(Diagnostic::from(error).error_type, name);
    }
}
