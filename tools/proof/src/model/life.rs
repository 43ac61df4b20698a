//! The life of one token: what a network, clocks and an operator can do to it.

use stateright::{Model, Property};

use super::{
    design::Design,
    promise,
    state::{Answer, Claimant, END, PURGE, State, Stored},
};

/// The life of one token under a design.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    pub(super) design: Design,
    pub(super) claimants: usize,
}

/// What may happen next.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Action {
    /// A copy of the mint reaches the store, and its reply the minter or no one.
    Mint { is_heard: bool },
    /// A claimant sends its claim, by a clock that is `skew` ticks ahead.
    Send { claimant: usize, skew: i8 },
    /// A copy of a claim reaches the store, and its reply the claimant or no one.
    Spend { claimant: usize, is_heard: bool },
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
        for claimant in 0..self.claimants {
            match state.claimants[claimant] {
                // In the order of their numbers, which is all in which they differ.
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
                if let Some(row) = state.row.as_mut().filter(|row| self.design.may_revoke(**row)) {
                    row.revoked_at.get_or_insert(now);
                    state.was_revoked = true;
                }
            }
            Action::Mint { is_heard } => {
                if self.design.may_mint(state.row) {
                    state.row = Some(Stored::default());
                    state.is_out |= is_heard && state.is_waiting_since(0);
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
        promise::properties()
    }
}

impl Life {
    /// A copy of a claim reaches the store.
    fn spend(self, state: &mut State, claimant: usize, is_heard: bool) {
        let (Claimant::Waiting { now, sent } | Claimant::Told { now, sent, .. }) = state.claimants[claimant] else {
            return;
        };
        let Some(answer) = self.design.spend(state, claimant, now) else { return };
        let is_waiting = matches!(state.claimants[claimant], Claimant::Waiting { .. });
        if is_heard && is_waiting && state.is_waiting_since(sent) {
            state.claimants[claimant] = Claimant::Told { now, sent, answer };
            state.was_ignored |= answer == Answer::Yes && state.was_revoked;
            state.was_taken_back |= answer == Answer::Revoked && state.has_taken_effect[claimant];
        }
    }
}
