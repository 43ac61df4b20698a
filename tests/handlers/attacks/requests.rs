//! Attacks on the request around a token.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use apigw::Settings;
use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokens::{
    Claimant, Find, InMemoryTokenStore, Insert, Jti, KeyStore, Revoke, Row, Spend, Spending, StoreError, Timestamp,
    TokenStore,
};

use super::{INVALID, Place, Request, empty_request, request_with, seen, seen_by, set_header, set_headers};
use crate::{
    contract::refused,
    helpers::{
        DownKeyStore, DownStore, NOW, UntouchedStore, answer, authorizer, body, event, invocation, keys, minted, ports,
        sample, service, setting, store,
    },
};

/// `validate`, and a token that it accepts.
async fn service_and_token() -> (::validate::Service, String) {
    let store = store();
    let token = minted(keys(), store.clone()).await;
    (service(keys(), store), token)
}

/// The status and the reason of the answer to `request`.
async fn outcome(service: &::validate::Service, request: Request) -> (u16, String) {
    seen(service, request).await.outcome()
}

fn invalid_request() -> (u16, String) {
    (400, "invalid_request".into())
}

/// A store in memory that counts its calls.
#[derive(Default)]
struct CountingStore {
    store: InMemoryTokenStore,
    inserts: AtomicUsize,
    spends: AtomicUsize,
}

#[async_trait]
impl Insert for CountingStore {
    async fn insert(&self, jti: &Jti, row: Row) -> Result<(), StoreError> {
        self.inserts.fetch_add(1, Ordering::SeqCst);
        self.store.insert(jti, row).await
    }
}

#[async_trait]
impl Spend for CountingStore {
    async fn spend(&self, jti: &Jti, claimant: &Claimant, now: Timestamp) -> Result<Spending, StoreError> {
        self.spends.fetch_add(1, Ordering::SeqCst);
        self.store.spend(jti, claimant, now).await
    }
}

#[async_trait]
impl Revoke for CountingStore {
    async fn revoke(&self, jti: &Jti, now: Timestamp) -> Result<(), StoreError> {
        self.store.revoke(jti, now).await
    }
}

#[async_trait]
impl Find for CountingStore {
    async fn find(&self, jti: &Jti) -> Result<Option<Row>, StoreError> {
        self.store.find(jti).await
    }
}

const TEMPLATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml");

/// `local`'s API on a store that counts its calls.
async fn local_api() -> (String, Arc<CountingStore>) {
    api_of(TEMPLATE.into(), false).await
}

/// The API of `template` on a store that counts its calls, throttled as the template says if `throttle`.
async fn api_of(template: PathBuf, throttle: bool) -> (String, Arc<CountingStore>) {
    let store = Arc::new(CountingStore::default());
    let functions = local::functions_over(store.clone()).unwrap();
    let options = local::Options { throttle, ..local::Options::new(template) };
    let server = local::Server::bind(options, &functions).await.unwrap();
    let url = server.url().trim_end_matches('/').to_owned();
    tokio::spawn(server.serve(std::future::pending()));
    (url, store)
}

#[tokio::test]
async fn a48_another_method_on_a_route_that_spends_calls_no_store() {
    let (url, store) = local_api().await;
    let client = Client::new();
    let minted: Value = client.get(format!("{url}/hello")).send().await.unwrap().json().await.unwrap();
    let token = minted["accessToken"].as_str().unwrap();
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH, Method::HEAD] {
        let request = client.request(method.clone(), format!("{url}/validate")).header("x-access-token", token);
        // API Gateway heeds X-HTTP-Method-Override, and no other.
        let request = request.header("x-method-override", "POST").header("x-http-method", "POST");
        assert_eq!(request.send().await.unwrap().status(), 403, "{method}");
    }
    assert_eq!(store.spends.load(Ordering::SeqCst), 0);
    let answer = client.post(format!("{url}/validate")).header("x-access-token", token).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), store.spends.load(Ordering::SeqCst)), (200, 1));
}

