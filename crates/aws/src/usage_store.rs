//! The store of counts in DynamoDB.

use std::{collections::HashMap, fmt, ops::Range, sync::Arc};

use apigw::{ConfigError, Settings};
use async_trait::async_trait;
use aws_sdk_dynamodb::{Client, error::SdkError, operation::update_item::UpdateItemError, types::AttributeValue};
use tokens::{Counts, Hour, SequenceNumber, Timestamp, UsageStore, UsageStoreError};

use crate::{clients::dynamodb_client, config::Connection, row::seconds};

/// How long the counts of an hour are kept after it, in seconds: 400 days.
pub const USAGE_RETENTION_SECONDS: u64 = 400 * 24 * 3_600;

/// An item of the table, by attribute.
type Item = HashMap<String, AttributeValue>;

/// The store of counts in a table of DynamoDB.
///
/// The key of an item is the day (`day`, such as `2026-01-31`) and in it the hour and the shard (`hour_shard`, such as
/// `14#shardId-…`). Each count is an attribute of its own. Names of attributes are always behind a `#`, because some
/// are reserved words.
pub struct DynamoUsageStore {
    client: Client,
    table_name: String,
}

/// An item that does not hold counts.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error("the attribute `{0}` of the counts is missing or malformed")]
struct UnreadableCounts(&'static str);

/// The store of counts of the function `usage`: its table is named by `USAGE_TABLE_NAME`.
///
/// # Errors
///
/// [`ConfigError`], which names the variable at fault.
pub fn usage_store(settings: Settings<'_>) -> Result<Arc<DynamoUsageStore>, ConfigError> {
    let client = dynamodb_client(&Connection::new(settings)?);
    Ok(Arc::new(DynamoUsageStore::new(client, settings.text("USAGE_TABLE_NAME")?)))
}

impl DynamoUsageStore {
    /// The store in the table `table_name`.
    #[must_use]
    pub fn new(client: Client, table_name: String) -> Self {
        Self { client, table_name }
    }
}

impl fmt::Debug for DynamoUsageStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoUsageStore").field("table_name", &self.table_name).finish_non_exhaustive()
    }
}

#[async_trait]
impl UsageStore for DynamoUsageStore {
    async fn last(&self, hour: Hour, shard: &str) -> Result<Option<SequenceNumber>, UsageStoreError> {
        let get = self
            .client
            .get_item()
            .table_name(&self.table_name)
            .set_key(Some(key(hour, shard)))
            .projection_expression("#last")
            .expression_attribute_names("#last", "last")
            .consistent_read(true);
        let got = get.send().await.map_err(|err| unavailable(err.into_service_error()))?;
        got.item().map(last).transpose().map_err(unavailable)
    }

    async fn add(
        &self,
        hour: Hour,
        shard: &str,
        counts: &Counts,
        read: Option<&SequenceNumber>,
        last: &SequenceNumber,
    ) -> Result<bool, UsageStoreError> {
        let purge_at = hour.end().plus(USAGE_RETENTION_SECONDS);
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table_name)
            .set_key(Some(key(hour, shard)))
            .condition_expression(if read.is_some() { "#last = :read" } else { "attribute_not_exists(#last)" })
            .set_expression_attribute_values(
                read.map(|read| (":read".to_owned(), AttributeValue::S(read.as_str().to_owned())))
                    .map(|it| [it].into()),
            )
            .expression_attribute_names("#last", "last")
            .expression_attribute_names("#purge_at", "purge_at")
            .expression_attribute_values(":last", AttributeValue::S(last.as_str().to_owned()))
            .expression_attribute_values(":purge_at", seconds(purge_at));
        let mut additions = Vec::new();
        for (name, count) in counts.named().into_iter().filter(|(_, count)| *count > 0) {
            update = update
                .expression_attribute_names(format!("#{name}"), name)
                .expression_attribute_values(format!(":{name}"), AttributeValue::N(count.to_string()));
            additions.push(format!("#{name} :{name}"));
        }
        let add = if additions.is_empty() { String::new() } else { format!(" ADD {}", additions.join(", ")) };
        let update = update.update_expression(format!("SET #last = :last, #purge_at = :purge_at{add}"));
        match update.send().await.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(true),
            Err(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
            Err(err) => Err(unavailable(err)),
        }
    }

    async fn counts(&self, hours: Range<Hour>) -> Result<Vec<(Hour, Counts)>, UsageStoreError> {
        let mut found = Vec::new();
        for day in days(&hours) {
            let query = self
                .client
                .query()
                .table_name(&self.table_name)
                .key_condition_expression("#day = :day")
                .expression_attribute_names("#day", "day")
                .expression_attribute_values(":day", AttributeValue::S(day))
                .consistent_read(true);
            let mut pages = query.into_paginator().send();
            while let Some(page) = pages.next().await {
                let page = page.map_err(|err| unavailable(err.into_service_error()))?;
                for item in page.items() {
                    found.push(counted(item).map_err(unavailable)?);
                }
            }
        }
        found.retain(|(hour, _)| hours.contains(hour));
        Ok(found)
    }
}

