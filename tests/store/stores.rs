//! The stores under test, with a way past their rules.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Credentials, Region},
    types::{AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType},
};
use tokens::{Claim, InMemoryTokenStore, Jti, Row, StoreError, Timestamp, TokenStore, Verdict};
use uuid::Uuid;

/// A store whose rows can be seen, and written as no caller of [`TokenStore`] may.
#[async_trait]
pub(crate) trait TestStore: TokenStore {
    /// Writes the row of an id that has none, in whatever state.
    async fn put_row(&self, jti: &Jti, row: Row);

    /// The row as it is now.
    async fn row(&self, jti: &Jti) -> Option<Row>;
}

/// A fresh in-memory store.
pub(crate) fn in_memory() -> Arc<dyn TestStore> {
    Arc::new(InMemoryTokenStore::new())
}

/// The DynamoDB store in a fresh table of the emulator at the URL in `variable`.
pub(crate) async fn in_dynamodb(variable: &str) -> Arc<dyn TestStore> {
    let url = emulator(variable);
    let table = Table::create(&url).await;
    Arc::new(InTable { store: token_store(&url, &table.name), table })
}

/// The URL in `variable`.
pub(crate) fn emulator(variable: &str) -> String {
    gateway::env(variable).unwrap_or_else(|| panic!("set {variable} to the URL of the emulator"))
}

/// The DynamoDB store as a function makes it, in the table `name` behind `url`.
pub(crate) fn token_store(url: &str, name: &str) -> Arc<dyn TokenStore> {
    let config = aws::Config::from_lookup(|variable| {
        let value = match variable {
            "AWS_REGION" => REGION,
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => ACCESS_KEY,
            "TABLE_NAME" => name,
            "KEY_RING_SECRET_ID" => "unused",
            "AWS_ENDPOINT_URL_DYNAMODB" => url,
            _ => return None,
        };
        Some(value.to_owned())
    });
    aws::Clients::new(&config.unwrap()).store
}

/// The Region that the emulators pretend to be.
const REGION: &str = "us-east-1";

/// The emulators take any key; DynamoDB Local keeps the tables of each apart.
const ACCESS_KEY: &str = "test";

/// A table of its own for each test, as `template.yaml` defines it.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) client: Client,
    pub(crate) name: String,
}

impl Table {
    pub(crate) async fn create(url: &str) -> Self {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(REGION))
            .credentials_provider(Credentials::new(ACCESS_KEY, ACCESS_KEY, None, None, "test"))
            .endpoint_url(url);
        let table = Self { client: Client::from_conf(config.build()), name: format!("tokens-{}", Uuid::new_v4()) };
        let key = KeySchemaElement::builder().attribute_name("jti").key_type(KeyType::Hash).build();
        let jti = AttributeDefinition::builder().attribute_name("jti").attribute_type(ScalarAttributeType::S).build();
        let create = table.client.create_table().table_name(&table.name).billing_mode(BillingMode::PayPerRequest);
        create.key_schema(key.unwrap()).attribute_definitions(jti.unwrap()).send().await.unwrap();
        table
    }

    pub(crate) async fn row(&self, jti: &Jti) -> Option<Row> {
        let get = self.client.get_item().table_name(&self.name).consistent_read(true);
        let got = get.key("jti", AttributeValue::S(jti.to_string())).send().await.unwrap();
        got.item().map(|item| aws::from_item(item).unwrap())
    }

    async fn put_row(&self, jti: &Jti, row: Row) {
        let put = self.client.put_item().table_name(&self.name).set_item(Some(aws::to_item(jti, row)));
        put.send().await.unwrap();
    }
}

/// A store and the table that it writes to.
pub(crate) struct InTable {
    pub(crate) store: Arc<dyn TokenStore>,
    pub(crate) table: Table,
}

#[async_trait]
impl TokenStore for InTable {
    async fn insert(&self, jti: &Jti, row: Row) -> Result<(), StoreError> {
        self.store.insert(jti, row).await
    }

    async fn spend(&self, jti: &Jti, claim: &Claim, now: Timestamp) -> Result<Verdict, StoreError> {
        self.store.spend(jti, claim, now).await
    }
}

#[async_trait]
impl TestStore for InTable {
    async fn put_row(&self, jti: &Jti, row: Row) {
        self.table.put_row(jti, row).await;
    }

    async fn row(&self, jti: &Jti) -> Option<Row> {
        self.table.row(jti).await
    }
}

#[async_trait]
impl TestStore for InMemoryTokenStore {
    async fn put_row(&self, jti: &Jti, row: Row) {
        // The row of an absent id is taken as it is.
        self.insert(jti, row).await.unwrap();
    }

    async fn row(&self, jti: &Jti) -> Option<Row> {
        Self::row(self, jti)
    }
}
