//! The port to the store of tokens.

use async_trait::async_trait;

use crate::{Claim, Jti, Row, Timestamp, Verdict};

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The outcome is not known: the write may have happened or not.
    #[error("the store of tokens is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Another mint has taken the id, or the token has been spent or revoked meanwhile.
    #[error("the id of the new token is taken")]
    Taken,
}

/// Where the rows of tokens live.
#[async_trait]
pub trait TokenStore: Send + Sync {
    /// Writes the row of a new token.
    ///
    /// MUST be one atomic step that obeys [`may_insert`](crate::may_insert): repeated by the same
    /// `minted_by` it succeeds, and it never replaces a row that is spent or revoked.
    ///
    /// # Errors
    ///
    /// [`StoreError::Taken`] when the rule forbids it, [`StoreError::Unavailable`] when the outcome
    /// is not known.
    async fn insert(&self, jti: &Jti, row: Row) -> Result<(), StoreError>;

    /// Spends the token `jti` for `claim.claimant`.
    ///
    /// MUST be one atomic step that obeys [`decide`](crate::decide): of any number of claimants at
    /// most one is ever told [`Verdict::Spent`], and that one is told so again when it repeats its
    /// claim. `used_at` keeps the time of the first.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the outcome is not known.
    async fn spend(&self, jti: &Jti, claim: &Claim, now: Timestamp) -> Result<Verdict, StoreError>;
}
