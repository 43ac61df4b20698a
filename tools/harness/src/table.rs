//! A table of its own on an emulator of DynamoDB.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
    types::{AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType},
};
use tokens::{Jti, Row, TokenStore};
use uuid::Uuid;

/// The Region that the emulators pretend to be.
const REGION: &str = "us-east-1";

/// The emulators take any key; DynamoDB Local keeps the tables of each apart.
const ACCESS_KEY: &str = "test";

/// A table as `template.yaml` defines it, of a random name; it stays as long as the emulator.
#[derive(Clone, Debug)]
pub struct Table {
    /// A client that may do everything with it.
    pub client: Client,
    /// Its name.
    pub name: String,
}

impl Table {
    /// Makes a table on the emulator at `url`.
    ///
    /// # Errors
    ///
    /// When the emulator refuses, or does not answer.
    pub async fn create(url: &str) -> Result<Self> {
        let table = Self::new(url, format!("tokens-{}", Uuid::new_v4()));
        let key = KeySchemaElement::builder().attribute_name("jti").key_type(KeyType::Hash).build()?;
        let jti =
            AttributeDefinition::builder().attribute_name("jti").attribute_type(ScalarAttributeType::S).build()?;
        let create = table.client.create_table().table_name(&table.name).billing_mode(BillingMode::PayPerRequest);
        create.key_schema(key).attribute_definitions(jti).send().await?;
        Ok(table)
    }

    /// The same table as seen through `url`.
    pub fn through(&self, url: &str) -> Self {
        Self::new(url, self.name.clone())
    }

    fn new(url: &str, name: String) -> Self {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(REGION))
            .credentials_provider(Credentials::new(ACCESS_KEY, ACCESS_KEY, None, None, "test"))
            // As often as the functions try, with as short a pause.
            .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(25)))
            .endpoint_url(url);
        Self { client: Client::from_conf(config.build()), name }
    }

    /// The row of a token as it is now.
    ///
    /// # Errors
    ///
    /// When the emulator does not answer, or with what is no row.
    pub async fn row(&self, jti: &Jti) -> Result<Option<Row>> {
        let get = self.client.get_item().table_name(&self.name).consistent_read(true);
        let got = get.key("jti", AttributeValue::S(jti.to_string())).send().await?;
        Ok(got.item().map(aws::from_item).transpose()?)
    }
}

/// The store of the functions in the table `name` of the emulator at `url`.
///
/// # Panics
///
/// When `url` is no URL.
#[must_use]
pub fn token_store(url: &str, name: &str) -> Arc<dyn TokenStore> {
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
    aws::Clients::new(&config.expect("a URL")).store
}
