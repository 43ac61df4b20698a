//! `inspect` and `revoke`: what an operator does with a token.

use serde_json::{Map, Value, json};

use crate::{
    client::Client,
    outcome::{Answer, Code, Failure, plain},
    signer::Signer,
    token::Token,
};

/// The members of an introspection, in the order in which they are shown.
const MEMBERS: [&str; 11] =
    ["active", "state", "jti", "iss", "aud", "iat", "nbf", "exp", "usedAt", "revokedAt", "host"];

/// Shows the state of `token` without spending it.
///
/// # Errors
///
/// The failure, if the state is not known.
pub(crate) async fn inspect(client: &Client, signer: &Signer, token: &Token) -> Result<Answer, Failure> {
    let request = client.post("/tokens/introspect", &json!({"token": token.reveal()}));
    let reply = client.succeed(signer.sign(request)?).await?;
    let Some(is_active) = reply.member("active").and_then(Value::as_bool) else { return Err(reply.failure()) };
    let mut text = String::new();
    let mut json = Map::new();
    for name in MEMBERS {
        let (shown, value) = match reply.member(name) {
            Some(Value::String(value)) => (plain(value), json!(plain(value))),
            Some(Value::Number(seconds)) => (time(seconds.as_u64()), json!(seconds)),
            Some(Value::Bool(value)) => (value.to_string(), json!(value)),
            _ => continue,
        };
        text += &format!("{name:<10} {shown}\n");
        json.insert(name.to_owned(), value);
    }
    Ok(Answer { code: if is_active { Code::Yes } else { Code::No }, text, json: Value::Object(json) })
}

/// Seconds since 1970 as a date.
fn time(seconds: Option<u64>) -> String {
    /// The last second of the year 9999, after which RFC 3339 has no dates.
    const LAST: u64 = 253_402_300_799;
    let at = |seconds| std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
    seconds.filter(|it| *it <= LAST).map(|it| humantime::format_rfc3339_seconds(at(it)).to_string()).unwrap_or_default()
}

/// Revokes the token that the member `name` of the request identifies.
///
/// # Errors
///
/// The failure, if the token may still be spent.
pub(crate) async fn revoke(client: &Client, signer: &Signer, name: &str, value: &str) -> Result<Answer, Failure> {
    let reply = client.succeed(signer.sign(client.post("/tokens/revoke", &json!({name: value})))?).await?;
    if reply.text("status") != Some("success") {
        return Err(reply.failure());
    }
    Ok(Answer {
        code: Code::Yes,
        // The API answers alike in both cases, and `inspect` tells them apart.
        text: "revoked, unless it was spent before or does not exist\n".to_owned(),
        json: json!({"outcome": "revoked"}),
    })
}
