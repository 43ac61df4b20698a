//! A model of one token's life, checked exhaustively.
//!
//! The rule is the real one, [`tokens::decide`], [`tokens::may_insert`] and [`tokens::may_revoke`]. Around it the model
//! lets everything happen that a network, clocks and an operator can do:
//!
//! - A write that was sent once may reach the store at any later time, any number of times. So a
//!   message is delayed, duplicated, lost, or retried by its sender any number of times.
//! - The reply of each may be lost. A sender without a reply gets that of a later copy, as long as its
//!   invocation lives.
//! - One claimant has an idempotency key, and asks twice. The others are invocations of `validate` or executions
//!   of `guard`, and ask once.
//! - The clock of each invocation may be ahead or behind by a minute.
//! - The operator may revoke the token, and time to live may delete its row once that is allowed.
//!
//! Each module uses only those above it: `state` (a clock, a row and claimants), `design` (what a store
//! does to them), `promise` (what must hold in every state), `life` (what may happen next).

mod design;
mod life;
mod promise;
mod state;
#[cfg(test)]
mod tests;

use std::fmt;

use stateright::{Checker as _, Expectation, Model as _};

pub use self::design::Design;
use self::{life::Life, state::CLAIMANTS};

/// What the checker found.
#[derive(Debug)]
pub struct Checked {
    /// How many different states there are.
    pub states: usize,
    /// Each property that does not hold, and a way to break it.
    pub counterexamples: Vec<(&'static str, String)>,
}

/// Checks `design` in every state that can be reached by up to three `claimants`.
#[must_use]
pub fn check(design: Design, claimants: usize) -> Checked {
    let checker = Life { design, claimants: claimants.min(CLAIMANTS) }.checker().spawn_bfs().join();
    let mut counterexamples = Vec::new();
    for property in checker.model().properties() {
        let discovery = checker.discovery(property.name).map(|path| path.to_string());
        match (property.expectation, discovery) {
            (Expectation::Sometimes, None) => counterexamples.push((property.name, "never".to_owned())),
            (Expectation::Sometimes, Some(_)) | (_, None) => {}
            (_, Some(path)) => counterexamples.push((property.name, path)),
        }
    }
    Checked { states: checker.unique_state_count(), counterexamples }
}

impl Checked {
    /// The names of the properties that do not hold.
    #[must_use]
    pub fn broken(&self) -> Vec<&'static str> {
        let mut broken: Vec<_> = self.counterexamples.iter().map(|(name, _)| *name).collect();
        broken.sort_unstable();
        broken
    }
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} states, broken: {:?}", self.states, self.broken())
    }
}