#[tokio::test]
async fn a49_hello_echoes_its_authorizer_s_token_whatever_the_client_sends() {
    let service = ::hello::Service::new(Settings::new(&setting), || NOW.0).unwrap();
    let mut hello = sample("hello", "eyJ.t.t");
    set_header(&mut hello, "x-access-token", "mine");
    set_header(&mut hello, "accesstoken", "mine");
    hello["body"] = json!({"accessToken": "mine", "requestContext": {"authorizer": {}}}).to_string().into();
    let response = ::hello::handle(&service, invocation(&hello, "hello-1")).await.unwrap();
    assert_eq!((response.status_code, &response.headers["x-access-token"]), (200, &"eyJ.t.t".parse().unwrap()));
    assert_eq!(body(&response)["accessToken"], "eyJ.t.t");
}

#[tokio::test]
async fn a51_the_case_of_a_header_s_name_changes_nothing() {
    for name in ["X-Access-Token", "x-access-token", "X-ACCESS-TOKEN", "x-aCCESS-tOKEN"] {
        let (service, token) = service_and_token().await;
        let mut request = empty_request();
        request["headers"] = json!({ name: token });
        request["multiValueHeaders"] = json!({ name: [token] });
        assert_eq!(seen(&service, request).await.status, 200, "{name}");
    }
    for name in ["AUTHORIZATION", "authorization"] {
        let (service, token) = service_and_token().await;
        let mut request = empty_request();
        request["multiValueHeaders"] = json!({ name: [format!("BEARER {token}")] });
        assert_eq!(seen(&service, request).await.status, 200, "{name}");
    }
}

#[tokio::test]
async fn a51_two_names_that_differ_only_in_case_are_two_headers() {
    let (service, token) = service_and_token().await;
    let mut twice = empty_request();
    twice["multiValueHeaders"] = json!({"X-Access-Token": [token], "x-access-token": ["x"]});
    assert_eq!(outcome(&service, twice).await, invalid_request());

    let mut keys = empty_request();
    keys["multiValueHeaders"] = json!({"X-Access-Token": [token], "Idempotency-Key": ["a"], "idempotency-key": ["b"]});
    assert_eq!(outcome(&service, keys).await, invalid_request());
    assert_eq!(seen(&service, request_with(&token, Place::Header).unwrap()).await.status, 200);
}

#[tokio::test]
async fn a52_no_preflight_writes_a_row() {
    let (url, store) = local_api().await;
    let client = Client::new();
    for path in ["hello", "tokens", "validate"] {
        for method in ["GET", "POST", "DELETE"] {
            let request = client.request(Method::OPTIONS, format!("{url}/{path}"));
            let request = request.header("origin", "https://attacker.example").header("x-access-token", "x");
            let answer = request.header("access-control-request-method", method).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{path} {method}");
        }
    }
    let calls = || (store.inserts.load(Ordering::SeqCst), store.spends.load(Ordering::SeqCst));
    assert_eq!(calls(), (0, 0));
    client.get(format!("{url}/hello")).send().await.unwrap();
    assert_eq!(calls(), (1, 0));
}

#[tokio::test]
async fn a53_the_allowed_origin_is_always_the_configured_one() {
    let down = service(keys(), Arc::new(DownStore));
    let broken = service(keys(), Arc::new(UntouchedStore));
    let (service, token) = service_and_token().await;
    for origin in ["https://attacker.example", "null", "*", "https://app.example.com.attacker.example"] {
        let with_origin = |mut request: Request| {
            set_header(&mut request, "origin", origin);
            request
        };
        let live = || with_origin(request_with(&token, Place::Body).unwrap());
        let answers = [
            seen(&service, live()).await,
            seen_by(&service, live(), "attack-2").await,
            seen(&service, with_origin(empty_request())).await,
            seen(&down, live()).await,
            seen(&broken, live()).await,
        ];
        for answer in answers {
            let allowed: Vec<_> = answer.headers.get_all("access-control-allow-origin").iter().collect();
            assert_eq!(allowed, ["https://app.example.com"], "{} to {origin}", answer.status);
        }
    }
}

