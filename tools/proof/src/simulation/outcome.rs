//! The outcome of simulations: what was seen, and what must not happen and did.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

use super::cloud::Fault;

/// Answers that must be seen: a simulation in which one never happens proves nothing about it.
const ANSWERS: [&str; 24] = [
    "minted",
    "no token",
    "spent",
    "replayed",
    "already_used",
    "refused without a request",
    "revoked",
    "expired",
    "invalid_token",
    "unavailable",
    "crashed",
    "forged",
    "let through",
    "turned away",
    "revocation",
    "look",
    "minted with a fresh key",
    "rotated",
    "rotation given up",
    "rotation step failed",
    "rotation died at DescribeSecret",
    "rotation died at GetSecretValue",
    "rotation died at PutSecretValue",
    "rotation died at UpdateSecretVersionStage",
];

/// The outcome of one simulation, or of several.
#[derive(Debug, Default)]
pub struct Outcome {
    /// How many simulations were run.
    pub seeds: u64,
    /// How often each answer was given and each fault happened.
    pub counts: BTreeMap<String, u64>,
    /// What must not happen and did, and the seed with which it does.
    pub violations: Vec<(u64, String)>,
    /// What happened, in order; kept of a single simulation.
    pub trace: Vec<String>,
}

impl Outcome {
    /// The outcome of a simulation that panicked.
    pub(crate) fn of_panic(seed: u64) -> Self {
        Self { seeds: 1, violations: vec![(seed, "a panic".to_owned())], ..Self::default() }
    }

    /// Notes as a violation, of the seed `first`, every answer and every fault that has not been seen.
    pub(crate) fn must_have_seen_everything(&mut self, first: u64) {
        let sights = ANSWERS.map(str::to_owned).into_iter().chain(Fault::ALL.map(|fault| format!("{fault:?}")));
        let unseen = sights.filter(|sight| !self.counts.contains_key(sight));
        let seeds = self.seeds;
        self.violations.extend(unseen.map(|sight| (first, format!("{sight} was never seen in {seeds} simulations"))));
    }

    /// Adds the outcome of other simulations.
    pub(crate) fn add(&mut self, other: Self) {
        self.seeds += other.seeds;
        for (name, count) in other.counts {
            *self.counts.entry(name).or_default() += count;
        }
        self.violations.extend(other.violations);
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut counts = String::new();
        for (name, count) in &self.counts {
            write!(counts, "{}{count} {name}", if counts.is_empty() { "" } else { ", " })?;
        }
        write!(f, "{} simulations, {} violations: {counts}", self.seeds, self.violations.len())
    }
}
