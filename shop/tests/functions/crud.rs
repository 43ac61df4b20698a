//! `crud`.

use std::sync::atomic::Ordering;

use apigw::Settings;
use serde_json::{Value, json};
use shop::functions::crud::{Service, handle};

use crate::helpers::{Answer, Shop, answer, event, product_id, setting};

/// The answer to a request.
async fn call(shop: &Shop, method: &str, id: Option<&str>, body: &str) -> Answer {
    let service = Service::new(Settings::new(&setting), shop.catalogue.clone()).unwrap();
    let parameters = id.map(|id| json!({ "id": id }));
    let event = event(&json!({"httpMethod": method, "path": "/products", "pathParameters": parameters, "body": body}));
    let response = handle(&service, event).await.unwrap();
    if response.body.is_empty() {
        return Answer { status: response.status_code, body: Value::Null };
    }
    answer(&response)
}

/// The body of a product, without its ID.
fn cookie() -> Value {
    json!({
        "product_name": "Ginger", "description": "Sharp.", "price": "2.50", "inventory_count": 7, "image": "ginger.svg",
    })
}

/// [`cookie`], with another value for a member.
fn with(member: &str, value: Value) -> Value {
    let mut cookie = cookie();
    cookie[member] = value;
    cookie
}

/// The body of the shop's product 1, with another stock.
fn one(inventory_count: u64) -> Value {
    json!({
        "product_name": "Cookie 1", "description": "A cookie.", "price": "2.00", "inventory_count": inventory_count,
        "image": "cookie.svg",
    })
}

#[tokio::test]
async fn products_are_listed_and_found_as_customers_see_them() {
    let shop = Shop::new();
    let listed = call(&shop, "GET", None, "").await;
    assert_eq!((listed.status, listed.body["products"].as_array().unwrap().len()), (200, 2));
    assert_eq!(call(&shop, "GET", Some("1"), "").await.body, listed.body["products"][0]);
    assert_eq!(call(&shop, "GET", Some("9"), "").await.refusal(), (404, "not_found"));
}

#[tokio::test]
async fn a_product_is_added_with_an_id_of_the_caller_or_a_new_one() {
    let shop = Shop::new();
    for id in [json!("ginger"), json!(17)] {
        let added = call(&shop, "POST", None, &with("id", id.clone()).to_string()).await;
        let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
        assert_eq!((added.status, &added.body), (201, &with("id", json!(id))));
        assert_eq!(call(&shop, "GET", Some(&id), "").await.body, added.body);
    }
    let added = call(&shop, "POST", None, &cookie().to_string()).await;
    let id = added.body["id"].as_str().unwrap();
    assert_eq!((added.status, id.len()), (201, 36));
    let other = call(&shop, "POST", None, &cookie().to_string()).await;
    assert_ne!(other.body["id"], id);
}

#[tokio::test]
async fn adding_is_repeated_safely_and_replaces_no_other_product() {
    let shop = Shop::new();
    let ginger = with("id", json!("ginger"));
    for _ in 0..2 {
        assert_eq!(call(&shop, "POST", None, &ginger.to_string()).await.status, 201);
    }
    let mut other = ginger.clone();
    other["inventory_count"] = json!(8);
    assert_eq!(call(&shop, "POST", None, &other.to_string()).await.refusal(), (409, "exists"));
    assert_eq!(shop.data.stock(&product_id("ginger")), Some(7));
}

#[tokio::test]
async fn a_product_is_replaced_whatever_its_stock_or_only_at_the_stock_that_was_seen() {
    let shop = Shop::new();
    let put = async |body: Value| call(&shop, "PUT", Some("1"), &body.to_string()).await;
    let replaced = put(with("id", json!("ignored"))).await;
    assert_eq!((replaced.status, replaced.body), (200, with("id", json!("1"))));

    let seen = |stock: u64| {
        let mut body = one(50);
        body["if_inventory_count"] = json!(stock);
        body
    };
    assert_eq!(put(seen(8)).await.refusal(), (409, "stock_changed"));
    assert_eq!(shop.data.stock(&product_id("1")), Some(7));
    assert_eq!(put(seen(7)).await.status, 200);
    assert_eq!(shop.data.stock(&product_id("1")), Some(50));
    // An order took as many as the admin wanted to remove: the stock is not the one that was seen.
    assert_eq!(put(seen(7)).await.refusal(), (409, "stock_changed"));
}

