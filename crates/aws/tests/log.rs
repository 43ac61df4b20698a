//! What the key store logs. Apart from other tests: each thread here has its own subscriber, and a
//! thread without one would switch the log's call sites off for all.

#![expect(clippy::unwrap_used, reason = "what a test cannot set up fails it")]

mod server;

use std::{
    io,
    sync::{Arc, Mutex},
};

use tokens::{KeyStore as _, Timestamp};
use tracing::subscriber::DefaultGuard;

use server::{KEY, Server, answer, secret};

const NOW: Timestamp = Timestamp(1_700_000_000);

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Collects all that this thread logs, at every level, until the guard is dropped.
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

#[tokio::test]
async fn the_reason_is_logged_once_for_each_outage() {
    let (log, _until_the_end) = Log::collect();
    let is_down = Arc::new(Mutex::new(true));
    let state = Arc::clone(&is_down);
    let missing = (400, r#"{"__type":"ResourceNotFoundException","message":"no such secret"}"#);
    let server = Server::start(move |_| if *state.lock().unwrap() { answer(missing) } else { secret() }).await;
    let keys = server.clients().keys;

    for outage in 1..=2 {
        *is_down.lock().unwrap() = true;
        for second in 0..100 {
            let _error = keys.ring(NOW.plus(outage * 1_000_000 + second)).await;
        }
        assert_eq!(log.text().matches("the key ring could not be fetched").count() as u64, outage);
        *is_down.lock().unwrap() = false;
        keys.ring(NOW.plus(outage * 1_000_000 + 200)).await.unwrap();
    }
    assert_eq!(server.calls("GetSecretValue"), 2 * (10 + 1), "one try in ten seconds, and the good ones");
}

#[tokio::test]
async fn a61_no_key_is_in_the_log_at_any_level_even_when_the_reply_is_garbage() {
    let (log, _until_the_end) = Log::collect();
    let good = Server::start(|_| secret()).await;
    good.clients().keys.ring(NOW).await.unwrap();
    let unnamed = format!(r#"{{"SecretString":"{{\"active\":\"k2\",\"k1\":\"{KEY}\"}}"}}"#);
    let broken = [format!(r#"{{"SecretString":"{KEY}"#), format!(r#"{{"SecretString":"{KEY}"}}"#), KEY.into(), unnamed];
    for garbage in broken {
        let bad = Server::start(move |_| answer((200, &garbage))).await;
        let keys = bad.clients().keys;
        let err = keys.ring(NOW).await.unwrap_err();
        assert!(!format!("{err:?}{keys:?}").contains(KEY));
    }

    let text = log.text();
    assert_eq!(text.matches("the key ring could not be fetched").count(), 4);
    assert!(text.contains("`active`") && text.contains("TRACE"));
    let leak = text.lines().find(|line| line.contains(KEY));
    assert_eq!(leak, None);
}
