//! What the functions would log.

use harness::Log;
use tracing::{Level, subscriber::DefaultGuard};

/// The log levels of a function, by the names that Lambda gives them.
pub(crate) const LEVELS: [(&str, Level); 5] = [
    ("TRACE", Level::TRACE),
    ("DEBUG", Level::DEBUG),
    ("INFO", Level::INFO),
    ("WARN", Level::WARN),
    ("ERROR", Level::ERROR),
];

/// Collects what a function of this log level would write from this thread, until the guard is dropped.
pub(crate) fn collect(level: Level) -> (Log, DefaultGuard) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = apigw::subscriber("metrics", "proof".to_owned(), level, move || writer.clone());
    (log, tracing::subscriber::set_default(subscriber))
}