#[tokio::test]
async fn a_product_that_is_not_there_is_404_and_not_added() {
    let shop = Shop::new();
    for body in [cookie(), with("if_inventory_count", json!(7))] {
        assert_eq!(call(&shop, "PUT", Some("9"), &body.to_string()).await.refusal(), (404, "not_found"));
        assert_eq!(call(&shop, "PUT", Some("a b"), &body.to_string()).await.refusal(), (404, "not_found"));
    }
    assert_eq!(shop.data.stock(&product_id("9")), None);
}

#[tokio::test]
async fn removing_a_product_twice_is_204_twice() {
    let shop = Shop::new();
    for id in ["1", "1", "9", "a b"] {
        assert_eq!(call(&shop, "DELETE", Some(id), "").await, Answer { status: 204, body: Value::Null });
    }
    assert_eq!((shop.data.stock(&product_id("1")), shop.data.stock(&product_id("2"))), (None, Some(100)));
}

#[tokio::test]
async fn every_bad_member_is_400_that_names_it_and_nothing_is_written() {
    let shop = Shop::new();
    let before = call(&shop, "GET", None, "").await;
    let mut cases: Vec<(&str, String)> = Vec::new();
    for (member, values) in [
        ("product_name", vec![json!(""), json!(" "), json!("a\nb"), json!("x".repeat(81)), json!(1), json!(null)]),
        ("description", vec![json!("a\u{7}b"), json!("x".repeat(501)), json!(1), json!(null)]),
        (
            "price",
            vec![json!(""), json!("0"), json!(0), json!(-1), json!("100000"), json!(1.005), json!(null), json!([])],
        ),
        ("inventory_count", vec![json!(-1), json!(1_000_001), json!(1.5), json!("7"), json!(null)]),
        ("image", vec![json!(""), json!("https://a.example/a.svg"), json!("../a.svg"), json!("a.gif"), json!(null)]),
    ] {
        for value in values {
            cases.push((member, with(member, value).to_string()));
        }
        let mut without = cookie();
        without.as_object_mut().unwrap().remove(member);
        cases.push((member, without.to_string()));
    }
    for body in ["", "[]", "null", "{", r#"{"product_name":"a","product_name":"b"}"#, "[1,\"a\"]"] {
        cases.push(("product_name", body.to_owned()));
    }
    let refused = async |method: &str, id: Option<&str>, member: &str, body: &str| {
        let answer = call(&shop, method, id, body).await;
        assert_eq!(answer.refusal(), (400, "invalid_request"), "{method} {body}");
        assert!(answer.body["message"].as_str().unwrap().contains(&format!("`{member}`")), "{body}: {answer:?}");
    };
    for (member, body) in cases {
        refused("POST", None, member, &body).await;
        refused("PUT", Some("1"), member, &body).await;
    }
    for id in [json!(""), json!("a b"), json!("x".repeat(37)), json!(1.5), json!([])] {
        refused("POST", None, "id", &with("id", id).to_string()).await;
    }
    for seen in [json!(-1), json!(1.5), json!("7"), json!([])] {
        refused("PUT", Some("1"), "if_inventory_count", &with("if_inventory_count", seen).to_string()).await;
    }
    assert_eq!(call(&shop, "GET", None, "").await, before);
}

#[tokio::test]
async fn without_the_table_it_is_503() {
    let shop = Shop::new();
    shop.catalogue.fails.store(true, Ordering::Relaxed);
    let body = cookie().to_string();
    for (method, id) in [("GET", None), ("GET", Some("1")), ("POST", None), ("PUT", Some("1")), ("DELETE", Some("1"))] {
        assert_eq!(call(&shop, method, id, &body).await.refusal(), (503, "unavailable"), "{method}");
    }
}
