//! What `usage` counts, and what it reports.

use std::sync::Arc;

use ::usage::{Reply, Service, handle};
use apigw::{Event, Settings};
use lambda_runtime::Context;
use serde_json::{Value, json, value::to_raw_value};
use tokens::{Counts, Hour, InMemoryUsageStore, Timestamp, UsageStore};

use crate::helpers::{NOW, setting};

/// A change of a record.
type Change = fn(&mut Value);

/// The time of the sample events.
const START: u64 = 1_700_000_000; // 2023-11-14T22:13:20Z

/// The function over `store`, at [`NOW`].
fn service_over(store: Arc<dyn UsageStore>) -> Service {
    Service::new(Settings::new(&setting), store, || NOW).unwrap()
}

fn service() -> (Service, Arc<InMemoryUsageStore>) {
    let store = Arc::new(InMemoryUsageStore::new());
    (service_over(store.clone()), store)
}

fn sample(name: &str) -> Value {
    let path = format!("{}/../events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn event(event: &Value) -> Event {
    Event::new(to_raw_value(event).unwrap(), Context::default())
}

/// A batch with the records of the sample, changed by `change`: an insert and a spend.
fn batch(change: impl Fn(&mut Vec<Value>)) -> Value {
    let mut batch = sample("usage-stream");
    change(batch["Records"].as_array_mut().unwrap());
    batch
}

/// Counts a batch, which must succeed.
async fn count(service: &Service, batch: &Value) {
    let reply = handle(service, event(batch)).await.unwrap();
    assert_eq!(serde_json::to_value(reply).unwrap(), json!({"state": {}}));
}

/// The sums over all hours.
async fn counted(store: &InMemoryUsageStore) -> Counts {
    let all = Hour::of(Timestamp(0))..Hour::of(Timestamp(u64::MAX));
    let mut sum = Counts::default();
    for (_, counts) in store.counts(all).await.unwrap() {
        sum.add(&counts);
    }
    sum
}

/// The sums after one batch of the sample's records, changed by `change`.
async fn counted_after(change: impl Fn(&mut Vec<Value>)) -> Counts {
    let (service, store) = service();
    count(&service, &batch(change)).await;
    counted(&store).await
}

/// The counts that are not zero, by name.
fn named(counts: &Counts) -> Vec<(&'static str, u64)> {
    counts.named().into_iter().filter(|(_, count)| *count > 0).collect()
}

fn new_image(record: &mut Value) -> &mut Value {
    &mut record["dynamodb"]["NewImage"]
}

const MINTED_AND_SPENT: [(&str, u64); 5] = [("minted", 1), ("spent", 1), ("due", 1), ("due_spent", 1), ("delay_16", 1)];

#[tokio::test]
async fn a_mint_and_a_spend_are_counted_once_however_often_they_are_delivered() {
    let (service, store) = service();
    for _ in 0..3 {
        count(&service, &batch(|_| {})).await;
        count(&service, &batch(|records| records.truncate(1))).await;
        count(&service, &batch(|records| records.push(records[1].clone()))).await;
    }
    assert_eq!(named(&counted(&store).await), MINTED_AND_SPENT);
}

#[tokio::test]
async fn each_shard_is_counted_for_itself() {
    let (service, store) = service();
    let mut other = batch(|_| {});
    other["shardId"] = "shardId-other".into();
    for batch in [batch(|_| {}), other] {
        count(&service, &batch).await;
    }
    assert_eq!(named(&counted(&store).await), MINTED_AND_SPENT.map(|(name, count)| (name, count * 2)));
}

#[tokio::test]
async fn sequence_numbers_of_different_length_are_compared_as_numbers() {
    let (service, store) = service();
    for (number, times) in [("9", 1), ("10", 2), ("100000000000000000000000000001", 3), ("11", 3)] {
        count(
            &service,
            &batch(|records| {
                records.truncate(1);
                records[0]["dynamodb"]["SequenceNumber"] = number.into();
            }),
        )
        .await;
        assert_eq!(counted(&store).await.minted, times, "{number}");
    }
}

#[tokio::test]
async fn a_token_is_counted_in_the_hours_of_its_mint_its_end_and_its_expiry() {
    let (service, store) = service();
    let revoked = batch(|records| {
        for record in records.iter_mut() {
            new_image(record)["expires_at"]["N"] = (START + 86_400).to_string().into();
        }
        let image = new_image(&mut records[1]);
        image["revoked_at"] = json!({"N": (START + 7_200).to_string()});
        image.as_object_mut().unwrap().retain(|name, _| !name.starts_with("used"));
    });
    count(&service, &revoked).await;
    let hour = |seconds| Hour::of(Timestamp(START + seconds));
    let of = |hour: Hour| {
        let store = store.clone();
        async move { named(&store.counts(hour..hour.next()).await.unwrap()[0].1) }
    };
    assert_eq!(of(hour(0)).await, [("minted", 1)]);
    assert_eq!(of(hour(7_200)).await, [("revoked", 1)]);
    assert_eq!(of(hour(86_400)).await, [("due", 1), ("due_revoked", 1)]);
}

#[tokio::test]
async fn what_happened_is_read_from_the_images_and_not_from_the_name_of_the_event() {
    let renamed = |name: &'static str| {
        counted_after(move |records| records.iter_mut().for_each(|record| record["eventName"] = name.into()))
    };
    for name in ["INSERT", "MODIFY", "REMOVE", "UNKNOWN"] {
        assert_eq!(named(&renamed(name).await), MINTED_AND_SPENT, "{name}");
    }
    // A spend that is repeated, a revocation after a spend: the token has ended already.
    let ended = counted_after(|records| {
        let spent = new_image(&mut records[1]).clone();
        records.remove(0);
        records[0]["dynamodb"]["OldImage"] = spent;
        new_image(&mut records[0])["revoked_at"] = json!({"N": START.to_string()});
    });
    assert_eq!(named(&ended.await), []);
}

