//! Minting: a signed token, and a row for its id.

use std::sync::Arc;

use crate::{
    Claimant, Claims, Insert, Jti, KeyStore, KeyStoreError, Row, StoreError, Timestamp, Token, key_store::with_refresh,
};

/// Mints tokens of one deployment.
pub struct Minter {
    iss: String,
    revoked_before: Timestamp,
    keys: Arc<dyn KeyStore>,
    store: Arc<dyn Insert>,
}

/// A token to be minted.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Its identifier.
    pub jti: Jti,
    /// Its `aud` claim.
    pub aud: String,
    /// Its lifetime, at most [`MAX_LIFETIME_SECONDS`](crate::MAX_LIFETIME_SECONDS).
    pub ttl_seconds: u64,
    /// The invocation that mints it.
    pub minted_by: Claimant,
    /// The host that the request came to.
    pub host: Option<String>,
}

/// A token that has just been minted.
#[derive(Clone, Debug)]
pub struct Minted {
    /// The token.
    pub token: Token,
    /// Its identifier.
    pub jti: Jti,
    /// When it expires.
    pub expires_at: Timestamp,
}

/// Why no token was minted.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    /// There is no key to sign with.
    #[error("no key to sign with")]
    Keys(#[source] KeyStoreError),
    /// The token could not be signed.
    #[error("the token could not be signed")]
    Sign(#[source] jsonwebtoken::errors::Error),
    /// It would be revoked already: `RevokedBefore`, or the key ring's `not_before`, is in the future.
    #[error("no token is minted until {} (seconds since 1970) has passed: RevokedBefore or the key ring's not_before", .0.0)]
    Revoked(Timestamp),
    /// The refreshed ring would refuse it: in the meantime its key was withdrawn, or `not_before` was set.
    #[error("the refreshed key ring would refuse the new token")]
    DeadOnArrival,
    /// Its row could not be written.
    #[error("the new token could not be stored")]
    Store(#[source] StoreError),
}

impl Minter {
    /// A minter of `iss`'s tokens. Those minted at `revoked_before` or earlier are revoked (0: none), so
    /// none is minted until then.
    #[must_use]
    pub fn new(iss: String, revoked_before: Timestamp, keys: Arc<dyn KeyStore>, store: Arc<dyn Insert>) -> Self {
        Self { iss, revoked_before, keys, store }
    }

    /// Mints a token.
    ///
    /// One write and no read. A token is returned only when its row has been written.
    ///
    /// # Errors
    ///
    /// [`MintError`]. No token is returned, although its row may exist.
    pub async fn mint(&self, new: NewToken, now: Timestamp) -> Result<Minted, MintError> {
        let NewToken { jti, aud, ttl_seconds, minted_by, host } = new;
        let ring = self.keys.ring(now).await.map_err(MintError::Keys)?;
        let revoked_until = self.revoked_before.max(ring.not_before());
        if now <= revoked_until {
            return Err(MintError::Revoked(revoked_until));
        }
        let expires_at = now.plus(ttl_seconds);
        let claims = Claims { iss: self.iss.clone(), aud, jti, iat: now, nbf: now, exp: expires_at };
        let key = ring.active();
        let token = jsonwebtoken::encode(&key.header, &claims, &key.encoding).map_err(MintError::Sign)?;
        let insert = self.store.insert(&jti, Row::minted(&claims, minted_by, host));
        let (stored, refreshed) = with_refresh(&*self.keys, now, insert).await;
        stored.map_err(MintError::Store)?;
        if !refreshed.map_err(MintError::Keys)?.accepts(key, now) {
            return Err(MintError::DeadOnArrival);
        }
        Ok(Minted { token: Token::new(token), jti, expires_at })
    }
}

impl std::fmt::Debug for Minter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Minter").field("iss", &self.iss).finish_non_exhaustive()
    }
}
