//! What the stack costs while it is idle and for a million lives of a token, computed from the template and the
//! constants of the code, and compared with docs/operations.md.

use std::time::Duration;

use apigw::metrics;
use aws::{Access, SAMPLED_CALLS};
use harness::{FUNCTIONS, Log};

use crate::read;

/// Prices in USD: us-east-1, February 2026. docs/operations.md has their sources.
mod price {
    /// A month of a secret.
    pub(super) const SECRET: f64 = 0.40;
    /// A month of each metric that an alarm reads.
    pub(super) const ALARM_METRIC: f64 = 0.10;
    /// A month of a dashboard.
    pub(super) const DASHBOARD: f64 = 3.00;
    /// A million requests to a REST API.
    pub(super) const REQUESTS: f64 = 3.50;
    /// A million write units on demand, each up to 1 kB.
    pub(super) const WRITES: f64 = 0.625;
    /// A million read units on demand, each up to 4 kB.
    pub(super) const READS: f64 = 0.125;
    /// A million invocations.
    pub(super) const INVOCATIONS: f64 = 0.20;
    /// A GB-second of a function on arm64.
    pub(super) const GB_SECOND: f64 = 0.000_013_333_4;
    /// A GB of log.
    pub(super) const LOG_GB: f64 = 0.50;
}

/// The routes of a token's life, each with the milliseconds of its invocations together, which docs/security.md
/// assumes.
const LIFE: [(&str, f64); 2] = [("GET /hello", 6.0), ("POST /validate", 5.0)];

/// The hours that a batch of the stream counts in, most of the time: that of the event, and that in which the tokens
/// expire. Each is an item that is read and written.
const ITEMS_OF_A_BATCH: f64 = 2.0;

/// The memory of a function in GB, from the parameter `MemorySize`.
const MEMORY_GB: f64 = 0.25;

/// How often the template has a line that begins with `text`.
fn count(template: &str, text: &str) -> f64 {
    template.lines().filter(|line| line.trim_start().starts_with(text)).map(|_| 1.0).sum()
}

/// The lines of the event of a route in the template.
fn event_of<'a>(template: &'a str, route: &str) -> Vec<&'a str> {
    let (method, path) = route.split_once(' ').unwrap();
    let lines: Vec<_> = template.lines().map(str::trim).collect();
    let is_event = |pair: &[&str]| pair[0] == format!("Method: {method}") && pair[1] == format!("Path: {path}");
    let at = lines.windows(2).position(is_event).unwrap();
    lines[at..].iter().copied().take_while(|line| !line.is_empty()).collect()
}

/// The bytes of the line that `log` writes, in a stack named `token-auth`.
fn bytes(log: impl FnOnce()) -> f64 {
    let written = Log::default();
    let writer = written.clone();
    let subscriber =
        apigw::subscriber("documents", "token-auth".to_owned(), tracing::Level::INFO, move || writer.clone());
    tracing::subscriber::with_default(subscriber, log);
    written.text().bytes().map(|_| 1.0).sum()
}

/// A table of items, numbers and USD, with their sum.
fn table(head: [&str; 3], rows: &[(&str, String, f64)]) -> String {
    let mut table = format!("| {} | {} | {} |\n| --- | --- | --- |\n", head[0], head[1], head[2]);
    for (item, number, usd) in rows {
        table += &format!("| {item} | {number} | {usd:.2} |\n");
    }
    let sum: f64 = rows.iter().map(|(_, _, usd)| usd).sum();
    table + &format!("| **sum** | | **{sum:.2}** |\n")
}

/// Asserts that docs/operations.md says `text`.
fn assert_documented(text: &str) {
    assert!(read("docs/operations.md").contains(text), "docs/operations.md does not say:\n{text}");
}

