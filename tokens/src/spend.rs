//! Spending: the strict check, and then one write that decides.

use std::sync::Arc;

use futures_util::future;

use crate::{
    CheckError, Checker, Claim, Claims, KeyStore, KeyStoreError, Refusal, StoreError, Timestamp, Token, TokenStore,
};

/// Spends tokens.
pub struct Spender {
    checker: Checker,
    keys: Arc<dyn KeyStore>,
    store: Arc<dyn TokenStore>,
}

/// A token that is now its claimant's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Spent {
    /// It had been already, and this is the same answer again.
    pub replayed: bool,
}

/// Why a token was not spent, or why nobody knows.
#[derive(Debug, thiserror::Error)]
pub enum SpendError {
    /// The token is refused.
    #[error("refused")]
    Refused(#[source] Refusal),
    /// The token could not be checked.
    #[error("no keys to check with")]
    Keys(#[source] KeyStoreError),
    /// The outcome is not known.
    #[error("the token could not be spent")]
    Store(#[source] StoreError),
}

impl Spender {
    /// A spender of the tokens that pass `checker`.
    #[must_use]
    pub fn new(checker: Checker, keys: Arc<dyn KeyStore>, store: Arc<dyn TokenStore>) -> Self {
        Self { checker, keys, store }
    }

    /// Spends `token` for the claimant of `claim`.
    ///
    /// One write and no read; for a token that does not pass the check, no call to the store.
    ///
    /// # Errors
    ///
    /// [`SpendError::Refused`] with the reason, and else an outcome that is not known: the same
    /// claim may be made again.
    pub async fn spend(&self, token: &Token, claim: &Claim, now: Timestamp) -> Result<Spent, SpendError> {
        let claims = self.check(token, now).await?;
        let (verdict, ()) =
            future::join(self.store.spend(&claims.jti, claim, now), self.keys.refresh_if_due(now)).await;
        let replayed = verdict.map_err(SpendError::Store)?.into_result().map_err(SpendError::Refused)?;
        // An environment that idled has checked with an old ring, and has just fetched the new one.
        let ring = self.keys.ring(now).await.map_err(SpendError::Keys)?;
        if claims.iat <= ring.not_before() {
            return Err(SpendError::Refused(Refusal::Revoked));
        }
        Ok(Spent { replayed })
    }

    async fn check(&self, token: &Token, now: Timestamp) -> Result<Claims, SpendError> {
        let ring = self.keys.ring(now).await.map_err(SpendError::Keys)?;
        let mut checked = self.checker.check(token, &ring, now);
        if matches!(checked, Err(CheckError::UnknownKid)) {
            let ring = self.keys.ring_for_unknown_kid(now).await.map_err(SpendError::Keys)?;
            checked = self.checker.check(token, &ring, now);
        }
        checked.map_err(|err| SpendError::Refused(err.into()))
    }
}

impl std::fmt::Debug for Spender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spender").field("checker", &self.checker).finish_non_exhaustive()
    }
}
