//! Metrics, which CloudWatch takes from lines of the log.
//!
//! | metric | dimensions | counts |
//! | --- | --- | --- |
//! | `Refused` | `Stack`, `Reason` | refused tokens, by the six reasons of a 401 |
//! | `Replayed` | `Stack` | repeated claims that got their success again |
//! | `Unavailable` | `Stack` | responses with 503, failures of an authorizer, and failed fetches of the key ring |
//! | `CachedPolicy` | `Stack` | decisions of an authorizer that were made for another request |
//! | `StoreLatency` | `Stack` | milliseconds of a call to the store, of one call in a hundred |
//!
//! These are ten series for each stack, and CloudWatch charges for each by the month. Successes have none: a line
//! for each would cost as much as its write.
//!
//! A metric is an event with the target [`TARGET`]. In a function, [`layer`] writes it as one line in CloudWatch's
//! [embedded metric format][EMF]; in `local`, it is a line like any other. For a refusal or a 503 it is the only
//! line.
//!
//! [EMF]: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

use std::{error::Error, fmt, io::Write as _, time::Duration};

use serde_json::{Map, Value, json};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
};
use tracing_subscriber::{Layer, filter::filter_fn, fmt::MakeWriter, layer::Context, registry::LookupSpan};

use crate::{chain, time};

/// The namespace of the metrics in CloudWatch.
pub const NAMESPACE: &str = "token-auth";

/// The target of the events that are metrics.
pub const TARGET: &str = "metric";

/// The longest request ID that is logged, in bytes.
///
/// A client can choose its request ID. API Gateway's own have 36 bytes at most; a token, or a text that makes the
/// log expensive, is longer than this.
const MAX_REQUEST_ID_BYTES: usize = 64;

/// A metric.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Metric {
    /// Refused tokens, by reason.
    Refused,
    /// Repeated claims that got their success again.
    Replayed,
    /// Responses with 503, failures of an authorizer, and failed fetches of the key ring.
    Unavailable,
    /// Decisions of an authorizer that were made for another request.
    CachedPolicy,
    /// How long a call to the store took, in milliseconds.
    StoreLatency,
}

impl Metric {
    /// Every metric.
    pub const ALL: [Self; 5] =
        [Self::Refused, Self::Replayed, Self::Unavailable, Self::CachedPolicy, Self::StoreLatency];

    /// Its name in CloudWatch.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "Refused",
            Self::Replayed => "Replayed",
            Self::Unavailable => "Unavailable",
            Self::CachedPolicy => "CachedPolicy",
            Self::StoreLatency => "StoreLatency",
        }
    }

    /// The names of its dimensions in CloudWatch.
    #[must_use]
    pub const fn dimensions(self) -> &'static [&'static str] {
        match self {
            Self::Refused => &["Stack", "Reason"],
            _ => &["Stack"],
        }
    }

    /// Its definition in a line. A count needs no unit, and without one the line is shorter.
    fn definition(self) -> Value {
        match self {
            Self::StoreLatency => json!({"Name": self.name(), "Unit": "Milliseconds"}),
            _ => json!({"Name": self.name()}),
        }
    }
}

/// Logs and counts a refused token.
pub fn refused(reason: &'static str, request_id: &str) {
    let (metric, request_id) = (Metric::Refused.name(), loggable(request_id));
    tracing::info!(target: TARGET, metric, Reason = reason, requestId = request_id, "request refused");
}

/// Logs and counts a repeated claim that gets its success again.
pub fn replayed(request_id: &str) {
    let (metric, request_id) = (Metric::Replayed.name(), loggable(request_id));
    tracing::info!(target: TARGET, metric, requestId = request_id, "the success was repeated");
}

/// Logs and counts a failure because of which an outcome is unknown, or the key ring is; `what` failed.
///
/// Without a `cause`, an earlier line has it. Without a request, `request_id` is empty.
pub fn unavailable(what: &'static str, cause: Option<&(dyn Error + 'static)>, request_id: &str) {
    let (metric, request_id) = (Metric::Unavailable.name(), loggable(request_id));
    tracing::error!(target: TARGET, metric, error = cause.map(chain), requestId = request_id, "{what}");
}

