//! `page`: the web page, in one response that needs no other.

use ::page::{PAGE, POLICY, Service, handle};
use apigw::{Response, Settings};
use regex_lite::Regex;

use crate::helpers::{body, event, setting_with};

/// The response to `GET /`, with one changed setting.
async fn response_with(variable: &str, value: &str) -> Response {
    let service = Service::new(Settings::new(&setting_with(&[(variable, value)]))).unwrap();
    handle(&service, event("page", "", "page-1")).await.unwrap()
}

#[tokio::test]
async fn it_answers_with_the_page_and_its_policy() {
    let response = response_with("WEB_PAGE", "true").await;
    assert_eq!((response.status_code, response.body.as_str()), (200, PAGE));
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", POLICY),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(response.headers[name], value);
    }
}

#[tokio::test]
async fn a_closed_page_is_403_with_the_common_error_body() {
    let response = response_with("WEB_PAGE", "false").await;
    assert_eq!((response.status_code, body(&response)["reason"].as_str()), (403, Some("invalid_request")));
    assert!(response.headers.get("content-security-policy").is_none() && !response.body.contains("<html"));
}

#[tokio::test]
async fn the_page_is_open_while_the_minting_routes_are_closed() {
    assert_eq!(response_with("OPEN_ROUTES", "false").await.status_code, 200);
}

#[test]
fn the_policy_allows_exactly_one_script_and_one_style_and_requests_to_the_same_origin() {
    let hash = Regex::new("'sha256-[A-Za-z0-9+/]{43}='").unwrap();
    assert_eq!(
        hash.replace_all(POLICY, "HASH"),
        "default-src 'none'; script-src HASH; style-src HASH; connect-src 'self'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    );
}

#[test]
fn the_page_is_one_response_of_at_most_25_kb() {
    assert!(PAGE.len() <= 25_000, "{} bytes", PAGE.len());
    for reference in [" src=", "url(", "@import", "<link rel=\"stylesheet\"", "://"] {
        let known = PAGE.replace("http://www.w3.org/2000/svg", ""); // a name, which is not requested
        assert!(!known.contains(reference), "the page has {reference}");
    }
}
