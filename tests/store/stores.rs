//! The stores under test, with access to their rows.

use std::sync::Arc;

use async_trait::async_trait;
use harness::{Table, token_store};
use tokens::{Claimant, InMemoryTokenStore, Insert, Jti, Row, Spend, StoreError, Timestamp, TokenStore, Verdict};

/// A store whose rows a test can read, and write in ways that [`TokenStore`] does not allow.
#[async_trait]
pub(crate) trait TestStore: TokenStore {
    /// Writes the row of an id that has none, in any state.
    async fn put_row(&self, jti: &Jti, row: Row);

    /// The row as it is now.
    async fn row(&self, jti: &Jti) -> Option<Row>;

    /// Spends in another environment, which does not know the refusals that this one remembers.
    async fn spend_elsewhere(&self, jti: &Jti, claimant: &Claimant, now: Timestamp) -> Result<Verdict, StoreError>;
}

/// A fresh in-memory store.
pub(crate) fn in_memory() -> Arc<dyn TestStore> {
    Arc::new(InMemoryTokenStore::new())
}

/// The DynamoDB store in a fresh table of the emulator at the URL in `variable`.
pub(crate) async fn in_dynamodb(variable: &str) -> Arc<dyn TestStore> {
    let url = emulator(variable);
    let table = Table::create(&url).await.unwrap();
    Arc::new(InTable { store: token_store(&url, &table.name), table })
}

/// The URL in `variable`.
pub(crate) fn emulator(variable: &str) -> String {
    apigw::env(variable).unwrap_or_else(|| panic!("set {variable} to the URL of the emulator"))
}

/// A store and the table that it writes to.
pub(crate) struct InTable {
    pub(crate) store: Arc<dyn TokenStore>,
    pub(crate) table: Table,
}

#[async_trait]
impl Insert for InTable {
    async fn insert(&self, jti: &Jti, row: Row) -> Result<(), StoreError> {
        self.store.insert(jti, row).await
    }
}

#[async_trait]
impl Spend for InTable {
    async fn spend(&self, jti: &Jti, claimant: &Claimant, now: Timestamp) -> Result<Verdict, StoreError> {
        self.store.spend(jti, claimant, now).await
    }
}

#[async_trait]
impl TestStore for InTable {
    async fn put_row(&self, jti: &Jti, row: Row) {
        let put = self.table.client.put_item().table_name(&self.table.name);
        put.set_item(Some(aws::to_item(jti, row))).send().await.unwrap();
    }

    async fn row(&self, jti: &Jti) -> Option<Row> {
        self.table.row(jti).await.unwrap()
    }

    async fn spend_elsewhere(&self, jti: &Jti, claimant: &Claimant, now: Timestamp) -> Result<Verdict, StoreError> {
        let elsewhere = aws::DynamoTokenStore::new(self.table.client.clone(), self.table.name.clone());
        elsewhere.spend(jti, claimant, now).await
    }
}

#[async_trait]
impl TestStore for InMemoryTokenStore {
    async fn put_row(&self, jti: &Jti, row: Row) {
        // The row of an unknown id is stored without changes.
        self.insert(jti, row).await.unwrap();
    }

    async fn row(&self, jti: &Jti) -> Option<Row> {
        Self::row(self, jti)
    }

    async fn spend_elsewhere(&self, jti: &Jti, claimant: &Claimant, now: Timestamp) -> Result<Verdict, StoreError> {
        self.spend(jti, claimant, now).await
    }
}
