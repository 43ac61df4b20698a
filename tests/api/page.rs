//! The web page, as a browser gets it.

use crate::api::Api;

#[tokio::test]
async fn the_root_of_the_api_is_the_web_page() {
    let answer = Api::start("page").await.get("/").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/html; charset=utf-8"));
    assert_eq!(answer.body, page::PAGE);
    for (name, value) in [
        ("content-security-policy", page::POLICY),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(answer.header(name), value);
    }
}
