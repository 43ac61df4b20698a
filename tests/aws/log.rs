//! What the key store and the functions log about failed calls. These tests have a binary to themselves: each has a subscriber for its thread,
//! and a test without one would disable the call sites for all threads.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use apigw::{Event, Settings};
use aws::SecretsManagerKeyStore;
use harness::{
    FakeAws, Function, Log,
    fake_aws::{KEY, Reply},
    process::variables,
};
use http::StatusCode;
use lambda_runtime::Context;
use serde_json::{Value, value::RawValue};
use tokens::{KeyStore as _, Ports, RingVersions as _, Timestamp};
use tracing::{Level, subscriber::DefaultGuard};

const NOW: Timestamp = Timestamp(1_700_000_000);

/// Collects everything that this thread logs from `level` on, until the guard is dropped.
fn collect(level: Level) -> (Log, DefaultGuard) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(level);
    let guard = tracing::subscriber::set_default(subscriber.with_writer(move || writer.clone()).finish());
    (log, guard)
}

/// How many lines give the reason for which the key ring could not be fetched.
fn reasons(log: &Log) -> usize {
    let is_reason = |line: &&str| line.contains("the key ring could not be fetched") && line.contains("error=");
    log.text().lines().filter(is_reason).count()
}

/// The key store of a function that calls `aws` as Secrets Manager.
fn keys(aws: &FakeAws) -> Arc<SecretsManagerKeyStore> {
    harness::clients(&aws.url, "tokens").keys
}

#[tokio::test]
async fn the_reason_is_logged_when_an_outage_begins_and_every_ten_minutes_of_it() {
    let (log, _until_the_end) = collect(Level::TRACE);
    let is_down = Arc::new(Mutex::new(true));
    let state = Arc::clone(&is_down);
    let missing = Reply::error(StatusCode::BAD_REQUEST, "ResourceNotFoundException");
    let reply = move || if *state.lock().unwrap() { missing.clone() } else { Reply::key_ring() };
    let aws = FakeAws::start(move |_| reply()).await.unwrap();
    let keys = keys(&aws);

    for outage in 1..=2 {
        *is_down.lock().unwrap() = true;
        for (second, lines) in [(0, 1), (10, 1), (589, 1), (600, 2), (1189, 2), (1200, 3)] {
            let _error = keys.ring(NOW.plus(outage * 1_000_000 + second)).await;
            assert_eq!(reasons(&log), (outage as usize - 1) * 3 + lines, "{second} s");
        }
        *is_down.lock().unwrap() = false;
        keys.ring(NOW.plus(outage * 1_000_000 + 1300)).await.unwrap();
    }
    assert_eq!(aws.calls("GetSecretValue"), 2 * (6 + 1), "each of the tries, and the good ones");

    *is_down.lock().unwrap() = true;
    for (seconds, lines) in [(0, 1), (590, 1), (600, 2)] {
        let _error = keys.ring(NOW.minus(seconds)).await;
        assert_eq!(reasons(&log), 2 * 3 + lines, "{seconds} s after a clock was set back");
    }
}

