//! The store of a single process.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use crate::{
    Claimant, Find, Insert, Jti, Revoke, Row, Spend, Spending, StoreError, Timestamp, Verdict, decide, may_insert,
    may_revoke,
};

/// A store in the memory of this process. `local` and the tests use it.
#[derive(Debug, Default)]
pub struct InMemoryTokenStore {
    rows: Mutex<Rows>,
}

/// The rows, by the token's id.
#[derive(Debug, Default)]
struct Rows {
    by_jti: HashMap<Jti, Row>,
}

impl InMemoryTokenStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The row of a token as it is now.
    #[must_use]
    pub fn row(&self, jti: &Jti) -> Option<Row> {
        self.rows().by_jti.get(jti).cloned()
    }

    /// Locks the rows.
    fn rows(&self) -> MutexGuard<'_, Rows> {
        // No code panics while it holds the lock, so the lock is never poisoned.
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rows {
    /// Deletes the rows that can be purged, as DynamoDB's time to live does, when the map is full.
    fn sweep(&mut self, now: Timestamp) {
        if self.by_jti.len() == self.by_jti.capacity() {
            self.by_jti.retain(|_, row| row.purge_at > now);
            // Room for as many again, so that the cost of a sweep is spread over the inserts.
            self.by_jti.reserve(self.by_jti.len());
        }
    }
}

#[async_trait]
impl Insert for InMemoryTokenStore {
    async fn insert(&self, jti: &Jti, row: Row) -> Result<(), StoreError> {
        let mut rows = self.rows();
        if !may_insert(rows.by_jti.get(jti), &row.minted_by) {
            return Err(StoreError::Taken);
        }
        rows.sweep(row.created_at);
        rows.by_jti.insert(*jti, row);
        Ok(())
    }
}

#[async_trait]
impl Spend for InMemoryTokenStore {
    async fn spend(&self, jti: &Jti, claimant: &Claimant, now: Timestamp) -> Result<Spending, StoreError> {
        let mut rows = self.rows();
        let row = rows.by_jti.get_mut(jti);
        let verdict = decide(row.as_deref(), claimant, now);
        if let (Verdict::Spent { .. }, Some(row)) = (verdict, row) {
            row.used_at.get_or_insert(now);
            row.used_by = Some(claimant.clone());
            return Ok(Spending { verdict, host: row.host.clone() });
        }
        Ok(verdict.into())
    }
}

#[async_trait]
impl Revoke for InMemoryTokenStore {
    async fn revoke(&self, jti: &Jti, now: Timestamp) -> Result<(), StoreError> {
        let mut rows = self.rows();
        if let Some(row) = rows.by_jti.get_mut(jti).filter(|row| may_revoke(Some(row))) {
            row.revoked_at.get_or_insert(now);
        }
        Ok(())
    }
}

#[async_trait]
impl Find for InMemoryTokenStore {
    async fn find(&self, jti: &Jti) -> Result<Option<Row>, StoreError> {
        Ok(self.row(jti))
    }
}
