//! Attacks with minted tokens, and floods.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use ::validate::Service;
use apigw::Settings;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tokens::Timestamp;

use super::{
    INVALID, Place, Seen, empty_request,
    forged::{a01, a08, a14, a15, a19, a31, a80},
    forger::{Forger, sign},
    network::Network,
    request_with, seen, seen_by, set_header,
};
use crate::helpers::{
    NOW, UntouchedStore, answer, body, event, guard, guarded, jti, keys, minted, ports, service, service_at, setting,
    setting_with, store, token,
};

/// The answer to a client that spends `token` in the invocation `request_id`.
async fn spend(service: &Service, token: &str, request_id: &str) -> Seen {
    seen_by(service, request_with(token, Place::Body).unwrap(), request_id).await
}

/// The claims of a token.
fn claims(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a34_of_64_parallel_claims_one_succeeds() {
    for _ in 0..20 {
        let store = store();
        let token = minted(keys(), store.clone()).await;
        let service = Arc::new(service(keys(), store));
        let claims = (0..64).map(|claimant| {
            let (service, token) = (service.clone(), token.clone());
            tokio::spawn(async move { spend(&service, &token, &format!("spend-{claimant}")).await.outcome() })
        });
        let mut won = 0;
        for claim in claims.collect::<Vec<_>>() {
            match claim.await.unwrap() {
                (200, _) => won += 1,
                refusal => assert_eq!(refusal, (401, "already_used".into())),
            }
        }
        assert_eq!(won, 1);
    }
}

/// How a request, a guarded request or a revocation ended.
#[derive(Debug, Eq, PartialEq)]
enum End {
    Spent,
    Refused(String),
    Revoked,
}

#[tokio::test(flavor = "multi_thread")]
async fn a34_of_validate_guard_and_revoke_one_ends_a_token_and_every_loser_is_told_which() {
    for _ in 0..100 {
        let store = store();
        let token = minted(keys(), store.clone()).await;
        let mut claims = Vec::new();
        for claimant in 0..4 {
            let id = format!("claim-{claimant}");
            let (validate, request) = (service(keys(), store.clone()), event("validate", &token, &id));
            claims.push(tokio::spawn(async move {
                let response = ::validate::handle(&validate, request).await.unwrap();
                match response.status_code {
                    200 => End::Spent,
                    _ => End::Refused(body(&response)["reason"].as_str().unwrap().to_owned()),
                }
            }));
            let (guard, request) = (guard(keys(), store.clone()), event("guard", &token, &id));
            claims.push(tokio::spawn(async move {
                let answer = guarded(&guard, request).await.unwrap();
                match answer["policyDocument"]["Statement"][0]["Effect"].as_str() {
                    Some("Allow") => End::Spent,
                    _ => End::Refused(answer["context"]["reason"].as_str().unwrap().to_owned()),
                }
            }));
            let revoke = ::revoke::Service::new(Settings::new(&setting), ports(keys(), store.clone())).unwrap();
            let request = event("revoke", &token, &id);
            claims.push(tokio::spawn(async move {
                assert_eq!(::revoke::handle(&revoke, request).await.unwrap().status_code, 200);
                End::Revoked
            }));
        }
        let mut ends = Vec::new();
        for claim in claims {
            ends.push(claim.await.unwrap());
        }
        let winners = ends.iter().filter(|end| **end == End::Spent).count();
        let row = store.row(&jti(&token)).unwrap();
        assert_eq!((row.used_at.is_some(), row.revoked_at.is_some()), (winners == 1, winners == 0), "{ends:?}");
        let reason = if winners == 1 { "already_used" } else { "revoked" };
        let told = ends.iter().filter(|end| !matches!(end, End::Spent | End::Revoked));
        assert!(told.clone().all(|end| *end == End::Refused(reason.to_owned())), "{ends:?}");
        assert_eq!(told.count(), 8 - winners);
    }
}

#[tokio::test]
async fn a35_a_token_of_another_region_or_stage_is_refused_although_key_and_row_exist() {
    for (iss, aud) in [
        ("token-auth.eu-west-2", "token-auth.eu-west-2/Prod"),
        ("token-auth.eu-west-1", "token-auth.eu-west-1/Test"),
        ("other.eu-west-1", "other.eu-west-1/Prod"),
    ] {
        let store = store();
        let overrides = [("TOKEN_ISSUER", iss), ("TOKEN_AUDIENCE", aud)];
        let elsewhere = setting_with(&overrides);
        let settings = Settings::new(&elsewhere);
        let authorizer = ::authorizer::Service::new(settings, ports(keys(), store.clone())).unwrap();
        let token = token(&answer(&authorizer, event("authorizer", "", "mint-1")).await.unwrap());

        let here = service(keys(), store.clone());
        assert_eq!(spend(&here, &token, "spend-1").await.outcome(), (401, INVALID.into()));
        let there = Service::new(settings, ports(keys(), store)).unwrap();
        assert_eq!(spend(&there, &token, "spend-2").await.status, 200);
    }
}

#[tokio::test]
async fn a39_a_replay_after_the_row_was_deleted_is_expired_without_a_call_to_the_store() {
    let token = minted(keys(), store()).await;
    let long_after = service_at(|| NOW.plus(300 + 86_400), keys(), Arc::new(UntouchedStore));
    assert_eq!(spend(&long_after, &token, "spend-1").await.outcome(), (401, "expired".into()));
}

#[tokio::test]
async fn a42_a_claimant_that_a_client_invents_is_ignored() {
    let store = store();
    let token = minted(keys(), store.clone()).await;
    let service = service(keys(), store.clone());
    let forged = |name: &'static str, value: &'static str| {
        let mut request = request_with(&token, Place::Body).unwrap();
        set_header(&mut request, name, value);
        request
    };
    assert_eq!(seen_by(&service, forged("x-amzn-requestid", "r:theirs"), "spend-1").await.status, 200);
    assert_eq!(store.row(&jti(&token)).unwrap().used_by.unwrap().as_str(), "r:spend-1");

    let mut requests = vec![
        forged("x-amzn-requestid", "spend-1"),
        forged("lambda-runtime-aws-request-id", "spend-1"),
        forged("x-amzn-trace-id", "spend-1"),
        forged("x-claimant", "r:spend-1"),
        forged("requestcontext", r#"{"requestId":"spend-1"}"#),
        forged("idempotency-key", "r:spend-1"),
        forged("idempotency-key", "spend-1"),
    ];
    let mut in_body = empty_request();
    let members = json!({"token": token, "claimant": "r:spend-1", "used_by": "r:spend-1", "requestId": "spend-1"});
    in_body["body"] = members.to_string().into();
    let mut in_context = request_with(&token, Place::Body).unwrap();
    in_context["requestContext"]["requestId"] = "spend-1".into();
    requests.extend([in_body, in_context]);
    for (index, request) in requests.into_iter().enumerate() {
        assert_eq!(seen_by(&service, request, "spend-2").await.outcome(), (401, "already_used".into()), "{index}");
    }
}

#[tokio::test]
async fn a89_a_spent_token_in_another_encoding_is_spent_too() {
    let store = store();
    let token = minted(keys(), store.clone()).await;
    let service = service(keys(), store);
    assert_eq!(spend(&service, &token, "spend-1").await.status, 200);

    let claims = claims(&token);
    let pretty = serde_json::to_string_pretty(&claims).unwrap();
    let members: Vec<String> =
        claims.as_object().unwrap().iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    let reversed = format!("{{{}}}", members.into_iter().rev().collect::<Vec<_>>().join(","));
    let escaped = claims.to_string().replace("jti", r"\u006ati");
    for (index, writing) in [pretty, reversed, escaped].into_iter().enumerate() {
        let again = sign(Forger::header().to_string(), writing);
        assert!(again != token);
        assert_eq!(spend(&service, &again, "spend-2").await.outcome(), (401, "already_used".into()), "{index}");
    }
}

/// `validate` in a new environment that calls `network`, with the clock `now`.
fn in_network(network: &Arc<Network>, now: fn() -> Timestamp) -> Service {
    let clients = network.clients();
    service_at(now, clients.keys, clients.store)
}

fn calls(calls: &[(&str, usize)]) -> BTreeMap<String, usize> {
    calls.iter().map(|(action, times)| ((*action).to_owned(), *times)).collect()
}

#[tokio::test]
async fn a08_a_key_in_the_header_is_never_fetched() {
    let network = Arc::new(Network::default());
    let service = in_network(&network, || NOW);
    for token in a08(Forger { now: NOW.0 }) {
        assert_eq!(spend(&service, &token, "spend-1").await.outcome(), (401, INVALID.into()));
    }
    assert_eq!(network.calls(), calls(&[("GetSecretValue", 1)]));
}

#[tokio::test]
async fn a12_ten_thousand_unknown_kids_fetch_the_ring_once_in_ten_seconds() {
    static CLOCK: AtomicU64 = AtomicU64::new(NOW.0);

    let network = Arc::new(Network::default());
    let service = in_network(&network, || Timestamp(CLOCK.load(Ordering::SeqCst)));
    let garbage = spend(&service, "x", "spend-1").await;
    let forger = Forger { now: NOW.0 };
    for number in 0..10_000 {
        CLOCK.store(NOW.0 + number / 200, Ordering::SeqCst);
        let token = forger.with_member("kid", format!("k{}", 2 + number));
        assert_eq!(spend(&service, &token, "spend-1").await, garbage);
    }
    // In 50 s: the first ring, and then one fetch for each 10 s.
    assert_eq!(network.calls(), calls(&[("GetSecretValue", 1 + 5)]));
}

#[tokio::test]
async fn a66_ten_thousand_invalid_tokens_write_nothing() {
    let network = Arc::new(Network::default());
    let service = in_network(&network, || NOW);
    let tokens: Vec<String> =
        [a01, a14, a15, a19, a31, a80].iter().flat_map(|make| make(Forger { now: NOW.0 })).collect();
    for token in tokens.iter().cycle().take(10_000) {
        let request = request_with(token, Place::Body).unwrap();
        assert_eq!(seen(&service, request).await.outcome(), (401, INVALID.into()));
    }
    let fetched = network.calls();
    // A flipped bit can make a `kid` well-formed but unknown, which costs one more fetch.
    assert_eq!(fetched, calls(&[("GetSecretValue", 2)]));
}

#[tokio::test]
async fn a67_ten_thousand_replays_of_a_spent_token_cost_one_write() {
    let network = Arc::new(Network::default());
    let service = in_network(&network, || NOW);
    let token = Forger { now: NOW.0 }.good();
    for number in 0..10_000 {
        let answer = spend(&service, &token, &format!("spend-{number}")).await;
        assert_eq!(answer.outcome(), (401, "already_used".into()));
    }
    assert_eq!(network.calls(), calls(&[("GetSecretValue", 1), ("UpdateItem", 1)]));
}
