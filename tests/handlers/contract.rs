//! What `docs/api.md` says of the rest of a request, around a good token: what is refused, with which message,
//! and what is ignored.

use std::{collections::BTreeSet, fs};

use ::validate::handle;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::helpers::{body, event, invocation, keys, minted, sample, service, store};

/// A change of a request whose body has the good token `token`.
type Change = fn(&mut Value, token: &str);

/// The messages of the contract, each with requests that get it.
const REFUSED: [(&str, &[(&str, Change)]); 7] = [
    (
        "A token is required",
        &[
            ("no body", |request, _| request["body"] = Value::Null),
            ("empty tokens", |request, _| {
                set_body(request, &json!({"token": ""}));
                add_header(request, "Authorization", &["Bearer "]);
            }),
            ("an empty body", |request, _| request["body"] = "".into()),
            ("another member", |request, token| set_body(request, &json!({"accessToken": token}))),
            ("another scheme", |request, token| {
                request["body"] = Value::Null;
                add_header(request, "Authorization", &[&format!("Digest {token}")]);
            }),
        ],
    ),
    (
        "More than one token",
        &[
            ("body and header", |request, token| add_header(request, "X-Access-Token", &[token])),
            ("body and bearer", |request, token| {
                add_header(request, "Authorization", &[&format!("Bearer {token}")]);
            }),
            ("another token in a header", |request, _| add_header(request, "X-Access-Token", &["x"])),
            ("a repeated header", |request, token| {
                request["body"] = Value::Null;
                add_header(request, "X-Access-Token", &[token, token]);
            }),
        ],
    ),
    (
        "A token does not belong in the query string",
        &[
            ("token", |request, _| request["queryStringParameters"] = json!({"token": "x"})),
            ("access_token", |request, _| request["queryStringParameters"] = json!({"access_token": "x"})),
            ("an empty token", |request, _| request["queryStringParameters"] = json!({"page": "1", "token": ""})),
        ],
    ),
    (
        "Idempotency-Key must be one value of 1 to 255 printable ASCII characters",
        &[
            ("an empty key", |request, _| add_header(request, "Idempotency-Key", &[""])),
            ("a long key", |request, _| add_header(request, "Idempotency-Key", &[&"k".repeat(256)])),
            ("a key that is not ASCII", |request, _| add_header(request, "Idempotency-Key", &["ключ"])),
            ("a key with a tab", |request, _| add_header(request, "Idempotency-Key", &["a\tb"])),
            ("two keys", |request, _| add_header(request, "Idempotency-Key", &["a", "a"])),
        ],
    ),
    (
        "The body is not a JSON object with one string `token`",
        &[
            ("a form", |request, token| request["body"] = format!("token={token}").into()),
            ("an array", |request, token| set_body(request, &json!([token]))),
            ("a number", |request, _| set_body(request, &json!({"token": 1}))),
            ("a list of tokens", |request, token| set_body(request, &json!({"token": [token]}))),
            ("a repeated token", |request, token| {
                request["body"] = format!(r#"{{"token":"{token}","token":"{token}"}}"#).into();
            }),
            ("a byte order mark", |request, token| {
                request["body"] = format!("\u{feff}{}", json!({"token": token})).into();
            }),
            ("bytes that are not UTF-8", |request, token| {
                let bytes = [br#"{"token":""#, token.as_bytes(), b"\",\"x\":\"\xff\"}"].concat();
                set_base64(request, &STANDARD.encode(bytes));
            }),
            ("text and a header", |request, token| {
                request["body"] = "x".into();
                add_header(request, "X-Access-Token", &[token]);
            }),
            ("a space and a header", |request, token| {
                request["body"] = " ".into();
                add_header(request, "X-Access-Token", &[token]);
            }),
        ],
    ),
    ("The body is not base64", &[("JSON", |request, token| set_base64(request, &json!({"token": token}).to_string()))]),
    (
        "Body too large",
        &[
            ("4097 bytes", |request, token| set_body_of(request, token, 4097)),
            ("4097 bytes in base64", |request, token| {
                set_body_of(request, token, 4097);
                encode_body(request);
            }),
            ("4097 bytes and a header", |request, token| {
                request["body"] = "x".repeat(4097).into();
                add_header(request, "X-Access-Token", &[token]);
            }),
        ],
    ),
];

/// What is ignored in a request with a good token.
const IGNORED: [(&str, Change); 7] = [
    ("Content-Type", |request, _| add_header(request, "Content-Type", &["text/plain", "nonsense"])),
    ("another parameter", |request, _| request["queryStringParameters"] = json!({"page": "token", "Token": "x"})),
    ("an empty header", |request, _| add_header(request, "X-Access-Token", &[""])),
    ("another scheme", |request, _| add_header(request, "Authorization", &["Basic x", "Bearer "])),
    ("members", |request, token| {
        let deep = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
        request["body"] = format!(r#"{{"x":1,"x":{deep},"token":"{token}","Token":1}}"#).into();
    }),
    ("4096 bytes", |request, token| set_body_of(request, token, 4096)),
    ("4096 bytes in base64", |request, token| {
        set_body_of(request, token, 4096);
        encode_body(request);
    }),
];

fn add_header(request: &mut Value, name: &str, values: &[&str]) {
    request["headers"][name] = values.last().copied().into();
    request["multiValueHeaders"][name] = json!(values);
}

fn set_body(request: &mut Value, body: &Value) {
    request["body"] = body.to_string().into();
}

fn set_base64(request: &mut Value, body: &str) {
    request["isBase64Encoded"] = true.into();
    request["body"] = body.into();
}

/// Encodes the body as API Gateway does with one that is not text.
fn encode_body(request: &mut Value) {
    let encoded = STANDARD.encode(request["body"].as_str().unwrap());
    set_base64(request, &encoded);
}

/// Sets a body with the token and another member, `length` bytes in all.
fn set_body_of(request: &mut Value, token: &str, length: usize) {
    let shortest = json!({"other": "", "token": token}).to_string();
    set_body(request, &json!({"other": "x".repeat(length - shortest.len()), "token": token}));
}

/// A message without what surrounds or ends it in a table.
fn bare(message: &str) -> String {
    message.trim_matches(['|', ' ', '`']).to_owned()
}

/// The messages that the contract lists for 400 and 413.
fn documented() -> BTreeSet<String> {
    let document = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/api.md")).unwrap();
    let (_, section) = document.split_once("\n### Other statuses\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| 4"));
    rows.map(|row| bare(row.split(" | ").nth(2).unwrap())).collect()
}

/// The request with `token` and a `change`.
fn changed(token: &str, change: Change) -> Value {
    let mut request = sample("validate", token);
    change(&mut request, token);
    request
}

/// Every refused request, with `token`.
pub(crate) fn refused(token: &str) -> impl Iterator<Item = Value> {
    REFUSED.iter().flat_map(|(_, requests)| *requests).map(move |(_, change)| changed(token, *change))
}

#[tokio::test]
async fn a43_a44_a46_a47_a_refused_request_gets_its_message_of_the_contract_and_spends_nothing() {
    let store = store();
    let token = minted(keys(), store.clone()).await;
    let service = service(keys(), store);
    for (message, requests) in REFUSED {
        let expected = if message == "Body too large" { (413, "request_too_large") } else { (400, "invalid_request") };
        for (name, change) in requests {
            let response = handle(&service, invocation(&changed(&token, *change), "spend-1")).await.unwrap();
            let body = body(&response);
            assert_eq!((response.status_code, body["reason"].as_str().unwrap()), expected, "{name}");
            assert_eq!((&body["message"], &body["isValid"]), (&json!(message), &json!(false)), "{name}");
        }
    }
    assert_eq!(REFUSED.iter().map(|(message, _)| bare(message)).collect::<BTreeSet<_>>(), documented());
    let spent = handle(&service, event("validate", &token, "spend-2")).await.unwrap();
    assert_eq!(spent.status_code, 200);
}

#[tokio::test]
async fn what_the_contract_ignores_does_not_keep_a_token_from_being_spent() {
    for (name, change) in IGNORED {
        let store = store();
        let token = minted(keys(), store.clone()).await;
        let request = invocation(&changed(&token, change), "spend-1");
        let response = handle(&service(keys(), store), request).await.unwrap();
        assert_eq!(response.status_code, 200, "{name}");
    }
}
