//! What watches the stack, if there is an address for alarms: alarms, a dashboard and saved queries.

use std::{collections::BTreeSet, io};

use apigw::metrics::{self, Metric, NAMESPACE};
use harness::Log;
use regex_lite::Regex;
use serde_json::{Value, json};

use crate::stack::{Stack, names};

/// The kinds of resources that exist only with an address.
const KINDS: [&str; 4] =
    ["AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard", "AWS::Logs::QueryDefinition", "AWS::SNS::Topic"];

/// The metrics of AWS that are in use: namespace, name, and the names of the dimensions.
///
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html>
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html>
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html>
const METRICS_OF_AWS: [(&str, &str, &[&str]); 10] = [
    ("AWS/ApiGateway", "4XXError", &["ApiName"]),
    ("AWS/ApiGateway", "5XXError", &["ApiName"]),
    ("AWS/ApiGateway", "Count", &["ApiName"]),
    ("AWS/ApiGateway", "Latency", &["ApiName"]),
    ("AWS/DynamoDB", "ConsumedWriteCapacityUnits", &["TableName"]),
    ("AWS/DynamoDB", "SuccessfulRequestLatency", &["TableName", "Operation"]),
    ("AWS/DynamoDB", "WriteThrottleEvents", &["TableName"]),
    ("AWS/Lambda", "Errors", &["FunctionName"]),
    ("AWS/Lambda", "IteratorAge", &["FunctionName"]),
    ("AWS/Lambda", "Throttles", &["FunctionName"]),
];

/// The stack with alarms.
fn watched() -> Stack {
    Stack::with(&[("AlarmEmail", "ops@example.com")])
}

/// Asserts that a metric exists: it is one of AWS, or one that the functions emit and a test reads back.
fn assert_exists(namespace: &str, name: &str, dimensions: &[&str]) {
    let is_of_aws = METRICS_OF_AWS.contains(&(namespace, name, dimensions));
    let own = Metric::ALL.into_iter().find(|metric| metric.name() == name && metric.dimensions() == dimensions);
    let is_own = namespace == NAMESPACE
        && own.is_some_and(|own| include_str!("../metrics/main.rs").contains(&format!("Metric::{own:?}")));
    assert!(is_of_aws || is_own, "there is no {namespace} {name} with {dimensions:?}");
}

/// Asserts that the metric exists that an alarm, or a part of an alarm, names in its members.
fn assert_metric(metric: &Value) {
    let dimensions: Vec<_> =
        metric["Dimensions"].as_array().unwrap().iter().map(|dimension| dimension["Name"].as_str().unwrap()).collect();
    assert_exists(metric["Namespace"].as_str().unwrap(), metric["MetricName"].as_str().unwrap(), &dimensions);
}

