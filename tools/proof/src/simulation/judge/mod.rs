//! The judge: it compares every answer with what happened to the rows, and notes what must never
//! happen.
//!
//! It knows more than any function does: every request, what became of it, and each change of a row.

mod mint;
mod operator;
mod requests;
mod rotation;
mod spend;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use tokens::{Claimant, Jti, Timestamp};

pub(crate) use self::spend::Client;
use self::spend::Refused;
use super::lambda::{Invoked, Minted};
use crate::limits::OLDEST_RING_SECONDS;

/// What is added to [`OLDEST_RING_SECONDS`], by a clock that is set back, and by an invocation with the fraction
/// of a second that a clock does not show.
const SET_BACK_SECONDS: u64 = 60;
const INVOCATION_SECONDS: u64 = 6;

/// What has been answered so far, and what was wrong with it.
#[derive(Debug, Default)]
pub(crate) struct Judge {
    /// The setting `REVOKED_BEFORE` of every function.
    revoked_before: Timestamp,
    /// The client that got each token.
    winners: HashMap<Jti, String>,
    /// The claimant as which each client asked for each token.
    claimants: HashMap<(Jti, String), Claimant>,
    /// The refusals of each client with a key that may get a success later.
    refusals: HashMap<(Jti, String), Vec<Refused>>,
    /// How often each answer was given and each fault happened.
    pub(crate) counts: BTreeMap<String, u64>,
    /// What must not happen, and did.
    pub(crate) violations: Vec<String>,
}

impl Judge {
    /// A judge of functions with this setting `REVOKED_BEFORE`.
    pub(crate) fn new(revoked_before: Timestamp) -> Self {
        Self { revoked_before, ..Self::default() }
    }

    /// Judges that the environment of a mint or a success knew no reason to refuse the token, and that its
    /// key ring was not too old to know.
    fn known_ring<R>(&mut self, minted: &Minted, invoked: &Invoked<R>) {
        let Some((fetch, ring)) = invoked.fetch.as_ref().and_then(|fetch| Some((fetch, fetch.ring.as_ref()?))) else {
            return self.must(false, || "a token without a key ring".to_owned());
        };
        let is_refused = minted.iat <= self.revoked_before || ring.refuses(minted.key, minted.iat);
        self.must(!is_refused, || format!("{minted:?} was let through, and is refused by {ring:?}"));
        let age = fetch.sent.elapsed().as_secs();
        let is_recent = invoked.has_faulty_keys || age <= OLDEST_RING_SECONDS + SET_BACK_SECONDS + INVOCATION_SECONDS;
        self.must(is_recent, || format!("a key ring of {age} s"));
    }

    /// Notes a violation unless `holds`.
    fn must(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.violations.push(otherwise());
        }
    }

    /// Counts an answer or a fault.
    fn count(&mut self, name: &str) {
        *self.counts.entry(name.to_owned()).or_default() += 1;
    }
}
