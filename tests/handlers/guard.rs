//! `guard`: spends the token of a request, and lets one request through.

use std::sync::Arc;

use apigw::{Event, Settings};
use serde_json::{Value, json};
use tokens::{Jti, Revoke as _, Timestamp};

use crate::helpers::{
    DownKeyStore, DownStore, IdleKeyStore, NOW, UntouchedStore, body, event, guard, guarded, invocation, jti, keys,
    minted, ports, sample, service, setting_with, store,
};

/// The request of `events/guard.json` with these headers in place of its token, in order.
fn request(headers: &[(&str, &str)]) -> Event {
    let mut request = sample("guard", "");
    for place in ["headers", "multiValueHeaders"] {
        request[place].as_object_mut().unwrap().remove("X-Access-Token");
    }
    for (name, value) in headers {
        request["headers"][*name] = (*value).into();
        let values = &mut request["multiValueHeaders"][*name];
        *values = values.as_array().into_iter().flatten().cloned().chain([Value::from(*value)]).collect();
    }
    invocation(&request, "guard-1")
}

/// The context of a Deny, if `answer` is one.
fn denied(answer: &Value) -> Option<(&str, &str)> {
    let is_denied = answer["policyDocument"]["Statement"][0]["Effect"] == "Deny" && answer["principalId"] == "refused";
    let context = &answer["context"];
    is_denied.then(|| (context["reason"].as_str().unwrap(), context["usedAt"].as_str().unwrap()))
}

