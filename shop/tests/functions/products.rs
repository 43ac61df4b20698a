//! `products`.

use std::sync::atomic::Ordering;

use apigw::Settings;
use serde_json::{Value, json};
use shop::functions::products::{Service, handle};

use crate::helpers::{Answer, Shop, answer, event, setting};

async fn get(shop: &Shop, id: Option<&str>) -> Answer {
    let service = Service::new(Settings::new(&setting), shop.catalogue.clone()).unwrap();
    let parameters = id.map_or(Value::Null, |id| json!({ "id": id }));
    let event = event(&json!({"httpMethod": "GET", "path": "/products", "pathParameters": parameters}));
    answer(&handle(&service, event).await.unwrap())
}

fn cookie(id: &str, price: &str) -> Value {
    json!({
        "id": id, "product_name": format!("Cookie {id}"), "description": "A cookie.", "price": price,
        "inventory_count": 100, "image": "cookie.svg",
    })
}

#[tokio::test]
async fn all_products_are_listed_with_prices_as_texts_and_stock_as_numbers() {
    let expected = json!({"products": [cookie("1", "2.00"), cookie("2", "3.50")]});
    assert_eq!(get(&Shop::new(), None).await, Answer { status: 200, body: expected });
}

#[tokio::test]
async fn a_product_is_found_by_its_id() {
    let shop = Shop::new();
    assert_eq!(get(&shop, Some("2")).await, Answer { status: 200, body: cookie("2", "3.50") });
    for id in ["9", "", "a b", "%FF", "../1"] {
        assert_eq!(get(&shop, Some(id)).await.refusal(), (404, "not_found"), "{id}");
    }
}

#[tokio::test]
async fn without_the_table_it_is_503() {
    let shop = Shop::new();
    shop.catalogue.fails.store(true, Ordering::Relaxed);
    for id in [None, Some("1")] {
        assert_eq!(get(&shop, id).await.refusal(), (503, "unavailable"));
    }
}
