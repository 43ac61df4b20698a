//! What the judge says of the requests of an invocation.

use serde_json::Value;
use tokens::{Claimant, Timestamp};

use super::Judge;
use crate::{
    limits::{ATTEMPTS, FUNCTION_TIMEOUT, LONGEST_ANSWER},
    simulation::{cloud::Call, lambda::Invoked},
};

impl Judge {
    /// Judges the requests of an invocation: one request to the store, by `action`, and no other in a later
    /// attempt.
    pub(super) fn requests<R>(&mut self, invoked: &Invoked<R>, action: &str) {
        let writes: Vec<_> = invoked.calls.iter().filter(|call| !call.is_fetch()).collect();
        self.must(writes.len() <= ATTEMPTS, || format!("{} requests to the store", writes.len()));
        let is_one = writes.iter().all(|call| call.action == action && is_same(&call.body, &writes[0].body));
        self.must(is_one, || format!("more than one {action}"));
        let is_of_now = action == "GetItem" || writes.iter().all(|write| time(write) == Some(invoked.now));
        self.must(is_of_now, || format!("a write with another time than {:?}", invoked.now));
        self.must(!invoked.is_timed_out, || "an invocation that Lambda had to end".to_owned());
        let has_failed_fetch = invoked.calls.iter().any(|call| call.is_fetch() && !call.is_answered());
        let longest = if has_failed_fetch { FUNCTION_TIMEOUT } else { LONGEST_ANSWER };
        let is_late = invoked.took > longest;
        self.must(!is_late, || format!("an answer after {:?}", invoked.took));
        self.faults(&invoked.calls);
    }

    /// Counts what went wrong with requests.
    pub(super) fn faults(&mut self, calls: &[Call]) {
        for fault in calls.iter().filter_map(|call| call.fault) {
            self.count(&format!("{fault:?}"));
        }
    }
}

/// Whether an invocation tried to spend a token.
pub(super) fn has_written(calls: &[Call]) -> bool {
    calls.iter().any(|call| call.action == "UpdateItem")
}

/// The last request to the store.
pub(super) fn last_write(calls: &[Call]) -> Option<&Call> {
    calls.iter().rfind(|call| !call.is_fetch())
}

/// Whether the last request to the store was answered, so that its outcome is known.
pub(super) fn knows(calls: &[Call]) -> bool {
    last_write(calls).is_none_or(Call::is_answered)
}

/// The time that a write gives.
fn time(call: &Call) -> Option<Timestamp> {
    let body: Value = serde_json::from_slice(&call.body).ok()?;
    let time =
        if call.action == "PutItem" { &body["Item"]["created_at"] } else { &body["ExpressionAttributeValues"][":now"] };
    time["N"].as_str()?.parse().ok().map(Timestamp)
}

/// The claimant that a spend names.
pub(super) fn claimant(call: &Call) -> Option<Claimant> {
    if call.action != "UpdateItem" {
        return None;
    }
    let body: Value = serde_json::from_slice(&call.body).ok()?;
    Some(Claimant::from_stored(body["ExpressionAttributeValues"][":me"]["S"].as_str()?.to_owned()))
}

/// Whether two bodies say the same: the order of members differs from attempt to attempt.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let json = |body| serde_json::from_slice::<Value>(body).ok();
    one == other || json(one) == json(other)
}
