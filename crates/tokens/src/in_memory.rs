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
    rows: Mutex<HashMap<Jti, Row>>,
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
        self.rows().get(jti).cloned()
    }

    /// Locks the rows.
    fn rows(&self) -> MutexGuard<'_, HashMap<Jti, Row>> {
        // No code panics while it holds the lock, so the lock is never poisoned.
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Deletes the rows that can be purged, as DynamoDB's time to live does, when the map is full.
fn sweep(rows: &mut HashMap<Jti, Row>, now: Timestamp) {
    if rows.len() == rows.capacity() {
        rows.retain(|_, row| row.purge_at > now);
        // Room for as many again, so that the cost of a sweep is spread over the inserts.
        rows.reserve(rows.len());
    }
}

#[async_trait]
impl Insert for InMemoryTokenStore {
    async fn insert(&self, jti: &Jti, row: Row) -> Result<(), StoreError> {
        let mut rows = self.rows();
        if !may_insert(rows.get(jti), &row.minted_by) {
            return Err(StoreError::Taken);
        }
        sweep(&mut rows, row.created_at);
        rows.insert(*jti, row);
        Ok(())
    }
}

#[async_trait]
impl Spend for InMemoryTokenStore {
    async fn spend(&self, jti: &Jti, claimant: &Claimant, now: Timestamp) -> Result<Spending, StoreError> {
        let mut rows = self.rows();
        let row = rows.get_mut(jti);
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
        if let Some(row) = rows.get_mut(jti).filter(|row| may_revoke(Some(row))) {
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
