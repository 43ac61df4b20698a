//! Spending: the strict check, and then one write that decides.

use std::sync::Arc;

use futures_util::future;

use crate::{
    Caller, CheckError, Checker, Claim, Claims, KeyRing, KeyStore, KeyStoreError, Refusal, StoreError, Timestamp,
    Token, TokenStore,
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

    /// Spends `token` for `caller`.
    ///
    /// One write and no read; for a token that does not pass the check, no call to the store.
    ///
    /// # Errors
    ///
    /// [`SpendError::Refused`] with the reason, and else an outcome that is not known: a caller with
    /// an idempotency key may ask again.
    pub async fn spend(&self, token: &Token, caller: &Caller, now: Timestamp) -> Result<Spent, SpendError> {
        let (claims, claim, ring) = self.check(token, caller, now).await?;
        let (verdict, ()) =
            future::join(self.store.spend(&claims.jti, &claim, now), self.keys.refresh_if_due(now)).await;
        let replayed = verdict.map_err(SpendError::Store)?.into_result().map_err(SpendError::Refused)?;
        // An environment that idled has checked with an old ring, and has just fetched the new one:
        // its keys and its `not_before` have the last word.
        let refreshed = self.keys.ring(now).await.map_err(SpendError::Keys)?;
        if !Arc::ptr_eq(&ring, &refreshed) {
            self.checker.check(token, &refreshed, now).map_err(|err| SpendError::Refused(err.into()))?;
        }
        Ok(Spent { replayed })
    }

    /// The claims of `token`, the claim to it that `caller` makes, and the ring that says so.
    async fn check(
        &self,
        token: &Token,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<(Claims, Claim, Arc<KeyRing>), SpendError> {
        let mut ring = self.keys.ring(now).await.map_err(SpendError::Keys)?;
        let mut checked = self.checker.check_with_key(token, &ring, now);
        if matches!(checked, Err(CheckError::UnknownKid)) {
            ring = self.keys.ring_for_unknown_kid(now).await.map_err(SpendError::Keys)?;
            checked = self.checker.check_with_key(token, &ring, now);
        }
        let (claims, key) = checked.map_err(|err| SpendError::Refused(err.into()))?;
        let claim = Claim { claimant: key.claimant.claimant(caller, &claims.jti) };
        Ok((claims, claim, ring))
    }
}

impl std::fmt::Debug for Spender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spender").field("checker", &self.checker).finish_non_exhaustive()
    }
}
