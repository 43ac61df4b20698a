//! The rule of one use, as pure functions.
//!
//! The in-memory store applies them under its lock; the DynamoDB store states them as conditions
//! and explains a failed condition with them.

use crate::{Claimant, Claims, Refusal, Timestamp};

/// How long after the first spend the same claimant gets the same success again, in seconds.
///
/// Long enough for the retries of a claimant whose reply was lost.
pub const REPLAY_WINDOW_SECONDS: u64 = 60;

/// How long a row is kept after its token has expired, in seconds: one day of evidence.
pub const ROW_RETENTION_SECONDS: u64 = 86_400;

/// What the store keeps of a token. The token itself is never stored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Row {
    /// The invocation that minted it.
    pub minted_by: Claimant,
    /// When it was minted.
    pub created_at: Timestamp,
    /// The host that the minting request came to, at most 255 bytes.
    pub host: Option<String>,
    /// When it expires: its `exp`.
    pub expires_at: Timestamp,
    /// When the row can be deleted: [`ROW_RETENTION_SECONDS`] after `expires_at`.
    pub purge_at: Timestamp,
    /// When it was first spent.
    pub used_at: Option<Timestamp>,
    /// The claimant that spent it.
    pub used_by: Option<Claimant>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl Row {
    /// The row of the token with these `claims`, which the invocation `minted_by` minted for a
    /// request to `host`.
    #[must_use]
    pub const fn minted(claims: &Claims, minted_by: Claimant, host: Option<String>) -> Self {
        Self {
            minted_by,
            created_at: claims.iat,
            host,
            expires_at: claims.exp,
            purge_at: claims.exp.plus(ROW_RETENTION_SECONDS),
            used_at: None,
            used_by: None,
            revoked_at: None,
        }
    }
}

/// The store's answer to a claim.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// The claimant has spent the token.
    Spent {
        /// The claimant had spent it before, and gets the same answer again.
        replayed: bool,
    },
    /// Another claimant has spent it, or this one too long ago.
    AlreadyUsed {
        /// When it was first spent.
        used_at: Timestamp,
    },
    /// It was revoked before it was spent.
    Revoked,
    /// It has expired.
    Expired,
    /// There is no row with that id.
    Unknown,
}

impl Verdict {
    /// Whether the success is a replay, or the refusal.
    ///
    /// # Errors
    ///
    /// The refusal, if the verdict is not a success.
    pub const fn into_result(self) -> Result<bool, Refusal> {
        match self {
            Self::Spent { replayed } => Ok(replayed),
            Self::AlreadyUsed { used_at } => Err(Refusal::AlreadyUsed { used_at }),
            Self::Revoked => Err(Refusal::Revoked),
            Self::Expired => Err(Refusal::Expired),
            Self::Unknown => Err(Refusal::UnknownToken),
        }
    }
}

/// Decides a claim to the token of `row`.
///
/// For each token at most one claimant ever gets [`Verdict::Spent`], provided that the store writes the
/// claimant into the row in the same atomic step.
#[must_use]
pub fn decide(row: Option<&Row>, claimant: &Claimant, now: Timestamp) -> Verdict {
    let Some(row) = row else { return Verdict::Unknown };
    let unclaimed = row.used_by.is_none() && row.revoked_at.is_none() && row.expires_at > now;
    // Even at and after `expires_at`: the first success was before it.
    let mine = row.used_by.as_ref() == Some(claimant)
        && row.used_at.is_some_and(|used_at| used_at >= now.minus(REPLAY_WINDOW_SECONDS));
    if unclaimed || mine {
        return Verdict::Spent { replayed: mine };
    }
    match (&row.used_by, row.revoked_at) {
        (Some(_), _) => Verdict::AlreadyUsed { used_at: row.used_at.unwrap_or_default() },
        (None, Some(_)) => Verdict::Revoked,
        (None, None) => Verdict::Expired,
    }
}

/// Decides whether `minted_by` may write the row of a new token over `row`.
///
/// It may replace its own row: that is the retry of a write whose reply was lost. It may not if the row
/// has been spent or revoked since: a late duplicate would erase the mark.
#[must_use]
pub fn may_insert(row: Option<&Row>, minted_by: &Claimant) -> bool {
    row.is_none_or(|row| row.minted_by == *minted_by && row.used_by.is_none() && row.revoked_at.is_none())
}

