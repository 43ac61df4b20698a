//! Why a token is refused.

use crate::Timestamp;

/// Why a token is refused.
///
/// Until the MAC verifies there is only one reason, [`Refusal::InvalidToken`], so that a forger learns
/// nothing. After that the caller holds a genuine token and gets the true reason.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// It is malformed, forged, from another deployment, or has claims that a minter never makes.
    #[error("not a token of this deployment")]
    InvalidToken,
    /// Its `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// Its `nbf` is in the future.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// Another claimant has spent it, or the same one too long ago.
    #[error("the token has been spent")]
    AlreadyUsed {
        /// When it was spent.
        used_at: Timestamp,
    },
    /// It was revoked before it was spent.
    #[error("the token has been revoked")]
    Revoked,
    /// Its MAC is right, it has not expired, and it has no row: the row was deleted, or the key was stolen.
    #[error("the token is unknown")]
    UnknownToken,
}

impl Refusal {
    /// The stable code that clients see.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::InvalidToken => "invalid_token",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::AlreadyUsed { .. } => "already_used",
            Self::Revoked => "revoked",
            Self::UnknownToken => "unknown_token",
        }
    }

    /// When the token was spent, if that is why it is refused.
    #[must_use]
    pub const fn used_at(self) -> Option<Timestamp> {
        match self {
            Self::AlreadyUsed { used_at } => Some(used_at),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_the_code_that_clients_know() {
        for (refusal, reason) in [
            (Refusal::InvalidToken, "invalid_token"),
            (Refusal::Expired, "expired"),
            (Refusal::NotYetValid, "not_yet_valid"),
            (Refusal::AlreadyUsed { used_at: Timestamp(1) }, "already_used"),
            (Refusal::Revoked, "revoked"),
            (Refusal::UnknownToken, "unknown_token"),
        ] {
            assert_eq!(refusal.reason(), reason);
            assert_eq!(refusal.used_at(), (reason == "already_used").then_some(Timestamp(1)));
        }
    }
}
