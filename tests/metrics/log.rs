//! A log that is kept in memory.

use std::{
    io,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tracing::{Level, subscriber::DefaultGuard};

/// The log levels of a function, by the names that Lambda gives them.
pub(crate) const LEVELS: [(&str, Level); 5] = [
    ("TRACE", Level::TRACE),
    ("DEBUG", Level::DEBUG),
    ("INFO", Level::INFO),
    ("WARN", Level::WARN),
    ("ERROR", Level::ERROR),
];

/// What was logged.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Collects what a function of this log level would write from this thread, until the guard is dropped.
    pub(crate) fn collect(level: Level) -> (Self, DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = apigw::subscriber("metrics", "proof".to_owned(), level, move || writer.clone());
        (log, tracing::subscriber::set_default(subscriber))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The lines, each of which is JSON.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
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