#[test]
fn an_idle_stack_costs_what_is_documented() {
    let template = read("template.yaml");
    let secrets = count(&template, "Type: AWS::SecretsManager::Secret");
    // An alarm reads one metric, or those of its expression.
    let alarms = count(&template, "Type: AWS::CloudWatch::Alarm");
    let metrics = alarms - count(&template, "Metrics:") + count(&template, "MetricStat:");
    let dashboards = count(&template, "Type: AWS::CloudWatch::Dashboard");
    let rows = [
        ("secret of the key ring, always", format!("{secrets}"), secrets * price::SECRET),
        ("metrics that alarms read, with `AlarmEmail`", format!("{metrics}"), metrics * price::ALARM_METRIC),
        ("dashboard, with `AlarmEmail`", format!("{dashboards}"), dashboards * price::DASHBOARD),
    ];
    assert_documented(&table(["item", "number", "USD a month"], &rows));
}

#[test]
fn a_million_lives_cost_what_is_documented() {
    let template = read("template.yaml");
    let (mut invocations, mut writes, mut millis) = (0.0, 0.0, 0.0);
    for (route, ms) in LIFE {
        let function = FUNCTIONS.iter().find(|function| function.routes.contains(&route)).unwrap();
        let authorizer =
            event_of(&template, route).into_iter().find_map(|line| line.strip_prefix("Auth: {Authorizer: "));
        let authorizer = authorizer.map(|name| match name.trim_end_matches('}') {
            "MintingAuthorizer" => "authorizer",
            "GuardAuthorizer" => "guard",
            other => panic!("{other}"),
        });
        let invoked = authorizer.map(harness::Function::named).into_iter().chain([*function]);
        for function in invoked {
            invocations += 1.0;
            writes += if matches!(function.access, Some(Access::Mint | Access::Spend)) { 1.0 } else { 0.0 };
        }
        millis += ms;
    }
    assert!(template.contains("MemorySize:\n    Description") && template.contains("Default: 256"));
    let requests = LIFE.map(|_| 1.0).iter().sum::<f64>();
    let line = bytes(|| metrics::store_latency(Duration::from_micros(4567)));
    let window =
        template.lines().find_map(|line| line.trim().strip_prefix("MaximumBatchingWindowInSeconds: ")).unwrap();
    let batches = 1.0 / window.parse::<f64>().unwrap();
    let log_bytes = writes / f64::from(SAMPLED_CALLS) * line;
    let rows = [
        ("requests", format!("{requests} million"), requests * price::REQUESTS),
        ("writes to the table", format!("{writes} million"), writes * price::WRITES),
        ("invocations", format!("{invocations} million"), invocations * price::INVOCATIONS),
        (
            "time of the functions, 256 MB on arm64",
            format!("{millis} ms each"),
            millis * 1e3 * MEMORY_GB * price::GB_SECOND,
        ),
        ("log of the metrics", format!("{log_bytes:.0} bytes each"), log_bytes * 1e-3 * price::LOG_GB),
        (
            "counting of their use, at one life a second",
            format!("{:.0} thousand batches", batches * 1e3),
            batches * (price::INVOCATIONS + ITEMS_OF_A_BATCH * (price::WRITES + price::READS)),
        ),
    ];
    assert_documented(&table(["item", "number", "USD"], &rows));
    let before: f64 = rows[..4].iter().map(|(_, _, usd)| usd).sum();
    let idle = price::SECRET;
    let before =
        format!("Without the metrics and the counting of use it was {before:.2} USD, and an idle month {idle:.2} USD.");
    assert_documented(&before);
}

#[test]
fn a_refusal_logs_what_is_documented() {
    let line = bytes(|| metrics::refused("invalid_token", "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"));
    assert_documented(&format!("A million refusals are {:.2} USD of log.", line * 1e-3 * price::LOG_GB));
    // The flood: 1,000 refusals a second for a day.
    let day = line * 86.4e6 * 1e-9 * price::LOG_GB;
    let flood =
        format!("about {:.0} bytes at 0.50 USD per GB, {day:.0} USD for that day", (line / 10.0).round() * 10.0);
    assert!(read("docs/security.md").contains(&flood), "docs/security.md does not say: {flood}");
}
