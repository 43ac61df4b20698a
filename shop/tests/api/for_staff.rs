//! The routes for staff: `/orders` and `/staff/products`. Those of the reports are in `reports.rs`.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    api::{Api, body},
    people::Person,
};

/// Every route that is for staff.
const ROUTES: [(Method, &str); 10] = [
    (Method::GET, "/orders"),
    (Method::GET, "/orders/1"),
    (Method::GET, "/staff/products"),
    (Method::POST, "/staff/products"),
    (Method::GET, "/staff/products/1"),
    (Method::PUT, "/staff/products/1"),
    (Method::DELETE, "/staff/products/1"),
    (Method::POST, "/create-report"),
    (Method::GET, "/create-report/status/1"),
    (Method::GET, "/get-presigned-urls/1"),
];

/// A product that no other test has.
fn cookie(inventory_count: u64) -> Value {
    json!({
        "id": Uuid::new_v4().to_string(), "product_name": "Ginger", "description": "Sharp.", "price": "2.50",
        "inventory_count": inventory_count, "image": "ginger.svg",
    })
}

#[tokio::test]
#[ignore = "needs a deployment at SHOP_API_URL"]
async fn deployed_a_route_for_staff_takes_an_access_token_of_this_user_pool_and_nothing_else() {
    let api = Api::new();
    let staff = api.sign_in(Person::Admin).await;
    let checkout = api.token().await;
    let (head, signature) = staff.access_token.rsplit_once('.').unwrap();
    let (header, claims) = head.split_once('.').unwrap();
    let (_, other_claims) = staff.id_token.rsplit_once('.').unwrap().0.split_once('.').unwrap();
    let flipped = if signature.starts_with('A') { 'B' } else { 'A' };
    let refused = [
        ("no token", String::new()),
        ("another word", "x".into()),
        ("an ID token", staff.id_token.clone()),
        ("a refresh token", staff.cookie.split_once('=').unwrap().1.to_owned()),
        ("a checkout token", checkout),
        ("another signature", format!("{head}.{flipped}{}", &signature[1..])),
        ("other claims", format!("{header}.{other_claims}.{signature}")),
        ("no signature", format!("{head}.")),
        ("alg none", format!("eyJhbGciOiJub25lIn0.{claims}.")),
    ];
    for (method, path) in ROUTES {
        for (what, token) in &refused {
            let request = api.request(method.clone(), path).header("authorization", format!("Bearer {token}"));
            let answer = api.send(request).await;
            assert_eq!(answer.refusal(), (401, "unauthorized"), "{method} {path} with {what}");
            assert!(
                !answer.header("www-authenticate").is_empty()
                    || !answer.header("x-amzn-remapped-www-authenticate").is_empty()
            );
            assert!(token.len() < 9 || !answer.body.to_string().contains(token.as_str()), "{what} is quoted");
        }
        // In the query string, and in the header of the checkout.
        let request = api.request(method.clone(), &format!("{path}?access_token={0}&token={0}", staff.access_token));
        let answer = api.send(request.header("x-access-token", &staff.access_token)).await;
        assert_eq!(answer.refusal(), (401, "unauthorized"), "{method} {path}");
    }
    for (method, path) in [
        (Method::DELETE, "/orders"),
        (Method::PUT, "/orders/1"),
        (Method::DELETE, "/staff/products"),
        (Method::POST, "/staff/products/1"),
        (Method::GET, "/staff"),
        (Method::GET, "/create-report"),
        (Method::POST, "/create-report/status/1"),
        (Method::POST, "/get-presigned-urls/1"),
        (Method::GET, "/auth/refresh"),
        (Method::GET, "/auth/exchange"),
    ] {
        let answer = api.call(&staff.access_token, method.clone(), path, &Value::Null).await;
        assert_eq!(answer.refusal(), (403, "invalid_request"), "{method} {path}");
    }
}