#[tokio::test]
async fn it_lets_one_request_through_and_tells_the_route_what_was_spent() {
    let store = store();
    let token = minted(keys(), store.clone()).await;
    let guard = guard(keys(), store.clone());

    let answer = guarded(&guard, event("guard", &token, "guard-1")).await.unwrap();
    let arn = "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/Prod/POST/hello";
    let statement = json!([{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": arn}]);
    assert_eq!(answer["policyDocument"], json!({"Version": "2012-10-17", "Statement": statement}));
    let jti = jti(&token);
    let expected = json!({
        "jti": jti.to_string(),
        "issuedAt": "2023-11-14T22:13:20Z",
        "usedAt": "2023-11-14T22:13:20Z",
        "host": "abcdef1234.execute-api.eu-west-1.amazonaws.com",
        "spentFor": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
        "decidedAt": "2023-11-14T22:13:20Z",
    });
    assert_eq!((&answer["context"], &answer["principalId"]), (&expected, &jti.to_string().into()));

    for _ in 0..2 {
        let answer = guarded(&guard, event("guard", &token, "guard-2")).await.unwrap();
        assert_eq!(denied(&answer), Some(("already_used", "2023-11-14T22:13:20Z")));
        assert!(!answer.to_string().contains("eyJ"));
    }
}

#[tokio::test]
async fn the_same_invocation_delivered_again_is_another_claimant_and_is_refused() {
    let store = store();
    let token = minted(keys(), store.clone()).await;
    let guard = guard(keys(), store.clone());
    assert_eq!(denied(&guarded(&guard, event("guard", &token, "guard-1")).await.unwrap()), None);
    let used_by = store.row(&jti(&token)).unwrap().used_by.unwrap();
    let random = used_by.as_str().strip_prefix("r:guard-1.").unwrap();
    assert!(random.len() == 32 && random.bytes().all(|digit| digit.is_ascii_hexdigit()), "{random}");

    let again = guarded(&guard, event("guard", &token, "guard-1")).await.unwrap();
    assert_eq!(denied(&again), Some(("already_used", "2023-11-14T22:13:20Z")));
}

#[tokio::test]
async fn an_idempotency_key_is_ignored_so_that_a_retry_is_refused() {
    let store = store();
    let token = minted(keys(), store.clone()).await;
    let guard = guard(keys(), store);
    let request = || request(&[("X-Access-Token", &token), ("Idempotency-Key", "order-17")]);
    assert_eq!(denied(&guarded(&guard, request()).await.unwrap()), None);
    assert!(denied(&guarded(&guard, request()).await.unwrap()).is_some());
}

#[tokio::test]
async fn the_token_may_be_in_either_header_under_a_name_of_any_case() {
    for header in ["X-Access-Token", "x-access-token", "X-ACCESS-TOKEN"] {
        let store = store();
        let token = minted(keys(), store.clone()).await;
        let answer = guarded(&guard(keys(), store), request(&[(header, &token)])).await.unwrap();
        assert_eq!(denied(&answer), None, "{header}");
    }
    for header in ["Authorization", "authorization"] {
        for scheme in ["Bearer ", "bearer ", "BEARER  "] {
            let store = store();
            let token = minted(keys(), store.clone()).await;
            let request = request(&[(header, &format!("{scheme}{token}"))]);
            assert_eq!(denied(&guarded(&guard(keys(), store), request).await.unwrap()), None, "{header}: {scheme}");
        }
    }
}

#[tokio::test]
async fn no_token_or_more_than_one_is_a_deny_with_invalid_request_and_costs_no_call_to_the_store() {
    let guard = guard(keys(), Arc::new(UntouchedStore));
    let token = minted(keys(), store()).await;
    let bearer = format!("Bearer {token}");
    let requests: [&[(&str, &str)]; 7] = [
        &[],
        &[("X-Access-Token", "")],
        &[("Authorization", "")],
        &[("Authorization", "Basic dXNlcjpwYXNz")],
        &[("X-Access-Token", &token), ("X-Access-Token", &token)],
        &[("X-Access-Token", &token), ("x-access-token", &token)],
        &[("X-Access-Token", &token), ("Authorization", &bearer)],
    ];
    for (number, headers) in requests.into_iter().enumerate() {
        let answer = guarded(&guard, request(headers)).await.unwrap();
        assert_eq!(denied(&answer), Some(("invalid_request", "")), "request {number}");
    }
}

#[tokio::test]
async fn a_token_in_the_query_string_is_a_deny_with_invalid_request_whatever_the_headers_hold() {
    let guard = guard(keys(), Arc::new(UntouchedStore));
    let token = minted(keys(), store()).await;
    for name in ["token", "access_token"] {
        for header in ["", &token] {
            let mut request = sample("guard", header);
            request["queryStringParameters"] = json!({ name: token });
            let answer = guarded(&guard, invocation(&request, "guard-1")).await.unwrap();
            assert_eq!(denied(&answer), Some(("invalid_request", "")), "{name}");
        }
    }
}

#[tokio::test]
async fn a_body_is_not_looked_at() {
    // API Gateway does not pass it to an authorizer, and a direct caller gains nothing by it.
    let token = minted(keys(), store()).await;
    let mut request = sample("guard", "");
    request["body"] = json!({ "token": token }).to_string().into();
    let answer = guarded(&guard(keys(), Arc::new(UntouchedStore)), invocation(&request, "guard-1")).await.unwrap();
    assert_eq!(denied(&answer), Some(("invalid_request", "")));
}

#[tokio::test]
async fn every_refusal_is_a_deny_with_its_reason() {
    let minted_in = store();
    let token = minted(keys(), minted_in.clone()).await;
    let answer = guarded(&guard(keys(), store()), event("guard", &token, "guard-1")).await.unwrap();
    assert_eq!(denied(&answer), Some(("unknown_token", "")));
    minted_in.revoke(&jti(&token), NOW).await.unwrap();
    let answer = guarded(&guard(keys(), minted_in), event("guard", &token, "guard-1")).await.unwrap();
    assert_eq!(denied(&answer), Some(("revoked", "")));
    let token = minted(keys(), store()).await;
    let later = ::guard::Service::new(
        Settings::new(&setting_with(&[])),
        tokens::Ports { keys: keys(), store: Arc::new(UntouchedStore), now: || NOW.plus(300) },
    );
    let answer = guarded(&later.unwrap(), event("guard", &token, "guard-1")).await.unwrap();
    assert_eq!(denied(&answer), Some(("expired", "")));
    let answer = guarded(&guard(keys(), Arc::new(UntouchedStore)), event("guard", "eyJ.t.t", "guard-1")).await;
    assert_eq!(denied(&answer.unwrap()), Some(("invalid_token", "")));
}

#[tokio::test]
async fn a_token_revoked_while_the_environment_was_idle_is_refused() {
    let store = store();
    let token = minted(keys(), store.clone()).await;
    let guard = guard(Arc::new(IdleKeyStore::default()), store);
    let answer = guarded(&guard, event("guard", &token, "guard-1")).await.unwrap();
    assert_eq!(denied(&answer), Some(("revoked", "")));
}

#[tokio::test]
async fn a_token_of_another_audience_is_invalid_and_costs_no_call_to_the_store() {
    let named = [("TOKEN_AUDIENCE", "token-auth.eu-west-1/report-link")];
    let untouched = ports(keys(), Arc::new(UntouchedStore));
    let settings = setting_with(&named);
    let of_links = ::guard::Service::new(Settings::new(&settings), untouched).unwrap();
    let open = minted(keys(), store()).await;
    let answer = guarded(&of_links, event("guard", &open, "guard-1")).await.unwrap();
    assert_eq!(denied(&answer), Some(("invalid_token", "")));

    let (links, shared) = (crate::issue::minted_for("report-link", store()).await, store());
    let answer = guarded(&guard(keys(), Arc::new(UntouchedStore)), event("guard", &links, "guard-1")).await.unwrap();
    assert_eq!(denied(&answer), Some(("invalid_token", "")));
    let validate = service(keys(), Arc::new(UntouchedStore));
    let response = ::validate::handle(&validate, event("validate", &links, "validate-1")).await.unwrap();
    assert_eq!((response.status_code, body(&response)["reason"].as_str()), (401, Some("invalid_token")));

    let links = crate::issue::minted_for("report-link", shared.clone()).await;
    let of_links = ::guard::Service::new(Settings::new(&settings), ports(keys(), shared)).unwrap();
    assert_eq!(denied(&guarded(&of_links, event("guard", &links, "guard-1")).await.unwrap()), None);
}

#[tokio::test]
async fn without_a_store_or_a_key_it_is_an_error_and_never_an_answer() {
    let token = minted(keys(), store()).await;
    for guard in [guard(keys(), Arc::new(DownStore)), guard(Arc::new(DownKeyStore), Arc::new(DownStore))] {
        let error = guarded(&guard, event("guard", &token, "guard-1")).await.unwrap_err();
        assert!(["the token could not be spent", "no keys to check with"].contains(&error.as_str()), "{error}");
    }
}

#[tokio::test]
async fn an_invocation_without_an_id_spends_nothing() {
    let token = minted(keys(), store()).await;
    let guard = guard(keys(), Arc::new(UntouchedStore));
    assert!(guarded(&guard, event("guard", &token, "")).await.is_err());
}

#[tokio::test]
async fn an_event_of_a_token_authorizer_is_an_error_and_spends_nothing() {
    let token = minted(keys(), store()).await;
    let mut event = sample("guard", &token);
    event["type"] = "TOKEN".into();
    event["authorizationToken"] = token.into();
    let error = guarded(&guard(keys(), Arc::new(UntouchedStore)), invocation(&event, "guard-1")).await.unwrap_err();
    assert_eq!(error, "the event's type is not REQUEST");
}

#[tokio::test]
async fn a_path_that_looks_like_a_pattern_is_allowed_as_itself_alone() {
    let store = store();
    let token = minted(keys(), store.clone()).await;
    let mut event = sample("guard", &token);
    event["methodArn"] = "arn:aws:execute-api:eu-west-1:123456789012:abc/Prod/POST/*/${aws:username}?".into();
    let answer = guarded(&guard(keys(), store), invocation(&event, "guard-1")).await.unwrap();
    let resource = answer["policyDocument"]["Statement"][0]["Resource"].as_str().unwrap();
    assert_eq!(resource, "arn:aws:execute-api:eu-west-1:123456789012:abc/Prod/POST/${*}/${$}{aws:username}${?}");
}

#[tokio::test]
async fn payload_2_0_has_a_simple_response() {
    let store = store();
    let token = minted(keys(), store.clone()).await;
    let guard = guard(keys(), store);
    let answer = guarded(&guard, event("guard-http-api", &token, "guard-1")).await.unwrap();
    assert_eq!((&answer["isAuthorized"], &answer["context"]["jti"]), (&true.into(), &jti(&token).to_string().into()));
    let answer = guarded(&guard, event("guard-http-api", &token, "guard-2")).await.unwrap();
    let context = json!({"reason": "already_used", "usedAt": "2023-11-14T22:13:20Z"});
    assert_eq!(answer, json!({"isAuthorized": false, "context": context}));

    // An HTTP API joins the values of a repeated header.
    let two = format!("{token},{token}");
    let answer = guarded(&guard, event("guard-http-api", &two, "guard-3")).await.unwrap();
    assert_eq!(answer["context"]["reason"], "invalid_request");
}

#[tokio::test]
async fn a_spend_whose_clock_is_behind_is_at_its_own_time() {
    let store = store();
    let token = minted(keys(), store.clone()).await;
    let now = || Timestamp(NOW.0 - 5);
    let settings = setting_with(&[]);
    let behind = ::guard::Service::new(Settings::new(&settings), tokens::Ports { keys: keys(), store, now }).unwrap();
    let answer = guarded(&behind, event("guard", &token, "guard-1")).await.unwrap();
    let context = &answer["context"];
    assert_eq!(
        (&context["issuedAt"], &context["usedAt"]),
        (&"2023-11-14T22:13:20Z".into(), &"2023-11-14T22:13:15Z".into())
    );
    assert!(Jti::parse(context["jti"].as_str().unwrap()).is_some());
}
