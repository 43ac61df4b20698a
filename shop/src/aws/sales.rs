//! What was ordered, from the index by time of the table of orders.

use std::{collections::HashMap, fmt, sync::Arc};

use apigw::{ConfigError, Settings};
use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, Select},
};
use tokens::{Jti, Timestamp};

use super::{
    dynamodb,
    orders::{BY_TIME, KIND, UnreadableOrder, lines, number, status_of, text},
    unavailable,
};
use crate::{Sale, Sales, Unavailable};

/// What is read of an order: nothing of its customer. The role of the function allows no other attribute.
const ATTRIBUTES: &str = "id, #status, #items, placed_at";

/// The orders in a table of DynamoDB, by the time of their placing.
pub struct DynamoSales {
    client: Client,
    table_name: String,
}

impl DynamoSales {
    /// The orders in the table `table_name`.
    #[must_use]
    pub const fn new(client: Client, table_name: String) -> Self {
        Self { client, table_name }
    }

    /// The orders of a function: `ORDERS_TABLE_NAME` names the table. Nothing is called yet.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable at fault.
    pub fn from_settings(settings: Settings<'_>) -> Result<Arc<Self>, ConfigError> {
        Ok(Arc::new(Self::new(dynamodb(settings)?, settings.text("ORDERS_TABLE_NAME")?)))
    }
}

impl fmt::Debug for DynamoSales {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoSales").field("table_name", &self.table_name).finish_non_exhaustive()
    }
}

#[async_trait]
impl Sales for DynamoSales {
    async fn since(&self, since: Timestamp) -> Result<Vec<Sale>, Unavailable> {
        let query = self
            .client
            .query()
            .table_name(&self.table_name)
            .index_name(BY_TIME)
            .key_condition_expression("kind = :order AND placed_at >= :since")
            .expression_attribute_values(":order", AttributeValue::S(KIND.to_owned()))
            .expression_attribute_values(":since", AttributeValue::N(since.0.to_string()))
            .select(Select::SpecificAttributes)
            .projection_expression(ATTRIBUTES)
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#items", "items");
        let items = query.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
        let items = items.map_err(|err| unavailable(err.into_service_error()))?;
        items.iter().map(from_item).collect::<Result<_, _>>().map_err(unavailable)
    }
}

/// The sale of an item.
fn from_item(item: &HashMap<String, AttributeValue>) -> Result<Sale, UnreadableOrder> {
    Ok(Sale {
        id: Jti::parse(text(item, "id")?).ok_or(UnreadableOrder("id"))?,
        status: status_of(item)?,
        items: lines(item)?,
        placed_at: Timestamp(number(item, "placed_at")?),
    })
}
