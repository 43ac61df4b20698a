//! Deployments that do not answer as they should: never a yes, and never a no.

use crate::{
    stub::{TOKEN, accepted, answer, json, minted, stub, used},
    token_auth,
};

/// The commands that anyone can run, each with one request.
const COMMANDS: [&[&str]; 2] = [&["get"], &["validate", "--no-retry"]];

#[test]
fn an_answer_that_is_not_the_apis_is_not_known() {
    let html = "<!doctype html><title>Bad gateway</title>";
    for (reply, expected) in [
        (
            answer("502 Bad Gateway", "Content-Type: text/html\r\n", html),
            "answered 502 Bad Gateway: the outcome is not known",
        ),
        (
            answer("200 OK", "Content-Type: text/html\r\n", html),
            "answered 200 OK: this is not an answer of the API: is the URL right?",
        ),
        (
            answer("204 No Content", "", ""),
            "answered 204 No Content: this is not an answer of the API: is the URL right?",
        ),
        (json("200 OK", "{}"), "answered 200 OK: this is not an answer of the API: is the URL right?"),
        (json("200 OK", r#"{"isValid":"true","accessToken":"a\nb"}"#), "answered 200 OK: this is not an answer"),
        (
            json("200 OK", &format!(r#"{{"isValid":true,"accessToken":"x","pad":"{}"}}"#, "x".repeat(600_000))),
            "answered 200 OK: ",
        ),
        (answer("404 Not Found", "", "no such page"), "answered 404 Not Found: this is not an answer"),
        (answer("401 Unauthorized", "", html), "answered 401 Unauthorized: this is not an answer"),
        (json("429 Too Many Requests", "{}"), "answered 429 Too Many Requests: too many requests: wait and try again"),
        (
            json("503 Service Unavailable", r#"{"reason":"unavailable","message":"Down"}"#),
            "answered 503 Service Unavailable (Down): ",
        ),
        (String::new(), "no answer from "),
        ("nonsense\r\n\r\n".to_owned(), "no answer from "),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{".to_owned(), "no answer from "),
    ] {
        let (url, _) = stub(move |_, _| reply.clone());
        for arguments in COMMANDS {
            let ended = token_auth(&url, arguments, TOKEN);
            assert_eq!((ended.code, ended.stdout.as_str()), (Some(3), ""), "{ended:?}");
            assert!(
                ended.error().starts_with("not known: ") && ended.error().contains(expected),
                "{expected}: {ended:?}"
            );
        }
    }
}

#[test]
fn a_redirect_is_named_and_not_followed() {
    let (elsewhere, requests) = stub(|_, _| accepted());
    let location = format!("Location: {elsewhere}/validate\r\n");
    let (url, _) = stub(move |_, _| answer("307 Temporary Redirect", &location, ""));
    for arguments in COMMANDS {
        let ended = token_auth(&url, arguments, TOKEN);
        assert_eq!(ended.code, Some(3));
        assert!(ended.error().contains(&format!("to {elsewhere}/validate: a redirect is not followed")), "{ended:?}");
    }
    assert_eq!(requests.lock().unwrap().len(), 0);
}

#[test]
fn a_dead_host_and_a_wrong_url_are_told_at_once() {
    for arguments in [&["get"][..], &["validate"], &["race"]] {
        let ended = token_auth("http://127.0.0.1:1", arguments, TOKEN);
        assert_eq!(ended.code, Some(3));
        let shown = format!("{}{}", ended.stdout, ended.stderr);
        assert!(
            shown.contains("no answer from http://127.0.0.1:1/") && shown.contains("Connection refused"),
            "{shown}"
        );
    }
    for url in ["nonsense", "127.0.0.1:3000", "ftp://127.0.0.1", "http://127.0.0.1/?token=x", "http://u:p@127.0.0.1"] {
        assert_eq!(token_auth(url, &["get"], "").code, Some(2), "{url}");
    }
}

#[test]
fn an_api_that_hangs_is_left_after_the_timeout() {
    let (url, _) = stub(|_, _| {
        std::thread::sleep(std::time::Duration::from_secs(5));
        accepted()
    });
    let ended = token_auth(&url, &["--timeout", "200ms", "validate", "--no-retry"], TOKEN);
    assert_eq!(ended.code, Some(3));
    assert!(ended.error().ends_with("(the token may be spent)"), "{ended:?}");
}

#[test]
fn a_refused_request_is_not_allowed() {
    let (url, _) = stub(|_, _| {
        json("403 Forbidden", r#"{"message":"Request refused","reason":"invalid_request","requestId":"an-id"}"#)
    });
    for arguments in COMMANDS {
        assert_eq!(token_auth(&url, arguments, TOKEN).code, Some(4));
        let error = &token_auth(&url, &[arguments, &["--json"]].concat(), TOKEN).json()["error"];
        assert_eq!([&error["reason"], &error["requestId"]], ["not_allowed", "an-id"]);
    }
}

#[test]
fn a_lost_answer_is_asked_for_again_with_the_same_key() {
    let (url, requests) = stub(|_, before| match before {
        0 => String::new(),
        1 => json("503 Service Unavailable", "{}"),
        2 => json("429 Too Many Requests", "{}"),
        _ => json("200 OK", r#"{"isValid":true,"message":"Token validated successfully","replayed":true}"#),
    });

    let ended = token_auth(&url, &["validate"], TOKEN);

    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.starts_with("accepted (replayed: "), "{ended:?}");
    let keys: Vec<_> = requests.lock().unwrap().iter().map(|it| it.key.clone().unwrap()).collect();
    assert_eq!(keys, vec![keys[0].clone(); 4]);
    token_auth(&url, &["validate"], TOKEN);
    assert_ne!(requests.lock().unwrap()[4].key.as_ref(), Some(&keys[0]));
}

#[test]
fn a_refusal_after_a_lost_answer_is_not_a_no() {
    let (url, _) = stub(|_, before| if before == 0 { String::new() } else { used("2026-11-26T01:30:36Z") });
    let ended = token_auth(&url, &["validate"], TOKEN);
    assert_eq!(ended.code, Some(3));
    let expected = "not known: an earlier request had no answer, and may have spent it; now it is already_used at ";
    assert!(ended.error().starts_with(expected), "{ended:?}");
}

#[test]
fn any_answer_after_a_lost_one_leaves_the_outcome_unknown() {
    for status in ["400 Bad Request", "403 Forbidden"] {
        let (url, _) = stub(move |_, before| match before {
            0 => String::new(),
            _ => json(status, r#"{"message":"Request refused","reason":"invalid_request"}"#),
        });
        let ended = token_auth(&url, &["validate"], TOKEN);
        assert_eq!(ended.code, Some(3), "{ended:?}");
        assert!(ended.error().contains("an earlier request had no answer, and may have spent it"), "{ended:?}");
    }
}

#[test]
fn no_retry_asks_once() {
    let (url, requests) = stub(|_, _| json("503 Service Unavailable", "{}"));
    token_auth(&url, &["validate", "--no-retry"], TOKEN);
    assert_eq!(requests.lock().unwrap().len(), 1);
}

#[test]
fn a_token_is_not_printed_even_if_the_api_sends_it_back() {
    let body = format!(
        r#"{{"isValid":false,"message":"{TOKEN}","reason":"{TOKEN}","requestId":"{TOKEN}","usedAt":"{TOKEN}"}}"#
    );
    let location = format!("Location: https://{TOKEN}.example/\r\n");
    for status in
        ["200 OK", "302 Found", "400 Bad Request", "401 Unauthorized", "403 Forbidden", "500 Internal Server Error"]
    {
        let (body, location) = (body.clone(), location.clone());
        let (url, _) =
            stub(move |line, _| if line == "GET /tokens" { minted() } else { answer(status, &location, &body) });
        for arguments in
            [&["validate", "--no-retry"][..], &["validate", "--no-retry", "--json"], &["race", "--tokens", "1"]]
        {
            let ended = token_auth(&url, arguments, TOKEN);
            let shown = format!("{}{}", ended.stdout, ended.stderr);
            let part = TOKEN.split('.').find(|part| shown.contains(part));
            assert!(part.is_none() && ended.code != Some(0), "{status}: {shown}");
        }
    }
}
