//! `GET /products` and `GET /products/{id}`.

use crate::api::Api;

#[tokio::test]
#[ignore = "needs a deployment at SHOP_API_URL"]
async fn deployed_products_are_listed_and_each_is_found() {
    let api = Api::new();
    let listed = api.get("/products").await;
    assert_eq!(listed.status, 200);
    let products = listed.body["products"].as_array().unwrap();
    assert!(products.len() >= 4);
    for product in products {
        assert!(product["price"].as_str().is_some_and(|price| price.split_once('.').unwrap().1.len() == 2));
        assert!(product["inventory_count"].is_u64());
        let found = api.get(&format!("/products/{}", product["id"].as_str().unwrap())).await;
        // Another test may buy some in the meantime.
        for member in ["id", "product_name", "description", "price", "image"] {
            assert_eq!((found.status, &found.body[member]), (200, &product[member]));
        }
    }
}

#[tokio::test]
#[ignore = "needs a deployment at SHOP_API_URL"]
async fn deployed_a_product_that_is_not_sold_is_404() {
    let api = Api::new();
    for id in ["nothing", "a%20b"] {
        assert_eq!(api.get(&format!("/products/{id}")).await.refusal(), (404, "not_found"), "{id}");
    }
}
