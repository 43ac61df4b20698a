//! A model of one token's life, checked exhaustively.
//!
//! The rule is the real one, [`tokens::decide`] and [`tokens::may_insert`]. Around it the model
//! lets everything happen that a network, a clock and an operator can do:
//!
//! - A write that was sent once may reach the store at any later time, any number of times: so a
//!   message is delayed, duplicated, retried by its sender as often as it likes, or lost.
//! - The reply of each may be lost. A sender that got none is told what a later copy comes to, as
//!   long as its invocation lives.
//! - The clock of whoever claims may be ahead or behind by one tick.
//! - The operator may revoke the token, and time to live may sweep its row once it may be purged.

use std::fmt;

use stateright::{Checker as _, Expectation, Model, Property};
use tokens::{Row, Timestamp, Verdict, decide, may_insert};

/// How many callers claim the token at most.
const CLAIMANTS: usize = 3;

/// A tick in seconds.
///
/// A claimant asks once here, and every copy of its claim says the same time. That it asks again, on
/// either side of the 60 s in which a replay is answered, is for the simulation.
const TICK_SECONDS: u64 = 40;

/// The tick at which the token expires.
const EXPIRES: u8 = 3;

/// The tick from which its row may be swept.
const PURGE: u8 = 5;

/// The last tick.
const END: u8 = 6;

/// How long an invocation waits for a reply, in ticks: a function has 5 s.
const PATIENCE: u8 = 1;

/// A way to keep a token from being spent twice.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Design {
    /// This project's.
    OneConditionalWrite,
    /// Read the row, and delete it if it is there.
    GetThenDelete,
    /// Delete the row on the condition that it is there.
    ConditionalDelete,
    /// Mark the row as used on the condition that it is not, and forget by whom.
    UpdateWithoutClaimant,
    /// As this project's, but a mint may write over its own row whatever has become of it.
    MintOverMark,
    /// Revoke a token whether or not it has been used, and refuse a revoked one to its own claimant
    /// too.
    RevokeOverUse,
}

impl Design {
    /// All of them, this project's first.
    pub const ALL: [Self; 6] = [
        Self::OneConditionalWrite,
        Self::GetThenDelete,
        Self::ConditionalDelete,
        Self::UpdateWithoutClaimant,
        Self::MintOverMark,
        Self::RevokeOverUse,
    ];

    /// Whether it is known to break the promise.
    #[must_use]
    pub fn breaks(self) -> bool {
        self != Self::OneConditionalWrite
    }
}

/// The row of the token, in ticks.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
struct Stored {
    used_by: Option<(usize, u8)>,
    revoked_at: Option<u8>,
}

/// Where a claimant is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Claimant {
    /// It has not claimed yet.
    Idle,
    /// It has sent its claim, drawn at `now` by its own clock, at the tick `sent`.
    Waiting { now: u8, sent: u8 },
    /// It has been told; of several answers, the first.
    Told { now: u8, sent: u8, answer: Answer },
}

/// What a claimant was told.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Answer {
    Yes,
    Used,
    Revoked,
    Expired,
    Unknown,
}

/// What has happened so far.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct State {
    clock: u8,
    row: Option<Stored>,
    /// The mint's reply has arrived: the token is out.
    is_out: bool,
    is_revocation_sent: bool,
    claimants: [Claimant; CLAIMANTS],
    /// Who has read the row and not deleted it yet, in the design that does so.
    has_read: [bool; CLAIMANTS],
    /// Whether any claim has ever taken effect, by claimant.
    has_taken_effect: [bool; CLAIMANTS],
    /// Whether a revocation has ever taken effect.
    was_revoked: bool,
    /// Whether somebody was told yes after it had.
    was_ignored: bool,
    /// Whether somebody whose claim had taken effect was told that the token is revoked.
    was_taken_back: bool,
    is_swept: bool,
}

