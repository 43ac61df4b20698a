//! Orders that do not go straight: out of stock, killed between two steps, repeated, or after their token has expired.

use std::time::Duration;

use serde_json::{Value, json};
use shop::{OrderId, ProductId};
use tokens::{Claimant, Spend as _, Timestamp};

use crate::emulator::{Emulator, Principal, body};

/// The input of an order's execution.
pub(crate) fn accepted(id: &OrderId, cookie: &ProductId, quantity: u32, placed_at: u64) -> Value {
    json!({
        "order": {
            "id": id,
            "customer": {"customer_name": "Ada Lovelace", "email": "ada@example.com", "phone": "+1 555 010 9999"},
            "items": [{"product_id": cookie, "product_name": "Cookie", "quantity": quantity, "price_cents": 200}],
            "placed_at": placed_at,
        },
        "has_token": true,
    })
}

/// Starts the execution of an order, as `checkout` does.
async fn start(emulator: &Emulator, id: &OrderId, input: &Value) {
    let machine = emulator.physical_id("OrderMachine").await;
    let start = json!({"stateMachineArn": machine, "name": id, "input": input.to_string()});
    let started = emulator.json(&Principal::root(), "states", "AWSStepFunctions.StartExecution", &start).await;
    assert!(started["executionArn"].is_string(), "{started}");
}

#[tokio::test]
#[ignore = "needs ministack with a deployed shop"]
async fn ministack_an_order_is_kept_as_it_was_priced() {
    let emulator = Emulator::new();
    let cookie = emulator.product(5).await;
    let (token, id) = emulator.token(1800).await;
    assert_eq!(emulator.order(&token, &body(&cookie, 3)).await.0, 202);
    assert_eq!(emulator.outcome(&id).await.0, "SUCCEEDED");
    let mut item = emulator.order_item(&id).await;
    let placed_at = item.as_object_mut().unwrap().remove("placed_at").unwrap();
    assert!(apigw::epoch_seconds() - placed_at["N"].as_str().unwrap().parse::<u64>().unwrap() < 60);
    let line = json!({
        "product_id": {"S": cookie}, "product_name": {"S": "Cookie"}, "quantity": {"N": "3"}, "price_cents": {"N": "200"},
    });
    let expected = json!({
        "id": {"S": id}, "kind": {"S": "order"}, "status": {"S": "confirmed"}, "total_cents": {"N": "600"},
        "customer_name": {"S": "Ada Lovelace"}, "email": {"S": "ada@example.com"}, "phone": {"S": "+1 555 010 9999"},
        "items": {"L": [{"M": line}]},
    });
    assert_eq!(item, expected);
}

#[tokio::test]
#[ignore = "needs ministack with a deployed shop"]
async fn ministack_an_order_for_more_than_there_is_is_rejected_and_takes_nothing() {
    let emulator = Emulator::new();
    let cookie = emulator.product(2).await;
    let (token, id) = emulator.token(1800).await;
    assert_eq!(emulator.order(&token, &body(&cookie, 3)).await.0, 202, "stock is looked at later");
    assert_eq!(emulator.outcome(&id).await, ("FAILED".into(), "out_of_stock".into()));
    let item = emulator.order_item(&id).await;
    assert_eq!((&item["status"]["S"], &item["reason"]["S"]), (&json!("rejected"), &json!("out_of_stock")));
    assert_eq!(emulator.stock(&cookie).await, 2);
    // The same token has the same answer, and makes nothing new.
    assert_eq!(emulator.order(&token, &body(&cookie, 3)).await.0, 202);
    assert_eq!(emulator.stock(&cookie).await, 2);
}

#[tokio::test]
#[ignore = "needs ministack with a deployed shop"]
async fn ministack_an_accepted_order_has_the_same_answer_after_its_token_has_expired() {
    let emulator = Emulator::new();
    let cookie = emulator.product(10).await;
    let (token, id) = emulator.token(4).await;
    let first = emulator.order(&token, &body(&cookie, 1)).await;
    assert_eq!(first.0, 202, "{first:?}");
    assert_eq!(emulator.outcome(&id).await.0, "SUCCEEDED");
    tokio::time::sleep(Duration::from_secs(5)).await;

    assert_eq!(emulator.order(&token, &body(&cookie, 1)).await, first);
    let (status, other) = emulator.order(&token, &body(&cookie, 2)).await;
    assert_eq!((status, &other["reason"], &other["order_id"]), (401, &json!("already_used"), &json!(id)));
    assert_eq!(emulator.stock(&cookie).await, 9);
    let (expired, _) = emulator.token(0).await;
    let (status, refused) = emulator.order(&expired, &body(&cookie, 1)).await;
    assert_eq!((status, &refused["reason"]), (401, &json!("expired")));
}