#[tokio::test]
async fn a61_no_key_is_in_the_log_at_any_level_even_when_the_reply_is_garbage() {
    let (log, _until_the_end) = collect(Level::TRACE);
    let good = FakeAws::start(|_| Reply::key_ring()).await.unwrap();
    keys(&good).ring(NOW).await.unwrap();
    let unnamed = format!(r#"{{"active":"k2","k1":"{KEY}"}}"#);
    let cut_off = Reply::new(StatusCode::OK, format!(r#"{{"SecretString":"{KEY}"#));
    let not_json = Reply::new(StatusCode::OK, KEY.into());
    for garbage in [cut_off, not_json, Reply::secret(KEY), Reply::secret(&unnamed)] {
        let bad = FakeAws::start(move |_| garbage.clone()).await.unwrap();
        let keys = keys(&bad);
        let err = keys.ring(NOW).await.unwrap_err();
        assert!(!format!("{err:?}").contains(KEY));
        assert_eq!(format!("{keys:?}"), "SecretsManagerKeyStore { .. }");
    }

    let text = log.text();
    assert_eq!(text.matches("the key ring could not be fetched").count(), 4);
    assert!(text.contains("`active`") && text.contains("TRACE"));
    let leak = text.lines().find(|line| line.contains(KEY));
    assert_eq!(leak, None);
}

#[tokio::test]
async fn a61_an_error_of_a_rotation_shows_nothing_of_a_reply() {
    let cut_off = Reply::new(StatusCode::OK, format!(r#"{{"SecretString":"{KEY}"#));
    let not_json = Reply::new(StatusCode::OK, KEY.into());
    for reply in [cut_off, not_json] {
        let aws = FakeAws::start(move |_| reply.clone()).await.unwrap();
        let variables = variables(&aws.url, &aws.url, "tokens");
        let lookup =
            |name: &str| variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| value.clone());
        let versions = aws::ring_versions(Settings::new(&lookup)).unwrap();
        let errors = [
            versions.stages().await.unwrap_err(),
            versions.ring_json("v1").await.unwrap_err(),
            versions.put_pending("v1", "{}").await.unwrap_err(),
            versions.promote("v1", "v0").await.unwrap_err(),
            versions.release("v1").await.unwrap_err(),
        ];
        for err in errors {
            assert!(!format!("{err:?}").contains(KEY), "{err:?}");
        }
    }
}

/// The sample event of a function, in an invocation.
fn event(function: &str, token: &str) -> Event {
    let event = Function::named(function).event().unwrap().replace("TOKEN", token);
    let mut context = Context::default();
    context.request_id = "invocation-1".to_owned();
    Event::new(RawValue::from_string(event).unwrap(), context)
}

#[tokio::test]
async fn a61_the_log_names_the_cause_of_a_failed_call_and_nothing_of_its_reply() {
    const CANARY: &str = "canary-in-a-row";

    // At INFO, because the SDK logs replies below it. The functions' own filter drops those lines at any level.
    let (log, _until_the_end) = collect(Level::INFO);
    let is_broken = Arc::new(AtomicBool::new(false));
    let state = is_broken.clone();
    let aws = FakeAws::start(move |call| match call.action.as_str() {
        "GetSecretValue" => Reply::key_ring(),
        _ if !state.load(Ordering::SeqCst) => Reply::done(),
        _ => Reply::new(StatusCode::OK, format!(r#"{{"Attributes":{{"host":{{"S":"{CANARY}""#)),
    });
    let aws = aws.await.unwrap();
    let variables = variables(&aws.url, &aws.url, "tokens");
    let lookup = |name: &str| variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| value.clone());
    let clients = harness::clients(&aws.url, "tokens");
    let ports = Ports { keys: clients.keys, store: clients.store, now: || NOW };
    let authorizer = authorizer::Service::new(Settings::new(&lookup), ports.clone()).unwrap();
    let issue = issue::Service::new(Settings::new(&lookup), ports.clone()).unwrap();
    let validate = validate::Service::new(Settings::new(&lookup), ports).unwrap();
    let minted = issue::handle(&issue, event("issue", "")).await.unwrap();
    let minted: Value = serde_json::from_str(&minted.body).unwrap();
    let token = minted["token"].as_str().unwrap();

    is_broken.store(true, Ordering::SeqCst);
    authorizer::handle(&authorizer, event("authorizer", "")).await.unwrap_err();
    assert_eq!(issue::handle(&issue, event("issue", "")).await.unwrap().status_code, 503);
    assert_eq!(validate::handle(&validate, event("validate", token)).await.unwrap().status_code, 503);

    let text = log.text();
    assert_eq!(text.matches("the store of tokens is unavailable").count(), 3, "{text}");
    assert_eq!(text.matches("the authorizer failed").count(), 1);
    assert_eq!(text.matches("request failed").count(), 2);
    assert!(!text.contains(CANARY) && !text.contains(token));
}
