//! `POST /create-report`, its status and its URLs, for staff; and `POST /report-link`. That a mailed link opens its
//! report once is tested where the mail can be read: in `deployment/`.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    api::{Answer, Api, body},
    people::{Person, Staff},
};

/// Starts the making of reports, and waits until it has succeeded; returns the ARN.
async fn made(api: &Api, staff: &Staff) -> String {
    let started = api.call(&staff.access_token, Method::POST, "/create-report", &Value::Null).await;
    assert_eq!(started.status, 202, "{started:?}");
    let arn = started.body["executionArn"].as_str().unwrap().to_owned();
    for _ in 0..300 {
        let status = get(api, staff, "/create-report/status/", &arn).await;
        match status.body["status"].as_str().unwrap() {
            "RUNNING" => tokio::time::sleep(Duration::from_millis(100)).await,
            status => {
                assert_eq!(status, "SUCCEEDED");
                return arn;
            }
        }
    }
    panic!("the reports are still being made");
}

async fn get(api: &Api, staff: &Staff, path: &str, arn: &str) -> Answer {
    api.call(&staff.access_token, Method::GET, &format!("{path}{arn}"), &Value::Null).await
}

#[tokio::test]
#[ignore = "needs a deployment at SHOP_API_URL"]
async fn deployed_an_employee_makes_reports_and_opens_them_as_often_as_they_like() {
    let api = Api::new();
    let staff = api.sign_in(Person::Employee).await;
    let arn = made(&api, &staff).await;
    for name in [&arn, &arn.replace(':', "%3A")] {
        let answer = get(&api, &staff, "/get-presigned-urls/", name).await;
        assert_eq!((answer.status, &answer.body["expires_in"]), (200, &json!(300)), "{answer:?}");
        for (report, heading) in [("orders", "<h1>Orders</h1>"), ("products", "<h1>Products</h1>")] {
            let url = answer.body["urls"][report].as_str().unwrap();
            let html = reqwest::get(url).await.unwrap();
            assert_eq!(html.headers()["content-type"], "text/html; charset=utf-8");
            assert!(html.text().await.unwrap().contains(heading), "{report}");
            // The URL is for this file, as it was signed.
            for other in [url.replace(".html", "x.html"), url.replace("Expires=300", "Expires=301")] {
                assert_eq!(reqwest::get(&other).await.unwrap().status(), 403);
            }
            assert_eq!(reqwest::get(url.split('?').next().unwrap()).await.unwrap().status(), 403, "without signature");
        }
    }
}

#[tokio::test]
#[ignore = "needs a deployment at SHOP_API_URL"]
async fn deployed_the_status_and_the_urls_of_anything_but_reports_are_404() {
    let api = Api::new();
    let staff = api.sign_in(Person::Admin).await;
    let arn = made(&api, &staff).await;
    let id = arn.rsplit(':').next().unwrap();
    let order = api.order(&api.token().await, &body(&[("1", 1)])).await;
    let order_arn = order.body["executionArn"].as_str().unwrap();
    for name in [
        order_arn,
        id,
        "1",
        &arn.replace(id, &Uuid::new_v4().to_string()),
        &arn.replace(":execution:", ":execution:other-"),
        &arn[..arn.len() - 1],
    ] {
        for path in ["/create-report/status/", "/get-presigned-urls/"] {
            assert_eq!(get(&api, &staff, path, name).await.refusal(), (404, "not_found"), "{path}{name}");
        }
    }
    // And the reports are no order.
    assert_eq!(api.get(&format!("/orders/status/{arn}")).await.refusal(), (404, "not_found"));
}

#[tokio::test]
#[ignore = "needs a deployment at SHOP_API_URL"]
async fn deployed_a_report_link_takes_the_token_of_a_link_and_nothing_else() {
    let api = Api::new();
    let staff = api.sign_in(Person::Admin).await;
    let checkout = api.token().await;
    let post = |path: &str| api.request(Method::POST, path);
    for (what, request, reason) in [
        ("no token", post("/report-link"), "invalid_request"),
        ("a token in the query string", post(&format!("/report-link?token={checkout}")), "invalid_request"),
        ("two tokens", post("/report-link").header("x-access-token", "a").bearer_auth("b"), "invalid_request"),
        ("another word", post("/report-link").header("x-access-token", "x"), "invalid_token"),
        ("a checkout token", post("/report-link").header("x-access-token", &checkout), "invalid_token"),
        ("a person's token", post("/report-link").bearer_auth(&staff.access_token), "invalid_token"),
    ] {
        let refused = api.send(request).await;
        assert_eq!(refused.refusal(), (401, reason), "{what}");
        assert_eq!(refused.body["usedAt"], "", "{what}");
        assert!(!refused.body.to_string().contains(&checkout), "{what} is quoted");
    }
    // The checkout token is not spent.
    assert_eq!(api.order(&checkout, &body(&[("1", 1)])).await.status, 202);
}
