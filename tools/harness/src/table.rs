//! A table on an emulator of DynamoDB.

use std::time::Duration;

use anyhow::Result;
use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
    types::{AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType},
};
use tokens::{Jti, Row};
use uuid::Uuid;

/// Equal to that of [`variables`](crate::process::variables), because DynamoDB Local separates tables by
/// Region and access key.
const REGION: &str = "us-east-1";

/// As [`REGION`].
const ACCESS_KEY: &str = "test";

/// A table as `template.yaml` defines it, with a random name; it is deleted with the emulator.
#[derive(Clone, Debug)]
pub struct Table {
    /// A client that may call any action.
    pub client: Client,
    /// Its name.
    pub name: String,
}

impl Table {
    /// Creates a table on the emulator at `url`.
    ///
    /// # Errors
    ///
    /// When the emulator fails or does not answer.
    pub async fn create(url: &str) -> Result<Self> {
        let table = Self::new(url, format!("tokens-{}", Uuid::new_v4()));
        let key = KeySchemaElement::builder().attribute_name("jti").key_type(KeyType::Hash).build()?;
        let jti =
            AttributeDefinition::builder().attribute_name("jti").attribute_type(ScalarAttributeType::S).build()?;
        let create = table.client.create_table().table_name(&table.name).billing_mode(BillingMode::PayPerRequest);
        create.key_schema(key).attribute_definitions(jti).send().await?;
        Ok(table)
    }

    /// The same table behind another endpoint, such as a proxy.
    #[must_use]
    pub fn through(&self, url: &str) -> Self {
        Self::new(url, self.name.clone())
    }

    fn new(url: &str, name: String) -> Self {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(REGION))
            .credentials_provider(Credentials::new(ACCESS_KEY, ACCESS_KEY, None, None, "test"))
            // Like the functions.
            .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(25)))
            .endpoint_url(url);
        Self { client: Client::from_conf(config.build()), name }
    }

    /// Reads the row of a token; `None` when there is none.
    ///
    /// # Errors
    ///
    /// When the emulator does not answer, or the item is not a row.
    pub async fn row(&self, jti: &Jti) -> Result<Option<Row>> {
        let get = self.client.get_item().table_name(&self.name).consistent_read(true);
        let got = get.key("jti", AttributeValue::S(jti.to_string())).send().await?;
        Ok(got.item().map(aws::from_item).transpose()?)
    }
}
