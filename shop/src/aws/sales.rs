//! What was ordered, from the index by time of the table of orders.

use std::{collections::HashMap, fmt, sync::Arc};

use apigw::{ConfigError, Settings};
use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, Select},
};
use tokens::{Jti, Timestamp};

use super::{dynamodb, unavailable};
use crate::{Cents, Line, ProductId, Sale, Sales, Status, Unavailable};

/// What is read of an order: nothing of its customer. The role of the function allows no other attribute.
const ATTRIBUTES: &str = "id, #status, #items, placed_at";

/// The orders in a table of DynamoDB, by the time of their placing.
pub struct DynamoSales {
    client: Client,
    table_name: String,
}

/// An item that is not an order.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error("the attribute `{0}` of an order is missing or malformed")]
struct UnreadableSale(&'static str);

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
            .index_name("by-time")
            .key_condition_expression("kind = :order AND placed_at >= :since")
            .expression_attribute_values(":order", AttributeValue::S("order".to_owned()))
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
fn from_item(item: &HashMap<String, AttributeValue>) -> Result<Sale, UnreadableSale> {
    let lines = item.get("items").and_then(|value| value.as_l().ok()).ok_or(UnreadableSale("items"))?;
    let line = |value: &AttributeValue| value.as_m().ok().and_then(line).ok_or(UnreadableSale("items"));
    Ok(Sale {
        id: text(item, "id").and_then(Jti::parse).ok_or(UnreadableSale("id"))?,
        status: text(item, "status").and_then(Status::parse).ok_or(UnreadableSale("status"))?,
        items: lines.iter().map(line).collect::<Result<_, _>>()?,
        placed_at: number(item, "placed_at").map(Timestamp).ok_or(UnreadableSale("placed_at"))?,
    })
}

/// A line of an order.
fn line(line: &HashMap<String, AttributeValue>) -> Option<Line> {
    Some(Line {
        product_id: text(line, "product_id").and_then(ProductId::parse)?,
        product_name: text(line, "product_name")?.to_owned(),
        quantity: number(line, "quantity")?,
        price: number(line, "price_cents").map(Cents)?,
    })
}

/// The string `name` of an item.
fn text<'a>(item: &'a HashMap<String, AttributeValue>, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

/// The number `name` of an item.
fn number<T: std::str::FromStr>(item: &HashMap<String, AttributeValue>, name: &str) -> Option<T> {
    item.get(name)?.as_n().ok()?.parse().ok()
}
