//! Minting: a signed token, and a row for its id.

use std::sync::Arc;

use futures_util::future;

use crate::{
    Claims, Issuer, Jti, KeyStore, KeyStoreError, ROW_RETENTION_SECONDS, Row, StoreError, Timestamp, Token, TokenStore,
};

/// Mints tokens of one deployment and one lifetime.
pub struct Minter {
    issuer: Issuer,
    ttl_seconds: u32,
    keys: Arc<dyn KeyStore>,
    store: Arc<dyn TokenStore>,
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
    /// By the newest ring it would be refused: its key is gone, or `not_before` has not passed.
    #[error("the new token would be refused")]
    DeadOnArrival,
    /// Its row could not be written.
    #[error("the new token could not be stored")]
    Store(#[source] StoreError),
}

impl Minter {
    /// A minter of `issuer`'s tokens that live `ttl_seconds`.
    #[must_use]
    pub fn new(issuer: Issuer, ttl_seconds: u32, keys: Arc<dyn KeyStore>, store: Arc<dyn TokenStore>) -> Self {
        Self { issuer, ttl_seconds, keys, store }
    }

    /// Mints the token `jti` for the invocation `minted_by` of a request to `host`.
    ///
    /// One write and no read. A token leaves here only when its row has been written.
    ///
    /// # Errors
    ///
    /// [`MintError`]: there is no token then, although its row may exist.
    pub async fn mint(
        &self,
        jti: Jti,
        minted_by: String,
        host: Option<String>,
        now: Timestamp,
    ) -> Result<Minted, MintError> {
        let ring = self.keys.ring(now).await.map_err(MintError::Keys)?;
        let expires_at = now.plus(self.ttl_seconds.into());
        let claims = Claims {
            iss: self.issuer.iss.clone(),
            aud: self.issuer.aud.clone(),
            jti,
            iat: now,
            nbf: now,
            exp: expires_at,
        };
        let key = ring.active();
        let token = jsonwebtoken::encode(&key.header, &claims, &key.encoding).map_err(MintError::Sign)?;
        let row = Row {
            minted_by,
            created_at: now,
            host,
            expires_at,
            purge_at: expires_at.plus(ROW_RETENTION_SECONDS),
            used_at: None,
            used_by: None,
            revoked_at: None,
        };
        let (stored, ()) = future::join(self.store.insert(&jti, row), self.keys.refresh_if_due(now)).await;
        stored.map_err(MintError::Store)?;
        // An environment that idled has signed with an old ring, and has just fetched the new one.
        if !self.keys.ring(now).await.map_err(MintError::Keys)?.accepts(key, now) {
            return Err(MintError::DeadOnArrival);
        }
        Ok(Minted { token: Token::new(token), jti, expires_at })
    }
}

impl std::fmt::Debug for Minter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Minter").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}
