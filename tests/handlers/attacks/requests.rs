//! Attacks on the request around a token.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use async_trait::async_trait;
use aws_lambda_events::apigw::{ApiGatewayCustomAuthorizerRequestTypeRequest, ApiGatewayProxyRequest};
use http::{HeaderMap, HeaderValue};
use lambda_runtime::LambdaEvent;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokens::{Claim, InMemoryTokenStore, Jti, KeyStore, Row, StoreError, Timestamp, TokenStore, Verdict};

use super::{INVALID, Place, empty_request, request_with, seen, seen_by, set_header};
use crate::helpers::{
    DownKeyStore, DownStore, NOW, UntouchedStore, body, event, keys, minted, service, setting, store,
};

/// `validate`, and a token that it will take.
async fn service_and_token() -> (::validate::Service, String) {
    let store = store();
    let token = minted(keys(), store.clone()).await;
    (service(keys(), store), token)
}

/// The status and the reason of the answer to `request`.
async fn outcome(service: &::validate::Service, request: ApiGatewayProxyRequest) -> (i64, String) {
    seen(service, request).await.outcome()
}

fn invalid_request() -> (i64, String) {
    (400, "invalid_request".into())
}

/// A store in memory that counts what it is asked.
#[derive(Default)]
struct CountingStore {
    store: InMemoryTokenStore,
    inserts: AtomicUsize,
    spends: AtomicUsize,
}

#[async_trait]
impl TokenStore for CountingStore {
    async fn insert(&self, jti: &Jti, row: Row) -> Result<(), StoreError> {
        self.inserts.fetch_add(1, Ordering::SeqCst);
        self.store.insert(jti, row).await
    }

    async fn spend(&self, jti: &Jti, claim: &Claim, now: Timestamp) -> Result<Verdict, StoreError> {
        self.spends.fetch_add(1, Ordering::SeqCst);
        self.store.spend(jti, claim, now).await
    }
}

/// The API of this machine over a store that counts, throttled as the template says or not.
async fn local_api(throttle: bool) -> (String, Arc<CountingStore>) {
    let store = Arc::new(CountingStore::default());
    let functions = local::functions_over(store.clone()).unwrap();
    let template = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml"));
    let host = std::net::Ipv4Addr::LOCALHOST.into();
    let options = local::Options { host, port: 0, template, throttle };
    let server = local::Server::bind(options, &functions).await.unwrap();
    let url = server.url().trim_end_matches('/').to_owned();
    tokio::spawn(server.serve(std::future::pending()));
    (url, store)
}

#[tokio::test]
async fn a48_another_method_on_a_route_that_spends_calls_no_store() {
    let (url, store) = local_api(false).await;
    let client = Client::new();
    let minted: Value = client.get(format!("{url}/hello")).send().await.unwrap().json().await.unwrap();
    let token = minted["accessToken"].as_str().unwrap();
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH, Method::HEAD] {
        let request = client.request(method.clone(), format!("{url}/validate")).header("x-access-token", token);
        let request = request.header("x-http-method-override", "POST").header("x-method-override", "POST");
        assert_eq!(request.send().await.unwrap().status(), 403, "{method}");
    }
    assert_eq!(store.spends.load(Ordering::SeqCst), 0);
    let answer = client.post(format!("{url}/validate")).header("x-access-token", token).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), store.spends.load(Ordering::SeqCst)), (200, 1));
}

#[tokio::test]
async fn a49_hello_echoes_its_authorizer_s_token_whatever_the_client_sends() {
    let service = ::hello::Service::new(::hello::Config::from_lookup(setting).unwrap(), || NOW.0);
    let mut hello = event::<ApiGatewayProxyRequest>("hello", "eyJ.t.t", "hello-1");
    set_header(&mut hello.payload, "x-access-token", HeaderValue::from_static("mine"));
    set_header(&mut hello.payload, "accesstoken", HeaderValue::from_static("mine"));
    hello.payload.body = Some(json!({"accessToken": "mine", "requestContext": {"authorizer": {}}}).to_string());
    let response = ::hello::handle(&service, hello).await.unwrap();
    assert_eq!((response.status_code, &response.headers["x-access-token"]), (200, &"eyJ.t.t".parse().unwrap()));
    assert_eq!(body(&response)["accessToken"], "eyJ.t.t");
}

