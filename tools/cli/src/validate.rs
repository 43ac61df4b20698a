//! `validate`: spends a token, and asks again while the outcome is not known.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    client::Client,
    outcome::{Answer, Code, Failure},
    output::{GOOD, WRONG},
    spend::{ASK_FOR, Claim, spend},
    token::Token,
};

/// The pause before the second request. Each later one is twice as long, at most [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// Spends `token` with a key drawn for it.
///
/// # Errors
///
/// The failure, if the outcome remains unknown.
pub(crate) async fn validate(client: &Client, token: &Token, asks_again: bool) -> Result<Answer, Failure> {
    let key = Uuid::new_v4().to_string();
    let until = Instant::now() + ASK_FOR;
    let mut pause = FIRST_PAUSE;
    // Whether an earlier request may have spent the token: then a refusal proves nothing.
    let mut is_open = false;
    loop {
        let failure = match spend(client, token, Some(&key)).await {
            Claim::Accepted { replayed } => return Ok(accepted(replayed)),
            Claim::Refused { reason, used_at, .. } if is_open => {
                let at = used_at.map(|at| format!(" at {at}")).unwrap_or_default();
                let message =
                    format!("an earlier request had no answer, and may have spent it; now it is {reason}{at}");
                return Err(Failure::new(Code::Unknown, "unknown", message));
            }
            Claim::Refused { reason, used_at, request_id } => return Ok(refused(&reason, used_at, request_id)),
            Claim::Unexpected(Failure { message, .. }) if is_open => {
                let message = format!("an earlier request had no answer, and may have spent it; now: {message}");
                return Err(Failure::new(Code::Unknown, "unknown", message));
            }
            Claim::Unexpected(failure) => return Err(failure),
            // The API cannot be reached at all.
            Claim::NotMade(failure) if failure.reason == "unreachable" && !is_open => return Err(failure),
            Claim::NotMade(failure) => failure,
            Claim::NotKnown(failure) => {
                is_open = true;
                failure
            }
        };
        if !asks_again || Instant::now() + pause > until {
            let token = if is_open { "the token may be spent" } else { "this did not spend the token" };
            return Err(Failure { message: format!("{} ({token})", failure.message), ..failure });
        }
        tokio::time::sleep(pause).await;
        pause = LONGEST_PAUSE.min(2 * pause);
    }
}

fn accepted(replayed: bool) -> Answer {
    let note = if replayed { " (replayed: an earlier request of this command had spent it)" } else { "" };
    Answer {
        code: Code::Yes,
        text: format!("{GOOD}accepted{GOOD:#}{note}\n"),
        json: json!({"outcome": "accepted", "replayed": replayed}),
    }
}

fn refused(reason: &str, used_at: Option<String>, request_id: Option<String>) -> Answer {
    let at = used_at.as_ref().map(|at| format!(" at {at}")).unwrap_or_default();
    let mut json = json!({"outcome": "refused", "reason": reason});
    for (name, value) in [("usedAt", used_at), ("requestId", request_id)] {
        if let Some(value) = value {
            json[name] = json!(value);
        }
    }
    Answer { code: Code::No, text: format!("{WRONG}refused: {reason}{WRONG:#}{at}\n"), json }
}
