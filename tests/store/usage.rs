//! The store of counts, as one suite over the memory and the emulators.

use std::sync::Arc;

use aws::{DynamoUsageStore, USAGE_RETENTION_SECONDS};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use harness::Table;
use tokens::{Count, Counts, Hour, InMemoryUsageStore, SequenceNumber, Timestamp, UsageStore};

use crate::stores::emulator;

/// 2023-11-14T22:00:00Z.
const HOUR: Hour = Hour::of(Timestamp(1_700_000_000));

fn number(text: &str) -> SequenceNumber {
    SequenceNumber::new(text.to_owned()).unwrap()
}

/// One of everything that is counted.
fn one_of_each() -> Counts {
    let mut counts = Counts::default();
    for (_, count) in counts.named_mut() {
        *count = 1;
    }
    counts
}

fn of(count: Count) -> Counts {
    let mut counts = Counts::default();
    counts.count(count);
    counts
}

/// The suite.
async fn counts_are_added_once_for_each_number(store: &dyn UsageStore) {
    let (one, two, ten) = (number("1"), number("2"), number("10"));
    assert_eq!(store.last(HOUR, "a").await.unwrap(), None);
    // Nothing is added to an item that is not there.
    assert!(!store.add(HOUR, "a", &one_of_each(), Some(&one), &two).await.unwrap());
    assert_eq!(store.last(HOUR, "a").await.unwrap(), None);

    assert!(store.add(HOUR, "a", &one_of_each(), None, &one).await.unwrap());
    assert_eq!(store.last(HOUR, "a").await.unwrap(), Some(one.clone()));
    // As another invocation, or a retry whose first attempt had arrived.
    assert!(!store.add(HOUR, "a", &one_of_each(), None, &two).await.unwrap());
    assert!(store.add(HOUR, "a", &of(Count::Minted), Some(&one), &ten).await.unwrap());
    assert!(!store.add(HOUR, "a", &of(Count::Minted), Some(&one), &ten).await.unwrap());
    assert_eq!(store.last(HOUR, "a").await.unwrap(), Some(ten));

    let mut expected = one_of_each();
    expected.minted = 2;
    assert_eq!(store.counts(HOUR..HOUR.next()).await.unwrap(), [(HOUR, expected)]);
}

/// The suite, continued: a period of days, with several shards in an hour.
async fn counts_of_a_period_are_those_of_its_hours_and_of_every_shard(store: &dyn UsageStore) {
    let hours: Vec<_> = (0..50).map(|later| Hour::of(HOUR.start().plus(later * 3_600))).collect();
    for hour in &hours {
        for shard in ["b", "shardId-00000001699920000000-a1b2c3d4"] {
            assert!(store.add(*hour, shard, &of(Count::Due), None, &number("1")).await.unwrap());
        }
    }
    let mut found = store.counts(hours[1]..hours[49]).await.unwrap();
    found.sort_by_key(|(hour, _)| *hour);
    let expected: Vec<_> =
        hours[1..49].iter().flat_map(|hour| [(*hour, of(Count::Due)), (*hour, of(Count::Due))]).collect();
    assert_eq!(found, expected);
    assert_eq!(store.counts(HOUR..HOUR).await.unwrap(), []);
}

async fn suite(store: Arc<dyn UsageStore>) {
    counts_are_added_once_for_each_number(&*store).await;
    counts_of_a_period_are_those_of_its_hours_and_of_every_shard(&*store).await;
}

/// The suite over a table as the template defines it, and when its items can be deleted.
async fn suite_in_dynamodb(variable: &str) {
    let Table { client, name } = Table::create(&emulator(variable)).await.unwrap();
    let name = format!("usage-{name}");
    let key = |name, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    let attribute = |name| {
        let attribute = AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
        attribute.build().unwrap()
    };
    let create = client.create_table().table_name(&name).billing_mode(BillingMode::PayPerRequest);
    let create = create.key_schema(key("day", KeyType::Hash)).key_schema(key("hour_shard", KeyType::Range));
    create.attribute_definitions(attribute("day")).attribute_definitions(attribute("hour_shard")).send().await.unwrap();
    suite(Arc::new(DynamoUsageStore::new(client.clone(), name.clone()))).await;

    let get = client.get_item().table_name(&name).key("day", AttributeValue::S("2023-11-14".into()));
    let item = get.key("hour_shard", AttributeValue::S("22#a".into())).send().await.unwrap().item.unwrap();
    let purge_at = HOUR.end().0 + USAGE_RETENTION_SECONDS;
    assert_eq!(item["purge_at"], AttributeValue::N(purge_at.to_string()));
}

#[tokio::test]
async fn the_memory_keeps_counts() {
    suite(Arc::new(InMemoryUsageStore::new())).await;
}

#[tokio::test]
#[ignore = "needs ministack at MINISTACK_URL"]
async fn ministack_keeps_counts() {
    suite_in_dynamodb("MINISTACK_URL").await;
}

#[tokio::test]
#[ignore = "needs DynamoDB Local at DYNAMODB_LOCAL_URL"]
async fn dynamodb_local_keeps_counts() {
    suite_in_dynamodb("DYNAMODB_LOCAL_URL").await;
}
