//! A shop that serves its page: deployed with `WebHosting=true`, and then `shop/publish`.
//!
//! The emulator has no host for the API behind the distribution, so that only the page is tested here.

use reqwest::Method;
use serde_json::Value;

use crate::emulator::Emulator;

/// The status, the headers and the text at a path of the page. The host says which distribution is meant.
async fn get(path: &str) -> (u16, reqwest::header::HeaderMap, String) {
    let variable = |name: &str| apigw::env(name).unwrap_or_else(|| panic!("{name} is not set"));
    let distribution = variable("SHOP_DISTRIBUTION_URL");
    let host = distribution.strip_prefix("https://").unwrap();
    // As over HTTPS, to which another request would be redirected.
    let headers = [("host", host), ("x-forwarded-proto", "https")];
    Emulator::new().ask(Method::GET, &format!("{}{path}", variable("MINISTACK_URL")), &headers, "").await
}

#[tokio::test]
#[ignore = "needs ministack with a deployed shop at SHOP_DISTRIBUTION_URL"]
async fn hosted_every_address_of_the_page_is_the_page() {
    for path in ["/", "/report", "/orders/0198d7a2-6c0e-4f5e-9d43-3a1b2c4d5e6f", "/stock?id=1"] {
        let (status, headers, html) = get(path).await;
        assert_eq!((status, &headers["content-type"]), (200, &"text/html".parse().unwrap()), "{path}: {html}");
        assert!(html.contains("<div id=\"root\">"), "{path}");
        assert_eq!(headers["cache-control"], "no-cache", "{path}");
        assert_eq!(headers["content-security-policy"], "frame-ancestors 'none'", "{path}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
    }
}

#[tokio::test]
#[ignore = "needs ministack with a deployed shop at SHOP_DISTRIBUTION_URL"]
async fn hosted_a_file_is_itself_and_a_missing_one_is_not_the_page() {
    let (status, headers, _) = get("/images/logo.svg").await;
    assert_eq!((status, &headers["content-type"]), (200, &"image/svg+xml".parse().unwrap()));
    let (_, _, html) = get("/").await;
    let script = html.split("src=\"").nth(1).unwrap().split('"').next().unwrap();
    let (status, headers, _) = get(script).await;
    assert_eq!((status, &headers["cache-control"]), (200, &"public, max-age=31536000, immutable".parse().unwrap()));
    for path in ["/images/nothing.svg", "/reports/nothing.html", "/assets/nothing.js"] {
        assert_eq!(get(path).await.0, 403, "{path}");
    }
}

#[tokio::test]
#[ignore = "needs ministack with a deployed shop at SHOP_DISTRIBUTION_URL"]
async fn hosted_the_page_finds_its_api_and_where_to_sign_in() {
    let (status, headers, text) = get("/config.json").await;
    assert_eq!((status, &headers["cache-control"]), (200, &"no-cache".parse().unwrap()));
    let config: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(config["apiUrl"], "/api");
    for member in ["siteUrl", "signInUrl", "clientId"] {
        assert!(config[member].as_str().is_some_and(|value| !value.is_empty()), "{config}");
    }
}
