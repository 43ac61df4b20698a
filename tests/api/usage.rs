//! The counts of use.

use serde_json::Value;

use crate::{
    api::{Answer, Api, body, send},
    target::Target,
};

async fn usage(api: &Api, query: &str) -> Answer {
    send(api.signed_get(&format!("/usage{query}"))).await
}

/// The totals of a report: minted, spent, revoked, unreadable.
fn totals(report: &Value) -> [u64; 4] {
    ["minted", "spent", "revoked", "unreadable"].map(|name| report["totals"][name].as_u64().unwrap())
}

#[tokio::test]
async fn what_happens_to_tokens_is_counted() {
    let api = Api::start("usage").await;
    if api.target != Target::Local {
        // There the stream is delivered within a minute, and other tests are counted too.
        assert_eq!(usage(&api, "").await.status, 200);
        return;
    }
    let tokens = [api.mint().await, api.mint().await, api.mint().await];
    assert_eq!(api.validate(body(&tokens[0])).await.status, 200);
    assert_eq!(api.validate(body(&tokens[0])).await.status, 401);
    for _ in 0..2 {
        assert_eq!(send(api.signed("/tokens/revoke", body(&tokens[1]))).await.status, 200);
    }

    for _ in 0..2 {
        let report = usage(&api, "").await.json();
        assert_eq!(totals(&report), [3, 1, 1, 0]);
        // They expire in five minutes, which may be in the next hour.
        assert_eq!(report["totals"]["expiredUnused"], 0);
        assert!(report["hours"].as_array().unwrap().iter().all(|hour| hour["provisional"] == true), "{report}");
        assert_eq!(report["mintToSpend"]["count"], 1);
    }
}

#[tokio::test]
async fn a_period_is_rounded_to_whole_hours_and_read_in_any_offset() {
    let api = Api::start("usage").await;
    for (query, from, to) in [
        ("?from=2026-01-31T12:34:56Z&to=2026-01-31T12:34:57Z", "2026-01-31T12:00:00Z", "2026-01-31T13:00:00Z"),
        ("?from=2026-01-31T12:00:00Z&to=2026-01-31T13:00:00Z", "2026-01-31T12:00:00Z", "2026-01-31T13:00:00Z"),
        (
            "?from=2026-02-01T00:00:00%2B09:00&to=2026-01-31T13:00:00-05:30",
            "2026-01-31T15:00:00Z",
            "2026-01-31T19:00:00Z",
        ),
        ("?to=2026-01-31T12:00:00Z", "2026-01-30T12:00:00Z", "2026-01-31T12:00:00Z"),
        ("?from=2026-01-01T00:30:00Z&to=2026-02-01T00:30:00Z&other=1", "2026-01-01T00:00:00Z", "2026-02-01T01:00:00Z"),
    ] {
        let report = usage(&api, query).await;
        assert_eq!(report.status, 200, "{query}: {}", report.body);
        assert_eq!((&report.json()["from"], &report.json()["to"]), (&from.into(), &to.into()), "{query}");
        assert_eq!(report.json()["mintToSpend"]["p50Seconds"], Value::Null, "{query}");
    }
}

#[tokio::test]
async fn a_period_that_is_none_is_400() {
    let api = Api::start("usage").await;
    for query in [
        "?from=",
        "?from=yesterday",
        "?from=1700000000",
        "?from=2026-01-31",
        "?to=2026-02-30T00:00:00Z",
        "?to=2026-01-31T00:00:00",
        "?to=1969-12-31T23:00:00Z",
        "?from=2026-01-31T12:00:00Z&to=2026-01-31T12:00:00Z",
        "?from=2026-01-31T12:00:01Z&to=2026-01-31T12:00:00Z",
        "?from=2099-01-01T00:00:00Z",
        "?from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:01Z",
        "?from=2025-01-31T12:00:00Z&to=2026-01-31T12:00:00Z",
        "?to=2026-01-31T12:00:00Z&to=2026-01-31T12:00:00Z",
    ] {
        assert_eq!(usage(&api, query).await.refusal(), (400, "invalid_request".into()), "{query}");
    }
}
