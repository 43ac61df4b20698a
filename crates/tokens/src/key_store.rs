//! The port to the key ring.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future;

use crate::{CheckError, KeyRing, Refusal, Timestamp};

/// The key ring is unavailable.
#[derive(Debug, thiserror::Error)]
#[error("the key ring is unavailable")]
pub struct KeyStoreError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Provides the key ring.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// The current ring.
    ///
    /// # Errors
    ///
    /// [`KeyStoreError`] when no usable ring has been fetched yet, or the last one is too old.
    async fn ring(&self, now: Timestamp) -> Result<Arc<KeyRing>, KeyStoreError>;

    /// The ring after a refresh, for a token with an unknown `kid`.
    ///
    /// MUST limit how often it fetches the ring: an attacker can make such tokens for free.
    ///
    /// # Errors
    ///
    /// [`KeyStoreError`] when the refresh failed, so that it is unknown whether the key exists.
    async fn ring_for_unknown_kid(&self, now: Timestamp) -> Result<Arc<KeyRing>, KeyStoreError>;

    /// Refreshes a ring that is due. After a failure the current ring stays in use.
    async fn refresh_if_due(&self, now: Timestamp);
}

/// Runs `check` with the current ring and, if the token's `kid` is unknown, once more with a refreshed one.
/// Returns the outcome, and the ring that decided it.
pub(crate) async fn with_ring<T>(
    keys: &dyn KeyStore,
    now: Timestamp,
    check: impl Fn(&KeyRing) -> Result<T, CheckError>,
) -> Result<(Result<T, Refusal>, Arc<KeyRing>), KeyStoreError> {
    let mut ring = keys.ring(now).await?;
    let mut checked = check(&ring);
    if matches!(checked, Err(CheckError::UnknownKid)) {
        ring = keys.ring_for_unknown_kid(now).await?;
        checked = check(&ring);
    }
    Ok((checked.map_err(Refusal::from), ring))
}

/// Runs `call`, a call to the store, and concurrently refreshes a ring that is due. Returns the outcome
/// of the call, and the ring after the refresh.
///
/// Concurrently, because Lambda freezes the process after the reply. The returned ring has the last word
/// about the token, because the ring of an environment that was idle may be out of date.
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
