//! `session`.

use std::sync::{Arc, Mutex};

use apigw::Settings;
use async_trait::async_trait;
use serde_json::{Value, json};
use shop::{
    IdentityProvider, PageTokens, RefreshToken, Unavailable,
    functions::session::{Service, handle},
};

use crate::helpers::{Answer, answer, event, setting};

const SITE: &str = "https://shop.example.com";
const VERIFIER: &str = "a-verifier-of-43-characters-at-the-least-123";
const CLEARED: &str = "__Host-refresh=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0";

/// A provider that knows one code and one refresh token, until that is revoked.
#[derive(Default)]
struct Provider {
    calls: Mutex<Vec<String>>,
    is_down: bool,
    is_revoked: Mutex<bool>,
}

impl Provider {
    fn called(&self, call: String) -> Result<(), Unavailable> {
        self.calls.lock().unwrap().push(call);
        if self.is_down { Err(Unavailable("down".into())) } else { Ok(()) }
    }

    fn tokens() -> PageTokens {
        PageTokens { access_token: "access".into(), id_token: "id".into(), expires_in: 900 }
    }
}

#[async_trait]
impl IdentityProvider for Provider {
    async fn exchange(&self, code: &str, verifier: &str) -> Result<Option<(PageTokens, RefreshToken)>, Unavailable> {
        self.called(format!("exchange {code} {verifier}"))?;
        let tokens = (Self::tokens(), RefreshToken::parse("refresh").unwrap());
        Ok((code == "code" && verifier == VERIFIER).then_some(tokens))
    }

    async fn refresh(&self, token: &RefreshToken) -> Result<Option<PageTokens>, Unavailable> {
        self.called(format!("refresh {}", token.expose()))?;
        Ok((token.expose() == "refresh" && !*self.is_revoked.lock().unwrap()).then(Self::tokens))
    }

    async fn revoke(&self, token: &RefreshToken) -> Result<(), Unavailable> {
        self.called(format!("revoke {}", token.expose()))?;
        *self.is_revoked.lock().unwrap() = true;
        Ok(())
    }
}

/// The answer to `POST path` with these headers and this body, and the cookie that it sets.
async fn post(provider: &Arc<Provider>, path: &str, headers: Value, body: &str) -> (Answer, Option<String>) {
    let service = Service::new(Settings::new(&setting), provider.clone()).unwrap();
    let event = event(&json!({"httpMethod": "POST", "path": path, "multiValueHeaders": headers, "body": body}));
    let response = handle(&service, event).await.unwrap();
    assert_eq!(response.headers["access-control-allow-credentials"], "true");
    let cookie = response.headers.get("set-cookie").map(|cookie| cookie.to_str().unwrap().to_owned());
    (answer(&response), cookie)
}

/// As [`post`], from the page, with a cookie.
async fn with_cookie(provider: &Arc<Provider>, path: &str, cookie: &str) -> (Answer, Option<String>) {
    post(provider, path, json!({"origin": [SITE], "cookie": [cookie]}), "").await
}

fn exchange_body(code: &str, verifier: &str) -> String {
    json!({"code": code, "code_verifier": verifier, "grant_type": "authorization_code", "client_id": "x"}).to_string()
}

fn tokens() -> Value {
    json!({"access_token": "access", "id_token": "id", "expires_in": 900, "token_type": "Bearer"})
}

#[tokio::test]
async fn a_code_is_exchanged_for_tokens_and_the_refresh_token_is_in_the_cookie_alone() {
    for path in ["/auth/exchange", "/exchange-token"] {
        let provider = Arc::new(Provider::default());
        let body = exchange_body("code", VERIFIER);
        let (answer, cookie) = post(&provider, path, json!({"Origin": [SITE]}), &body).await;
        assert_eq!(answer, Answer { status: 200, body: tokens() });
        let expected = "__Host-refresh=refresh; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=86400";
        assert_eq!(cookie.as_deref(), Some(expected));
        assert_eq!(*provider.calls.lock().unwrap(), [format!("exchange code {VERIFIER}")]);
    }
}

#[tokio::test]
async fn a_code_that_is_refused_is_401_and_leaves_the_cookie_of_another_exchange() {
    let provider = Arc::new(Provider::default());
    let body = exchange_body("used", VERIFIER);
    let (answer, cookie) = post(&provider, "/auth/exchange", json!({"origin": [SITE]}), &body).await;
    assert_eq!((answer.refusal(), cookie), ((401, "invalid_grant"), None));
}

