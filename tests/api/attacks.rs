//! Attacks over HTTP, each a test that is named by its number; see `docs/security.md`.
//!
//! An attacker outside has no key, so these tokens are good ones that were changed. Tokens that are signed
//! with the right key and refused anyway are in `tests/handlers/attacks`.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::{
    api::{Api, body, send},
    target::Target,
};

async fn api() -> Api {
    Api::start("attacks").await
}

/// A live token in its parts.
struct Parts {
    header: String,
    claims: String,
    mac: String,
}

impl Parts {
    fn of(token: &str) -> Self {
        let mut parts = token.split('.').map(str::to_owned);
        let mut next = || parts.next().unwrap();
        Self { header: next(), claims: next(), mac: next() }
    }

    /// The token with one member of its header changed, under its old MAC.
    fn with_member(&self, name: &str, value: impl Into<Value>) -> String {
        let mut header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(&self.header).unwrap()).unwrap();
        header[name] = value.into();
        format!("{}.{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), self.claims, self.mac)
    }

    /// The token with one claim changed, under its old MAC.
    fn with_claim(&self, name: &str, value: impl Into<Value>) -> String {
        let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(&self.claims).unwrap()).unwrap();
        claims[name] = value.into();
        format!("{}.{}.{}", self.header, URL_SAFE_NO_PAD.encode(claims.to_string()), self.mac)
    }
}

/// Asserts that the tokens which `tamper` makes from a live one are refused like garbage, in body and
/// header, and that the live one can still be spent. No message shows a token.
async fn assert_refused(tamper: impl FnOnce(&str, &Parts) -> Vec<String>) {
    let api = api().await;
    let token = api.mint().await;
    let without_id = |mut body: Value| {
        body.as_object_mut().unwrap().remove("requestId");
        body
    };
    let garbage = api.validate(body("x")).await;
    for (index, tampered) in tamper(&token, &Parts::of(&token)).into_iter().enumerate() {
        assert!(tampered != token);
        let in_header = api.request(Method::POST, "/validate").header("x-access-token", &tampered);
        for answer in [api.validate(body(&tampered)).await, send(in_header).await] {
            assert_eq!(answer.refusal(), (401, "invalid_token".into()), "token {index}");
            assert_eq!(without_id(answer.json()), without_id(garbage.json()), "token {index}");
        }
    }
    assert_eq!(api.validate(body(&token)).await.status, 200);
}

#[tokio::test]
async fn a01_alg_none_is_refused() {
    assert_refused(|_, parts| {
        let none = ["none", "None", "nOnE"].map(|alg| parts.with_member("alg", alg));
        let stripped = none.clone().map(|token| format!("{}.", token.rsplit_once('.').unwrap().0));
        [none, stripped].concat()
    })
    .await;
}

#[tokio::test]
async fn a03_a08_a09_a11_another_header_is_refused() {
    assert_refused(|_, parts| {
        vec![
            parts.with_member("alg", "RS256"),
            parts.with_member("jku", "https://attacker.example/keys"),
            parts.with_member("jwk", json!({"kty": "oct", "k": "AA"})),
            parts.with_member("typ", "JWT"),
            parts.with_member("kid", "k2"),
            parts.with_member("kid", "active"),
            parts.with_member("kid", "../../etc/passwd"),
            parts.with_member("kid", "k1' OR '1'='1"),
            parts.with_member("kid", "k1\0"),
        ]
    })
    .await;
}

#[tokio::test]
async fn a14_a_signature_in_another_form_is_refused() {
    assert_refused(|token, Parts { header, claims, mac }| {
        vec![
            format!("{header}.{claims}"),
            format!("{header}.{claims}."),
            format!("{header}.{claims}.{}", &mac[..42]),
            format!("{header}.{claims}.{mac}{mac}"),
            format!("{header}.{claims}.{}", "A".repeat(43)),
            format!("{token}="),
            token.replace('.', "=."),
        ]
    })
    .await;
}

#[tokio::test]
async fn a15_a_flipped_bit_is_refused() {
    assert_refused(|token, Parts { header, claims, .. }| {
        // A few bits in each part. The test of the handler flips all of them.
        let places =
            [0, header.len() / 2, header.len() + 20, header.len() + claims.len(), token.len() - 2, token.len() - 1];
        let flipped = places.map(|index| {
            let mut bytes = token.as_bytes().to_vec();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            String::from_utf8(bytes).unwrap()
        });
        flipped.into()
    })
    .await;
}

#[tokio::test]
async fn a16_another_number_of_segments_is_refused() {
    assert_refused(|token, Parts { header, claims, mac }| {
        vec![
            format!("{token}."),
            format!(".{token}"),
            format!("{token}.{mac}"),
            format!("{header}..{mac}.{claims}.{mac}"),
            format!("{header}..{mac}"),
            "..".to_owned(),
        ]
    })
    .await;
}

