//! What the functions count: each metric is emitted and read back from the log, at each log level. These tests have a
//! binary to themselves: each has a subscriber for its thread, and a test without one would disable the call sites for
//! all threads.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

mod emf;
mod functions;
mod log;

use std::sync::{Arc, Mutex};

use apigw::metrics::Metric;
use harness::{
    FakeAws,
    fake_aws::{Reply, works},
};
use http::StatusCode;
use serde_json::{Value, json};
use tokens::{Claimant, KeyStore as _, Spend as _};

use crate::{
    emf::{assert_counts, metric},
    functions::{Functions, KEY, NOW, REQUEST_ID, jti},
    log::{LEVELS, collect},
};

/// The six reasons of a 401.
const REASONS: [&str; 6] = ["invalid_token", "expired", "not_yet_valid", "already_used", "revoked", "unknown_token"];

/// The longest line of a refusal, in bytes. docs/security.md computes the bill of a flood with it.
const MAX_REFUSAL_BYTES: usize = 340;

#[tokio::test]
async fn every_reason_of_a_401_is_counted_by_the_one_line_of_the_refusal_at_every_level() {
    for (name, level) in LEVELS {
        for reason in REASONS {
            let functions = Functions::new();
            let token = functions.token_refused_as(reason).await;
            for function in ["validate", "guard"] {
                let (log, _until_the_end) = collect(level);
                let answer = functions.spend(function, &token).await;
                assert_eq!(answer["reason"], reason, "{answer}");
                let [line] = &log.lines().unwrap()[..] else { panic!("{reason} at {name}: {}", log.text()) };
                assert_counts(line, Metric::Refused, name);
                assert_eq!((&line["Refused"], &line["Reason"]), (&json!(1), &json!(reason)));
                assert_eq!((&line["Stack"], &line["requestId"]), (&json!("proof"), &json!(REQUEST_ID)));
                assert!(log.text().len() <= MAX_REFUSAL_BYTES, "{} bytes: {line}", log.text().len());
            }
        }
    }
}

#[tokio::test]
async fn a_malformed_request_and_a_success_count_as_nothing() {
    let (log, _until_the_end) = collect(tracing::Level::TRACE);
    let functions = Functions::new();
    let token = functions.token().await;
    assert_eq!(functions.validate("validate", &token).await["isValid"], true);
    assert!(log.lines().unwrap().is_empty(), "{}", log.text());

    assert_eq!(functions.validate("validate", "").await["reason"], "invalid_request");
    assert_eq!(functions.guard("").await["reason"], "invalid_request");
    let lines = log.lines().unwrap();
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().all(|line| metric(line).is_none() && line["message"] == "request refused"), "{lines:?}");
}

#[tokio::test]
async fn a_repeated_success_is_counted_at_every_level() {
    for (name, level) in LEVELS {
        let functions = Functions::new();
        let token = functions.token().await;
        let (log, _until_the_end) = collect(level);
        functions.validate("validate-idempotency-key", &token).await;
        assert!(log.lines().unwrap().is_empty(), "{}", log.text());
        assert_eq!(functions.validate("validate-idempotency-key", &token).await["replayed"], true);
        let [line] = &log.lines().unwrap()[..] else { panic!("{name}: {}", log.text()) };
        assert_counts(line, Metric::Replayed, name);
        assert_eq!((&line["Replayed"], &line["requestId"]), (&json!(1), &json!(REQUEST_ID)));
    }
}

#[tokio::test]
async fn every_503_and_every_failure_of_an_authorizer_is_counted_by_its_one_line_at_every_level() {
    for (name, level) in LEVELS {
        let functions = Functions::new();
        let token = functions.token().await;
        functions.break_the_store();
        let (log, _until_the_end) = collect(level);
        assert_eq!(functions.validate("validate", &token).await["reason"], "unavailable");
        assert_eq!(functions.issue().await["reason"], "unavailable");
        assert_eq!(functions.guard(&token).await, Value::Null, "it failed");
        assert_eq!(functions.authorizer().await, Value::Null, "it failed");
        let lines = log.lines().unwrap();
        assert_eq!(lines.len(), 4, "{name}: {}", log.text());
        for line in &lines {
            assert_counts(line, Metric::Unavailable, name);
            assert_eq!((&line["Unavailable"], &line["requestId"]), (&json!(1), &json!(REQUEST_ID)));
            assert!(line["error"].as_str().unwrap().contains("the store of tokens is unavailable"), "{line}");
        }
    }
}

#[tokio::test]
async fn every_failed_fetch_of_the_key_ring_is_counted_also_while_the_old_ring_is_in_force() {
    for (name, level) in LEVELS {
        let (log, _until_the_end) = collect(level);
        let broken = std::sync::atomic::AtomicBool::new(false);
        let aws = FakeAws::start(move |_| match broken.swap(true, std::sync::atomic::Ordering::SeqCst) {
            false => Reply::key_ring(),
            true => Reply::secret("edited by hand"),
        });
        let keys = harness::clients(&aws.await.unwrap().url, "tokens").keys;
        keys.ring(NOW).await.unwrap();
        assert!(log.lines().unwrap().is_empty(), "{}", log.text());
        for (fetches, reasons, seconds) in [(1, 1, 330), (2, 1, 340), (3, 2, 930)] {
            keys.refresh_if_due(NOW.plus(seconds)).await;
            keys.ring(NOW.plus(seconds)).await.unwrap();
            let lines = log.lines().unwrap();
            assert_eq!(lines.len(), fetches, "{name}: {}", log.text());
            lines.iter().for_each(|line| assert_counts(line, Metric::Unavailable, name));
            assert_eq!(lines.iter().filter(|line| line["error"].is_string()).count(), reasons, "{}", log.text());
        }
    }
}

