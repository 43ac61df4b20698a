//! `race`, with deployments that keep the promise, and with others.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Command, Stdio},
};

use crate::{
    PROGRAM, command, local,
    stub::{accepted, json, minted, stub, used},
    token_auth,
};

#[test]
fn one_use_holds_on_local() {
    let ended = token_auth(&local(), &["race", "--tokens", "10", "--clients", "8"], "");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for line in ["accepted by exactly one      10 of 10\n", "accepted by more, by none     0, 0\n", "one use held\n"] {
        assert!(ended.stdout.contains(line), "{}", ended.stdout);
    }
    assert!(ended.stdout.contains("refused                      70  already_used, one time of use per token\n"));
}

#[test]
fn a_cut_connection_is_asked_again_with_the_same_key() {
    let json = token_auth(&local(), &["race", "--tokens", "5", "--clients", "4", "--drop", "1", "--json"], "").json();
    assert_eq!((json["verdict"].as_str(), json["claims"]["cut"].as_u64()), (Some("held"), Some(20)), "{json}");
    // Each claim was made once before its last answer, so each acceptance is most likely a replay.
    assert!(json["claims"]["replayed"].as_u64() > Some(0), "{json}");
}

#[test]
fn a_deployment_that_accepts_twice_is_found_out() {
    let (url, _) = stub(|line, before| match line {
        "GET /tokens" => minted(),
        "POST /validate" if before % 4 < 2 => accepted(),
        "POST /validate" => used("2026-11-26T01:30:36Z"),
        _ => json("200 OK", "{}"),
    });

    let ended = token_auth(&url, &["race", "--tokens", "3", "--clients", "4"], "");

    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("accepted by more, by none     3, 0\n"), "{}", ended.stdout);
    assert!(ended.stdout.contains("of-the-stub  accepted by 2 clients\n"), "{}", ended.stdout);
    assert!(ended.stdout.ends_with("\none use is broken: for 3 of 3 tokens\n"), "{}", ended.stdout);
}

#[test]
fn a_deployment_that_forgets_whom_it_accepted_is_found_out() {
    // Each claim whose answer is lost is refused when it is made again.
    let (url, _) = stub(|line, _| match line {
        "GET /tokens" => minted(),
        "POST /validate" => used("2026-11-26T01:30:36Z"),
        _ => json("200 OK", "{}"),
    });
    let ended = token_auth(&url, &["race", "--tokens", "2", "--clients", "2", "--drop", "1"], "");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("accepted by more, by none     0, 2\n"), "{}", ended.stdout);
}

#[test]
fn a_cut_claim_that_is_throttled_afterwards_does_not_blame_the_deployment() {
    // Whichever request is the first has spent the token, and then its client is throttled.
    let (url, _) = stub(|line, before| match (line, before) {
        ("GET /tokens", _) => minted(),
        ("POST /validate", 0..4) => String::new(),
        ("POST /validate", 4..6) => used("2026-11-26T01:30:36Z"),
        ("POST /validate", _) => json("429 Too Many Requests", "{}"),
        _ => json("200 OK", "{}"),
    });
    let ended = token_auth(&url, &["race", "--tokens", "1", "--clients", "4", "--drop", "1"], "");
    assert_eq!(ended.code, Some(3), "{ended:?}");
}

#[test]
fn a_success_that_is_faster_than_the_cut_counts() {
    // Both clients are told yes, and then that it was used. Which answer is faster than its cut is chance.
    let found = (0..20).any(|_| {
        let (url, _) = stub(|line, before| match (line, before) {
            ("GET /tokens", _) => minted(),
            ("POST /validate", 0..2) => accepted(),
            ("POST /validate", _) => used("2026-11-26T01:30:36Z"),
            _ => json("200 OK", "{}"),
        });
        let ended = token_auth(&url, &["race", "--tokens", "1", "--clients", "2", "--drop", "1"], "");
        ended.stdout.contains("accepted by more, by none     1, 0\n")
    });
    assert!(found);
}

#[test]
fn missing_answers_show_nothing() {
    let (url, _) = stub(|line, before| match (line, before) {
        ("GET /tokens", _) => minted(),
        ("POST /validate", 0) => accepted(),
        ("POST /validate", _) => json("503 Service Unavailable", r#"{"message":"Down","reason":"unavailable"}"#),
        _ => json("200 OK", "{}"),
    });
    let ended = token_auth(&url, &["race", "--tokens", "1", "--clients", "4"], "");
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stdout.contains("not known                     3\n"), "{}", ended.stdout);
    assert!(ended.stdout.ends_with("one use was not shown: it held for 0 of 1 tokens\n"), "{}", ended.stdout);
}

#[test]
fn a_deployment_that_mints_nothing_ends_the_race() {
    let (url, requests) =
        stub(|_, _| json("403 Forbidden", r#"{"message":"Request refused","reason":"invalid_request"}"#));
    let ended = token_auth(&url, &["race", "--json"], "");
    assert_eq!((ended.code, ended.json()["endedBy"]["reason"].as_str()), (Some(4), Some("not_allowed")), "{ended:?}");
    assert!(requests.lock().unwrap().iter().all(|request| request.line != "POST /validate"));
}

#[test]
fn another_machine_is_not_raced_without_consent() {
    for url in ["http://192.0.2.1", "https://token-auth.example/Prod"] {
        let ended = token_auth(url, &["race", "--tokens", "10", "--clients", "9"], "y\n");
        assert_eq!(ended.code, Some(2));
        let expected = format!("the race writes 10 rows by 109 requests at {url}");
        assert!(ended.error().starts_with(&expected) && ended.error().ends_with(": agree with --yes"), "{ended:?}");
    }
}

#[test]
fn numbers_out_of_range_are_wrong_use() {
    for arguments in [["--clients", "0"], ["--clients", "1"], ["--tokens", "0"], ["--rate", "0"], ["--drop", "2"]] {
        let ended = token_auth("http://127.0.0.1:1", &[&["race"], &arguments[..]].concat(), "");
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(ended.stderr.contains(arguments[0]), "{}", ended.stderr);
    }
}

#[test]
fn the_rate_is_kept() {
    let began = std::time::Instant::now();
    let ended = token_auth(&local(), &["race", "--tokens", "5", "--clients", "4", "--rate", "10"], "");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(began.elapsed().as_secs_f64() > 1.9, "5 tokens, 25 requests: {:?}", began.elapsed());
}

#[test]
fn an_interrupted_race_reports_what_it_has_seen() {
    let mut race = command(PROGRAM);
    race.args(["--url", &local(), "race", "--tokens", "100000", "--clients", "2"]);
    let mut child = race.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with("racing 100000 tokens, 2 clients each, at http://127.0.0.1:"), "{first}");

    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();

    assert_eq!(child.wait().unwrap().code(), Some(3), "{stdout}");
    assert!(stdout.starts_with("accepted by exactly one ") && stdout.contains("\none use was not shown: "), "{stdout}");
    assert!(stdout.ends_with(". The race was interrupted\n"), "{stdout}");
}
