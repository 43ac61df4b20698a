//! The port to the place where the key ring is kept.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future;

use crate::{KeyRing, Timestamp};

/// The key ring is unavailable.
#[derive(Debug, thiserror::Error)]
#[error("the key ring is unavailable")]
pub struct KeyStoreError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Where the key ring is kept.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// The ring in force.
    ///
    /// # Errors
    ///
    /// [`KeyStoreError`] when no usable ring has been fetched yet, or the last one is too old.
    async fn ring(&self, now: Timestamp) -> Result<Arc<KeyRing>, KeyStoreError>;

    /// The ring after a refresh that a token with an unknown `kid` calls for.
    ///
    /// MUST limit how often that fetches the ring: such tokens cost their sender nothing.
    ///
    /// # Errors
    ///
    /// [`KeyStoreError`] when the refresh failed, so that it is unknown whether the key exists.
    async fn ring_for_unknown_kid(&self, now: Timestamp) -> Result<Arc<KeyRing>, KeyStoreError>;

    /// Refreshes a ring that is due. A failure keeps the ring in force.
    async fn refresh_if_due(&self, now: Timestamp);
}

/// Runs `call`, an invocation's call to the store, and concurrently refreshes a ring that is due;
/// returns its outcome, and the ring that is in force then.
///
/// Concurrently, because Lambda freezes the process after the reply. That ring has the last word
/// about the token: an environment that was idle has worked with an old one until now.
pub(crate) async fn with_refresh<T>(
    keys: &dyn KeyStore,
    now: Timestamp,
    call: impl Future<Output = T>,
) -> (T, Result<Arc<KeyRing>, KeyStoreError>) {
    let (outcome, ()) = future::join(call, keys.refresh_if_due(now)).await;
    (outcome, keys.ring(now).await)
}

/// A [`KeyStore`] whose ring never changes.
#[derive(Debug)]
pub struct FixedKeyStore(Arc<KeyRing>);

impl FixedKeyStore {
    /// Keeps `ring`.
    #[must_use]
    pub fn new(ring: KeyRing) -> Self {
        Self(Arc::new(ring))
    }
}

#[async_trait]
impl KeyStore for FixedKeyStore {
    async fn ring(&self, _now: Timestamp) -> Result<Arc<KeyRing>, KeyStoreError> {
        Ok(self.0.clone())
    }

    async fn ring_for_unknown_kid(&self, _now: Timestamp) -> Result<Arc<KeyRing>, KeyStoreError> {
        Ok(self.0.clone())
    }

    async fn refresh_if_due(&self, _now: Timestamp) {}
}
