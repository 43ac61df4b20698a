//! `orders`.

use apigw::Settings;
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};
use shop::{
    Cents, Customer, Line, Order, OrderId, Position, Status,
    functions::orders::{Service, handle},
};
use tokens::Timestamp;
use uuid::Uuid;

use crate::helpers::{Answer, Shop, answer, event, person, product_id, setting};

/// The answer to `GET /orders`, or to `GET /orders/{id}`, of a person who is signed in.
async fn get(shop: &Shop, id: Option<&str>, query: Value) -> Answer {
    get_as(shop, person(""), id, query).await
}

async fn get_as(shop: &Shop, authorizer: Value, id: Option<&str>, query: Value) -> Answer {
    let service = Service::new(Settings::new(&setting), shop.order_list.clone()).unwrap();
    let event = event(&json!({
        "httpMethod": "GET", "path": "/orders", "pathParameters": id.map(|id| json!({"id": id})),
        "multiValueQueryStringParameters": query, "requestContext": {"authorizer": authorizer},
    }));
    answer(&handle(&service, event).await.unwrap())
}

/// Writes an order that was accepted at a time.
fn given(shop: &Shop, placed_at: u64, status: Status) -> OrderId {
    let id = OrderId::new(Uuid::new_v4());
    let line = |id, quantity, price| Line {
        product_id: product_id(id),
        product_name: format!("Cookie {id}"),
        quantity,
        price: Cents(price),
    };
    let customer = Customer::new("Ada Lovelace", "ada@example.com", "+1 555 010 9999").unwrap();
    let items = vec![line("1", 3, 300), line("2", 2, 400)];
    shop.data.set_order(Order { id, customer, items, placed_at: Timestamp(placed_at) }, status);
    id
}

#[tokio::test]
async fn an_order_has_its_customer_its_lines_and_its_total() {
    let shop = Shop::new();
    let id = given(&shop, 1_700_000_000, Status::Rejected).to_string();
    let expected = json!({
        "id": id, "status": "rejected", "reason": "out_of_stock", "customer_name": "Ada Lovelace",
        "email": "ada@example.com", "phone": "+1 555 010 9999", "total_amount": "17.00",
        "order_time": "2023-11-14T22:13:20Z",
        "ordered_items": [
            {"product_id": "1", "product_name": "Cookie 1", "quantity": 3, "amount": "9.00"},
            {"product_id": "2", "product_name": "Cookie 2", "quantity": 2, "amount": "8.00"},
        ],
    });
    assert_eq!(get(&shop, Some(&id), json!({})).await, Answer { status: 200, body: expected.clone() });
    let listed = get(&shop, None, json!({})).await;
    assert_eq!(listed, Answer { status: 200, body: json!({"orders": [expected]}) });
    let id = given(&shop, 1, Status::Pending).to_string();
    assert_eq!(get(&shop, Some(&id), json!({})).await.body.get("reason"), None);
}

#[tokio::test]
async fn an_order_that_is_not_there_is_404() {
    let shop = Shop::new();
    for id in [&Uuid::new_v4().to_string(), "17", "", "a b", "%FF"] {
        assert_eq!(get(&shop, Some(id), json!({})).await.refusal(), (404, "not_found"), "{id}");
    }
}

#[tokio::test]
async fn an_empty_list_is_a_success() {
    assert_eq!(get(&Shop::new(), None, json!({})).await.body, json!({"orders": []}));
}

#[tokio::test]
async fn a_page_has_50_orders_unless_the_request_says_so() {
    let shop = Shop::new();
    for placed_at in 0..102 {
        given(&shop, placed_at, Status::Confirmed);
    }
    for (limit, expected) in [(None, 50), (Some("1"), 1), (Some("100"), 100)] {
        let answer = get(&shop, None, limit.map_or(json!({}), |limit| json!({"limit": [limit]}))).await;
        assert_eq!(answer.body["orders"].as_array().unwrap().len(), expected);
        assert!(answer.body["next"].is_string());
    }
}

#[tokio::test]
async fn a_bad_parameter_is_400_that_names_it() {
    let shop = Shop::new();
    let id = Uuid::new_v4();
    for limit in ["0", "101", "-1", "1.5", "x", "", "+5", " 5", "99999999999"] {
        let answer = get(&shop, None, json!({"limit": [limit]})).await;
        let is_plus = limit == "+5"; // is read as a number
        assert_eq!(answer.status, if is_plus { 200 } else { 400 }, "{limit}");
        assert!(is_plus || answer.body["message"].as_str().unwrap().contains("`limit`"));
    }
    let before = format!("1.{id}");
    for before in [
        "",
        "x",
        "1",
        &format!("x.{id}"),
        &format!("+1.{id}"),
        &format!("01.{id}"),
        &format!("1.{id}.1"),
        &format!("-1.{id}"),
        &before.to_uppercase(),
        &format!("1.{}", id.simple()),
    ] {
        let answer = get(&shop, None, json!({"before": [before]})).await;
        assert_eq!(answer.refusal(), (400, "invalid_request"), "{before}");
        assert!(answer.body["message"].as_str().unwrap().contains("`before`"));
    }
    assert_eq!(get(&shop, None, json!({"before": [before]})).await.status, 200);
    for twice in [json!({"limit": ["1", "1"]}), json!({"before": [before, before]})] {
        assert_eq!(get(&shop, None, twice).await.status, 400);
    }
}

#[tokio::test]
async fn a_route_without_its_authorizer_is_closed() {
    let shop = Shop::new();
    let id = given(&shop, 1, Status::Pending).to_string();
    for authorizer in [json!(null), json!({}), json!({"claims": null}), json!({"jti": "1"})] {
        for id in [None, Some(id.as_str())] {
            assert_eq!(get_as(&shop, authorizer.clone(), id, json!({})).await.refusal(), (500, "internal"));
        }
    }
}

#[tokio::test]
async fn without_the_table_it_is_503() {
    let shop = Shop::new();
    shop.order_list.fails.store(true, std::sync::atomic::Ordering::Relaxed);
    for id in [None, Some(Uuid::new_v4().to_string())] {
        assert_eq!(get(&shop, id.as_deref(), json!({})).await.refusal(), (503, "unavailable"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_pages_of_any_size_have_each_order_once_newest_first(times in vec(0_u64..5, 0..12), limit in 1_u32..6) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let shop = Shop::new();
            let mut expected: Vec<_> = times.iter().map(|&time| (time, given(&shop, time, Status::Confirmed))).collect();
            let (mut listed, mut query) = (Vec::new(), json!({"limit": [limit.to_string()]}));
            loop {
                let page = get(&shop, None, query.clone()).await.body;
                let orders = page["orders"].as_array().unwrap();
                assert!(orders.len() == limit as usize || page.get("next").is_none(), "a short page goes on");
                assert!(!orders.is_empty() || times.is_empty(), "there is no empty page");
                listed.extend(orders.iter().map(|order| order["id"].as_str().unwrap().to_owned()));
                let Some(next) = page["next"].as_str() else { break };
                // The cursor is read as it is written.
                assert_eq!(Position::parse(next).unwrap().to_string(), next);
                query["before"] = json!([next]);
            }
            expected.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
            let time_of = |id: &str| expected.iter().find(|(_, other)| other.to_string() == id).unwrap().0;
            assert_eq!(listed.len(), expected.len());
            let times: Vec<_> = listed.iter().map(|id| time_of(id)).collect();
            assert_eq!(times, expected.iter().map(|(time, _)| *time).collect::<Vec<_>>());
            listed.sort();
            listed.dedup();
            assert_eq!(listed.len(), expected.len(), "an order comes twice");
        });
    }
}