/// The only ARN that a policy's resource matches, or `None` if the resource is a pattern.
pub(super) fn unescaped(resource: &str) -> Option<String> {
    let mut arn = String::new();
    let mut rest = resource;
    while let Some(character) = rest.chars().next() {
        let literal = ["${*}", "${?}", "${$}"].into_iter().find(|literal| rest.starts_with(literal));
        match (literal, character) {
            (Some(literal), _) => {
                arn.push_str(&literal[2..3]);
                rest = &rest[4..];
            }
            (None, '*' | '?') => return None,
            (None, '$') if rest.starts_with("${") => return None,
            (None, _) => {
                arn.push(character);
                rest = &rest[character.len_utf8()..];
            }
        }
    }
    Some(arn)
}

#[tokio::test]
async fn a60_a_long_or_unusual_method_arn_allows_only_itself() {
    let authorizer = authorizer(ports(keys(), store()));
    let paths = [
        "*",
        "?",
        "hello/*",
        "${aws:username}",
        "${*}",
        "$",
        "$$",
        "%2F",
        "..",
        "a b",
        "ключ",
        "",
        "hello\"],\"x\":[\"",
    ];
    let paths = paths.map(str::to_owned).into_iter().chain([513, 1601, 8192].map(|length| "x".repeat(length)));
    for path in paths {
        let mut event = sample("authorizer", "");
        let arn = format!("arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/Prod/GET/{path}");
        event["methodArn"] = arn.clone().into();
        let allowed = answer(&authorizer, invocation(&event, "mint-1")).await.unwrap();
        let resource = allowed["policyDocument"]["Statement"][0]["Resource"].as_str().unwrap();
        assert_eq!(unescaped(resource), Some(arn));
    }
}

/// The answers of `validate` to a good request and to each refused one, and of `issue`, with these ports.
async fn answers(token: &str, keys: Arc<dyn KeyStore>, store: Arc<impl TokenStore + 'static>) -> Vec<Value> {
    let mut bodies = Vec::new();
    let service = service(keys.clone(), store.clone());
    for request in refused(token).chain([sample("validate", token), sample("validate", "eyJ.a.b")]) {
        bodies.push(body(&::validate::handle(&service, invocation(&request, "spend-1")).await.unwrap()));
    }
    let issue = ::issue::Service::new(Settings::new(&setting), ports(keys, store)).unwrap();
    bodies.push(body(&::issue::handle(&issue, event("issue", "", "issue-1")).await.unwrap()));
    bodies
}

#[tokio::test]
async fn a62_no_error_names_a_type_a_path_or_a_cause() {
    let token = minted(keys(), store()).await;
    let mut bodies = Vec::new();
    bodies.extend(answers(&token, keys(), store()).await);
    bodies.extend(answers(&token, keys(), Arc::new(DownStore)).await);
    bodies.extend(answers(&token, Arc::new(DownKeyStore), store()).await);
    bodies.extend(answers(&token, keys(), Arc::new(UntouchedStore)).await);
    let hello = ::hello::Service::new(Settings::new(&setting), || NOW.0).unwrap();
    let without = event("hello-without-authorizer", "eyJ.t.t", "hello-1");
    bodies.push(body(&::hello::handle(&hello, without).await.unwrap()));

    bodies.retain(|body| body["isValid"] != true && body.get("token").is_none());
    assert!(bodies.len() > 50);
    for body in bodies {
        let text = body.to_string();
        for leak in
            ["::", ".rs", "/", "\\", "Error", "Tokens-", "panic", "line ", "column", "secret", "eyJ", "serde", "Some("]
        {
            assert!(!text.contains(leak), "{leak} is in the body of a {}", body["reason"]);
        }
        let names: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
        let known = ["isValid", "message", "reason", "requestId", "usedAt"];
        assert!(names.iter().all(|name| known.contains(name)), "{names:?}");
    }
}

