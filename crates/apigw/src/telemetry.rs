//! Logs.

use tracing::{Level, level_filters::LevelFilter};
use tracing_subscriber::{Layer as _, filter::filter_fn, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::env;

/// The libraries of this project. They never log a token, a key, an `Authorization` header or a body.
const OURS: [&str; 3] = ["apigw", "aws", "tokens"];

/// Sends the logs of `function` to standard error as JSON, from the level that Lambda passes on in
/// `AWS_LAMBDA_LOG_LEVEL` (the function's `ApplicationLogLevel`), else from INFO.
///
/// `function` is the crate that calls this: `env!("CARGO_CRATE_NAME")`.
pub fn init_telemetry(function: &'static str) {
    let level = env("AWS_LAMBDA_LOG_LEVEL").and_then(|level| level.parse().ok()).unwrap_or(Level::INFO);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_writer(std::io::stderr);
    let filter = filter_fn(move |metadata| is_logged(function, metadata.target(), *metadata.level(), level));
    // With the hint, a line below the level is skipped before it costs anything.
    let lines = lines.with_filter(filter.with_max_level_hint(level));
    tracing_subscriber::registry().with(lines).init();
}

/// Whether `function` logs a line of `target` at `level`, if its own log level is `least`.
///
/// Lines of other libraries below INFO are never logged, because they contain the data that the library
/// handles: Lambda's runtime writes whole events at TRACE, tokens included.
fn is_logged(function: &str, target: &str, level: Level, least: Level) -> bool {
    let is_ours = target.split("::").next().is_some_and(|name| name == function || OURS.contains(&name));
    let least = LevelFilter::from_level(least);
    level <= if is_ours { least } else { least.min(LevelFilter::INFO) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_libraries_never_log_below_info() {
        for library in ["lambda_runtime::layers::api_response", "aws_smithy_runtime", "hyper", ""] {
            assert!(!is_logged("hello", library, Level::DEBUG, Level::TRACE), "{library}");
            assert!(is_logged("hello", library, Level::INFO, Level::TRACE), "{library}");
            assert!(!is_logged("hello", library, Level::WARN, Level::ERROR), "{library}");
        }
    }

    #[test]
    fn this_project_logs_at_the_level_that_was_asked_for() {
        assert!(is_logged("hello", "aws::key_store", Level::TRACE, Level::TRACE));
        assert!(is_logged("hello", "hello", Level::INFO, Level::INFO));
        assert!(!is_logged("hello", "apigw::error", Level::DEBUG, Level::INFO));
    }
}
