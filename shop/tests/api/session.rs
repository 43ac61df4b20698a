//! `POST /auth/exchange`, `/exchange-token`, `/auth/refresh` and `/auth/logout`.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    api::{Answer, Api},
    people::{Person, Staff, VERIFIER},
};

const CLEARED: &str = "__Host-refresh=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0";

/// An answer of a session, which the page must be able to read although it has sent its cookie.
fn readable(answer: Answer) -> Answer {
    assert_eq!(answer.header("access-control-allow-credentials"), "true", "{answer:?}");
    answer
}

async fn with_cookie(api: &Api, path: &str, cookie: &str) -> Answer {
    readable(api.send(api.page_posts(path).header("cookie", cookie)).await)
}

#[tokio::test]
#[ignore = "needs a deployment at SHOP_API_URL"]
async fn deployed_a_code_is_exchanged_once_and_with_its_verifier_alone() {
    let api = Api::new();
    for path in ["/auth/exchange", "/exchange-token"] {
        let code = api.code(Person::Employee).await;
        let other = "another-verifier-with-43-characters-or-more-1";
        let refused = readable(api.exchange(path, &code, other).await);
        assert_eq!((refused.refusal(), refused.header("set-cookie")), ((401, "invalid_grant"), ""), "{path}");
        let exchanged = readable(api.exchange(path, &code, VERIFIER).await);
        assert_eq!(exchanged.status, 200);
        let members: Vec<_> = exchanged.body.as_object().unwrap().keys().collect();
        assert_eq!(members, ["access_token", "expires_in", "id_token", "token_type"], "{path}");
        assert_eq!((&exchanged.body["expires_in"], &exchanged.body["token_type"]), (&json!(900), &json!("Bearer")));
        let cookie = exchanged.header("set-cookie");
        assert!(cookie.starts_with("__Host-refresh=ey"));
        assert!(cookie.ends_with("; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=86400"));
        assert_eq!(api.exchange(path, &code, VERIFIER).await.refusal(), (401, "invalid_grant"), "{path}");
    }
}

#[tokio::test]
#[ignore = "needs a deployment at SHOP_API_URL"]
async fn deployed_bad_requests_of_a_session_are_refused() {
    let api = Api::new();
    for (member, body) in [
        ("code", json!({"code_verifier": VERIFIER})),
        ("code", json!({"code": "", "code_verifier": VERIFIER})),
        ("code_verifier", json!({"code": "x", "code_verifier": "short"})),
        ("code", json!([])),
    ] {
        let refused = readable(api.send(api.page_posts("/auth/exchange").body(body.to_string())).await);
        assert_eq!(refused.refusal(), (400, "invalid_request"), "{body}");
        assert!(refused.body["message"].as_str().unwrap().contains(&format!("`{member}`")), "{refused:?}");
    }
    let large = api.page_posts("/auth/exchange").body("x".repeat(5000));
    assert_eq!(readable(api.send(large).await).refusal(), (413, "request_too_large"));
    for path in ["/auth/exchange", "/exchange-token", "/auth/refresh", "/auth/logout"] {
        for origin in [None, Some("null"), Some("https://evil.example")] {
            let request = api.request(Method::POST, path).header("cookie", "__Host-refresh=x").body("{}");
            let request = origin.map_or(request.try_clone().unwrap(), |origin| request.header("origin", origin));
            let refused = readable(api.send(request).await);
            assert_eq!(
                (refused.refusal(), refused.header("set-cookie")),
                ((403, "forbidden"), ""),
                "{path} {origin:?}"
            );
        }
    }
}

#[tokio::test]
#[ignore = "needs a deployment at SHOP_API_URL"]
async fn deployed_the_cookie_gets_new_tokens_with_the_same_rights_until_the_person_signs_out() {
    let api = Api::new();
    let Staff { cookie, .. } = api.sign_in(Person::Admin).await;
    let refreshed = with_cookie(&api, "/auth/refresh", &format!("a=b; {cookie}; c=d")).await;
    assert_eq!((refreshed.status, refreshed.header("set-cookie")), (200, ""));
    let token = refreshed.body["access_token"].as_str().unwrap();
    assert_eq!(api.call(token, Method::GET, "/staff/products", &Value::Null).await.status, 200);

    for _ in 0..2 {
        let out = with_cookie(&api, "/auth/logout", &cookie).await;
        assert_eq!((out.status, &out.body, out.header("set-cookie")), (200, &json!({"status": "success"}), CLEARED));
        let refused = with_cookie(&api, "/auth/refresh", &cookie).await;
        assert_eq!((refused.refusal(), refused.header("set-cookie")), ((401, "signed_out"), CLEARED));
    }
}

#[tokio::test]
#[ignore = "needs a deployment at SHOP_API_URL"]
async fn deployed_without_a_valid_cookie_the_person_is_signed_out() {
    let api = Api::new();
    for cookie in ["", "a=b", "__Host-refresh=", "__Host-refresh=eyJ.x.y", "refresh=x"] {
        let refused = with_cookie(&api, "/auth/refresh", cookie).await;
        assert_eq!((refused.refusal(), refused.header("set-cookie")), ((401, "signed_out"), CLEARED), "{cookie}");
        assert_eq!(with_cookie(&api, "/auth/logout", cookie).await.status, 200);
    }
}