#[tokio::test]
async fn a_bad_code_or_verifier_is_400_that_names_it_and_the_provider_is_not_asked() {
    let provider = Arc::new(Provider::default());
    let body = |code: Value, verifier: Value| json!({"code": code, "code_verifier": verifier}).to_string();
    let long = "x".repeat(2049);
    let mut cases = Vec::new();
    for code in [json!(""), json!("a b"), json!("ä"), json!(long), json!(1), json!(null)] {
        cases.push(("`code`", body(code, json!(VERIFIER))));
    }
    for verifier in ["", "short", &"x".repeat(42), &"x".repeat(129), &" ".repeat(43), &"+".repeat(43)] {
        cases.push(("`code_verifier`", body(json!("code"), json!(verifier))));
    }
    for body in ["", "[]", "null", "{", r#"{"code":"code","code":"code"}"#] {
        cases.push(("`code` and `code_verifier`", body.to_owned()));
    }
    for (named, body) in cases {
        let (answer, cookie) = post(&provider, "/auth/exchange", json!({"origin": [SITE]}), &body).await;
        assert_eq!((answer.refusal(), cookie), ((400, "invalid_request"), None), "{body}");
        assert!(answer.body["message"].as_str().unwrap().contains(named), "{body}: {answer:?}");
    }
    assert!(provider.calls.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_page_of_another_origin_can_neither_sign_in_nor_refresh_nor_sign_out() {
    let provider = Arc::new(Provider::default());
    for origins in [
        json!([]),
        json!(["null"]),
        json!(["https://shop.example.com:8443"]),
        json!(["https://shop.example.com.evil.example"]),
        json!(["http://shop.example.com"]),
        json!([SITE, "https://evil.example"]),
    ] {
        for path in ["/auth/exchange", "/exchange-token", "/auth/refresh", "/auth/logout"] {
            let headers = json!({"origin": origins, "cookie": ["__Host-refresh=refresh"]});
            let (answer, cookie) = post(&provider, path, headers, &exchange_body("code", VERIFIER)).await;
            assert_eq!((answer.refusal(), cookie), ((403, "forbidden"), None), "{path} {origins}");
        }
    }
    assert!(provider.calls.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_cookie_gets_new_tokens_and_stays() {
    let provider = Arc::new(Provider::default());
    for cookie in ["__Host-refresh=refresh", "a=b; __Host-refresh=refresh; c=d", "a=b;__Host-refresh=refresh"] {
        let (answer, set) = with_cookie(&provider, "/auth/refresh", cookie).await;
        assert_eq!((answer, set), (Answer { status: 200, body: tokens() }, None), "{cookie}");
    }
    let (answer, _) =
        post(&provider, "/auth/refresh", json!({"origin": [SITE], "cookie": ["a=b", "__Host-refresh=refresh"]}), "")
            .await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn without_a_valid_refresh_token_the_person_is_signed_out_and_the_cookie_removed() {
    let provider = Arc::new(Provider::default());
    for cookie in [
        "",
        "a=b",
        "__Host-refresh=",
        "__Host-refresh=other",
        "__Host-refresh2=refresh",
        "refresh=refresh",
        "x__Host-refresh=refresh",
    ] {
        let (answer, set) = with_cookie(&provider, "/auth/refresh", cookie).await;
        assert_eq!((answer.refusal(), set.as_deref()), ((401, "signed_out"), Some(CLEARED)), "{cookie}");
    }
    assert_eq!(*provider.calls.lock().unwrap(), ["refresh other"]);
}

#[tokio::test]
async fn signing_out_ends_the_refresh_token_and_removes_the_cookie() {
    let provider = Arc::new(Provider::default());
    let (answer, set) = with_cookie(&provider, "/auth/logout", "__Host-refresh=refresh").await;
    assert_eq!((answer.status, answer.body, set.as_deref()), (200, json!({"status": "success"}), Some(CLEARED)));
    let (answer, _) = with_cookie(&provider, "/auth/refresh", "__Host-refresh=refresh").await;
    assert_eq!(answer.refusal(), (401, "signed_out"));
    // Again, and without a cookie.
    for cookie in ["__Host-refresh=refresh", ""] {
        let (answer, set) = with_cookie(&provider, "/auth/logout", cookie).await;
        assert_eq!((answer.status, set.as_deref()), (200, Some(CLEARED)));
    }
}

#[tokio::test]
async fn while_the_provider_is_down_the_cookie_is_kept_but_signing_out_removes_it() {
    let provider = Arc::new(Provider { is_down: true, ..Provider::default() });
    let (answer, set) = with_cookie(&provider, "/auth/refresh", "__Host-refresh=refresh").await;
    assert_eq!((answer.refusal(), set), ((503, "unavailable"), None));
    let body = exchange_body("code", VERIFIER);
    let (answer, set) = post(&provider, "/auth/exchange", json!({"origin": [SITE]}), &body).await;
    assert_eq!((answer.refusal(), set), ((503, "unavailable"), None));
    let (answer, set) = with_cookie(&provider, "/auth/logout", "__Host-refresh=refresh").await;
    assert_eq!((answer.status, set.as_deref()), (200, Some(CLEARED)));
}
