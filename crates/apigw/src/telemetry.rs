//! Logs.

use tracing::{Level, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    Layer as _, filter::filter_fn, fmt::MakeWriter, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::{ConfigError, Settings, env, metrics};

/// The libraries of this project. They never log a token, a key, an `Authorization` header or a body.
const OURS: [&str; 3] = ["apigw", "aws", "tokens"];

/// Where Lambda's runtime logs the error that a function returned, with its `Debug`.
const RETURNED_ERRORS: &str = "lambda_runtime::layers::panic";

/// Sends the logs of `function` to standard error as JSON, from the level that Lambda passes on in
/// `AWS_LAMBDA_LOG_LEVEL` (the function's `ApplicationLogLevel`), else from INFO.
///
/// Metrics go there too, at any level, under the name of the stack in `STACK_NAME`.
///
/// `function` is the crate that calls this: `env!("CARGO_CRATE_NAME")`.
///
/// # Errors
///
/// [`ConfigError`] if the stack has no name.
pub fn init_telemetry(function: &'static str) -> Result<(), ConfigError> {
    let stack = Settings::new(&env).text("STACK_NAME")?;
    let level = env("AWS_LAMBDA_LOG_LEVEL").and_then(|level| level.parse().ok()).unwrap_or(Level::INFO);
    subscriber(function, stack, level, std::io::stderr).init();
    Ok(())
}

/// What [`init_telemetry`] installs, for any `stack`, `level` and `writer`.
pub fn subscriber<W>(function: &'static str, stack: String, level: Level, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'writer> MakeWriter<'writer> + Clone + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_writer(writer.clone());
    let filter = filter_fn(move |metadata| is_logged(function, metadata.target(), *metadata.level(), level));
    // With the hint, a line below the level is skipped before it costs anything.
    let lines = lines.with_filter(filter.with_max_level_hint(level));
    tracing_subscriber::registry().with(lines).with(metrics::layer(stack, level, writer))
}

/// Whether `function` logs a line of `target` at `level`, if its own log level is `least`. Another layer
/// writes the lines of metrics.
///
/// Lines of other libraries below INFO are never logged, because they contain the data that the library
/// handles: Lambda's runtime writes whole events at TRACE, tokens included. Nor is the `Debug` of an error
/// that a function returned, which the runtime writes at ERROR: it may contain a reply of AWS, and a reply
/// may contain keys. The function has logged the error itself. (Of a panic the runtime only says that there
/// was one, and Rust writes its message to standard error.)
fn is_logged(function: &str, target: &str, level: Level, least: Level) -> bool {
    if target == metrics::TARGET || target == RETURNED_ERRORS {
        return false;
    }
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
    fn the_debug_of_a_returned_error_is_never_logged() {
        assert!(!is_logged("rotate", "lambda_runtime::layers::panic", Level::ERROR, Level::TRACE));
    }

    #[test]
    fn this_project_logs_at_the_level_that_was_asked_for() {
        assert!(is_logged("hello", "aws::key_store", Level::TRACE, Level::TRACE));
        assert!(is_logged("hello", "hello", Level::INFO, Level::INFO));
        assert!(!is_logged("hello", "apigw::error", Level::DEBUG, Level::INFO));
        assert!(!is_logged("hello", metrics::TARGET, Level::ERROR, Level::TRACE), "the line would be there twice");
    }
}
