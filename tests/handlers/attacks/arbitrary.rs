//! Any header, body and event: an answer that is none of success, and no call to the store.
//!
//! The store of these tests panics when it is called, and every panic is a 500.

use std::sync::{Arc, LazyLock};

use ::validate::Service;
use aws_lambda_events::apigw::{ApiGatewayCustomAuthorizerRequestTypeRequest, ApiGatewayProxyRequest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue};
use lambda_runtime::{Context, LambdaEvent};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    INVALID, Place, empty_request,
    forger::{Forger, sign},
    request_with,
    requests::unescaped,
    seen,
};
use crate::helpers::{NOW, UntouchedStore, event, keys, service, setting, store};

static SERVICE: LazyLock<Service> = LazyLock::new(|| service(keys(), Arc::new(UntouchedStore)));

/// Runs what a property asks of a handler.
fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Asserts that `request` is refused for what it is.
fn assert_refused(request: ApiGatewayProxyRequest) -> Result<(), TestCaseError> {
    let seen = run(seen(&SERVICE, request));
    let reason = seen.reason();
    let is_refusal = matches!(
        (seen.status, reason.as_str()),
        (400, "invalid_request") | (401, INVALID) | (413, "request_too_large")
    );
    prop_assert!(is_refusal, "{} {}", seen.status, reason);
    Ok(())
}

/// Any JSON, with the names and values that the functions know among the others.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        "(HS256|ott\\+jwt|k[0-9]{1,11}|token|none)".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let name = prop_oneof![
            "\\PC{0,8}",
            "(token|alg|typ|kid|iss|aud|jti|iat|nbf|exp|__proto__|Authorization|X-Access-Token|Idempotency-Key)",
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..6).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// `event` with any JSON in place of one of its members, or of one of its request context.
fn with_any_member(name: &str) -> impl Strategy<Value = Value> + use<> {
    let event = event::<Value>(name, "eyJ.a.b", "").payload;
    let names: Vec<String> = event.as_object().unwrap().keys().cloned().collect();
    let in_context: Vec<String> = event["requestContext"].as_object().unwrap().keys().cloned().collect();
    let place = prop_oneof![
        prop::sample::select(names).prop_map(|name| (false, name)),
        prop::sample::select(in_context).prop_map(|name| (true, name)),
    ];
    (place, any_json()).prop_map(move |((is_in_context, name), value)| {
        let mut event = event.clone();
        let object = if is_in_context { &mut event["requestContext"] } else { &mut event };
        object[name] = value;
        event
    })
}

proptest! {
    #[test]
    fn any_body_is_refused(
        text in "\\PC{0,600}",
        bytes in prop::collection::vec(any::<u8>(), 0..5000),
        is_base64 in any::<bool>(),
    ) {
        let mut request = empty_request();
        request.is_base64_encoded = is_base64;
        request.body = Some(text);
        assert_refused(request.clone())?;
        request.is_base64_encoded = true;
        request.body = Some(STANDARD.encode(bytes));
        assert_refused(request)?;
    }

    #[test]
    fn any_json_as_a_body_or_a_token_in_it_is_refused(body in any_json()) {
        let mut request = empty_request();
        request.body = Some(body.to_string());
        assert_refused(request.clone())?;
        request.body = Some(json!({ "token": body }).to_string());
        assert_refused(request)?;
    }

    #[test]
    fn any_headers_are_refused(
        headers in prop::collection::vec(
            (
                "(x-access-token|authorization|idempotency-key|host|content-type)",
                prop::collection::vec(any::<u8>(), 0..300),
            ),
            0..6,
        ),
        is_bearer in any::<bool>(),
    ) {
        let mut request = empty_request();
        for (name, bytes) in headers {
            let bytes = if is_bearer && name == "authorization" { [b"Bearer ", &bytes[..]].concat() } else { bytes };
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
                request.headers.insert(name.clone(), value.clone());
                request.multi_value_headers.append(name, value);
            }
        }
        assert_refused(request)?;
    }

    #[test]
    fn any_event_is_refused(event in with_any_member("validate-bearer")) {
        // What is no event at all never reaches the handler.
        if let Ok(request) = serde_json::from_value(event) {
            assert_refused(request)?;
        }
    }

    #[test]
    fn any_json_that_is_signed_as_header_or_claims_is_refused(header in any_json(), claims in any_json()) {
        let forger = Forger { now: NOW.0 };
        let tokens = [
            sign(header.to_string(), claims.to_string()),
            forger.with_header(&header),
            forger.with_claims(&claims),
        ];
        for token in tokens {
            if let Some(request) = request_with(&token, Place::Body) {
                assert_refused(request)?;
            }
        }
    }

    #[test]
    fn any_member_beside_ours_that_is_signed_is_refused(name in "\\PC{0,12}", value in any_json()) {
        let forger = Forger { now: NOW.0 };
        for name in [name.as_str(), "__proto__", "kid ", "sub"] {
            for token in [forger.with_member(name, value.clone()), forger.with_claim(name, value.clone())] {
                if let Some(request) = request_with(&token, Place::Body) {
                    assert_refused(request)?;
                }
            }
        }
    }

    #[test]
    fn any_event_of_an_authorizer_is_an_error_or_allows_the_called_method_alone(
        event in with_any_member("authorizer"),
    ) {
        let Ok(request) = serde_json::from_value::<ApiGatewayCustomAuthorizerRequestTypeRequest>(event) else {
            return Ok(());
        };
        let config = ::authorizer::Config::from_lookup(setting).unwrap();
        let service = ::authorizer::Service::new(config, keys(), store(), || NOW);
        let mut context = Context::default();
        context.request_id = "mint-1".into();
        let method_arn = request.method_arn.clone();
        if let Ok(allowed) = run(::authorizer::handle(&service, LambdaEvent::new(request, context))) {
            let resource = &allowed.policy_document.statement[0].resource;
            prop_assert_eq!(resource.len(), 1);
            prop_assert_eq!(unescaped(&resource[0]), method_arn);
        }
    }

    #[test]
    fn a60_any_path_is_allowed_alone(path in "[a-z*?${}:/%.]{0,60}") {
        let arn = format!("arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/Prod/GET/{path}");
        let policy = apigw::allow(&arn, String::new(), json!({})).policy_document;
        prop_assert_eq!(unescaped(&policy.statement[0].resource[0]), Some(arn));
    }
}
