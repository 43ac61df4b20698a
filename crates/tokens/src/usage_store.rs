//! The port to the counts of use, and its implementation in memory.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use crate::{Counts, Hour, SequenceNumber};

/// The store of counts did not answer: what was asked may have happened or not.
#[derive(Debug, thiserror::Error)]
#[error("the store of counts is unavailable")]
pub struct UsageStoreError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Keeps the counts of use: one item for each hour and each shard of the stream that was counted.
///
/// No two shards share an item, so that an item can hold the sequence number that was counted last in it: numbers of
/// different shards cannot be compared.
#[async_trait]
pub trait UsageStore: Send + Sync {
    /// The sequence number that was counted last in an item, with every write that has been answered before this
    /// call; `None` if there is no such item.
    ///
    /// # Errors
    ///
    /// [`UsageStoreError`] if it could not be read.
    async fn last(&self, hour: Hour, shard: &str) -> Result<Option<SequenceNumber>, UsageStoreError>;

    /// Adds `counts` to an item and makes `last` its last number, if its last number is still `read`; returns whether
    /// it was.
    ///
    /// MUST be one atomic step. Without an item `read` is `None`, and the item is created.
    ///
    /// # Errors
    ///
    /// [`UsageStoreError`] when the outcome is unknown. It is safe to begin again with [`UsageStore::last`].
    async fn add(
        &self,
        hour: Hour,
        shard: &str,
        counts: &Counts,
        read: Option<&SequenceNumber>,
        last: &SequenceNumber,
    ) -> Result<bool, UsageStoreError>;

    /// The items of these hours, of every shard, in any order.
    ///
    /// # Errors
    ///
    /// [`UsageStoreError`] if they could not be read.
    async fn counts(&self, hours: Range<Hour>) -> Result<Vec<(Hour, Counts)>, UsageStoreError>;
}

/// Counts in the memory of this process. `local` and the tests use it.
#[derive(Debug, Default)]
pub struct InMemoryUsageStore {
    items: Mutex<BTreeMap<(Hour, String), (SequenceNumber, Counts)>>,
}

impl InMemoryUsageStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Locks the items.
    fn items(&self) -> MutexGuard<'_, BTreeMap<(Hour, String), (SequenceNumber, Counts)>> {
        // No code panics while it holds the lock, so the lock is never poisoned.
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl UsageStore for InMemoryUsageStore {
    async fn last(&self, hour: Hour, shard: &str) -> Result<Option<SequenceNumber>, UsageStoreError> {
        Ok(self.items().get(&(hour, shard.to_owned())).map(|(last, _)| last.clone()))
    }

    async fn add(
        &self,
        hour: Hour,
        shard: &str,
        counts: &Counts,
        read: Option<&SequenceNumber>,
        last: &SequenceNumber,
    ) -> Result<bool, UsageStoreError> {
        let mut items = self.items();
        let key = (hour, shard.to_owned());
        if items.get(&key).map(|(last, _)| last) != read {
            return Ok(false);
        }
        let item = items.entry(key).or_insert_with(|| (last.clone(), Counts::default()));
        item.0 = last.clone();
        item.1.add(counts);
        Ok(true)
    }

    async fn counts(&self, hours: Range<Hour>) -> Result<Vec<(Hour, Counts)>, UsageStoreError> {
        let items = self.items();
        let items = items.iter().filter(|((hour, _), _)| hours.contains(hour));
        Ok(items.map(|((hour, _), (_, counts))| (*hour, counts.clone())).collect())
    }
}