/// The days of these hours, such as `2026-01-31`.
fn days(hours: &Range<Hour>) -> Vec<String> {
    let mut days = Vec::new();
    let mut hour = hours.start;
    while hour < hours.end {
        days.push(day(hour));
        hour = hour.next();
    }
    days.dedup();
    days
}

/// The day of an hour, such as `2026-01-31`.
fn day(hour: Hour) -> String {
    apigw::rfc3339(hour.start().0).chars().take("2026-01-31".len()).collect()
}

/// The key of an item.
fn key(hour: Hour, shard: &str) -> Item {
    let time = apigw::rfc3339(hour.start().0);
    let hour_of_day: String = time.chars().skip("2026-01-31T".len()).take(2).collect();
    let attributes = [("day", day(hour)), ("hour_shard", format!("{hour_of_day}#{shard}"))];
    attributes.map(|(name, text)| (name.to_owned(), AttributeValue::S(text))).into()
}

/// The text attribute `name`.
fn text<'a>(item: &'a Item, name: &'static str) -> Result<&'a str, UnreadableCounts> {
    let text = item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str);
    text.ok_or(UnreadableCounts(name))
}

/// The sequence number that was counted last in an item.
fn last(item: &Item) -> Result<SequenceNumber, UnreadableCounts> {
    SequenceNumber::new(text(item, "last")?.to_owned()).ok_or(UnreadableCounts("last"))
}

/// The counts of an item, and their hour.
fn counted(item: &Item) -> Result<(Hour, Counts), UnreadableCounts> {
    let (day, hour) = (text(item, "day")?, text(item, "hour_shard")?);
    let hour = hour.split_once('#').and_then(|(hour, _)| apigw::parse_rfc3339(&format!("{day}T{hour}:00:00Z")));
    let hour = hour.ok_or(UnreadableCounts("hour_shard"))?;
    let mut counts = Counts::default();
    for (name, count) in counts.named_mut() {
        if let Some(value) = item.get(name) {
            let number = value.as_n().ok().and_then(|number| number.parse().ok());
            *count = number.ok_or(UnreadableCounts(name))?;
        }
    }
    Ok((Hour::of(Timestamp(hour)), counts))
}

/// A failure of the store, because of `err`.
fn unavailable(err: impl std::error::Error + Send + Sync + 'static) -> UsageStoreError {
    UsageStoreError(err.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Hour = Hour::of(Timestamp(1_700_000_000)); // 2023-11-14T22:13:20Z

    #[test]
    fn the_key_of_an_item_is_its_day_and_in_it_the_hour_and_the_shard() {
        let expected = [("day", "2023-11-14"), ("hour_shard", "22#shardId-1")];
        let expected = expected.map(|(name, text)| (name.to_owned(), AttributeValue::S(text.to_owned())));
        assert_eq!(key(HOUR, "shardId-1"), expected.into());
    }

    #[test]
    fn the_days_of_a_period_end_with_it_even_at_the_last_day_of_rfc_3339() {
        assert_eq!(days(&(HOUR..HOUR.next())), ["2023-11-14"]);
        assert_eq!(days(&(HOUR..HOUR.next().next().next())), ["2023-11-14", "2023-11-15"]);
        assert!(days(&(HOUR..HOUR)).is_empty());
        let last = Hour::of(Timestamp(apigw::LAST_SECOND));
        assert_eq!(days(&(last..last.next().next())), ["9999-12-31"]);
    }

    #[test]
    fn an_item_that_is_malformed_is_an_error_and_never_guessed() {
        let mut item = key(HOUR, "shardId-1");
        assert_eq!(counted(&item), Ok((HOUR, Counts::default())));
        assert_eq!(last(&item), Err(UnreadableCounts("last")));
        item.insert("minted".to_owned(), AttributeValue::S("1".to_owned()));
        assert_eq!(counted(&item), Err(UnreadableCounts("minted")));
        item.insert("hour_shard".to_owned(), AttributeValue::S("25#shardId-1".to_owned()));
        assert_eq!(counted(&item), Err(UnreadableCounts("hour_shard")));
        item.remove("day");
        assert_eq!(counted(&item), Err(UnreadableCounts("day")));
    }
}
