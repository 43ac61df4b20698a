//! Any header, body and event: never a success, never a call to the store.
//!
//! The store of these tests panics when it is called, and a panic is a 500.

use std::sync::{Arc, LazyLock};

use ::validate::Service;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    INVALID, Place, Request, empty_request, for_authorizer,
    forger::{Forger, sign},
    request_with,
    requests::unescaped,
    seen, set_headers,
};
use crate::helpers::{
    NOW, UntouchedStore, answer, authorizer, guard, guarded, invocation, keys, ports, sample, service, store,
};

static GUARD: LazyLock<::guard::Service> = LazyLock::new(|| guard(keys(), Arc::new(UntouchedStore)));

static SERVICE: LazyLock<Service> = LazyLock::new(|| service(keys(), Arc::new(UntouchedStore)));

/// Runs a handler to its end, because a property is not async.
fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Asserts that `request` is refused as malformed, too large or without a valid token.
fn assert_refused(request: Request) -> Result<(), TestCaseError> {
    // An error closes the route too.
    if let Ok(guarded) = run(guarded(&GUARD, invocation(&for_authorizer(request.clone()), "attack-1"))) {
        prop_assert!(is_denied(&guarded));
    }
    let seen = run(seen(&SERVICE, request));
    let reason = seen.reason();
    let is_refusal = matches!(
        (seen.status, reason.as_str()),
        (400, "invalid_request") | (401, INVALID) | (413, "request_too_large")
    );
    prop_assert!(is_refusal, "{} {}", seen.status, reason);
    Ok(())
}

/// Whether an authorizer's answer, in either format, closes the route.
fn is_denied(answer: &Value) -> bool {
    answer["policyDocument"]["Statement"][0]["Effect"] == "Deny" || answer["isAuthorized"] == false
}

/// Any JSON, including the names and values that the functions know.
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

/// The event `name` with any JSON in place of one member, of the event or of its request context.
fn with_any_member(name: &str) -> impl Strategy<Value = Value> + use<> {
    let event = sample(name, "eyJ.a.b");
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
        request["isBase64Encoded"] = is_base64.into();
        request["body"] = text.into();
        assert_refused(request.clone())?;
        request["isBase64Encoded"] = true.into();
        request["body"] = STANDARD.encode(bytes).into();
        assert_refused(request)?;
    }

    #[test]
    fn any_json_as_a_body_or_a_token_in_it_is_refused(body in any_json()) {
        let mut request = empty_request();
        request["body"] = body.to_string().into();
        assert_refused(request.clone())?;
        request["body"] = json!({ "token": body }).to_string().into();
        assert_refused(request)?;
    }

    #[test]
    fn any_headers_are_refused(
        headers in prop::collection::vec(
            (
                "(x-access-token|Authorization|idempotency-key|host|content-type)",
                prop::collection::vec("(Bearer )?\\PC{0,300}", 1..3),
            ),
            0..6,
        ),
    ) {
        let mut request = empty_request();
        for (name, values) in headers {
            set_headers(&mut request, &name, &values.iter().map(String::as_str).collect::<Vec<_>>());
        }
        assert_refused(request)?;
    }

    #[test]
    fn any_event_is_refused(event in with_any_member("validate-bearer")) {
        if apigw::Request::parse(&invocation(&event, "")).is_ok() {
            assert_refused(event)?;
        } else {
            prop_assert_eq!(run(seen(&SERVICE, event)).outcome(), (500, "internal".to_owned()));
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
    fn any_additional_signed_member_is_refused(name in "\\PC{0,12}", value in any_json()) {
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
    fn any_event_of_an_authorizer_is_an_error_or_allows_only_the_called_method(
        event in with_any_member("authorizer"),
    ) {
        let service = authorizer(ports(keys(), store()));
        if let Ok(allowed) = run(answer(&service, invocation(&event, "mint-1"))) {
            let resource = allowed["policyDocument"]["Statement"][0]["Resource"].as_str().unwrap();
            prop_assert_eq!(&event["methodArn"], &json!(unescaped(resource)));
        }
    }

    #[test]
    fn any_event_of_a_guard_is_an_error_or_a_deny(event in with_any_member("guard")) {
        if let Ok(answer) = run(guarded(&GUARD, invocation(&event, "guard-1"))) {
            prop_assert!(is_denied(&answer));
        }
    }

    #[test]
    fn a60_for_any_path_only_that_path_is_allowed(path in "[a-z*?${}:/%.]{0,60}") {
        let mut event = sample("authorizer", "");
        event["methodArn"] = format!("arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/Prod/GET/{path}").into();
        let allowed = run(answer(&authorizer(ports(keys(), store())), invocation(&event, "mint-1"))).unwrap();
        let resource = allowed["policyDocument"]["Statement"][0]["Resource"].as_str().unwrap();
        prop_assert_eq!(&event["methodArn"], &json!(unescaped(resource)));
    }
}