/// What may happen next.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Action {
    /// A copy of the mint reaches the store, and its reply the minter or nobody.
    Mint {
        /// Whether the reply arrives.
        is_heard: bool,
    },
    /// A claimant draws its claim, with its clock that many ticks off, and sends it.
    Send {
        /// Which one.
        claimant: usize,
        /// How far its clock is ahead.
        skew: i8,
    },
    /// A copy of a claim reaches the store, and its reply the claimant or nobody.
    Spend {
        /// Whose.
        claimant: usize,
        /// Whether the reply arrives.
        is_heard: bool,
    },
    /// The operator asks for the revocation.
    Revoke,
    /// A copy of the revocation reaches the store.
    DeliverRevocation,
    /// Time to live deletes the row.
    Sweep,
    /// Time passes.
    Tick,
}

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

/// The life of one token under a design.
#[derive(Clone, Copy, Debug)]
struct Life {
    design: Design,
    claimants: usize,
}

impl Model for Life {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            clock: 0,
            row: None,
            is_out: false,
            is_revocation_sent: false,
            claimants: [Claimant::Idle; CLAIMANTS],
            has_read: [false; CLAIMANTS],
            has_taken_effect: [false; CLAIMANTS],
            was_revoked: false,
            was_ignored: false,
            was_taken_back: false,
            is_swept: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for is_heard in [true, false] {
            actions.push(Action::Mint { is_heard });
        }
        for claimant in 0..self.claimants {
            match state.claimants[claimant] {
                // In order of their numbers: they differ in nothing else.
                Claimant::Idle if claimant == 0 || state.claimants[claimant - 1] != Claimant::Idle => {
                    if state.is_out {
                        actions.extend([-1, 0, 1].map(|skew| Action::Send { claimant, skew }));
                    }
                }
                Claimant::Idle => {}
                _ => actions.extend([true, false].map(|is_heard| Action::Spend { claimant, is_heard })),
            }
        }
        if state.is_out && !state.is_revocation_sent {
            actions.push(Action::Revoke);
        }
        if state.is_revocation_sent {
            actions.push(Action::DeliverRevocation);
        }
        if state.clock >= PURGE && state.row.is_some() {
            actions.push(Action::Sweep);
        }
        if state.clock < END {
            actions.push(Action::Tick);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Tick => state.clock += 1,
            Action::Revoke => state.is_revocation_sent = true,
            Action::Sweep => {
                state.row = None;
                state.is_swept = true;
            }
            Action::DeliverRevocation => {
                let now = state.clock;
                let may_revoke = |row: &&mut Stored| self.design == Design::RevokeOverUse || row.used_by.is_none();
                if let Some(row) = state.row.as_mut().filter(may_revoke) {
                    row.revoked_at.get_or_insert(now);
                    state.was_revoked = true;
                }
            }
            Action::Mint { is_heard } => {
                if self.may_mint(state.row) {
                    state.row = Some(Stored::default());
                    // An invocation that has lived too long hears nothing.
                    state.is_out |= is_heard && state.clock <= PATIENCE;
                }
            }
            Action::Send { claimant, skew } => {
                let now = state.clock.checked_add_signed(skew)?;
                state.claimants[claimant] = Claimant::Waiting { now, sent: state.clock };
            }
            Action::Spend { claimant, is_heard } => self.spend(&mut state, claimant, is_heard),
        }
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("at most one claimant is told yes", |_, state: &State| {
                state.told().filter(|(_, _, answer)| *answer == Answer::Yes).count() <= 1
            }),
            Property::always("no claimant is told that its own claim has used the token", |_, state: &State| {
                state.told().all(|(claimant, _, answer)| {
                    let others = (0..CLAIMANTS).any(|other| other != claimant && state.has_taken_effect[other]);
                    answer != Answer::Used || others
                })
            }),
            Property::always("no claimant loses to a revocation what its own claim had taken", |_, state: &State| {
                !state.was_taken_back
            }),
            Property::always("nothing is accepted at or after its expiry", |_, state: &State| {
                state.told().all(|(_, now, answer)| answer != Answer::Yes || now < EXPIRES)
            }),
            Property::always("every yes has its row until it is swept", |_, state: &State| {
                state.told().all(|(claimant, _, answer)| {
                    let user = state.row.and_then(|row| row.used_by).map(|(user, _)| user);
                    answer != Answer::Yes || user == Some(claimant) || state.is_swept
                })
            }),
            Property::always("nobody is told yes after a revocation", |_, state: &State| !state.was_ignored),
            Property::always("every other reason is true", |_, state: &State| {
                state.told().all(|(_, now, answer)| match answer {
                    Answer::Yes | Answer::Used => true,
                    Answer::Revoked => state.was_revoked,
                    Answer::Expired => now >= EXPIRES,
                    Answer::Unknown => state.is_swept,
                })
            }),
            Property::sometimes("sometimes yes", |_, state: &State| state.has(Answer::Yes)),
            Property::sometimes("sometimes used", |_, state: &State| state.has(Answer::Used)),
            Property::sometimes("sometimes revoked", |_, state: &State| state.has(Answer::Revoked)),
            Property::sometimes("sometimes expired", |_, state: &State| state.has(Answer::Expired)),
            Property::sometimes("sometimes unknown", |_, state: &State| state.has(Answer::Unknown)),
        ]
    }
}