/// Logs and counts a decision of an authorizer that was made for another request.
pub fn cached_policy(request_id: &str) {
    let (metric, request_id) = (Metric::CachedPolicy.name(), loggable(request_id));
    tracing::warn!(target: TARGET, metric, requestId = request_id, "the authorizer's decision was cached");
}

/// Logs how long a call to the store took.
pub fn store_latency(latency: Duration) {
    let (metric, value) = (Metric::StoreLatency.name(), latency.as_secs_f64() * 1e3);
    tracing::info!(target: TARGET, metric, value, "sample of a call to the store");
}

/// The request ID for the log; none if it is empty, or so long that a client must have chosen it.
pub(crate) fn loggable(request_id: &str) -> Option<&str> {
    (1..=MAX_REQUEST_ID_BYTES).contains(&request_id.len()).then_some(request_id)
}

/// Writes each metric to `writer` as a line in the embedded metric format, for the stack `stack`.
///
/// `level` is the function's own log level. It filters no metric: Lambda drops lines below it, and takes a line
/// without a valid level and RFC 3339 timestamp for INFO, so each line is stamped with it, or with ERROR if it
/// reports a failure.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html>
pub fn layer<S, W>(stack: String, level: Level, writer: W) -> impl Layer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + 'static,
{
    let is_metric = filter_fn(|metadata| metadata.target() == TARGET);
    Emf { stack, level, writer }.with_filter(is_metric.with_max_level_hint(LevelFilter::INFO))
}

/// Writes lines in the embedded metric format.
struct Emf<W> {
    stack: String,
    level: Level,
    writer: W,
}

impl<W> Emf<W> {
    /// The line of an event, whose fields are `members`, at a time in milliseconds since the Unix epoch.
    fn line(&self, level: Level, mut members: Map<String, Value>, now: u64) -> Option<String> {
        let name = members.remove("metric")?;
        let metric = Metric::ALL.into_iter().find(|metric| name == metric.name())?;
        let value = members.remove("value").unwrap_or_else(|| json!(1));
        let level = if level == Level::ERROR { level } else { self.level };
        members.insert(metric.name().to_owned(), value);
        members.insert("Stack".to_owned(), json!(self.stack));
        members.insert("level".to_owned(), json!(level.as_str()));
        members.insert("timestamp".to_owned(), json!(time::rfc3339_millis(now)));
        let directive =
            json!({"Namespace": NAMESPACE, "Dimensions": [metric.dimensions()], "Metrics": [metric.definition()]});
        members.insert("_aws".to_owned(), json!({"Timestamp": now, "CloudWatchMetrics": [directive]}));
        Some(format!("{}\n", Value::Object(members)))
    }
}

impl<S: Subscriber, W: for<'writer> MakeWriter<'writer> + 'static> Layer<S> for Emf<W> {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut members = Members::default();
        event.record(&mut members);
        if let Some(line) = self.line(*event.metadata().level(), members.0, time::epoch_millis()) {
            // In one write, so that lines do not mix. A log that is closed must not fail a request.
            _ = self.writer.make_writer().write_all(line.as_bytes());
        }
    }
}

/// The fields of an event, as members of its line.
#[derive(Default)]
struct Members(Map<String, Value>);

impl Visit for Members {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().to_owned(), json!(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), json!(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), json!(format!("{value:?}")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metrics_are_ten_series_for_each_stack() {
        const REASONS: usize = 6;
        let series = Metric::ALL.map(|metric| if metric.dimensions().contains(&"Reason") { REASONS } else { 1 });
        assert_eq!(series.iter().sum::<usize>(), 10);
    }

    #[test]
    fn a_request_id_that_could_be_a_token_is_not_logged() {
        assert_eq!(loggable(""), None);
        assert_eq!(loggable(&"i".repeat(64)), Some("i".repeat(64).as_str()));
        assert_eq!(loggable(&"i".repeat(65)), None);
    }
}