#[tokio::test]
async fn a51_the_case_of_a_header_s_name_changes_nothing() {
    for name in ["X-Access-Token", "x-access-token", "X-ACCESS-TOKEN", "x-aCCESS-tOKEN"] {
        let (service, token) = service_and_token().await;
        let mut request = event::<Value>("validate-without-body", "", "").payload;
        request["headers"] = json!({ name: token });
        request["multiValueHeaders"] = json!({ name: [token] });
        assert_eq!(seen(&service, serde_json::from_value(request).unwrap()).await.status, 200, "{name}");
    }
    for name in ["AUTHORIZATION", "authorization"] {
        let (service, token) = service_and_token().await;
        let mut request = event::<Value>("validate-without-body", "", "").payload;
        request["multiValueHeaders"] = json!({ name: [format!("BEARER {token}")] });
        assert_eq!(seen(&service, serde_json::from_value(request).unwrap()).await.status, 200, "{name}");
    }
}

#[tokio::test]
async fn a51_two_names_that_differ_only_in_case_are_two_headers() {
    let (service, token) = service_and_token().await;
    let mut twice = event::<Value>("validate-without-body", "", "").payload;
    twice["multiValueHeaders"] = json!({"X-Access-Token": [token], "x-access-token": ["x"]});
    assert_eq!(outcome(&service, serde_json::from_value(twice).unwrap()).await, invalid_request());

    let mut keys = event::<Value>("validate-without-body", "", "").payload;
    keys["multiValueHeaders"] = json!({"X-Access-Token": [token], "Idempotency-Key": ["a"], "idempotency-key": ["b"]});
    assert_eq!(outcome(&service, serde_json::from_value(keys).unwrap()).await, invalid_request());
    assert_eq!(seen(&service, request_with(&token, Place::Header).unwrap()).await.status, 200);
}

#[tokio::test]
async fn a52_no_preflight_writes_a_row() {
    let (url, store) = local_api(false).await;
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
async fn a53_the_allowed_origin_is_the_configured_one_whoever_asks() {
    let down = service(keys(), Arc::new(DownStore));
    let broken = service(keys(), Arc::new(UntouchedStore));
    let (service, token) = service_and_token().await;
    for origin in ["https://attacker.example", "null", "*", "https://app.example.com.attacker.example"] {
        let with_origin = |mut request: ApiGatewayProxyRequest| {
            set_header(&mut request, "origin", HeaderValue::from_static(origin));
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

/// The ARN that a policy's resource matches and nothing else; `None` for a resource that is a pattern.
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
            (None, '*' | '?' | '$') => return None,
            (None, _) => {
                arn.push(character);
                rest = &rest[character.len_utf8()..];
            }
        }
    }
    Some(arn)
}

#[tokio::test]
async fn a60_a_long_or_strange_method_arn_is_allowed_alone() {
    let config = ::authorizer::Config::from_lookup(setting).unwrap();
    let authorizer = ::authorizer::Service::new(config, keys(), store(), || NOW);
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
        let mut event = event::<ApiGatewayCustomAuthorizerRequestTypeRequest>("authorizer", "", "mint-1");
        let arn = format!("arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/Prod/GET/{path}");
        event.payload.method_arn = Some(arn.clone());
        let allowed = ::authorizer::handle(&authorizer, event).await.unwrap();
        let statement = &allowed.policy_document.statement[0];
        assert_eq!((statement.resource.len(), unescaped(&statement.resource[0])), (1, Some(arn)));
    }
}

#[tokio::test]
async fn a62_no_error_names_a_type_a_path_or_a_cause() {
    let token = minted(keys(), store()).await;
    let mut bodies = Vec::new();
    let services: [(Arc<dyn KeyStore>, Arc<dyn TokenStore>); 4] = [
        (keys(), store()),
        (keys(), Arc::new(DownStore)),
        (Arc::new(DownKeyStore), store()),
        (keys(), Arc::new(UntouchedStore)),
    ];
    for (keys, store) in services {
        let service = service(keys.clone(), store.clone());
        for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../events")).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap().replace(".json", "");
            if name.starts_with("validate") {
                bodies.push(body(&::validate::handle(&service, event(&name, &token, "spend-1")).await.unwrap()));
            }
        }
        let config = ::issue::Config::from_lookup(setting).unwrap();
        let issue = ::issue::Service::new(config, keys, store, || NOW);
        bodies.push(body(&::issue::handle(&issue, event("issue", "", "issue-1")).await.unwrap()));
    }
    let hello = ::hello::Service::new(::hello::Config::from_lookup(setting).unwrap(), || NOW.0);
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
    let (url, store) = local_api(true).await;
    let client = Client::new();
    let minted: Value = client.get(format!("{url}/hello")).send().await.unwrap().json().await.unwrap();
    let mut sent = 1;
    while client.get(format!("{url}/hello")).send().await.unwrap().status() != 429 {
        sent += 1;
        assert!(sent < 5000, "no mint is turned away");
    }
    assert_eq!(store.inserts.load(Ordering::SeqCst), sent, "what is turned away writes no row");
    let token = minted["accessToken"].as_str().unwrap();
    let answer = client.post(format!("{url}/validate")).header("x-access-token", token).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn a70_a_body_of_many_names_is_cut_off_before_it_is_read() {
    let service = service(keys(), Arc::new(UntouchedStore));
    let of_names = |count: usize| {
        let members: Vec<String> = (0..count).map(|number| format!("\"{number:x}\":0")).collect();
        format!("{{{}}}", members.join(","))
    };
    for (count, expected) in [(400, invalid_request()), (200_000, (413, "request_too_large".into()))] {
        let mut times = Vec::new();
        for _ in 0..20 {
            let mut request = empty_request();
            request.body = Some(of_names(count));
            let began = Instant::now();
            assert_eq!(outcome(&service, request).await, expected);
            times.push(began.elapsed());
        }
        // By the quickest, so that a busy machine fails nothing.
        let quickest = times.into_iter().min().unwrap();
        assert!(quickest.as_millis() < 5, "{count} names: {quickest:?}");
    }
}

