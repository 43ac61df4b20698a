//! The judge: it compares every answer with what happened to the rows, and notes what must never
//! happen.
//!
//! It knows more than any function does: every request, what became of it, and each change of a row.

mod mint;
mod requests;
mod spend;

use std::collections::{BTreeMap, HashMap};

use tokens::{Claimant, Jti};

pub(crate) use self::spend::Client;

/// What has been answered so far, and what was wrong with it.
#[derive(Debug, Default)]
pub(crate) struct Judge {
    /// The client that got each token.
    winners: HashMap<Jti, String>,
    /// The claimant as which each client asked for each token.
    claimants: HashMap<(Jti, String), Claimant>,
    /// How often each answer was given and each fault happened.
    pub(crate) counts: BTreeMap<String, u64>,
    /// What must not happen, and did.
    pub(crate) violations: Vec<String>,
}

impl Judge {
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
