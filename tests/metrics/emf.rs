//! The rules of CloudWatch's embedded metric format, and of Lambda's filter for log levels.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
//! <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html>

use apigw::metrics::{Metric, NAMESPACE};
use serde_json::{Value, json};

/// What the specification says of `_aws`, of the units only those that are in use.
fn schema() -> Value {
    let name = json!({"type": "string", "minLength": 1, "maxLength": 1024});
    let metric = json!({
        "type": "object",
        "required": ["Name"],
        "additionalProperties": false,
        "properties": {"Name": name, "Unit": {"enum": ["Count", "Milliseconds"]}, "StorageResolution": {"enum": [1, 60]}},
    });
    let dimensions = json!({
        "type": "array",
        "minItems": 1,
        "maxItems": 30,
        "items": {"type": "string", "minLength": 1, "maxLength": 250},
    });
    let directive = json!({
        "type": "object",
        "required": ["Namespace", "Dimensions", "Metrics"],
        "additionalProperties": false,
        "properties": {
            "Namespace": name,
            "Dimensions": {"type": "array", "minItems": 1, "items": dimensions},
            "Metrics": {"type": "array", "minItems": 1, "maxItems": 100, "items": metric},
        },
    });
    json!({
        "type": "object",
        "required": ["Timestamp", "CloudWatchMetrics"],
        "properties": {
            "Timestamp": {"type": "integer", "minimum": 0},
            "CloudWatchMetrics": {"type": "array", "minItems": 1, "items": directive},
        },
    })
}

/// The metric of a line, if it has one.
pub(crate) fn metric(line: &Value) -> Option<Metric> {
    let name = &line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"];
    Metric::ALL.into_iter().find(|metric| name == metric.name())
}

/// Asserts that CloudWatch takes exactly `metric` from `line`, that Lambda lets the line of a function with the log
/// level `least` through, and that both see the same recent time.
pub(crate) fn assert_counts(line: &Value, metric: Metric, least: &str) {
    let aws = &line["_aws"];
    let errors: Vec<_> =
        jsonschema::validator_for(&schema()).unwrap().iter_errors(aws).map(|err| err.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}: {line}");

    // The targets of the directive are members of the root.
    let [directive] = &aws["CloudWatchMetrics"].as_array().unwrap()[..] else { panic!("{line}") };
    assert_eq!(directive["Namespace"], NAMESPACE);
    assert_eq!(directive["Dimensions"], json!([metric.dimensions()]));
    for dimension in metric.dimensions() {
        let value = line[*dimension].as_str().unwrap_or_else(|| panic!("{dimension} is not a text: {line}"));
        assert!(!value.trim().is_empty() && value.len() <= 1024 && value.is_ascii(), "{line}");
    }
    assert_eq!(directive["Metrics"].as_array().unwrap().len(), 1);
    assert_eq!(directive["Metrics"][0]["Name"], metric.name());
    assert!(line[metric.name()].is_number(), "{line}");

    // An unknown level or time would be INFO for Lambda.
    let expected = if metric == Metric::Unavailable { "ERROR" } else { least };
    assert_eq!(line["level"], expected, "{line}");
    let millis = aws["Timestamp"].as_u64().unwrap();
    let second = apigw::parse_rfc3339(line["timestamp"].as_str().unwrap());
    assert_eq!(second, Some(millis / 1000), "{line}");
    assert!(apigw::epoch_seconds().abs_diff(millis / 1000) < 60, "{line}");
}
