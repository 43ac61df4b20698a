//! One claim on a token, and what its reply means.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    client::{Client, Reply},
    outcome::{Failure, plain},
    token::Token,
};

/// How long a claim whose outcome is unknown is made again. The API answers a replay for 60 s.
pub(crate) const ASK_FOR: Duration = Duration::from_secs(15);

/// The answer to a claim.
#[derive(Clone, Debug)]
pub(crate) enum Claim {
    /// The token is spent, by this claimant.
    Accepted {
        /// Whether an earlier request with the same key had spent it.
        replayed: bool,
    },
    /// The API refused the token.
    Refused {
        /// The reason.
        reason: String,
        /// When it was spent, if that is the reason.
        used_at: Option<String>,
        /// The request ID.
        request_id: Option<String>,
    },
    /// The claim did not reach the function, so it did not spend the token.
    NotMade(Failure),
    /// The claim may have spent the token.
    NotKnown(Failure),
    /// The answer is not one that the API gives to a claim.
    Unexpected(Failure),
}

/// Claims `token`: as the client that holds `key`, or without a key as a client of this one request.
pub(crate) async fn spend(client: &Client, token: &Token, key: Option<&str>) -> Claim {
    let mut request = client.post("/validate", &json!({"token": token.reveal()}));
    if let Some(key) = key {
        request = request.header("Idempotency-Key", key);
    }
    match client.send(request).await {
        Ok(reply) => Claim::from_reply(&reply),
        Err(unanswered) if unanswered.is_sent => Claim::NotKnown(unanswered.failure),
        Err(unanswered) => Claim::NotMade(unanswered.failure),
    }
}

impl Claim {
    fn from_reply(reply: &Reply) -> Self {
        let is_valid = reply.member("isValid").and_then(Value::as_bool);
        match (reply.status, is_valid, reply.text("reason")) {
            (StatusCode::OK, Some(true), _) => {
                Self::Accepted { replayed: reply.member("replayed") == Some(&Value::Bool(true)) }
            }
            (StatusCode::UNAUTHORIZED, Some(false), Some(reason)) => Self::Refused {
                reason: plain(reason),
                used_at: reply.text("usedAt").map(plain),
                request_id: reply.request_id(),
            },
            (StatusCode::TOO_MANY_REQUESTS, ..) => Self::NotMade(reply.failure()),
            (status, ..) if status.is_server_error() => Self::NotKnown(reply.failure()),
            _ => Self::Unexpected(reply.failure()),
        }
    }
}
