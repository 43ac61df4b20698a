//! Ways to keep a token from being used twice: this project's, and others that break the promise.

use tokens::{Verdict, decide, may_insert, may_revoke};

use super::state::{Answer, CLAIMS, EXPIRES, KEYED, State, Stored, WINDOW, minter, moment, name};

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
    /// As this project's, but nothing succeeds at or after `exp`, not even a replay.
    ExpiryEndsReplays,
    /// As this project's, but a client with a key may also make its first claim in the window after
    /// `exp`.
    KeyOutlivesExpiry,
    /// As this project's, but a claimant gets its success again at any time.
    ReplaysNeverEnd,
}

impl Design {
    /// Every design, this project's first.
    pub const ALL: [Self; 9] = [
        Self::OneConditionalWrite,
        Self::GetThenDelete,
        Self::ConditionalDelete,
        Self::UpdateWithoutClaimant,
        Self::MintOverMark,
        Self::RevokeOverUse,
        Self::ExpiryEndsReplays,
        Self::KeyOutlivesExpiry,
        Self::ReplaysNeverEnd,
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
            _ => may_insert(row.map(Stored::into_row).as_ref(), &minter()),
        }
    }

    /// Whether a revocation may mark `row`.
    pub(super) fn may_revoke(self, row: Stored) -> bool {
        self == Self::RevokeOverUse || may_revoke(Some(&row.into_row()))
    }

    /// Whether a claim made at `now` reaches the store; else the token is refused as expired.
    pub(super) fn asks_store(self, claimant: usize, now: u8) -> bool {
        match self {
            Self::ExpiryEndsReplays => now < EXPIRES,
            Self::ReplaysNeverEnd if claimant == KEYED => true,
            _ if claimant == KEYED => now < EXPIRES + WINDOW,
            _ => now < EXPIRES,
        }
    }

    /// What the store does to a copy of a claim made at `now`, and its answer; `None` after the first of
    /// two steps.
    pub(super) fn spend(self, state: &mut State, claim: usize, now: u8) -> Option<Answer> {
        let claimant = CLAIMS[claim];
        let user = state.row.and_then(|row| row.used_by).map(|(user, _)| user);
        let is_free = state.row.is_some_and(|row| row.used_by.is_none() && row.revoked_at.is_none());
        let is_revoked = state.row.is_some_and(|row| row.revoked_at.is_some());
        let gone = if state.is_swept { Answer::Unknown } else { Answer::Used };
        let answer = match self {
            Self::ReplaysNeverEnd if user == Some(claimant) => Answer::Success,
            Self::KeyOutlivesExpiry if is_free && claimant == KEYED => {
                state.use_row(claimant, now);
                Answer::Success
            }
            Self::RevokeOverUse if is_revoked => Answer::Revoked,
            Self::OneConditionalWrite
            | Self::MintOverMark
            | Self::RevokeOverUse
            | Self::ExpiryEndsReplays
            | Self::KeyOutlivesExpiry
            | Self::ReplaysNeverEnd => spend_by_the_rule(state, claimant, now),
            Self::GetThenDelete | Self::ConditionalDelete | Self::UpdateWithoutClaimant if now >= EXPIRES => {
                Answer::Expired
            }
            Self::GetThenDelete | Self::ConditionalDelete | Self::UpdateWithoutClaimant if is_revoked => {
                Answer::Revoked
            }
            Self::GetThenDelete if !state.has_read[claim] => {
                if state.row.is_none() {
                    return Some(gone);
                }
                state.has_read[claim] = true;
                return None;
            }
            Self::GetThenDelete => {
                state.row = None;
                state.first_use[claimant].get_or_insert(now);
                Answer::Success
            }
            Self::ConditionalDelete => {
                if state.row.take().is_none() {
                    return Some(gone);
                }
                state.first_use[claimant].get_or_insert(now);
                Answer::Success
            }
            Self::UpdateWithoutClaimant => match state.row {
                None => gone,
                Some(row) if row.used_by.is_some() => Answer::Used,
                Some(_) => {
                    state.use_row(claimant, now);
                    Answer::Success
                }
            },
        };
        Some(answer)
    }
}

/// One conditional write by the real rule.
fn spend_by_the_rule(state: &mut State, claimant: usize, now: u8) -> Answer {
    let row = state.row.map(Stored::into_row);
    match decide(row.as_ref(), &name(claimant), moment(now)) {
        Verdict::Spent { .. } => {
            state.use_row(claimant, now);
            Answer::Success
        }
        Verdict::AlreadyUsed { .. } => Answer::Used,
        Verdict::Revoked => Answer::Revoked,
        Verdict::Expired => Answer::Expired,
        Verdict::Unknown => Answer::Unknown,
    }
}