/// The anchors of the headings of docs/operations.md.
fn anchors() -> BTreeSet<String> {
    let headings = include_str!("../../docs/operations.md").lines().filter(|line| line.starts_with('#'));
    headings.map(|line| line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-").replace(',', "")).collect()
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn without_an_address_nothing_watches_the_stack_and_with_one_nothing_else_changes() {
    let (without, with) = (Stack::by_default(), watched());
    for (id, resource) in &with.resources {
        match without.resources.get(id) {
            Some(same) => assert_eq!(same, resource, "{id}"),
            None => assert!(KINDS.contains(&resource["Type"].as_str().unwrap()), "{id}"),
        }
    }
    for kind in KINDS {
        assert!(without.all(kind).is_empty() && !with.all(kind).is_empty(), "{kind}");
    }
    assert_eq!(
        with.the("AWS::SNS::Topic")["Subscription"],
        json!([{"Protocol": "email", "Endpoint": "ops@example.com"}])
    );
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn every_alarm_says_what_to_do_first_and_is_sent_when_it_begins_and_ends() {
    let (stack, anchors) = (watched(), anchors());
    for (id, alarm) in stack.all("AWS::CloudWatch::Alarm") {
        let description = alarm["AlarmDescription"].as_str().unwrap();
        assert!(description.contains(" First: ") && description.len() <= 1024, "{id}: {description}");
        let (_, anchor) = description.split_once("See docs/operations.md#").unwrap();
        assert!(anchors.contains(anchor), "{id}: there is no section {anchor} in {anchors:?}");
        assert_eq!(alarm["TreatMissingData"], "notBreaching", "{id}");
        for actions in ["AlarmActions", "OKActions"] {
            assert_eq!(alarm[actions], json!(["${AlarmTopic}"]), "{id}");
        }
    }
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn every_alarm_names_metrics_that_exist() {
    for (_, alarm) in watched().all("AWS::CloudWatch::Alarm") {
        match alarm["Metrics"].as_array() {
            None => assert_metric(alarm),
            Some(parts) => parts.iter().filter_map(|part| part.get("MetricStat")).for_each(|stat| {
                assert_metric(&stat["Metric"]);
            }),
        }
    }
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn the_alarm_for_replays_fires_above_its_threshold_in_five_minutes_by_whatever_function() {
    for (parameters, threshold) in [(&[][..], "20"), (&[("ReplayAlarmThreshold", "0")], "0")] {
        let stack = Stack::with(&[&[("AlarmEmail", "ops@example.com")], parameters].concat());
        let alarm = &stack.resources["ReplayAlarm"]["Properties"];
        assert_eq!((&alarm["Threshold"], &alarm["Period"]), (&threshold.into(), &300.into()));
        let dimensions =
            json!([{"Name": "Stack", "Value": "${AWS::StackName}"}, {"Name": "Reason", "Value": "already_used"}]);
        assert_eq!((&alarm["MetricName"], &alarm["Dimensions"]), (&"Refused".into(), &dimensions));
        assert_eq!(alarm["ComparisonOperator"], "GreaterThanThreshold");
    }
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn the_alarm_for_throttles_adds_up_every_function_that_serves_requests() {
    let stack = watched();
    let parts = stack.resources["ThrottleAlarm"]["Properties"]["Metrics"].as_array().unwrap().clone();
    let functions = parts.iter().filter_map(|part| part["MetricStat"]["Metric"]["Dimensions"][0]["Value"].as_str());
    let summed: BTreeSet<_> = functions.collect();
    // Those that the API may invoke. Lambda takes ten metrics in an alarm at most.
    let serving = stack.all("AWS::Lambda::Permission").into_iter();
    let serving = serving.filter(|(_, permission)| permission["Principal"] == "apigateway.amazonaws.com");
    let serving: BTreeSet<_> = serving
        .map(|(_, permission)| {
            let name = permission["FunctionName"].as_str().unwrap();
            name.strip_suffix(".Arn}").map_or_else(|| name.to_owned(), |name| format!("{name}}}"))
        })
        .collect();
    assert_eq!(summed, serving.iter().map(String::as_str).collect());
    assert!(summed.len() <= 10);
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn the_dashboard_shows_every_alarm_and_only_metrics_that_exist() {
    let stack = watched();
    let body: Value =
        serde_json::from_str(stack.the("AWS::CloudWatch::Dashboard")["DashboardBody"].as_str().unwrap()).unwrap();
    let widgets = body["widgets"].as_array().unwrap();
    let mut shown = BTreeSet::new();
    let mut series = 0;
    for widget in widgets {
        for alarm in widget["properties"]["alarms"].as_array().into_iter().flatten() {
            shown.insert(alarm.as_str().unwrap().to_owned());
        }
        for metric in widget["properties"]["metrics"].as_array().into_iter().flatten() {
            // Namespace, name, then a name and a value for each dimension, and how it is drawn.
            let texts: Vec<_> = metric.as_array().unwrap().iter().filter_map(Value::as_str).collect();
            let dimensions: Vec<_> = texts[2..].iter().copied().step_by(2).collect();
            assert_exists(texts[0], texts[1], &dimensions);
            series += 1;
        }
    }
    let alarms: BTreeSet<_> =
        stack.all("AWS::CloudWatch::Alarm").iter().map(|(id, _)| format!("${{{id}.Arn}}")).collect();
    assert_eq!(shown, alarms);
    assert!(series <= 50, "{series}: a free dashboard has 50 metrics");
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn the_saved_queries_read_every_log_of_the_functions_by_fields_that_their_lines_have() {
    let words = Regex::new(r"[@A-Za-z][A-Za-z0-9]*").unwrap();
    let constants = Regex::new(r#""[^"]*"|[0-9]+[a-z]?"#).unwrap();
    let language = ["filter", "ispresent", "stats", "sum", "as", "by", "bin", "sort", "fields", "desc", "asc", "limit"];
    let aliases = ["refusals", "hour"];
    let fields = fields();
    let stack = watched();
    let groups: Vec<_> = stack.all("AWS::Logs::LogGroup").iter().map(|(id, _)| format!("${{{id}}}")).collect();
    for (id, query) in stack.all("AWS::Logs::QueryDefinition") {
        assert!(query["Name"].as_str().unwrap().starts_with("${AWS::StackName}/"), "{id}");
        assert_eq!(query["LogGroupNames"], json!(groups), "{id}");
        let text = constants.replace_all(query["QueryString"].as_str().unwrap(), "").into_owned();
        for word in words.find_iter(&text).map(|found| found.as_str()) {
            let is_known = language.contains(&word) || aliases.contains(&word) || fields.contains(word);
            assert!(is_known, "{id}: no line has {word}: {fields:?}");
        }
    }
}

/// The fields of the lines of a refusal and of a 503, and those that CloudWatch adds.
fn fields() -> BTreeSet<String> {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = apigw::subscriber("template", "stack".to_owned(), tracing::Level::INFO, move || writer.clone());
    tracing::subscriber::with_default(subscriber, || {
        metrics::refused("expired", "request-1");
        metrics::unavailable("request failed", Some(&io::Error::other("broken")), "request-1");
    });
    let lines = log.lines().unwrap();
    assert_eq!(lines.len(), 2);
    let members = lines.iter().flat_map(names).map(ToOwned::to_owned);
    members.chain(["@log", "@timestamp"].map(ToOwned::to_owned)).collect()
}
