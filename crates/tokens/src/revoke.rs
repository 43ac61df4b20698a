//! Revocation of one token (RFC 7009).

use std::sync::Arc;

use crate::{Checker, Jti, KeyStore, KeyStoreError, Revoke, StoreError, Timestamp, Token, key_store::with_ring};

/// Revokes tokens.
pub struct Revoker {
    checker: Checker,
    keys: Arc<dyn KeyStore>,
    store: Arc<dyn Revoke>,
}

/// Why it is unknown whether a token was revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevokeError {
    /// The token could not be checked.
    #[error("no keys to check with")]
    Keys(#[source] KeyStoreError),
    /// The write may have happened or not.
    #[error("the token could not be revoked")]
    Store(#[source] StoreError),
}

impl Revoker {
    /// A revoker of the genuine tokens of `checker`.
    #[must_use]
    pub fn new(checker: Checker, keys: Arc<dyn KeyStore>, store: Arc<dyn Revoke>) -> Self {
        Self { checker, keys, store }
    }

    /// Revokes `token`. A token that is not genuine is left alone, without a call to the store: it cannot be
    /// spent anyway (RFC 7009, section 2.2).
    ///
    /// # Errors
    ///
    /// [`RevokeError`]; asking again is safe.
    pub async fn revoke(&self, token: &Token, now: Timestamp) -> Result<(), RevokeError> {
        // Whatever the time: this clock may be behind that of the mint, and the token be spent all the same.
        let genuine = |ring: &_| self.checker.genuine(token, ring).map(|(claims, _)| claims);
        let (genuine, _ring) = with_ring(&*self.keys, now, genuine).await.map_err(RevokeError::Keys)?;
        match genuine {
            Ok(claims) => self.revoke_by_id(&claims.jti, now).await,
            Err(_) => Ok(()),
        }
    }

    /// Revokes the token `jti`. A spent token stays spent, and an unknown one unknown.
    ///
    /// # Errors
    ///
    /// As [`Revoker::revoke`].
    pub async fn revoke_by_id(&self, jti: &Jti, now: Timestamp) -> Result<(), RevokeError> {
        self.store.revoke(jti, now).await.map_err(RevokeError::Store)
    }
}

impl std::fmt::Debug for Revoker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Revoker").field("checker", &self.checker).finish_non_exhaustive()
    }
}