impl Life {
    /// Whether a copy of the mint may write over `row`.
    fn may_mint(self, row: Option<Stored>) -> bool {
        match self.design {
            Design::MintOverMark => true, // every copy is by the same minter
            _ => may_insert(row.map(Stored::into_row).as_ref(), &minter()),
        }
    }

    /// A copy of a claim reaches the store.
    fn spend(self, state: &mut State, claimant: usize, is_heard: bool) {
        let (Claimant::Waiting { now, sent } | Claimant::Told { now, sent, .. }) = state.claimants[claimant] else {
            return;
        };
        let Some(answer) = self.decide(state, claimant, now) else { return };
        let is_waiting = matches!(state.claimants[claimant], Claimant::Waiting { .. });
        if is_heard && is_waiting && state.clock - sent <= PATIENCE {
            state.claimants[claimant] = Claimant::Told { now, sent, answer };
            state.was_ignored |= answer == Answer::Yes && state.was_revoked;
            state.was_taken_back |= answer == Answer::Revoked && state.has_taken_effect[claimant];
        }
    }

    /// What the store does to a claim, and answers; nothing after the first half of two steps.
    fn decide(self, state: &mut State, claimant: usize, now: u8) -> Option<Answer> {
        let gone = if state.is_swept { Answer::Unknown } else { Answer::Used };
        match self.design {
            Design::OneConditionalWrite | Design::MintOverMark => {
                let by = name(claimant);
                let row = state.row.map(Stored::into_row);
                Some(match decide(row.as_ref(), &by, moment(now)) {
                    Verdict::Spent { .. } => {
                        state.use_row(claimant, now);
                        Answer::Yes
                    }
                    Verdict::AlreadyUsed { .. } => Answer::Used,
                    Verdict::Revoked => Answer::Revoked,
                    Verdict::Expired => Answer::Expired,
                    Verdict::Unknown => Answer::Unknown,
                })
            }
            _ if now >= EXPIRES => Some(Answer::Expired),
            _ if state.row.is_some_and(|row| row.revoked_at.is_some()) => Some(Answer::Revoked),
            Design::RevokeOverUse => Self { design: Design::OneConditionalWrite, ..self }.decide(state, claimant, now),
            Design::GetThenDelete if !state.has_read[claimant] => {
                if state.row.is_none() {
                    return Some(gone);
                }
                state.has_read[claimant] = true;
                None
            }
            Design::GetThenDelete => {
                state.row = None;
                state.has_taken_effect[claimant] = true;
                Some(Answer::Yes)
            }
            Design::ConditionalDelete => {
                if state.row.take().is_none() {
                    return Some(gone);
                }
                state.has_taken_effect[claimant] = true;
                Some(Answer::Yes)
            }
            Design::UpdateWithoutClaimant => match state.row {
                None => Some(gone),
                Some(row) if row.used_by.is_some() => Some(Answer::Used),
                Some(_) => {
                    state.use_row(claimant, now);
                    Some(Answer::Yes)
                }
            },
        }
    }
}