#[tokio::test]
async fn what_is_not_counted_is_ignored() {
    let removed = counted_after(|records| {
        records.remove(0);
        records[0]["eventName"] = "REMOVE".into();
        records[0]["dynamodb"].as_object_mut().unwrap().remove("NewImage");
    });
    assert_eq!(named(&removed.await), []);
    let with_unknown_attributes = counted_after(|records| {
        for record in records {
            record["unknown"] = json!([1]);
            new_image(record)["unknown"] = json!({"M": {"jti": {"NULL": true}}});
            new_image(record)["host"] = json!({"N": "1"});
        }
    });
    assert_eq!(named(&with_unknown_attributes.await), MINTED_AND_SPENT);
    assert_eq!(named(&counted_after(Vec::clear).await), []);
}

#[tokio::test]
async fn a_change_that_is_not_one_of_a_token_is_counted_as_unreadable() {
    let changes: [(&str, Change); 12] = [
        ("no jti", |record| drop(new_image(record).as_object_mut().unwrap().remove("jti"))),
        ("no created_at", |record| drop(new_image(record).as_object_mut().unwrap().remove("created_at"))),
        ("no expires_at", |record| drop(new_image(record).as_object_mut().unwrap().remove("expires_at"))),
        ("used_by alone", |record| new_image(record)["used_by"] = json!({"S": "r:1"})),
        ("a text for a time", |record| new_image(record)["expires_at"] = json!({"S": "1700000300"})),
        ("a fraction", |record| new_image(record)["expires_at"]["N"] = "1700000300.5".into()),
        ("a negative time", |record| new_image(record)["revoked_at"] = json!({"N": "-1"})),
        ("milliseconds", |record| new_image(record)["created_at"]["N"] = "1700000000000".into()),
        ("over 26 hours later", |record| new_image(record)["expires_at"]["N"] = (START + 93_601).to_string().into()),
        ("no image", |record| drop(record["dynamodb"].as_object_mut().unwrap().remove("NewImage"))),
        ("an image of another type", |record| *new_image(record) = json!([])),
        ("an old image of another type", |record| record["dynamodb"]["OldImage"] = json!("x")),
    ];
    for (name, change) in changes {
        let counts = counted_after(|records| {
            records.truncate(1);
            change(&mut records[0]);
        });
        assert_eq!(named(&counts.await), [("unreadable", 1)], "{name}");
    }
    let within = counted_after(|records| {
        records.truncate(1);
        new_image(&mut records[0])["expires_at"]["N"] = (START + 93_600).to_string().into();
    });
    assert_eq!(named(&within.await), [("minted", 1), ("due", 1)]);
}

