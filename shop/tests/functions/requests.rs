//! What `POST /orders` refuses, and how it names the member at fault.

use serde_json::{Value, json};
use shop::functions::checkout;

use crate::helpers::{Answer, Shop, answer, body, event, setting};

/// A valid body with another value at a path.
fn with(pointer: &str, value: Value) -> Value {
    let mut body = body(&[("1", 1)]);
    *body.pointer_mut(pointer).unwrap() = value;
    body
}

/// A valid body without the member at a path.
fn without(parent: &str, name: &str) -> Value {
    let mut body = body(&[("1", 1)]);
    body.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
    body
}

const PERSON: &str = "/personalInfo";
const LINES: &str = "/customerproduct/productsToSubmit";

/// The answer to a request with these headers and this body.
async fn post(shop: &Shop, headers: Value, body: &str) -> Answer {
    let event = event(&json!({"httpMethod": "POST", "path": "/orders", "multiValueHeaders": headers, "body": body}));
    answer(&checkout::handle(&shop.checkout(&setting), event).await.unwrap())
}

#[tokio::test]
async fn every_bad_member_is_400_that_names_it_and_nothing_is_ordered() {
    let shop = Shop::new();
    let (token, _) = shop.token(0).await;
    let line = |member: &str| format!("{LINES}/0/{member}");
    let mut cases: Vec<(String, Value)> = Vec::new();
    for value in [json!(""), json!("  "), json!("a\nb"), json!("x".repeat(101)), json!(1), json!(null), json!(["Ada"])]
    {
        cases.push(("customer_name".into(), with("/personalInfo/customer_name", value)));
    }
    for value in
        [json!(""), json!("ada"), json!("a@b@c"), json!("a b@c"), json!("a@"), json!("a".repeat(253) + "@b"), json!({})]
    {
        cases.push(("email".into(), with("/personalInfo/email", value)));
    }
    for value in [json!(""), json!("1234"), json!("12345x"), json!("1".repeat(26)), json!(5_550_100)] {
        cases.push(("phone".into(), with("/personalInfo/phone", value)));
    }
    for member in ["customer_name", "email", "phone"] {
        cases.push((member.into(), without(PERSON, member)));
    }
    for value in
        [json!(0), json!(100), json!(-1), json!(1.5), json!(1.0), json!("1"), json!(null), json!(5_000_000_000_u64)]
    {
        let mut body = body(&[("1", 1)]);
        body["customerproduct"]["productsToSubmit"][0]["quantity"] = value;
        cases.push(("quantity".into(), body));
    }
    cases.push(("quantity".into(), body(&[("1", 50), ("1", 50)])));
    cases.push(("quantity".into(), without(&format!("{LINES}/0"), "quantity")));
    for value in [json!(""), json!("a b"), json!("x".repeat(37)), json!(1.5), json!(null), json!([1])] {
        cases.push(("id".into(), with(&line("id"), value)));
    }
    cases.push(("id".into(), without(&format!("{LINES}/0"), "id")));
    for value in [json!("free"), json!(0), json!(-2), json!("2.005"), json!("100000"), json!([])] {
        let mut body = body(&[("1", 1)]);
        body["customerproduct"]["productsToSubmit"][0]["price"] = value;
        cases.push(("price".into(), body));
    }
    for value in
        [json!([]), json!(vec![json!({"id": "1", "quantity": 1}); 21]), json!({}), json!(null), json!([["1", 1]])]
    {
        cases.push(("productsToSubmit".into(), with(LINES, value)));
    }
    for value in [json!(null), json!(["Ada", "ada@example.com", "5550100"]), json!("Ada")] {
        cases.push(("personalInfo".into(), with(PERSON, value)));
    }
    for value in [json!(null), json!([[]])] {
        cases.push(("customerproduct".into(), with("/customerproduct", value)));
    }
    cases.push(("personalInfo".into(), without("", "personalInfo")));
    cases.push(("customerproduct".into(), without("", "customerproduct")));
    for (member, body) in cases {
        let refused = shop.order(&token, &body).await;
        assert_eq!(refused.refusal(), (400, "invalid_request"), "{body}");
        let message = refused.body["message"].as_str().unwrap();
        assert!(message.contains(&format!("`{member}`")), "{message} does not name {member} in {body}");
    }
    assert_eq!(shop.executions.started().len(), 0);
}

#[tokio::test]
async fn a_body_that_is_no_object_or_has_a_member_twice_is_400() {
    let shop = Shop::new();
    let (token, _) = shop.token(0).await;
    let valid = body(&[("1", 1)]).to_string();
    let twice =
        |member: &str| valid.replacen(&format!("\"{member}\":"), &format!("\"{member}\":null,\"{member}\":"), 1);
    let twice = ["personalInfo", "customerproduct", "productsToSubmit", "email", "quantity", "id"].map(twice);
    let others = ["", "[]", "null", "\"x\"", "{", "{}", &valid[1..], &format!("[{valid}]"), &format!("{valid}x")]
        .map(str::to_owned);
    for body in twice.into_iter().chain(others) {
        let refused = post(&shop, json!({"X-Access-Token": [token]}), &body).await;
        assert_eq!(refused.refusal(), (400, "invalid_request"), "{body}");
    }
    assert_eq!(shop.executions.started().len(), 0);
}

#[tokio::test]
async fn a_body_of_an_earlier_system_is_accepted_and_what_it_says_of_names_and_stock_is_ignored() {
    let shop = Shop::new();
    let (token, _) = shop.token(0).await;
    let line = json!({
        "name": "Gold", "id": 1, "quantity": 3, "price": 2, "inventory_count": 1_000_000, "image": "https://example.com/",
    });
    let mut body = with(LINES, json!([line]));
    body["total"] = json!("0.01");
    assert_eq!(shop.order(&token, &body).await.status, 202);
    let order = &shop.executions.started()[0].order;
    assert_eq!((order.items[0].product_name.as_str(), order.total().to_string()), ("Cookie 1", "6.00".to_owned()));
}

#[tokio::test]
async fn a_body_over_4096_bytes_is_413() {
    let shop = Shop::new();
    let (token, _) = shop.token(0).await;
    let mut large = body(&[("1", 1)]);
    large["comment"] = json!("x".repeat(4096));
    assert_eq!(shop.order(&token, &large).await.refusal(), (413, "request_too_large"));
}

#[tokio::test]
async fn the_token_is_one_value_of_x_access_token() {
    let shop = Shop::new();
    let (token, _) = shop.token(0).await;
    let valid = body(&[("1", 1)]).to_string();
    for headers in [
        json!({}),
        json!({"X-Access-Token": [""]}),
        json!({"X-Access-Token": [token, token]}),
        // That of a person who is signed in.
        json!({"Authorization": [format!("Bearer {token}")]}),
    ] {
        assert_eq!(post(&shop, headers.clone(), &valid).await.refusal(), (400, "invalid_request"), "{headers}");
    }
    let event = event(&json!({
        "httpMethod": "POST", "path": "/orders", "queryStringParameters": {"token": token}, "body": valid,
    }));
    let refused = answer(&checkout::handle(&shop.checkout(&setting), event).await.unwrap());
    assert_eq!(refused.refusal(), (400, "invalid_request"));
    assert_eq!(shop.executions.started().len(), 0);
    assert_eq!(
        post(&shop, json!({"x-access-token": [token], "Authorization": ["Bearer x"]}), &valid).await.status,
        202
    );
}
