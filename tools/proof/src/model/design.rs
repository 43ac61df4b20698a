//! Ways to keep a token from being used twice: this project's, and five that are known to break.

use tokens::{Claim, Verdict, decide, may_insert};

use super::state::{Answer, EXPIRES, MINTER, State, Stored, moment, name};

/// A way to keep a token from being used twice.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Design {
    /// This project's.
    OneConditionalWrite,
    /// Read the row, and delete it if it is there.
    GetThenDelete,
    /// Delete the row on the condition that it is there.
    ConditionalDelete,
    /// Mark the row as used on the condition that it is not, and do not record by which claimant.
    UpdateWithoutClaimant,
    /// As this project's, but a mint may overwrite its own row, also when it is used or revoked.
    MintOverMark,
    /// Revoke a token also when it has been used, and refuse a revoked one to its own claimant too.
    RevokeOverUse,
}

impl Design {
    /// Every design, this project's first.
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

    /// Whether a copy of the mint may write over `row`.
    pub(super) fn may_mint(self, row: Option<Stored>) -> bool {
        match self {
            Self::MintOverMark => true, // every copy is by the same minter
            _ => may_insert(row.map(Stored::into_row).as_ref(), MINTER),
        }
    }

    /// Whether a revocation may mark `row`.
    pub(super) fn may_revoke(self, row: Stored) -> bool {
        self == Self::RevokeOverUse || row.used_by.is_none()
    }

    /// What the store does to a claim, and its answer; `None` after the first of two steps.
    pub(super) fn spend(self, state: &mut State, claimant: usize, now: u8) -> Option<Answer> {
        let gone = if state.is_swept { Answer::Unknown } else { Answer::Used };
        match self {
            Self::OneConditionalWrite | Self::MintOverMark => Some(spend_by_the_rule(state, claimant, now)),
            _ if now >= EXPIRES => Some(Answer::Expired),
            _ if state.row.is_some_and(|row| row.revoked_at.is_some()) => Some(Answer::Revoked),
            Self::RevokeOverUse => Some(spend_by_the_rule(state, claimant, now)),
            Self::GetThenDelete if !state.has_read[claimant] => {
                if state.row.is_none() {
                    return Some(gone);
                }
                state.has_read[claimant] = true;
                None
            }
            Self::GetThenDelete => {
                state.row = None;
                state.has_taken_effect[claimant] = true;
                Some(Answer::Yes)
            }
            Self::ConditionalDelete => {
                if state.row.take().is_none() {
                    return Some(gone);
                }
                state.has_taken_effect[claimant] = true;
                Some(Answer::Yes)
            }
            Self::UpdateWithoutClaimant => match state.row {
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

/// One conditional write by the real rule.
fn spend_by_the_rule(state: &mut State, claimant: usize, now: u8) -> Answer {
    let claim = Claim { claimant: name(claimant) };
    let row = state.row.map(Stored::into_row);
    match decide(row.as_ref(), &claim, moment(now)) {
        Verdict::Spent { .. } => {
            state.use_row(claimant, now);
            Answer::Yes
        }
        Verdict::AlreadyUsed { .. } => Answer::Used,
        Verdict::Revoked => Answer::Revoked,
        Verdict::Expired => Answer::Expired,
        Verdict::Unknown => Answer::Unknown,
    }
}
