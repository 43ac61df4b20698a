//! What a function that touches tokens is made with.

use std::sync::Arc;

use crate::{KeyStore, Timestamp};

/// What a function that touches tokens is made with, besides its settings.
///
/// `S` is the store, of which each function asks for the one operation that it needs: a function
/// that mints takes an [`Insert`](crate::Insert), one that spends a [`Spend`](crate::Spend).
pub struct Ports<S: ?Sized> {
    /// Where the key ring is kept.
    pub keys: Arc<dyn KeyStore>,
    /// Where the tokens are kept.
    pub store: Arc<S>,
    /// The clock. It is read once per invocation, before the call to the store.
    pub now: fn() -> Timestamp,
}

impl<S: ?Sized> Clone for Ports<S> {
    fn clone(&self) -> Self {
        Self { keys: Arc::clone(&self.keys), store: Arc::clone(&self.store), now: self.now }
    }
}

impl<S: ?Sized> std::fmt::Debug for Ports<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ports").finish_non_exhaustive()
    }
}
