//! The life of one token: what a network, clocks and an operator can do to it.

use stateright::{Model, Property};

use super::{
    design::Design,
    promise,
    state::{Answer, CLAIMS, Claim, END, PATIENCE, PURGE, State, Stored},
};

/// The life of one token under a design.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    pub(super) design: Design,
    /// How many claimants ask for the token.
    pub(super) claimants: usize,
}

/// What may happen next.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Action {
    /// A copy of the mint reaches the store, and its reply the minter or no one.
    Mint { is_heard: bool },
    /// A claim is made by a clock that is `skew` ticks ahead.
    Send { claim: usize, skew: i8 },
    /// A copy of a claim reaches the store, and its reply the claimant or no one.
    Spend { claim: usize, is_heard: bool },
    /// The operator asks for the revocation.
    Revoke,
    /// A copy of the revocation reaches the store.
    DeliverRevocation,
    /// Time to live deletes the row.
    Sweep,
    /// Time passes.
    Tick,
}

impl Model for Life {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::new()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for is_heard in [true, false] {
            actions.push(Action::Mint { is_heard });
        }
        for claim in (0..CLAIMS.len()).filter(|claim| CLAIMS[*claim] < self.claimants) {
            match state.claims[claim] {
                Claim::Idle if state.is_out && may_be_next(state, claim) => {
                    actions.extend([-1, 0, 1].map(|skew| Action::Send { claim, skew }));
                }
                Claim::Idle | Claim::Refused { .. } => {}
                Claim::Sent { .. } | Claim::Told { .. } => {
                    actions.extend([true, false].map(|is_heard| Action::Spend { claim, is_heard }));
                }
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
            Action::Tick => state.tick(),
            Action::Revoke => state.is_revocation_sent = true,
            Action::Sweep => {
                state.row = None;
                state.is_swept = true;
            }
            Action::DeliverRevocation => {
                let now = state.clock;
                if let Some(row) = state.row.as_mut().filter(|row| self.design.may_revoke(**row)) {
                    row.revoked_at.get_or_insert(now);
                    state.was_revoked = true;
                }
            }
            Action::Mint { is_heard } => {
                if self.design.may_mint(state.row) {
                    state.row = Some(Stored::default());
                    state.is_out |= is_heard && state.clock < PATIENCE;
                }
            }
            Action::Send { claim, skew } => {
                let now = state.clock.checked_add_signed(skew)?;
                if self.design.asks_store(CLAIMS[claim], now) {
                    state.claims[claim] = Claim::Sent { now, patience: PATIENCE };
                } else {
                    state.claims[claim] = Claim::Refused { now };
                    state.was_taken_back |= state.has_just_used(CLAIMS[claim], now);
                }
            }
            Action::Spend { claim, is_heard } => self.spend(&mut state, claim, is_heard),
        }
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        promise::properties()
    }
}

impl Life {
    /// A copy of a claim reaches the store.
    fn spend(self, state: &mut State, claim: usize, is_heard: bool) {
        let (Claim::Sent { now, .. } | Claim::Told { now, .. }) = state.claims[claim] else { return };
        let (claimant, last) = (CLAIMS[claim], state.clone());
        let Some(answer) = self.design.spend(state, claim, now) else { return };
        if is_heard && matches!(state.claims[claim], Claim::Sent { patience: 1.., .. }) {
            state.claims[claim] = Claim::Told { now, answer };
            state.was_ignored |= answer == Answer::Success && state.was_revoked;
            state.was_taken_back |= answer != Answer::Success && last.has_just_used(claimant, now);
            state.was_misread |= answer == Answer::Expired && last.row.is_some_and(|row| row.used_by.is_some());
        }
    }
}

/// Whether `claim` may be made before the claims after it: those of one claimant in their order, and of
/// the invocations, which are all alike, the first one first.
fn may_be_next(state: &State, claim: usize) -> bool {
    matches!(claim, 0 | 2) || state.claims[claim - 1] != Claim::Idle
}