#[tokio::test]
async fn a_record_without_a_place_does_not_stop_the_others() {
    let places: [Change; 7] = [
        |record| record["dynamodb"]["SequenceNumber"] = json!(null),
        |record| record["dynamodb"]["SequenceNumber"] = json!(""),
        |record| record["dynamodb"]["ApproximateCreationDateTime"] = json!("now"),
        |record| record["dynamodb"]["ApproximateCreationDateTime"] = json!(-1),
        |record| record["dynamodb"]["ApproximateCreationDateTime"] = json!(1e300),
        |record| record["dynamodb"] = json!("x"),
        |record| *record = json!(null),
    ];
    for (index, change) in places.into_iter().enumerate() {
        let counts = counted_after(|records| {
            records.push(records[1].clone());
            change(&mut records[2]);
        });
        assert_eq!(named(&counts.await), MINTED_AND_SPENT, "{index}");
    }
    let fraction = counted_after(|records| {
        for record in records {
            record["dynamodb"]["ApproximateCreationDateTime"] = json!(1.700000012E9);
        }
    });
    assert_eq!(named(&fraction.await), MINTED_AND_SPENT);
}

#[tokio::test]
async fn without_the_id_of_its_shard_a_batch_fails_and_is_not_counted() {
    let (service, store) = service();
    for shard in [None, Some(json!(null)), Some(json!("")), Some(json!(7))] {
        let mut batch = batch(|_| {});
        batch.as_object_mut().unwrap().remove("shardId");
        if let Some(shard) = shard {
            batch["shardId"] = shard;
        }
        let error = handle(&service, event(&batch)).await.unwrap_err().to_string();
        assert_eq!(error, "the event does not name its shard: the event source mapping has no tumbling window");
    }
    let error = handle(&service, event(&json!({"Records": "canary", "shardId": "1"}))).await.unwrap_err().to_string();
    assert_eq!(error, "the records of the stream are not a list");
    assert_eq!(named(&counted(&store).await), []);
}

/// The body of the response to the sample request at `now`.
async fn report(store: Arc<InMemoryUsageStore>, now: fn() -> Timestamp) -> Value {
    let service = Service::new(Settings::new(&setting), store, now).unwrap();
    let Reply::Response(response) = handle(&service, event(&sample("usage"))).await.unwrap() else { panic!() };
    assert_eq!(response.status_code, 200);
    serde_json::from_str(&response.body).unwrap()
}

#[tokio::test]
async fn a_report_sums_over_shards_and_an_hour_is_provisional_until_ten_minutes_after_it() {
    let (service, store) = service();
    for shard in ["1", "2"] {
        let mut unspent = batch(|records| records.truncate(1));
        unspent["shardId"] = shard.into();
        count(&service, &unspent).await;
    }
    count(&service, &batch(|_| {})).await;

    const END: u64 = 1_700_002_800; // 2023-11-14T23:00:00Z
    let provisional = report(store.clone(), || Timestamp(END + 599)).await;
    let hour = json!({"hour": "2023-11-14T22:00:00Z", "minted": 3, "spent": 1, "revoked": 0, "due": 3});
    let with = |name: &str, value: Value| {
        let mut hour = hour.clone();
        hour[name] = value;
        hour
    };
    assert_eq!(provisional["hours"], json!([with("provisional", true.into())]));
    assert_eq!(provisional["totals"]["expiredUnused"], 0);

    let settled = report(store, || Timestamp(END + 600)).await;
    let expected = json!({
        "from": "2023-11-14T00:00:00Z",
        "to": "2023-11-15T00:00:00Z",
        "hours": [with("expiredUnused", 2.into())],
        "totals": {"minted": 3, "spent": 1, "revoked": 0, "expiredUnused": 2, "unreadable": 0},
        "mintToSpend": {"count": 1, "p50Seconds": 16, "p90Seconds": 16, "p99Seconds": 16},
    });
    assert_eq!(settled, expected);
}