#[tokio::test]
#[ignore = "needs a deployment at SHOP_API_URL"]
async fn deployed_staff_list_the_orders_newest_first_and_find_each() {
    let api = Api::new();
    let staff = api.sign_in(Person::Employee).await;
    let get = async |path: &str| api.call(&staff.access_token, Method::GET, path, &Value::Null).await;
    let accepted = api.order(&api.token().await, &body(&[("1", 1), ("2", 2)])).await;
    let id = accepted.body["order_id"].as_str().unwrap();
    assert_eq!(api.outcome(&accepted.body["order_id"]).await.0, "SUCCEEDED");
    api.order(&api.token().await, &body(&[("3", 1)])).await;

    let order = get(&format!("/orders/{id}")).await;
    assert_eq!((order.status, &order.body["status"], &order.body["id"]), (200, &json!("confirmed"), &json!(id)));
    assert_eq!(order.body["customer_name"], "Ada Lovelace");
    assert_eq!(order.body["ordered_items"][1]["quantity"], 2);
    // Page by page, as far as this order.
    let (mut path, mut times) = ("/orders?limit=1".to_owned(), Vec::new());
    loop {
        let page = get(&path).await;
        assert_eq!(page.status, 200, "{page:?}");
        times.push(page.body["orders"][0]["order_time"].as_str().unwrap().to_owned());
        if page.body["orders"][0] == order.body {
            break;
        }
        path = format!("/orders?limit=1&before={}", page.body["next"].as_str().unwrap());
    }
    assert!(times.is_sorted_by(|newer, older| newer >= older));

    for query in ["limit=0", "limit=101", "limit=x", "before=x", "before=1.x"] {
        let refused = get(&format!("/orders?{query}")).await;
        assert_eq!(refused.refusal(), (400, "invalid_request"), "{query}");
        let name = query.split_once('=').unwrap().0;
        assert!(refused.body["message"].as_str().unwrap().contains(&format!("`{name}`")));
    }
    for id in ["17", &Uuid::new_v4().to_string()] {
        assert_eq!(get(&format!("/orders/{id}")).await.refusal(), (404, "not_found"), "{id}");
    }
}

#[tokio::test]
#[ignore = "needs a deployment at SHOP_API_URL"]
async fn deployed_an_admin_keeps_the_products_and_an_employee_finds_one() {
    let api = Api::new();
    let (admin, employee) = (api.sign_in(Person::Admin).await, api.sign_in(Person::Employee).await);
    let call = async |method: Method, path: &str, body: &Value| api.call(&admin.access_token, method, path, body).await;
    let new = cookie(7);
    let path = format!("/staff/products/{}", new["id"].as_str().unwrap());
    let added = call(Method::POST, "/staff/products", &new).await;
    assert_eq!((added.status, &added.body), (201, &new));
    let mut other = new.clone();
    other["price"] = json!("3.00");
    assert_eq!(call(Method::POST, "/staff/products", &other).await.refusal(), (409, "exists"));
    assert_eq!(call(Method::GET, &path, &Value::Null).await.body, new);
    // Customers see it.
    assert_eq!(api.get(&path.replace("/staff", "")).await.body, new);
    assert!(
        call(Method::GET, "/staff/products", &Value::Null).await.body["products"].as_array().unwrap().contains(&new)
    );

    other["if_inventory_count"] = json!(8);
    assert_eq!(call(Method::PUT, &path, &other).await.refusal(), (409, "stock_changed"));
    assert_eq!(call(Method::GET, &path, &Value::Null).await.body, new);
    other["if_inventory_count"] = json!(7);
    let replaced = call(Method::PUT, &path, &other).await;
    assert_eq!((replaced.status, &replaced.body["price"]), (200, &json!("3.00")));

    for (member, bad) in [
        ("product_name", json!("")),
        ("description", json!("x".repeat(501))),
        ("price", json!("free")),
        ("inventory_count", json!(-1)),
        ("image", json!("https://evil.example/a.svg")),
    ] {
        let mut body = new.clone();
        body[member] = bad;
        for (method, path) in [(Method::POST, "/staff/products"), (Method::PUT, path.as_str())] {
            let refused = call(method, path, &body).await;
            assert_eq!(refused.refusal(), (400, "invalid_request"), "{member}");
            assert!(refused.body["message"].as_str().unwrap().contains(&format!("`{member}`")), "{refused:?}");
        }
    }
    let large = json!({"description": "x".repeat(5000)});
    assert_eq!(call(Method::POST, "/staff/products", &large).await.refusal(), (413, "request_too_large"));
    assert_eq!(call(Method::GET, &path, &Value::Null).await.body["price"], "3.00");

    for (method, at) in ROUTES.into_iter().filter(|(_, path)| path.starts_with("/staff")) {
        let at = at.replace("/staff/products/1", &path);
        let answer = api.call(&employee.access_token, method.clone(), &at, &other).await;
        let expected = if method == Method::GET && at == path { (200, "") } else { (403, "forbidden") };
        assert_eq!(answer.refusal(), expected, "{method} {at}");
    }

    for _ in 0..2 {
        assert_eq!(call(Method::DELETE, &path, &Value::Null).await.status, 204);
    }
    assert_eq!(call(Method::GET, &path, &Value::Null).await.refusal(), (404, "not_found"));
    assert_eq!(call(Method::PUT, &path, &new).await.refusal(), (404, "not_found"));
}
