//! Spending: the strict check, and then one write that decides.

use std::sync::Arc;

use crate::{
    Caller, Checker, Claims, KeyRing, KeyStore, KeyStoreError, Refusal, Spend, Spending, StoreError, Timestamp, Token,
    key_store::{with_refresh, with_ring},
};

/// Spends tokens.
pub struct Spender {
    checker: Checker,
    keys: Arc<dyn KeyStore>,
    store: Arc<dyn Spend>,
}

/// A token that the caller has spent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Spent {
    /// Its claims.
    pub claims: Claims,
    /// The host that it was minted on, if known.
    pub host: Option<String>,
    /// The claimant had spent it before, and gets the same answer again.
    pub replayed: bool,
}

/// Why a token was not spent, or why the outcome is unknown.
#[derive(Debug, thiserror::Error)]
pub enum SpendError {
    /// The token is refused.
    #[error("refused")]
    Refused(#[source] Refusal),
    /// The token could not be checked.
    #[error("no keys to check with")]
    Keys(#[source] KeyStoreError),
    /// The outcome is unknown.
    #[error("the token could not be spent")]
    Store(#[source] StoreError),
}

impl Spender {
    /// A spender of the tokens that pass `checker`.
    #[must_use]
    pub fn new(checker: Checker, keys: Arc<dyn KeyStore>, store: Arc<dyn Spend>) -> Self {
        Self { checker, keys, store }
    }

    /// Spends `token` for `caller`.
    ///
    /// One write and no read. A token that does not pass the check costs no call to the store.
    ///
    /// # Errors
    ///
    /// [`SpendError::Refused`] with the reason; with any other error the outcome is unknown, and a
    /// caller with an idempotency key can ask again.
    pub async fn spend(&self, token: &Token, caller: &Caller, now: Timestamp) -> Result<Spent, SpendError> {
        let passed_exp = caller.passed_exp(now);
        let check = |ring: &KeyRing| {
            let (claims, key) = self.checker.check_with_key(token, ring, now, passed_exp)?;
            let claimant = key.claimant.claimant(caller, &claims.jti);
            Ok((claims, claimant))
        };
        let (checked, ring) = with_ring(&*self.keys, now, check).await.map_err(SpendError::Keys)?;
        let (claims, claimant) = checked.map_err(SpendError::Refused)?;
        let spend = self.store.spend(&claims.jti, &claimant, now);
        let (spending, refreshed) = with_refresh(&*self.keys, now, spend).await;
        let Spending { verdict, host } = spending.map_err(SpendError::Store)?;
        let replayed = verdict.into_result().map_err(SpendError::Refused)?;
        let refreshed = refreshed.map_err(SpendError::Keys)?;
        if !Arc::ptr_eq(&ring, &refreshed) {
            check(&refreshed).map_err(|err| SpendError::Refused(err.into()))?;
        }
        Ok(Spent { claims, host, replayed })
    }
}

impl std::fmt::Debug for Spender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spender").field("checker", &self.checker).finish_non_exhaustive()
    }
}
