//! The responses of API Gateway itself, as the template defines them.

use reqwest::Method;

use crate::{
    api::{Answer, Api, send},
    target::Target,
};

async fn api() -> Api {
    Api::start("gateway").await
}

fn assert_common_headers(answer: &Answer) {
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert!(answer.header("access-control-expose-headers").contains("X-Access-Token"));
}

#[tokio::test]
async fn a48_an_unknown_route_or_method_is_403_with_the_common_error_body() {
    let api = api().await;
    let requests = [
        api.request(Method::POST, "/"),
        api.request(Method::GET, "/unknown"),
        api.request(Method::GET, "/hello/more"),
        api.request(Method::GET, "/validate"),
        api.request(Method::PUT, "/validate"),
        api.request(Method::DELETE, "/tokens"),
    ];
    for request in requests {
        let answer = send(request).await;
        assert_eq!(answer.refusal(), (403, "invalid_request".into()));
        assert_common_headers(&answer);
        assert_eq!(answer.json().as_object().unwrap().len(), 3);
    }
}

#[tokio::test]
async fn a_trailing_slash_changes_nothing() {
    let answer = api().await.get("/hello/").await;
    assert_eq!(answer.status, 200);
    assert!(!answer.header("x-access-token").is_empty());
}

#[tokio::test]
async fn a52_a_preflight_carries_the_cors_headers_and_mints_nothing() {
    let api = api().await;
    let paths = [
        ("/", "GET,OPTIONS"),
        ("/hello", "GET,OPTIONS,POST"),
        ("/validate", "OPTIONS,POST"),
        ("/tokens", "GET,OPTIONS,POST"),
        ("/tokens/mint", "OPTIONS,POST"),
    ];
    for (path, methods) in paths {
        let preflight = || api.request(Method::OPTIONS, path);
        let from_a_page = preflight().header("origin", "https://app.example.com");
        let from_a_page = from_a_page.header("access-control-request-method", "PUT").header("x-access-token", "mine");
        for request in [from_a_page, preflight()] {
            let answer = send(request).await;
            assert!(matches!(answer.status, 200 | 204), "{}", answer.status);
            assert_eq!(answer.header("access-control-allow-origin"), "*");
            assert_eq!(answer.header("access-control-allow-methods"), methods);
            let allowed = "Content-Type,Authorization,X-Access-Token,Idempotency-Key";
            assert_eq!(answer.header("access-control-allow-headers"), allowed);
            assert!(answer.header("x-access-token").is_empty() && answer.header("cache-control").is_empty());
        }
    }
    assert_eq!(send(api.request(Method::OPTIONS, "/unknown")).await.refusal(), (403, "invalid_request".into()));
}

#[tokio::test]
async fn head_is_an_unknown_method_on_every_path() {
    let api = api().await;
    for path in ["/", "/hello", "/tokens", "/validate"] {
        let answer = send(api.request(Method::HEAD, path).header("x-access-token", "mine")).await;
        assert_eq!((answer.status, answer.header("x-access-token")), (403, ""), "{path}");
    }
}

#[tokio::test]
async fn every_request_has_its_own_id() {
    let api = api().await;
    let (first, second) = (api.validate("{}").await, api.validate("{}").await);
    assert!(first.json()["requestId"] != second.json()["requestId"]);
    assert!(first.json()["requestId"] != "");
}

#[tokio::test]
async fn a46_a_body_that_is_not_utf_8_is_refused() {
    let api = api().await;
    let refusal = api.validate(b"{\"token\":\"\xff\xfe\"}".to_vec()).await.refusal();
    // Without binary media types, a REST API may have replaced the bytes with U+FFFD.
    let replaced = (401, "invalid_token".to_owned());
    assert!(refusal == (400, "invalid_request".into()) || (api.target != Target::Local && refusal == replaced));
}
