//! The products that a new shop sells, and its first orders.

use std::collections::BTreeSet;

use serde_json::Value;
use shop::{Cents, Customer, DAYS, MAX_QUANTITY, OrderId, ProductId};

#[test]
fn the_seed_is_four_products_that_the_shop_can_sell() {
    let products: Vec<Value> = serde_json::from_str(include_str!("../../seed/products.json")).unwrap();
    assert_eq!(products.len(), 4);
    let mut ids = BTreeSet::new();
    for product in &products {
        let text = |member: &str| product[member].as_str().unwrap();
        let members: Vec<_> = product.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, ["description", "id", "image", "inventory_count", "price_cents", "product_name"]);
        ids.insert(ProductId::parse(text("id")).unwrap());
        assert!((1..=80).contains(&text("product_name").len()) && text("description").len() <= 500);
        let price = Cents(product["price_cents"].as_u64().unwrap());
        assert_eq!(Cents::parse_price(&price.to_string()), Some(price));
        assert_eq!(product["inventory_count"], 100);
        let (name, kind) = text("image").rsplit_once('.').unwrap();
        assert!(kind == "svg" && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'));
    }
    assert_eq!(ids.len(), products.len());
}

#[test]
fn the_first_orders_are_of_days_that_a_report_covers_and_of_products_of_the_seed() {
    let products: Vec<Value> = serde_json::from_str(include_str!("../../seed/products.json")).unwrap();
    let orders: Vec<Value> = serde_json::from_str(include_str!("../../seed/orders.json")).unwrap();
    let mut ids = BTreeSet::new();
    for order in &orders {
        let text = |member: &str| order[member].as_str().unwrap();
        ids.insert(OrderId::parse(text("id")).unwrap().to_string());
        Customer::new(text("customer_name"), text("email"), text("phone")).unwrap();
        // Nobody's: RFC 2606, and the numbers that are kept for fiction.
        assert!(text("email").ends_with("@example.com") && text("phone").starts_with("+1 555 01"));
        assert!(["confirmed", "rejected"].contains(&text("status")));
        assert!(order["hours_ago"].as_u64().unwrap() < (DAYS - 1) * 24);
        for line in order["items"].as_array().unwrap() {
            assert!(products.iter().any(|product| product["id"] == line["product_id"]), "{line}");
            assert!((1..=u64::from(MAX_QUANTITY)).contains(&line["quantity"].as_u64().unwrap()));
        }
    }
    assert_eq!(ids.len(), orders.len());
    assert!(orders.len() > 20);
}
