//! The stores under test, with access to their rows.

use std::sync::Arc;

use async_trait::async_trait;
use harness::{Table, token_store};
use tokens::{
    Claimant, Find, InMemoryTokenStore, Insert, Jti, Revoke, Row, Spend, Spending, StoreError, Timestamp, TokenStore,
};

/// A store whose rows can be read, and written without the rule.
#[async_trait]
pub(crate) trait TestStore: TokenStore {
    /// Writes the first row of an id, in any state.
    async fn put_row(&self, jti: &Jti, row: Row);

    /// Reads the row.
    async fn row(&self, jti: &Jti) -> Option<Row>;

    /// Spends as another environment would, which remembers nothing of what this one has seen.
    async fn spend_elsewhere(&self, jti: &Jti, claimant: &Claimant, now: Timestamp) -> Result<Spending, StoreError>;
}

/// A new store in memory.
pub(crate) fn in_memory() -> Arc<dyn TestStore> {
    Arc::new(InMemoryTokenStore::new())
}

/// The DynamoDB store with a new table on the emulator at the URL in `variable`.
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
    async fn spend(&self, jti: &Jti, claimant: &Claimant, now: Timestamp) -> Result<Spending, StoreError> {
        self.store.spend(jti, claimant, now).await
    }
}

#[async_trait]
impl Revoke for InTable {
    async fn revoke(&self, jti: &Jti, now: Timestamp) -> Result<(), StoreError> {
        self.store.revoke(jti, now).await
    }
}

#[async_trait]
impl Find for InTable {
    async fn find(&self, jti: &Jti) -> Result<Option<Row>, StoreError> {
        self.store.find(jti).await
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

    async fn spend_elsewhere(&self, jti: &Jti, claimant: &Claimant, now: Timestamp) -> Result<Spending, StoreError> {
        let elsewhere = aws::DynamoTokenStore::new(self.table.client.clone(), self.table.name.clone());
        elsewhere.spend(jti, claimant, now).await
    }
}

#[async_trait]
impl TestStore for InMemoryTokenStore {
    async fn put_row(&self, jti: &Jti, row: Row) {
        // The first row of an id is stored as is.
        self.insert(jti, row).await.unwrap();
    }

    async fn row(&self, jti: &Jti) -> Option<Row> {
        Self::row(self, jti)
    }

    async fn spend_elsewhere(&self, jti: &Jti, claimant: &Claimant, now: Timestamp) -> Result<Spending, StoreError> {
        self.spend(jti, claimant, now).await
    }
}
