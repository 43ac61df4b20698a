//! The ports of a function that uses the store of tokens.

use std::sync::Arc;

use crate::{KeyStore, Timestamp};

/// What a function that uses the store of tokens needs besides its settings.
///
/// `S` is the store. Each function requires only the operation that it needs: a function that mints takes
/// an [`Insert`](crate::Insert), one that spends a [`Spend`](crate::Spend), and so on.
pub struct Ports<S: ?Sized> {
    /// The key ring.
    pub keys: Arc<dyn KeyStore>,
    /// The store of tokens.
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