#[tokio::test]
async fn a21_a26_a31_another_claim_is_refused() {
    assert_refused(|_, parts| {
        vec![
            parts.with_claim("exp", 9_999_999_999_u64),
            parts.with_claim("jti", "00000000-0000-0000-0000-000000000001"),
            parts.with_claim("aud", "other/Prod"),
            parts.with_claim("admin", true),
        ]
    })
    .await;
}

#[tokio::test]
async fn a84_parts_of_two_good_tokens_do_not_make_a_third() {
    let other = Parts::of(&api().await.mint().await);
    assert_refused(|_, Parts { header, claims, mac }| {
        vec![
            format!("{header}.{claims}.{}", other.mac),
            format!("{header}.{}.{mac}", other.claims),
            format!("{claims}.{header}.{mac}"),
        ]
    })
    .await;
}

#[tokio::test]
async fn a38_a_replay_needs_the_key_of_the_first() {
    let api = api().await;
    let token = api.mint().await;
    let with_key = |key: &'static str| {
        send(api.request(Method::POST, "/validate").body(body(&token)).header("idempotency-key", key))
    };
    assert_eq!(with_key("order-17").await.status, 200);
    assert_eq!(with_key("order-18").await.refusal(), (401, "already_used".into()));
    assert_eq!(api.validate(body(&token)).await.refusal(), (401, "already_used".into()));
    let again = with_key("order-17").await;
    assert_eq!((again.status, &again.json()["replayed"]), (200, &json!(true)));
}

#[tokio::test]
async fn a42_a_claimant_that_a_client_invents_is_ignored() {
    let api = api().await;
    let token = api.mint().await;
    let with_id = |id: &str| {
        let request = api.request(Method::POST, "/validate").body(body(&token));
        send(request.header("x-amzn-requestid", id).header("lambda-runtime-aws-request-id", id))
    };
    assert_eq!(with_id("mine").await.status, 200);
    assert_eq!(with_id("mine").await.refusal(), (401, "already_used".into()));
}

#[tokio::test]
async fn a53_another_origin_is_not_allowed() {
    let api = api().await;
    let requests = [
        api.request(Method::GET, "/hello"),
        api.request(Method::POST, "/validate"),
        api.request(Method::POST, "/validate").body(body("x")),
        api.request(Method::GET, "/unknown"),
        api.request(Method::OPTIONS, "/validate").header("access-control-request-method", "POST"),
    ];
    for (index, request) in requests.into_iter().enumerate() {
        let answer = send(request.header("origin", "https://attacker.example")).await;
        // The value that the stack is deployed with here, never the origin that the caller sends.
        assert_eq!(answer.header("access-control-allow-origin"), "*", "request {index}");
        assert!(answer.header("access-control-allow-credentials").is_empty(), "request {index}");
    }
}

#[tokio::test]
async fn a86_authorization_is_one_bearer_or_none() {
    let api = api().await;
    let token = api.mint().await;
    let with = |values: &[String]| {
        let post = api.request(Method::POST, "/validate");
        send(values.iter().fold(post, |post: RequestBuilder, value| post.header("authorization", value)))
    };
    let bearer = format!("Bearer {token}");
    let twice = with(&[bearer.clone(), bearer.clone()]).await.refusal();
    // The target may have joined them with a comma.
    let joined = (401, "invalid_token".to_owned());
    assert!(twice == (400, "invalid_request".into()) || (api.target != Target::Local && twice == joined), "{twice:?}");
    assert_eq!(with(&[format!("Basic {token}")]).await.refusal(), (400, "invalid_request".into()));
    assert_eq!(with(&[format!("{bearer}, {bearer}")]).await.refusal(), (401, "invalid_token".into()));
    assert_eq!(with(&[format!("bEARER {token}")]).await.status, 200);
}

#[tokio::test]
async fn a87_a_token_in_the_idempotency_key_is_not_read_as_a_token() {
    let api = api().await;
    let token = api.mint().await;
    let request = api.request(Method::POST, "/validate").header("idempotency-key", &token);
    assert_eq!(send(request).await.refusal(), (400, "invalid_request".into()));
    assert_eq!(api.validate(body(&token)).await.status, 200);
}

#[tokio::test]
async fn a92_a_path_that_is_almost_a_route_spends_nothing() {
    let api = api().await;
    let token = api.mint().await;
    let near = [
        (Method::POST, "/VALIDATE"),
        (Method::POST, "/validate.json"),
        (Method::POST, "/validate/more"),
        (Method::POST, "/validate/..%2Ftokens"),
        (Method::POST, "/hello%2F..%2Fvalidate"),
        (Method::POST, "/validate%20"),
        (Method::POST, "/validate;x=y"),
        (Method::POST, "/__proto__"),
        (Method::POST, "/Prod/validate"),
        (Method::GET, "/validate"),
    ];
    for (method, path) in near {
        let request = api.request(method, path).header("x-access-token", &token);
        let answer = send(request).await;
        // API Gateway and its emulators may differ in the error.
        let is_refused = if api.target == Target::Local { answer.status == 403 } else { answer.status >= 400 };
        assert!(is_refused, "{path}: {}", answer.status);
    }
    assert_eq!(api.validate(body(&token)).await.status, 200);
}
