//! What the key store logs. These tests have a binary to themselves: each has a subscriber for its thread,
//! and a test without one would disable the call sites for all threads.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

use std::{
    io,
    sync::{Arc, Mutex},
};

use aws::SecretsManagerKeyStore;
use harness::{
    FakeAws,
    fake_aws::{KEY, Reply},
};
use http::StatusCode;
use tokens::{KeyStore as _, Timestamp};
use tracing::subscriber::DefaultGuard;

const NOW: Timestamp = Timestamp(1_700_000_000);

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Collects everything that this thread logs, at every level, until the guard is dropped.
    fn collect() -> (Self, DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
        let guard = tracing::subscriber::set_default(subscriber.with_writer(move || writer.clone()).finish());
        (log, guard)
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The key store of a function that calls `aws` as Secrets Manager.
fn keys(aws: &FakeAws) -> Arc<SecretsManagerKeyStore> {
    harness::clients(&aws.url, "tokens").keys
}

#[tokio::test]
async fn the_reason_is_logged_when_an_outage_begins_and_every_ten_minutes_of_it() {
    let (log, _until_the_end) = Log::collect();
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
            let logged = log.text().matches("the key ring could not be fetched").count();
            assert_eq!(logged, (outage as usize - 1) * 3 + lines, "{second} s");
        }
        *is_down.lock().unwrap() = false;
        keys.ring(NOW.plus(outage * 1_000_000 + 1300)).await.unwrap();
    }
    assert_eq!(aws.calls("GetSecretValue"), 2 * (6 + 1), "each of the tries, and the good ones");

    *is_down.lock().unwrap() = true;
    for (seconds, lines) in [(0, 1), (590, 1), (600, 2)] {
        let _error = keys.ring(NOW.minus(seconds)).await;
        let logged = log.text().matches("the key ring could not be fetched").count();
        assert_eq!(logged, 2 * 3 + lines, "{seconds} s after a clock was set back");
    }
}

#[tokio::test]
async fn a61_no_key_is_in_the_log_at_any_level_even_when_the_reply_is_garbage() {
    let (log, _until_the_end) = Log::collect();
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