#[tokio::test]
async fn a_cached_decision_is_counted_whether_or_not_it_is_refused_at_every_level() {
    for (name, level) in LEVELS {
        for (check, status) in [("refuse", 500), ("count", 200)] {
            let (log, _until_the_end) = collect(level);
            assert_eq!(functions::hello(check, "hello-decision-of-another-request").await, status);
            let lines = log.lines().unwrap();
            let counted: Vec<_> = lines.iter().filter(|line| metric(line).is_some()).collect();
            let [line] = &counted[..] else { panic!("{check} at {name}: {}", log.text()) };
            assert_counts(line, Metric::CachedPolicy, name);
            assert_eq!((&line["CachedPolicy"], &line["requestId"]), (&json!(1), &json!(REQUEST_ID)));
            // The log has the cause of a 500, and the client does not.
            let failures = lines.iter().filter(|line| line["error"] == "the authorizer's decision was cached");
            assert_eq!(failures.count(), usize::from(status == 500), "{}", log.text());
        }
    }
}

#[tokio::test]
async fn one_in_a_hundred_calls_to_the_store_is_timed_at_every_level() {
    const CALLS: usize = 400;

    let aws = FakeAws::start(works).await.unwrap();
    let store = harness::clients(&aws.url, "tokens").store;
    for (name, level) in LEVELS {
        fastrand::seed(7);
        let (log, _until_the_end) = collect(level);
        for _ in 0..CALLS {
            store.spend(&jti(), &Claimant::of_invocation("i").unwrap(), NOW).await.unwrap();
        }
        let lines = log.lines().unwrap();
        assert!((1..=12).contains(&lines.len()), "{name}: {} of {CALLS}", lines.len());
        for line in &lines {
            assert_counts(line, Metric::StoreLatency, name);
            let millis = line["StoreLatency"].as_f64().unwrap();
            assert!(millis > 0.0 && millis < 1500.0, "{line}");
            assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Unit"], "Milliseconds");
        }
    }
}

#[tokio::test]
async fn a_flood_of_refusals_costs_a_line_each_in_which_there_is_no_token_no_jti_and_no_key() {
    const REFUSALS: usize = 500;

    let functions = Functions::new();
    let token = functions.token_refused_as("already_used").await;
    let jti = functions::jti_of(&token);
    let (log, _until_the_end) = collect(tracing::Level::TRACE);
    for _ in 0..REFUSALS {
        functions.validate("validate", &token).await;
        functions.guard(&token).await;
    }
    functions.guard("canary.canary.canary").await;
    let text = log.text();
    assert_eq!(text.lines().count(), 2 * REFUSALS + 1);
    assert!(log.lines().unwrap().iter().all(|line| metric(line) == Some(Metric::Refused)));
    for canary in [token.as_str(), token.rsplit('.').next().unwrap(), &jti, KEY, "canary", "eyJ"] {
        assert!(!text.contains(canary), "{canary} was logged");
    }
}

#[tokio::test]
async fn a_request_id_that_a_client_chose_is_escaped_and_one_that_could_be_a_token_is_left_out() {
    let functions = Functions::new();
    let token = functions.token().await;
    let (log, _until_the_end) = collect(tracing::Level::INFO);
    for (request_id, logged) in [(token.as_str(), Value::Null), ("a\"}\n{", json!("a\"}\n{"))] {
        functions.guard_of_request(request_id, "forged").await;
        functions.validate_of_request(request_id, "").await;
        let lines = log.lines().unwrap();
        assert!(lines[lines.len() - 2..].iter().all(|line| line["requestId"] == logged), "{}", log.text());
    }
    assert!(!log.text().contains(&token));
}

#[tokio::test]
async fn a_reply_that_is_an_error_at_every_attempt_is_one_line_with_its_cause() {
    let aws = FakeAws::start(|_| Reply::error(StatusCode::BAD_REQUEST, "AccessDeniedException")).await.unwrap();
    let keys = harness::clients(&aws.url, "tokens").keys;
    let (log, _until_the_end) = collect(tracing::Level::WARN);
    assert!(keys.ring(NOW).await.is_err());
    let [line] = &log.lines().unwrap()[..] else { panic!("{}", log.text()) };
    assert_counts(line, Metric::Unavailable, "WARN");
    assert!(line["error"].as_str().unwrap().contains("AccessDeniedException"), "{line}");
}

#[tokio::test]
async fn a_ring_that_was_edited_to_nonsense_is_counted_and_the_old_one_stays_in_force() {
    let ring = Arc::new(Mutex::new(Reply::key_ring()));
    let in_force = ring.clone();
    let aws = FakeAws::start(move |_| in_force.lock().unwrap().clone()).await.unwrap();
    let keys = harness::clients(&aws.url, "tokens").keys;
    let before = keys.ring(NOW).await.unwrap();

    *ring.lock().unwrap() = Reply::secret(r#"{"active":"k2"}"#);
    let (log, _until_the_end) = collect(tracing::Level::WARN);
    let later = NOW.plus(330);
    keys.refresh_if_due(later).await;

    let [line] = &log.lines().unwrap()[..] else { panic!("{}", log.text()) };
    assert_counts(line, Metric::Unavailable, "WARN");
    assert!(line["error"].as_str().unwrap().contains("`active` does not name"), "{line}");
    assert!(Arc::ptr_eq(&keys.ring(later).await.unwrap(), &before));
}
