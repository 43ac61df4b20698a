//! The answers of API Gateway itself.

use reqwest::Method;

use crate::api::Api;

#[tokio::test]
#[ignore = "needs a deployment at SHOP_API_URL"]
async fn deployed_an_unknown_route_or_method_is_403_with_the_common_error_body() {
    let api = Api::new();
    for (method, path) in [
        (Method::GET, "/unknown"),
        (Method::POST, "/products"),
        (Method::DELETE, "/products/1"),
        (Method::POST, "/checkout-token"),
        (Method::PUT, "/orders"),
        (Method::POST, "/orders/status/1"),
        (Method::GET, "/orders/status"),
        (Method::GET, "/report-link"),
        (Method::GET, "/reports"),
    ] {
        let refused = api.send(api.request(method.clone(), path)).await;
        assert_eq!(refused.refusal(), (403, "invalid_request"), "{method} {path}");
    }
}

#[tokio::test]
#[ignore = "needs a deployment at SHOP_API_URL"]
async fn deployed_a_preflight_allows_the_page_and_its_headers() {
    let api = Api::new();
    for (path, methods) in [
        ("/products", "GET,OPTIONS"),
        ("/products/1", "GET,OPTIONS"),
        ("/checkout-token", "GET,OPTIONS"),
        ("/orders", "GET,OPTIONS,POST"),
        ("/orders/1", "GET,OPTIONS"),
        ("/exchange-token", "OPTIONS,POST"),
        ("/auth/exchange", "OPTIONS,POST"),
        ("/auth/refresh", "OPTIONS,POST"),
        ("/auth/logout", "OPTIONS,POST"),
        ("/staff/products", "GET,OPTIONS,POST"),
        ("/staff/products/1", "DELETE,GET,OPTIONS,PUT"),
        ("/orders/status/1", "GET,OPTIONS"),
        ("/create-report", "OPTIONS,POST"),
        ("/create-report/status/1", "GET,OPTIONS"),
        ("/get-presigned-urls/1", "GET,OPTIONS"),
        ("/report-link", "OPTIONS,POST"),
    ] {
        let preflight = api.request(Method::OPTIONS, path).header("origin", &api.site);
        let answer = preflight.header("access-control-request-method", "POST").send().await.unwrap();
        assert!(answer.status().is_success(), "{path}");
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("access-control-allow-origin"), api.site, "{path}");
        assert_eq!(header("access-control-allow-methods"), methods, "{path}");
        assert_eq!(header("access-control-allow-headers"), "Content-Type,Authorization,X-Access-Token", "{path}");
        assert_eq!(header("access-control-allow-credentials"), "true", "{path}");
    }
}
