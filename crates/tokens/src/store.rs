//! The ports to the store of tokens: one trait for each operation, because IAM grants each function only one.

use async_trait::async_trait;

use crate::{Claimant, Jti, Row, Timestamp, Verdict};

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The outcome is unknown: the write may have happened or not.
    #[error("the store of tokens is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Another mint has taken the id, or the token was spent or revoked in the meantime.
    #[error("the id of the new token is taken")]
    Taken,
}

/// Writes the rows of new tokens.
#[async_trait]
pub trait Insert: Send + Sync {
    /// Writes the row of a new token.
    ///
    /// MUST be one atomic step that follows [`may_insert`](crate::may_insert): repeated by the same
    /// `minted_by` it succeeds, and it never replaces a row that is spent or revoked.
    ///
    /// # Errors
    ///
    /// [`StoreError::Taken`] if the rule forbids it, [`StoreError::Unavailable`] if the outcome is
    /// unknown.
    async fn insert(&self, jti: &Jti, row: Row) -> Result<(), StoreError>;
}

/// Spends tokens.
#[async_trait]
pub trait Spend: Send + Sync {
    /// Spends the token `jti` for `claimant`.
    ///
    /// MUST be one atomic step that follows [`decide`](crate::decide): at most one claimant ever gets
    /// [`Verdict::Spent`], and that claimant gets it again when it repeats its claim. `used_at` keeps
    /// the time of the first spend.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the outcome is unknown.
    async fn spend(&self, jti: &Jti, claimant: &Claimant, now: Timestamp) -> Result<Spending, StoreError>;
}

/// A store's answer to a claim.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Spending {
    /// Whether the claimant has spent the token.
    pub verdict: Verdict,
    /// The host that the token was minted on, if it was spent and its row says so.
    pub host: Option<String>,
}

impl From<Verdict> for Spending {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, host: None }
    }
}

/// Revokes tokens.
#[async_trait]
pub trait Revoke: Send + Sync {
    /// Revokes the token `jti`, unless it is spent or unknown.
    ///
    /// MUST be one atomic step that follows [`may_revoke`](crate::may_revoke). `revoked_at` keeps the time of
    /// the first revocation.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the outcome is unknown.
    async fn revoke(&self, jti: &Jti, now: Timestamp) -> Result<(), StoreError>;
}

/// Reads the rows of tokens.
#[async_trait]
pub trait Find: Send + Sync {
    /// The row of the token `jti`, with every write that has been answered before this call.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the row could not be read.
    async fn find(&self, jti: &Jti) -> Result<Option<Row>, StoreError>;
}

/// A store with all operations, such as the one in memory.
pub trait TokenStore: Insert + Spend + Revoke + Find {}

impl<S: Insert + Spend + Revoke + Find + ?Sized> TokenStore for S {}