#[tokio::test]
#[ignore = "needs ministack with a deployed shop"]
async fn ministack_an_order_whose_token_expires_on_the_way_is_confirmed() {
    let emulator = Emulator::new();
    let cookie = emulator.product(10).await;
    let placed_at = apigw::epoch_seconds();
    let (_, id) = emulator.token(1).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    start(&emulator, &id, &accepted(&id, &cookie, 1, placed_at)).await;
    assert_eq!(emulator.outcome(&id).await.0, "SUCCEEDED");
    assert_eq!(emulator.stock(&cookie).await, 9);
}

#[tokio::test]
#[ignore = "needs ministack with a deployed shop"]
async fn ministack_an_order_that_was_killed_after_its_token_was_spent_is_made_by_the_next_attempt() {
    let emulator = Emulator::new();
    let cookie = emulator.product(10).await;
    let (_, id) = emulator.token(1800).await;
    let placed_at = apigw::epoch_seconds();
    // What the first attempt has done.
    let tokens = aws::DynamoTokenStore::new(emulator.dynamodb(), emulator.physical_id("TokensTable").await);
    let claimant = Claimant::of_invocation(&id.to_string()).unwrap();
    tokens.spend(&id, &claimant, Timestamp(placed_at)).await.unwrap().verdict.into_result().unwrap();

    start(&emulator, &id, &accepted(&id, &cookie, 3, placed_at)).await;
    assert_eq!(emulator.outcome(&id).await.0, "SUCCEEDED");
    assert_eq!(emulator.order_item(&id).await["status"]["S"], "confirmed");
    assert_eq!(emulator.stock(&cookie).await, 7);
}

#[tokio::test]
#[ignore = "needs ministack with a deployed shop"]
async fn ministack_an_order_whose_steps_are_repeated_is_one_order_that_takes_its_stock_once() {
    let emulator = Emulator::new();
    let cookie = emulator.product(10).await;
    let (_, id) = emulator.token(1800).await;
    let input = accepted(&id, &cookie, 3, apigw::epoch_seconds());
    let placed = emulator.invoke("NewOrderFunction", &input).await;
    assert_eq!(placed, json!({"order_id": id, "items": [{"product_id": cookie, "quantity": 3}]}));
    assert_eq!(emulator.invoke("NewOrderFunction", &input).await, placed);
    for _ in 0..2 {
        assert_eq!(emulator.invoke("UpdateInventoryFunction", &placed).await, json!({"order_id": id}));
        assert_eq!(emulator.stock(&cookie).await, 7);
    }
    // The machine runs after all that: a reply was lost after the transaction.
    start(&emulator, &id, &input).await;
    assert_eq!(emulator.outcome(&id).await.0, "SUCCEEDED");
    assert_eq!(emulator.order_item(&id).await["status"]["S"], "confirmed");
    assert_eq!(emulator.stock(&cookie).await, 7);
}

#[tokio::test]
#[ignore = "needs ministack with a deployed shop"]
async fn ministack_a_token_that_something_else_has_spent_makes_no_order() {
    let emulator = Emulator::new();
    let cookie = emulator.product(10).await;
    let (token, id) = emulator.token(1800).await;
    let tokens = aws::DynamoTokenStore::new(emulator.dynamodb(), emulator.physical_id("TokensTable").await);
    let other = Claimant::of_invocation("another").unwrap();
    tokens.spend(&id, &other, Timestamp(apigw::epoch_seconds())).await.unwrap().verdict.into_result().unwrap();

    assert_eq!(emulator.order(&token, &body(&cookie, 1)).await.0, 202, "`checkout` does not spend it");
    assert_eq!(emulator.outcome(&id).await, ("FAILED".into(), "token_refused".into()));
    assert_eq!((emulator.order_item(&id).await, emulator.stock(&cookie).await), (Value::Null, 10));
}