/// Decides whether the token of `row` may be revoked: not if it is unknown or spent.
///
/// It may be revoked again, and after it has expired. A spent token stays spent, so that each token ends in
/// one way: spent, revoked, or expired.
#[must_use]
pub fn may_revoke(row: Option<&Row>) -> bool {
    row.is_some_and(|row| row.used_by.is_none())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::Jti;

    const NOW: Timestamp = Timestamp(1_700_000_000);

    fn row() -> Row {
        let claims = Claims {
            iss: String::new(),
            aud: String::new(),
            jti: Jti::new(Uuid::nil()),
            iat: NOW.minus(10),
            nbf: NOW.minus(10),
            exp: NOW.plus(300),
        };
        Row::minted(&claims, by("mint"), None)
    }

    fn by(id: &str) -> Claimant {
        Claimant::of_invocation(id).unwrap()
    }

    fn spent_by(claimant: &str, used_at: Timestamp) -> Row {
        Row { used_by: Some(by(claimant)), used_at: Some(used_at), ..row() }
    }

    fn me() -> Claimant {
        by("me")
    }

    #[test]
    fn an_unclaimed_token_is_spent() {
        assert_eq!(decide(Some(&row()), &me(), NOW), Verdict::Spent { replayed: false });
    }

    #[test]
    fn a_token_without_a_row_is_unknown() {
        assert_eq!(decide(None, &me(), NOW), Verdict::Unknown);
    }

    #[test]
    fn a_token_expires_at_the_second_of_its_exp() {
        let row = row();
        let last = row.expires_at.minus(1);
        assert_eq!(decide(Some(&row), &me(), last), Verdict::Spent { replayed: false });
        assert_eq!(decide(Some(&row), &me(), row.expires_at), Verdict::Expired);
    }

    #[test]
    fn the_claimant_gets_the_success_again_for_sixty_seconds() {
        let row = spent_by("me", NOW);
        assert_eq!(decide(Some(&row), &me(), NOW.plus(60)), Verdict::Spent { replayed: true });
        assert_eq!(decide(Some(&row), &me(), NOW.plus(61)), Verdict::AlreadyUsed { used_at: NOW });
    }

    #[test]
    fn the_claimant_gets_the_success_again_although_the_token_has_expired_since() {
        let used_at = row().expires_at.minus(1);
        let row = spent_by("me", used_at);
        for later in [1, 60] {
            assert_eq!(decide(Some(&row), &me(), used_at.plus(later)), Verdict::Spent { replayed: true }, "{later} s");
            assert_eq!(decide(Some(&row), &by("other"), used_at.plus(later)), Verdict::AlreadyUsed { used_at });
        }
        assert_eq!(decide(Some(&row), &me(), used_at.plus(61)), Verdict::AlreadyUsed { used_at });
    }

    #[test]
    fn another_claimant_learns_when_the_token_was_spent() {
        let row = spent_by("other", NOW.minus(3));
        assert_eq!(decide(Some(&row), &me(), NOW), Verdict::AlreadyUsed { used_at: NOW.minus(3) });
    }

    #[test]
    fn a_spent_token_reads_as_used_even_when_it_is_also_revoked_and_expired() {
        let row = Row { revoked_at: Some(NOW), ..spent_by("other", NOW) };
        assert_eq!(decide(Some(&row), &me(), NOW.plus(900)), Verdict::AlreadyUsed { used_at: NOW });
    }

    #[test]
    fn a_revoked_token_reads_as_revoked_even_after_it_expired() {
        let row = Row { revoked_at: Some(NOW), ..row() };
        assert_eq!(decide(Some(&row), &me(), NOW), Verdict::Revoked);
        assert_eq!(decide(Some(&row), &me(), NOW.plus(900)), Verdict::Revoked);
    }

    #[test]
    fn the_claimant_gets_the_success_again_although_the_token_was_revoked_since() {
        let row = Row { revoked_at: Some(NOW), ..spent_by("me", NOW) };
        assert_eq!(decide(Some(&row), &me(), NOW), Verdict::Spent { replayed: true });
    }

    #[test]
    fn a_verdict_is_a_success_that_may_be_a_replay_or_a_refusal() {
        assert_eq!(Verdict::Spent { replayed: false }.into_result(), Ok(false));
        assert_eq!(Verdict::Spent { replayed: true }.into_result(), Ok(true));
        assert_eq!(Verdict::AlreadyUsed { used_at: NOW }.into_result(), Err(Refusal::AlreadyUsed { used_at: NOW }));
        assert_eq!(Verdict::Revoked.into_result(), Err(Refusal::Revoked));
        assert_eq!(Verdict::Expired.into_result(), Err(Refusal::Expired));
        assert_eq!(Verdict::Unknown.into_result(), Err(Refusal::UnknownToken));
    }

    #[test]
    fn a_mint_may_be_repeated_but_never_erases_a_mark() {
        assert!(may_insert(None, &by("mint")));
        assert!(may_insert(Some(&row()), &by("mint")));
        assert!(!may_insert(Some(&row()), &by("other")));
        assert!(!may_insert(Some(&spent_by("me", NOW)), &by("mint")));
        assert!(!may_insert(Some(&Row { revoked_at: Some(NOW), ..row() }), &by("mint")));
    }

    #[test]
    fn a_token_may_be_revoked_until_it_is_spent() {
        assert!(may_revoke(Some(&row())));
        assert!(may_revoke(Some(&Row { revoked_at: Some(NOW), ..row() })));
        assert!(!may_revoke(Some(&spent_by("me", NOW))));
        assert!(!may_revoke(None));
    }
}
