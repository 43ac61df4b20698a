//! The orders in DynamoDB, for those who read them.

use std::{collections::HashMap, fmt, sync::Arc};

use apigw::{ConfigError, Settings};
use async_trait::async_trait;
use aws_sdk_dynamodb::{Client, types::AttributeValue};

use super::{
    dynamodb,
    orders::{BY_TIME, KIND, from_item, key},
    unavailable,
};
use crate::{OrderId, OrderList, Position, StoredOrder, Unavailable};

/// The orders in a table of DynamoDB, whose key is `id`, with an index by time.
pub struct DynamoOrderList {
    client: Client,
    table_name: String,
}

impl DynamoOrderList {
    /// The orders in the table `table_name`.
    #[must_use]
    pub const fn new(client: Client, table_name: String) -> Self {
        Self { client, table_name }
    }

    /// The orders of a function: the table is named by `ORDERS_TABLE_NAME`. Nothing is called yet.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable at fault.
    pub fn from_settings(settings: Settings<'_>) -> Result<Arc<Self>, ConfigError> {
        Ok(Arc::new(Self::new(dynamodb(settings)?, settings.text("ORDERS_TABLE_NAME")?)))
    }
}

impl fmt::Debug for DynamoOrderList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoOrderList").field("table_name", &self.table_name).finish_non_exhaustive()
    }
}

#[async_trait]
impl OrderList for DynamoOrderList {
    async fn newest(&self, before: Option<&Position>, limit: u32) -> Result<Vec<StoredOrder>, Unavailable> {
        let query = self
            .client
            .query()
            .table_name(&self.table_name)
            .index_name(BY_TIME)
            .key_condition_expression("kind = :kind")
            .expression_attribute_values(":kind", AttributeValue::S(KIND.to_owned()))
            .scan_index_forward(false)
            .limit(i32::try_from(limit).map_err(unavailable)?)
            .set_exclusive_start_key(before.map(position));
        // A page ends early at 1 MB, and the next one is then read, too.
        let mut items = query.into_paginator().items().send();
        let mut orders = Vec::new();
        while orders.len() < limit as usize {
            let Some(item) = items.try_next().await.map_err(|err| unavailable(err.into_service_error()))? else {
                break;
            };
            orders.push(from_item(&item).map_err(unavailable)?);
        }
        Ok(orders)
    }

    async fn find(&self, id: &OrderId) -> Result<Option<StoredOrder>, Unavailable> {
        let get = self.client.get_item().table_name(&self.table_name).set_key(Some(key(id))).consistent_read(true);
        let got = get.send().await.map_err(|err| unavailable(err.into_service_error()))?;
        got.item().map(from_item).transpose().map_err(unavailable)
    }
}

/// A position as the key of the index.
fn position(position: &Position) -> HashMap<String, AttributeValue> {
    let mut key = key(&position.id);
    key.insert("kind".to_owned(), AttributeValue::S(KIND.to_owned()));
    key.insert("placed_at".to_owned(), AttributeValue::N(position.placed_at.0.to_string()));
    key
}
