//! The products that a new shop sells.

use std::collections::BTreeSet;

use serde_json::Value;
use shop::{Cents, ProductId};

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