impl State {
    /// Every claimant that has been told, the time of its claim and the answer.
    fn told(&self) -> impl Iterator<Item = (usize, u8, Answer)> {
        self.claimants.iter().enumerate().filter_map(|(number, claimant)| match claimant {
            Claimant::Told { now, answer, .. } => Some((number, *now, *answer)),
            Claimant::Idle | Claimant::Waiting { .. } => None,
        })
    }

    /// Whether somebody was told `answer`.
    fn has(&self, answer: Answer) -> bool {
        self.told().any(|(_, _, told)| told == answer)
    }

    /// Marks the row as used, and keeps the time of the first use.
    fn use_row(&mut self, claimant: usize, now: u8) {
        if let Some(row) = &mut self.row {
            let first = row.used_by.map_or(now, |(_, first)| first);
            row.used_by = Some((claimant, first));
            self.has_taken_effect[claimant] = true;
        }
    }
}

impl Stored {
    /// The row as the rule knows it.
    fn into_row(self) -> Row {
        Row {
            minted_by: minter(),
            created_at: moment(0),
            host: None,
            expires_at: moment(EXPIRES),
            purge_at: moment(PURGE),
            used_at: self.used_by.map(|(_, at)| moment(at)),
            used_by: self.used_by.map(|(claimant, _)| name(claimant)),
            revoked_at: self.revoked_at.map(moment),
        }
    }
}

/// The time of a tick.
fn moment(tick: u8) -> Timestamp {
    Timestamp(1_700_000_000 + u64::from(tick) * TICK_SECONDS)
}

/// The name of a claimant.
fn name(claimant: usize) -> tokens::Claimant {
    tokens::Claimant::from_stored(format!("r:{claimant}"))
}

/// The invocation that minted the token.
fn minter() -> tokens::Claimant {
    tokens::Claimant::from_stored("r:mint".to_owned())
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} states, broken: {:?}", self.states, self.broken())
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    // Two claimants, for these tests run unoptimized; `proof model` takes three.

    #[test]
    fn the_rule_holds_in_every_order_of_events() {
        let checked = check(Design::OneConditionalWrite, 2);
        assert!(checked.counterexamples.is_empty(), "{checked}");
        assert!(checked.states > 10_000, "{checked}");
    }

    #[test]
    fn reading_and_then_deleting_tells_two_claimants_yes() {
        let broken = check(Design::GetThenDelete, 2).broken();
        assert!(broken.contains(&"at most one claimant is told yes"), "{broken:?}");
    }

    #[test]
    fn deleting_on_a_condition_refuses_the_claimant_that_lost_a_reply() {
        let broken = check(Design::ConditionalDelete, 2).broken();
        assert!(broken.contains(&"no claimant is told that its own claim has used the token"), "{broken:?}");
    }

    #[test]
    fn an_update_that_forgets_the_claimant_refuses_the_one_that_lost_a_reply() {
        let broken = check(Design::UpdateWithoutClaimant, 2).broken();
        assert!(broken.contains(&"no claimant is told that its own claim has used the token"), "{broken:?}");
    }

    #[test]
    fn a_revocation_that_reaches_a_used_token_refuses_it_to_its_own_claimant() {
        let broken = check(Design::RevokeOverUse, 2).broken();
        assert!(broken.contains(&"no claimant loses to a revocation what its own claim had taken"), "{broken:?}");
    }

    #[test]
    fn a_mint_that_may_write_over_a_mark_lets_two_claimants_win() {
        let broken = check(Design::MintOverMark, 2).broken();
        assert!(broken.contains(&"at most one claimant is told yes"), "{broken:?}");
        assert!(broken.contains(&"every yes has its row until it is swept"), "{broken:?}");
        assert!(broken.contains(&"nobody is told yes after a revocation"), "{broken:?}");
    }
}
