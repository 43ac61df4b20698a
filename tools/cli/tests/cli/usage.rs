//! The counts of the hours, from a deployment that has some.

use crate::{
    as_operator,
    stub::{json, stub},
    token_auth,
};

const USAGE: &str = r#"{"from":"2026-11-26T08:00:00Z","to":"2026-11-26T11:00:00Z","hours":[
    {"hour":"2026-11-26T08:00:00Z","minted":120,"spent":100,"revoked":1,"due":120,"expiredUnused":19},
    {"hour":"2026-11-26T09:00:00Z","minted":0,"spent":2,"revoked":0,"due":0,"expiredUnused":0},
    {"hour":"2026-11-26T10:00:00Z","minted":12,"spent":3,"revoked":0,"due":1,"provisional":true}],
    "totals":{"minted":132,"spent":105,"revoked":1,"expiredUnused":19,"unreadable":UNREADABLE},
    "mintToSpend":{"count":105,"p50Seconds":2,"p90Seconds":64,"p99Seconds":4096}}"#;

fn counted(unreadable: &str) -> String {
    json("200 OK", &USAGE.replace("UNREADABLE", unreadable))
}

#[test]
fn the_hours_are_a_table_with_bars() {
    let (url, _) = stub(|_, _| counted("0"));
    let shown = as_operator(&url, &["usage"], "");
    let bar = |length| "█".repeat(length);
    let expected = format!(
        "\
hour (UTC)         minted    spent  revoked  expired unused
2026-11-26 08:00      120      100        1              19  {}
2026-11-26 09:00        0        2        0               0
2026-11-26 10:00       12        3        0               -  {} provisional
total                 132      105        1              19
mint to spend     p50 ≤ 2s   p90 ≤ 1m 4s   p99 ≤ 1h 8m 16s
",
        bar(30),
        bar(3)
    );
    assert_eq!((shown.code, shown.stdout.as_str(), shown.stderr.as_str()), (Some(0), expected.as_str(), ""));
}

#[test]
fn json_is_the_answer_of_the_api() {
    let (url, _) = stub(|_, _| counted("0"));
    let expected: serde_json::Value = serde_json::from_str(&USAGE.replace("UNREADABLE", "0")).unwrap();
    assert_eq!(as_operator(&url, &["usage", "--json"], "").json(), expected);
}

#[test]
fn records_that_were_not_counted_are_said() {
    let (url, _) = stub(|_, _| counted("7"));
    let shown = as_operator(&url, &["usage"], "");
    assert!(shown.stdout.ends_with("\nunreadable records 7, which are not in the table\n"), "{shown:?}");
}

#[test]
fn the_period_is_that_of_the_options() {
    let (url, requests) = stub(|_, _| counted("0"));
    for arguments in [
        &["usage"][..],
        &["usage", "--from", "2026-11-26T08:00:00Z", "--to", "2026-11-26T11:00:00+09:00"],
        &["usage", "--last", "3h"],
    ] {
        assert_eq!(as_operator(&url, arguments, "").code, Some(0), "{arguments:?}");
    }
    let lines: Vec<_> = requests.lock().unwrap().iter().map(|request| request.line.clone()).collect();
    assert_eq!(lines[0], "GET /usage");
    assert_eq!(lines[1], "GET /usage?from=2026-11-26T08%3A00%3A00Z&to=2026-11-26T11%3A00%3A00%2B09%3A00");
    let from = lines[2].strip_prefix("GET /usage?from=").unwrap().replace("%3A", ":");
    let ago = humantime::parse_rfc3339(&from).unwrap().elapsed().unwrap();
    assert!((10_800..10_860).contains(&ago.as_secs()), "{from}");
    for wrong in
        [&["usage", "--last", "0s"][..], &["usage", "--last", "1h", "--from", "x"], &["usage", "--last", "99y"]]
    {
        assert_eq!(as_operator(&url, wrong, "").code, Some(2), "{wrong:?}");
    }
}

#[test]
fn an_answer_that_is_not_the_usage_is_not_known() {
    for body in [
        "{}",
        r#"{"hours":{},"totals":{},"mintToSpend":{}}"#,
        r#"{"hours":[{"hour":"x"}],"totals":{"minted":1},"mintToSpend":{"count":0}}"#,
        r#"{"hours":[],"totals":{"minted":-1},"mintToSpend":{"count":0}}"#,
        r#"{"hours":[],"totals":{"minted":1}}"#,
    ] {
        let (url, _) = stub(move |_, _| json("200 OK", body));
        let shown = as_operator(&url, &["usage"], "");
        assert_eq!((shown.code, shown.stdout.as_str()), (Some(3), ""), "{body}: {shown:?}");
    }
    let (url, _) = stub(|_, _| counted("0"));
    assert_eq!(token_auth(&url, &["usage"], "").code, Some(4));
}
