//! Logs.

use tracing::Level;

use crate::env;

/// Sends logs to standard error as JSON, from the level that Lambda passes on in
/// `AWS_LAMBDA_LOG_LEVEL` (the function's `ApplicationLogLevel`), else from INFO.
///
/// Never in a log: a token, a key, an `Authorization` header, a body.
pub fn init_telemetry() {
    let level = env("AWS_LAMBDA_LOG_LEVEL").and_then(|level| level.parse().ok()).unwrap_or(Level::INFO);
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .init();
}
