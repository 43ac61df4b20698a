//! The stream of the table of tokens, for the store in memory: what DynamoDB and Lambda do between a write and `usage`.

use std::{
    mem,
    ops::Range,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use apigw::Event;
use async_trait::async_trait;
use lambda_runtime::Context;
use serde_json::{Value, json, value::RawValue};
use tokens::{
    Claimant, Counts, Find, Hour, InMemoryTokenStore, Insert, Jti, Revoke, Row, SequenceNumber, Spend, Spending,
    StoreError, Timestamp, UsageStore, UsageStoreError,
};
use uuid::Uuid;

/// The largest batch: the `BatchSize` of the template.
const BATCH: usize = 1000;

/// The one shard of the stream.
const SHARD: &str = "shardId-00000000000000000000-local";

/// The records that `usage` has not been given yet.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    /// The function. Until it is there, nothing is recorded.
    function: OnceLock<Arc<usage::Service>>,
    pending: Mutex<Pending>,
    /// Held during a delivery, because the batches of a shard are in order.
    delivering: tokio::sync::Mutex<()>,
}

/// Records in the order of the writes.
#[derive(Debug, Default)]
struct Pending {
    /// In JSON: as text they take a fraction of the memory and of the time.
    records: Vec<String>,
    last_number: u64,
}

impl Stream {
    /// Delivers the records to `function` from now on, unless there is another one already.
    pub(crate) fn deliver_to(&self, function: &Arc<usage::Service>) {
        self.function.get_or_init(|| Arc::clone(function));
    }

    /// Delivers every record, in batches. Concurrent calls wait for each other.
    pub(crate) async fn deliver(&self) {
        let Some(function) = self.function.get() else { return };
        let _one_at_a_time = self.delivering.lock().await;
        let records = mem::take(&mut self.pending.lock().unwrap_or_else(PoisonError::into_inner).records);
        for batch in records.chunks(BATCH) {
            let records = batch.join(",");
            let event =
                format!(r#"{{"Records":[{records}],"shardId":"{SHARD}","state":{{}},"isFinalInvokeForWindow":false}}"#);
            let delivered = match RawValue::from_string(event) {
                Ok(event) => usage::handle(function, Event::new(event, Context::default())).await.map(|_| ()),
                Err(err) => Err(err.into()),
            };
            if let Err(err) = delivered {
                tracing::error!("a batch of the stream was not counted: {err}");
            }
        }
    }

    /// Records a write; returns whether there is a whole batch.
    fn record(&self, jti: &Jti, old: Option<Row>, new: Option<Row>, now: Timestamp) -> bool {
        // As in DynamoDB, a write that changes nothing is not recorded.
        if old == new || self.function.get().is_none() {
            return false;
        }
        let name = if old.is_none() { "INSERT" } else { "MODIFY" };
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.last_number += 1;
        let mut change = json!({
            "ApproximateCreationDateTime": now.0,
            "Keys": {"jti": {"S": jti.to_string()}},
            "SequenceNumber": pending.last_number.to_string(),
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        });
        for (image, row) in [("OldImage", old), ("NewImage", new)] {
            if let Some(row) = row {
                change[image] = to_image(jti, row);
            }
        }
        let event_id = Uuid::new_v4().simple().to_string();
        pending.records.push(json!({"eventID": event_id, "eventName": name, "dynamodb": change}).to_string());
        pending.records.len() >= BATCH
    }
}

/// A row as an image in a record.
fn to_image(jti: &Jti, row: Row) -> Value {
    let attributes = aws::to_item(jti, row).into_iter().map(|(name, value)| {
        let value = value.as_n().map_or_else(|_| json!({"S": value.as_s().ok()}), |number| json!({"N": number}));
        (name, value)
    });
    attributes.collect()
}

/// The store in memory, with a stream of its changes.
#[derive(Debug)]
pub(crate) struct StreamedTokenStore {
    store: InMemoryTokenStore,
    stream: Arc<Stream>,
    /// Held during a write, so that its record has the rows right before and right after it.
    writing: tokio::sync::Mutex<()>,
}

impl StreamedTokenStore {
    /// An empty store, whose changes go to `stream`.
    pub(crate) fn new(stream: Arc<Stream>) -> Self {
        Self { store: InMemoryTokenStore::new(), stream, writing: tokio::sync::Mutex::default() }
    }

    /// The answer of `write`, which changes at most the row of `jti`.
    async fn recorded<T>(&self, jti: &Jti, now: Timestamp, write: impl Future<Output = T> + Send) -> T {
        let _one_at_a_time = self.writing.lock().await;
        let old = self.store.row(jti);
        let answer = write.await;
        if self.stream.record(jti, old, self.store.row(jti), now) {
            let stream = Arc::clone(&self.stream);
            tokio::spawn(async move { stream.deliver().await });
        }
        answer
    }
}

#[async_trait]
impl Insert for StreamedTokenStore {
    async fn insert(&self, jti: &Jti, row: Row) -> Result<(), StoreError> {
        let now = row.created_at;
        self.recorded(jti, now, self.store.insert(jti, row)).await
    }
}

#[async_trait]
impl Spend for StreamedTokenStore {
    async fn spend(&self, jti: &Jti, claimant: &Claimant, now: Timestamp) -> Result<Spending, StoreError> {
        self.recorded(jti, now, self.store.spend(jti, claimant, now)).await
    }
}

#[async_trait]
impl Revoke for StreamedTokenStore {
    async fn revoke(&self, jti: &Jti, now: Timestamp) -> Result<(), StoreError> {
        self.recorded(jti, now, self.store.revoke(jti, now)).await
    }
}

#[async_trait]
impl Find for StreamedTokenStore {
    async fn find(&self, jti: &Jti) -> Result<Option<Row>, StoreError> {
        self.store.find(jti).await
    }
}

/// The store of counts where nothing counts: with a table of DynamoDB, whose stream `local` does not read.
#[derive(Debug)]
pub(crate) struct NotCounted;

/// Why there are no counts.
#[derive(Debug, thiserror::Error)]
#[error("local counts only what it keeps in memory")]
struct OnlyInMemory;

impl NotCounted {
    fn error<T>() -> Result<T, UsageStoreError> {
        Err(UsageStoreError(OnlyInMemory.into()))
    }
}

#[async_trait]
impl UsageStore for NotCounted {
    async fn last(&self, _: Hour, _: &str) -> Result<Option<SequenceNumber>, UsageStoreError> {
        Self::error()
    }

    async fn add(
        &self,
        _: Hour,
        _: &str,
        _: &Counts,
        _: Option<&SequenceNumber>,
        _: &SequenceNumber,
    ) -> Result<bool, UsageStoreError> {
        Self::error()
    }

    async fn counts(&self, _: Range<Hour>) -> Result<Vec<(Hour, Counts)>, UsageStoreError> {
        Self::error()
    }
}