#[tokio::test]
async fn a86_authorization_is_one_bearer_or_none() {
    let (service, token) = service_and_token().await;
    let with = |values: &[String]| {
        let mut request = empty_request();
        for value in values {
            let value = HeaderValue::from_str(value).unwrap();
            request.headers.insert("authorization", value.clone());
            request.multi_value_headers.append("authorization", value);
        }
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
    // What a proxy makes of two headers is no token.
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
async fn a87_a_token_in_the_idempotency_key_is_no_token_and_is_not_kept() {
    let store = Arc::new(InMemoryTokenStore::new());
    let (token, other) = (minted(keys(), store.clone()).await, minted(keys(), store.clone()).await);
    let service = service(keys(), store.clone());
    let with_key = |mut request: ApiGatewayProxyRequest, key: &str| {
        set_header(&mut request, "idempotency-key", HeaderValue::from_str(key).unwrap());
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
async fn a88_where_headers_and_multi_value_headers_differ_one_of_them_counts() {
    let store = store();
    let (token, other) = (minted(keys(), store.clone()).await, minted(keys(), store.clone()).await);
    let service = service(keys(), store);
    let value = |token: &str| HeaderValue::from_str(token).unwrap();

    let mut request = empty_request();
    request.headers.insert("x-access-token", value(&other));
    assert_eq!(outcome(&service, request.clone()).await, invalid_request());
    request.multi_value_headers.insert("x-access-token", value(&token));
    assert_eq!(seen(&service, request.clone()).await.status, 200);
    let again = seen_by(&service, request, "attack-2").await;
    assert_eq!((again.status, again.reason().as_str()), (401, "already_used"));

    // Without the lists there is the last value of each.
    let mut single = empty_request();
    single.multi_value_headers = HeaderMap::new();
    single.headers.insert("x-access-token", value(&other));
    assert_eq!(seen(&service, single).await.status, 200);
}

#[tokio::test]
async fn a90_a_body_that_names_what_is_not_its_own_is_ignored_or_400() {
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
        request.body = Some(body.to_string());
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
        request.body = Some(body);
        assert_eq!(outcome(&service, request).await, invalid_request());
    }
    assert_eq!(seen(&service, request_with(&token, Place::Body).unwrap()).await.status, 200);
}

#[tokio::test]
async fn a91_a_request_id_of_the_client_s_choosing_stays_a_string() {
    let service = service(keys(), Arc::new(UntouchedStore));
    for id in ["\",\"isValid\":true,\"x\":\"", "</script>", "a\r\nSet-Cookie: b=c", "\0", &"x".repeat(10_000)] {
        let mut request = request_with("x", Place::Body).unwrap();
        request.request_context.request_id = Some(id.to_owned());
        let seen = seen(&service, request).await;
        let body: Value = serde_json::from_str(&seen.body).unwrap();
        assert_eq!((&body["isValid"], &body["requestId"]), (&json!(false), &json!(id)));
        assert!(seen.headers.get("set-cookie").is_none());

        let config = ::authorizer::Config::from_lookup(setting).unwrap();
        let authorizer = ::authorizer::Service::new(config, keys(), store(), || NOW);
        let mut event: LambdaEvent<ApiGatewayCustomAuthorizerRequestTypeRequest> = event("authorizer", "", "mint-1");
        event.payload.request_context.request_id = Some(id.to_owned());
        assert_eq!(::authorizer::handle(&authorizer, event).await.unwrap().context.minted_for, id);
    }
}
