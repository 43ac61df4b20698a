//! The port to the versions of the secret that holds the key ring.

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::KeyStoreError;

/// Which versions of the secret matter, by their ids.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Stages {
    /// The version in force: the one that functions fetch.
    pub current: Option<String>,
    /// The version that a rotation prepares.
    pub pending: Option<String>,
}

/// The versions of the secret that holds the key ring. A rotation prepares one, and brings it into force.
#[async_trait]
pub trait RingVersions: Send + Sync {
    /// The current and the pending version.
    ///
    /// # Errors
    ///
    /// [`KeyStoreError`] when the secret is missing or did not answer; likewise for the other operations.
    async fn stages(&self) -> Result<Stages, KeyStoreError>;

    /// The JSON of the ring in a version; `None` while the version is empty.
    async fn ring_json(&self, version: &str) -> Result<Option<Zeroizing<String>>, KeyStoreError>;

    /// Fills the pending version.
    ///
    /// MUST NOT change a version that holds another ring already.
    async fn put_pending(&self, version: &str, ring_json: &str) -> Result<(), KeyStoreError>;

    /// Brings `version` into force in place of the version `base`.
    ///
    /// MUST be one atomic step, which fails unless `base` is in force.
    async fn promote(&self, version: &str, base: &str) -> Result<(), KeyStoreError>;

    /// Ends the rotation that has prepared `version`, whether that is in force or not, so that another can begin.
    async fn release(&self, version: &str) -> Result<(), KeyStoreError>;
}