#[tokio::test]
async fn a68_a_flood_of_mints_leaves_the_route_that_spends_open() {
    // A busy machine may not reach the template's own rate.
    let text = std::fs::read_to_string(TEMPLATE).unwrap();
    let slow = text.replace("Default: 100\n", "Default: 1\n").replace("Default: 200\n", "Default: 20\n");
    assert_ne!(text, slow);
    let template = std::env::temp_dir().join(format!("a68-{}.yaml", std::process::id()));
    std::fs::write(&template, slow).unwrap();
    let (url, store) = api_of(template.clone(), true).await;
    std::fs::remove_file(template).unwrap();
    let client = Client::new();
    let minted: Value = client.get(format!("{url}/hello")).send().await.unwrap().json().await.unwrap();
    let mut sent = 1;
    while client.get(format!("{url}/hello")).send().await.unwrap().status() != 429 {
        sent += 1;
        assert!(sent < 500, "no mint is throttled");
    }
    assert_eq!(store.inserts.load(Ordering::SeqCst), sent, "a throttled mint writes no row");
    let token = minted["accessToken"].as_str().unwrap();
    let answer = client.post(format!("{url}/validate")).header("x-access-token", token).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn a70_a_body_of_many_names_is_cut_off_before_it_is_read() {
    let (service, token) = service_and_token().await;
    let of_names = |count: usize| {
        let members: Vec<String> = (0..count).map(|number| format!("\"{number:x}\":0")).collect();
        format!("{{{},\"token\":\"{token}\"}}", members.join(","))
    };
    let with_body = |body: String| {
        let mut request = empty_request();
        request["body"] = body.into();
        request
    };
    let huge = of_names(200_000);
    let broken = huge[..huge.len() - 1].to_owned();
    for body in [huge, broken] {
        // If they were read as JSON, the first would be a success and the second a 400.
        assert_eq!(outcome(&service, with_body(body)).await, (413, "request_too_large".into()));
    }
    let mut times = Vec::new();
    for _ in 0..20 {
        let event = invocation(&with_body(of_names(350).replace(&token, "x")), "attack-1");
        let began = Instant::now();
        let response = ::validate::handle(&service, event).await.unwrap();
        times.push(began.elapsed());
        assert_eq!((response.status_code, body(&response)["reason"].as_str()), (401, Some(INVALID)));
    }
    // The quickest counts, so that a busy machine does not fail the test.
    let quickest = times.into_iter().min().unwrap();
    assert!(quickest.as_millis() < 5, "{quickest:?}");
}

#[tokio::test]
async fn a86_authorization_is_one_bearer_or_none() {
    let (service, token) = service_and_token().await;
    let with = |values: &[String]| {
        let mut request = empty_request();
        set_headers(&mut request, "Authorization", &values.iter().map(String::as_str).collect::<Vec<_>>());
        request
    };
    let bearer = format!("Bearer {token}");
    for values in [
        &[bearer.clone(), bearer.clone()][..],
        &[bearer.clone(), "Bearer x".into()],
        &["Bearer x".into(), bearer.clone()],
        &[format!("Basic {token}")],
        &[format!("Bearer{token}")],
        &[format!("Bearer\t{token}")],
        &[format!("DPoP {token}")],
        &[token.to_string()],
        &["Bearer".into()],
        &["Bearer ".into()],
    ] {
        assert_eq!(outcome(&service, with(values)).await, invalid_request(), "{} values", values.len());
    }
    // Two headers that a proxy joined are not a valid token.
    for value in [
        format!("{bearer}, {bearer}"),
        format!("{bearer}, Bearer x"),
        format!("{bearer} x"),
        format!("Bearer {bearer}"),
    ] {
        assert_eq!(outcome(&service, with(&[value])).await, (401, INVALID.into()));
    }
    assert_eq!(seen(&service, with(&["Basic x".into(), format!("bEARER  {token}")])).await.status, 200);
}

#[tokio::test]
async fn a87_a_token_in_the_idempotency_key_is_ignored_and_not_kept() {
    let store = store();
    let (token, other) = (minted(keys(), store.clone()).await, minted(keys(), store.clone()).await);
    let service = service(keys(), store.clone());
    let with_key = |mut request: Request, key: &str| {
        set_header(&mut request, "Idempotency-Key", key);
        request
    };
    assert!(token.len() > 255);
    assert_eq!(outcome(&service, with_key(empty_request(), &token)).await, invalid_request());
    let live = request_with(&token, Place::Body).unwrap();
    assert_eq!(outcome(&service, with_key(live.clone(), &other)).await, invalid_request());

    let short = &other[..255];
    assert_eq!(seen(&service, with_key(live, short)).await.status, 200);
    assert_eq!(seen(&service, request_with(&other, Place::Body).unwrap()).await.status, 200);
    assert!(!format!("{store:?}").contains(&other[..20]), "a piece of a token is in the store");
}

#[tokio::test]
async fn a88_if_headers_and_multi_value_headers_differ_the_lists_count() {
    let store = store();
    let (token, other) = (minted(keys(), store.clone()).await, minted(keys(), store.clone()).await);
    let service = service(keys(), store);

    let mut request = empty_request();
    request["headers"]["x-access-token"] = other.clone().into();
    assert_eq!(outcome(&service, request.clone()).await, invalid_request());
    request["multiValueHeaders"]["x-access-token"] = json!([token]);
    assert_eq!(seen(&service, request.clone()).await.status, 200);
    let again = seen_by(&service, request, "attack-2").await;
    assert_eq!((again.status, again.reason().as_str()), (401, "already_used"));

    // Without the lists, the last value of each header counts.
    let mut single = empty_request();
    single["multiValueHeaders"] = Value::Null;
    single["headers"]["x-access-token"] = other.into();
    assert_eq!(seen(&service, single).await.status, 200);
}

#[tokio::test]
async fn a90_foreign_members_and_escaped_names_are_ignored_or_400() {
    let (service, token) = service_and_token().await;
    let good = json!({ "token": token }).to_string();
    for (body, expected) in [
        (json!({"__proto__": {"token": token}}), invalid_request()),
        (json!({"constructor": {"prototype": {"token": token}}}), invalid_request()),
        (json!({"token": {"$ne": null}}), invalid_request()),
        (json!({"token": {"token": token}}), invalid_request()),
        (json!({"Token": token}), invalid_request()),
        (json!({"requestContext": {"authorizer": {"accessToken": token}}}), invalid_request()),
        (json!({"token": "x", "isValid": true, "expires_at": 9_999_999_999_u64}), (401, INVALID.into())),
    ] {
        let mut request = empty_request();
        request["body"] = body.to_string().into();
        assert_eq!(outcome(&service, request).await, expected);
    }
    for body in [
        good.replace("token", r"\u0074oken").replace('{', r#"{"token":"x","#),
        format!("{good}{good}"),
        format!("{good}\0"),
        format!("[{good}]"),
        format!("\u{feff}{good}"),
        format!(")]}}'\n{good}"),
    ] {
        let mut request = empty_request();
        request["body"] = body.into();
        assert_eq!(outcome(&service, request).await, invalid_request());
    }
    assert_eq!(seen(&service, request_with(&token, Place::Body).unwrap()).await.status, 200);
}

#[tokio::test]
async fn a91_a_request_id_that_the_client_chose_stays_a_string() {
    let service = service(keys(), Arc::new(UntouchedStore));
    for id in ["\",\"isValid\":true,\"x\":\"", "</script>", "a\r\nSet-Cookie: b=c", "\0", &"x".repeat(10_000)] {
        let mut request = request_with("x", Place::Body).unwrap();
        request["requestContext"]["requestId"] = id.into();
        let seen = seen(&service, request).await;
        let body: Value = serde_json::from_str(&seen.body).unwrap();
        assert_eq!((&body["isValid"], &body["requestId"]), (&json!(false), &json!(id)));
        assert!(seen.headers.get("set-cookie").is_none());

        let mut event = sample("authorizer", "");
        event["requestContext"]["requestId"] = id.into();
        let allowed = answer(&authorizer(ports(keys(), store())), invocation(&event, "mint-1")).await.unwrap();
        assert_eq!(allowed["context"]["mintedFor"], id);
    }
}

#[tokio::test]
async fn a46_a_body_with_bytes_that_are_not_utf8_is_400_wherever_they_are() {
    let (service, token) = service_and_token().await;
    let body = |other: &[u8]| {
        let bytes = [br#"{"token":""#, token.as_bytes(), br#"","other":""#, other, br#""}"#].concat();
        let mut request = empty_request();
        request["isBase64Encoded"] = true.into();
        request["body"] = STANDARD.encode(bytes).into();
        request
    };
    for other in [&b"\xff"[..], b"\xc3", b"\xc0\xaf", b"\xed\xa0\x80"] {
        assert_eq!(outcome(&service, body(other)).await, invalid_request(), "{other:?}");
    }
    assert_eq!(seen(&service, body("\u{e9}".as_bytes())).await.status, 200);
}
