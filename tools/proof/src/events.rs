//! The events that the functions are given: those of `events/`.

/// A request that has the authorizer mint a token.
pub(crate) const MINT: &str = include_str!("../../../events/authorizer.json");

/// A request for a token: `GET /tokens`.
pub(crate) const ISSUE: &str = include_str!("../../../events/issue.json");

/// A request to spend `token`, by a client with the idempotency key `key` or by nobody in particular.
pub(crate) fn spend(token: &str, key: Option<&str>) -> String {
    let event = match key {
        Some(key) => include_str!("../../../events/validate-idempotency-key.json").replace("KEY", key),
        None => include_str!("../../../events/validate.json").to_owned(),
    };
    event.replace("TOKEN", token)
}
