//! The events that the functions are given: those of `events/`, and the steps of a rotation.

/// A request that has the authorizer mint a token.
pub(crate) const MINT: &str = include_str!("../../../events/authorizer.json");

/// A request for a token: `GET /tokens`.
pub(crate) const ISSUE: &str = include_str!("../../../events/issue.json");

/// A request to spend `token`, with the idempotency key `key` if there is one.
pub(crate) fn spend(token: &str, key: Option<&str>) -> String {
    let event = match key {
        Some(key) => include_str!("../../../events/validate-idempotency-key.json").replace("KEY", key),
        None => include_str!("../../../events/validate.json").to_owned(),
    };
    event.replace("TOKEN", token)
}

/// A request to a route behind `guard`, with `token`.
pub(crate) fn guard(token: &str) -> String {
    include_str!("../../../events/guard.json").replace("TOKEN", token)
}

/// An operator's request to revoke `token`.
pub(crate) fn revoke(token: &str) -> String {
    include_str!("../../../events/revoke.json").replace("TOKEN", token)
}

/// An operator's request to look at `token`.
pub(crate) fn inspect(token: &str) -> String {
    include_str!("../../../events/inspect.json").replace("TOKEN", token)
}

/// The steps of a rotation, in their order.
pub(crate) const ROTATION: [&str; 4] = ["createSecret", "setSecret", "testSecret", "finishSecret"];

/// Secrets Manager's call of one step of the rotation of `secret`, which prepares `version`.
pub(crate) fn rotate(step: &str, secret: &str, version: &str) -> String {
    serde_json::json!({"Step": step, "SecretId": secret, "ClientRequestToken": version}).to_string()
}
