//! What the stack costs while it is idle and for a million tokens, computed from the template and the
//! constants of the code, and compared with docs/cost.md.

use std::time::Duration;

use apigw::metrics;
use aws::{Access, SAMPLED_CALLS};
use harness::{FUNCTIONS, Function, Log};

use crate::read;

/// Prices in USD: us-east-1, February 2026. docs/cost.md has their sources.
mod price {
    /// A month of a secret.
    pub(super) const SECRET: f64 = 0.40;
    /// A month of each metric that an alarm reads.
    pub(super) const ALARM_METRIC: f64 = 0.10;
    /// A month of a dashboard.
    pub(super) const DASHBOARD: f64 = 3.00;
    /// A million requests to a REST API.
    pub(super) const REST_REQUESTS: f64 = 3.50;
    /// A million requests to an HTTP API, each up to 512 kB.
    pub(super) const HTTP_REQUESTS: f64 = 1.00;
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

/// A way to spend: the route that spends the token which `GET /hello` has minted, and the price of a million requests to
/// it. `POST /hello` stands for a route of the reader's own behind the guard, whose own function is not counted.
const SPENDS: [(&str, f64); 3] = [
    ("POST /validate", price::REST_REQUESTS),
    ("POST /hello", price::REST_REQUESTS),
    ("POST /hello", price::HTTP_REQUESTS),
];

/// The milliseconds of the functions for a token, together: docs/security.md assumes 6 for `GET /hello` and 5 for the rest.
const MILLIS: f64 = 11.0;

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

/// A table of items, each with a number and the USD in each column, and the sums of the columns.
fn table<const N: usize>(head: &str, rows: &[(&str, String, [f64; N])]) -> String {
    let cells = |values: [f64; N], mark: &str| values.map(|usd| format!(" {mark}{usd:.2}{mark} |")).concat();
    let mut table = format!("{head}\n| --- | --- |{}\n", " ---: |".repeat(N));
    for (item, number, usd) in rows {
        table += &format!("| {item} | {number} |{}\n", cells(*usd, ""));
    }
    let sums = std::array::from_fn(|column| rows.iter().map(|(_, _, usd)| usd[column]).sum());
    table + &format!("| **sum** | |{}\n", cells(sums, "**"))
}

/// Asserts that docs/cost.md says `text`.
fn assert_documented(text: &str) {
    assert!(read("docs/cost.md").contains(text), "docs/cost.md does not say:\n{text}");
}

/// The functions that a request to `route` invokes.
fn invoked(template: &str, route: &str) -> Vec<Function> {
    let function = FUNCTIONS.iter().find(|function| function.routes.contains(&route)).unwrap();
    let authorizer = event_of(template, route).into_iter().find_map(|line| line.strip_prefix("Auth: {Authorizer: "));
    match authorizer.map(|name| name.trim_end_matches('}')) {
        Some("MintingAuthorizer") => vec![Function::named("authorizer"), *function],
        // What is behind the guard is the reader's.
        Some("GuardAuthorizer") => vec![Function::named("guard")],
        Some(other) => panic!("{other}"),
        None => vec![*function],
    }
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
        ("secret of the key ring, always", format!("{secrets}"), [secrets * price::SECRET]),
        ("metrics that alarms read, with `AlarmEmail`", format!("{metrics}"), [metrics * price::ALARM_METRIC]),
        ("dashboard, with `AlarmEmail`", format!("{dashboards}"), [dashboards * price::DASHBOARD]),
    ];
    assert_documented(&table("| item | number | USD a month |", &rows));
}

#[test]
fn a_flood_of_every_open_method_costs_what_is_documented() {
    let routes: Vec<_> = FUNCTIONS.iter().flat_map(|function| function.routes).collect();
    let mut paths: Vec<_> = routes.iter().filter_map(|route| route.split_once(' ')).map(|(_, path)| path).collect();
    paths.sort_unstable();
    paths.dedup();
    // At 100 a second, a day has 8.64 million requests.
    let preflights = paths.iter().map(|_| 8.64 * price::REST_REQUESTS).sum::<f64>();
    let open = [39.0, 38.0, 75.0, 39.0, 32.0, preflights.round()].iter().sum::<f64>();
    let methods = 6 + paths.len();
    let security = read("docs/security.md");
    for text in [
        format!("about {open:.0} USD a day if all {methods} methods that anyone can call"),
        format!("the `OPTIONS` of {} paths ({preflights:.0})", paths.len()),
        format!("and the API has {}, preflights included", routes.len() + paths.len()),
    ] {
        assert!(security.contains(&text), "docs/security.md does not say: {text}");
    }
}

#[test]
fn a_million_tokens_cost_what_is_documented() {
    let template = read("template.yaml");
    assert!(template.contains("MemorySize:\n    Description") && template.contains("Default: 256"));
    let line = bytes(|| metrics::store_latency(Duration::from_micros(4567)));
    let window =
        template.lines().find_map(|line| line.trim().strip_prefix("MaximumBatchingWindowInSeconds: ")).unwrap();
    let batches = 1.0 / window.parse::<f64>().unwrap();
    let functions = SPENDS.map(|(spend, _)| [invoked(&template, "GET /hello"), invoked(&template, spend)].concat());
    let same = |counts: [usize; 3]| {
        assert!(counts.iter().all(|count| *count == counts[0]), "the ways differ: {counts:?}");
        f64::from(u32::try_from(counts[0]).unwrap())
    };
    let invocations = same(functions.each_ref().map(Vec::len));
    let is_write = |function: &&Function| matches!(function.access, Some(Access::Mint | Access::Spend));
    let writes = same(functions.each_ref().map(|functions| functions.iter().filter(is_write).count()));
    let log_bytes = writes / f64::from(SAMPLED_CALLS) * line;
    let rows = [
        ("requests", "2 million".to_owned(), SPENDS.map(|(_, spend)| price::REST_REQUESTS + spend)),
        ("writes to the table", format!("{writes} million"), [writes * price::WRITES; 3]),
        ("invocations", format!("{invocations} million"), [invocations * price::INVOCATIONS; 3]),
        (
            "time of the functions, 256 MB on arm64",
            format!("{MILLIS} ms a token"),
            [MILLIS * 1e3 * MEMORY_GB * price::GB_SECOND; 3],
        ),
        ("log of the metrics", format!("{log_bytes:.0} bytes a token"), [log_bytes * 1e-3 * price::LOG_GB; 3]),
        (
            "counting by `usage`, at one token a second",
            format!("{:.0} thousand batches", batches * 1e3),
            [batches * (price::INVOCATIONS + ITEMS_OF_A_BATCH * (price::WRITES + price::READS)); 3],
        ),
    ];
    let head = "| item | number | `POST /validate` | your route, REST API | your route, HTTP API |";
    assert_documented(&table(head, &rows));
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
