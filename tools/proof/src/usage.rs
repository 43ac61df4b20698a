//! The counts of `usage` are exact, however the stream delivers its records.
//!
//! It delivers every batch twice, with other cuts, to a store that fails, while shards are split and merged. Some
//! records are not those of a token.

use std::{
    collections::BTreeMap,
    fmt, mem,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Result;
use apigw::{Event, Settings};
use async_trait::async_trait;
use fastrand::Rng;
use lambda_runtime::Context;
use serde_json::{Value, json, value::to_raw_value};
use tokens::{Count, Counts, Hour, InMemoryUsageStore, SequenceNumber, Timestamp, UsageStore, UsageStoreError};
use usage::{Service, handle};

const NOW: Timestamp = Timestamp(1_700_000_000);

/// The most records of one stream, which is kept in memory.
const RECORDS_OF_STREAM: usize = 100_000;

/// Of so many tokens there is a record for the mint of each, and for the end of six.
const TOKENS: usize = 10;

/// The largest batch of the event source mapping.
const BATCH: usize = 1000;

/// What came of the counting.
#[derive(Debug, Default)]
pub struct Counted {
    /// How many records there were.
    pub records: usize,
    /// How many invocations failed.
    pub failed: usize,
    /// The streams, by their number, whose counts are wrong.
    pub wrong: Vec<u64>,
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { records, failed, wrong } = self;
        write!(f, "{records} records, each delivered twice, {failed} failed invocations, {} wrong counts", wrong.len())
    }
}

/// Counts streams with at least `records` records in all.
///
/// # Errors
///
/// If an event or the function cannot be made.
pub async fn run(records: usize) -> Result<Counted> {
    count(records, false).await
}

/// As [`run`]; with `forgets`, by a design that adds without the number that was counted last.
async fn count(records: usize, forgets: bool) -> Result<Counted> {
    let mut counted = Counted::default();
    for number in 0.. {
        if counted.records >= records {
            break;
        }
        let mut rng = Rng::with_seed(number);
        let stream = Stream::random((records - counted.records).min(RECORDS_OF_STREAM), &mut rng);
        counted.records += stream.shards.iter().map(|(_, records)| records.len()).sum::<usize>();
        let (is_right, failed) = count_stream(stream, forgets, &mut rng).await?;
        counted.failed += failed;
        counted.wrong.extend((!is_right).then_some(number));
    }
    Ok(counted)
}

/// Counts a stream; returns whether the counts are right, and how many invocations failed.
async fn count_stream(stream: Stream, forgets: bool, rng: &mut Rng) -> Result<(bool, usize)> {
    let store = Arc::new(InMemoryUsageStore::new());
    let unreliable = Unreliable { store: store.clone(), rng: Mutex::new(rng.fork()), forgets };
    let setting = |_: &str| Some("*".to_owned());
    let service = Service::new(Settings::new(&setting), Arc::new(unreliable), || NOW)?;
    let mut failed = 0;
    for (shard, records) in stream.shards {
        let mut records = records.into_iter().peekable();
        while records.peek().is_some() {
            let batch = records.by_ref().take(rng.usize(1..=BATCH)).collect();
            failed += deliver(&service, &shard, batch, rng).await?;
        }
    }
    let mut found = BTreeMap::<_, Counts>::new();
    for (hour, counts) in store.counts(Hour::of(Timestamp(0))..Hour::of(Timestamp(u64::MAX))).await? {
        found.entry(hour).or_default().add(&counts);
    }
    Ok((found == stream.expected, failed))
}

/// A store that fails now and then, before or after it has written, and gives way to other invocations.
struct Unreliable {
    store: Arc<InMemoryUsageStore>,
    rng: Mutex<Rng>,
    /// The mutant: a design that adds without the number that was counted last.
    forgets: bool,
}

impl Unreliable {
    /// Fails one time in fifty.
    async fn may_fail(&self) -> Result<(), UsageStoreError> {
        tokio::task::yield_now().await;
        let fails = self.rng.lock().unwrap_or_else(PoisonError::into_inner).u32(..50) == 0;
        if fails { Err(UsageStoreError("it was to fail".into())) } else { Ok(()) }
    }
}

#[async_trait]
impl UsageStore for Unreliable {
    async fn last(&self, hour: Hour, shard: &str) -> Result<Option<SequenceNumber>, UsageStoreError> {
        self.may_fail().await?;
        if self.forgets { Ok(None) } else { self.store.last(hour, shard).await }
    }

    async fn add(
        &self,
        hour: Hour,
        shard: &str,
        counts: &Counts,
        read: Option<&SequenceNumber>,
        last: &SequenceNumber,
    ) -> Result<bool, UsageStoreError> {
        self.may_fail().await?;
        let read = if self.forgets { &self.store.last(hour, shard).await? } else { &read.cloned() };
        let is_added = self.store.add(hour, shard, counts, read.as_ref(), last).await?;
        self.may_fail().await?;
        Ok(is_added)
    }

    async fn counts(&self, hours: Range<Hour>) -> Result<Vec<(Hour, Counts)>, UsageStoreError> {
        self.store.counts(hours).await
    }
}

/// A stream: the records of each shard, in the order in which Lambda reads the shards, parents first.
struct Stream {
    shards: Vec<(String, Vec<Value>)>,
    /// The open shards, as indexes. A token is in the one that its number says.
    open: Vec<usize>,
    last_number: u128,
    expected: BTreeMap<Hour, Counts>,
}

impl Stream {
    fn new() -> Self {
        // Numbers of 20 digits, of which some will have 21.
        Self {
            shards: Vec::new(),
            open: Vec::new(),
            last_number: 99_999_999_999_999_000_000,
            expected: BTreeMap::new(),
        }
    }

    fn open_shard(&mut self) -> usize {
        self.shards.push((format!("shardId-{:08}", self.shards.len()), Vec::new()));
        self.shards.len() - 1
    }

    /// Closes shards and opens others: twice as many, or half.
    fn split_or_merge(&mut self, count: usize) {
        let open = (0..count).map(|_| self.open_shard()).collect();
        self.open = open;
    }

    fn write(&mut self, token: usize, time: u64, old: Option<&Value>, new: &Value) {
        self.last_number += 7_000_003;
        let mut change = json!({
            "ApproximateCreationDateTime": time, "SequenceNumber": self.last_number.to_string(), "NewImage": new,
        });
        if let Some(old) = old {
            change["OldImage"] = old.clone();
        }
        let shard = self.open[token % self.open.len()];
        self.shards[shard].1.push(json!({"eventName": "MODIFY", "dynamodb": change}));
    }

    fn expect(&mut self, time: u64, count: Count) {
        self.expected.entry(Hour::of(Timestamp(time))).or_default().count(count);
    }

    /// A stream of about `records` records over six hours.
    fn random(records: usize, rng: &mut Rng) -> Self {
        let mut stream = Self::new();
        let tokens = (records * TOKENS).div_ceil(TOKENS + 6);
        for token in 0..tokens {
            if token % tokens.div_ceil(6) == 0 {
                stream.split_or_merge([4, 8, 2, 1, 3, 6][token / tokens.div_ceil(6)]);
            }
            let minted_at = NOW.0 + 6 * 3_600 * token as u64 / tokens as u64;
            let lifetime = rng.u64(1..=86_400);
            let number = |number: u64| json!({"N": number.to_string()});
            let unspent = json!({
                "jti": {"S": token.to_string()}, "created_at": number(minted_at), "expires_at": number(minted_at + lifetime),
            });
            if token % 997 == 0 {
                // A poison record.
                stream.write(token, minted_at, None, &json!({"created_at": {"N": "9".repeat(30)}}));
                stream.expect(minted_at, Count::Unreadable);
            }
            stream.write(token, minted_at, None, &unspent);
            stream.expect(minted_at, Count::Minted);
            stream.expect(minted_at + lifetime, Count::Due);
            let mut ended = unspent.clone();
            let delay_seconds = rng.u64(..lifetime);
            let ended_at = minted_at + delay_seconds;
            match rng.u32(..10) {
                0..5 => {
                    ended["used_at"] = number(ended_at);
                    ended["used_by"] = json!({"S": "r:1"});
                    stream.expect(ended_at, Count::Spent { delay_seconds });
                    stream.expect(minted_at + lifetime, Count::DueSpent);
                }
                5 => {
                    ended["revoked_at"] = number(ended_at);
                    stream.expect(ended_at, Count::Revoked);
                    stream.expect(minted_at + lifetime, Count::DueRevoked);
                }
                _ => continue,
            }
            stream.write(token, ended_at, Some(&unspent), &ended);
        }
        stream
    }
}

/// Delivers the batch until it succeeds, sometimes to two invocations at once and sometimes only its first half; and
/// then once more. Returns how often an invocation failed.
async fn deliver(service: &Service, shard: &str, mut records: Vec<Value>, rng: &mut Rng) -> Result<usize> {
    let mut failed = 0;
    let mut successes = 0;
    while successes < 2 {
        let batch = to_raw_value(&json!({"Records": records, "shardId": shard, "state": {}}))?;
        let event = || Event::new(batch.clone(), Context::default());
        let is_counted = if rng.u32(..20) == 0 {
            let (one, other) = tokio::join!(handle(service, event()), handle(service, event()));
            failed += usize::from(one.is_err()) + usize::from(other.is_err());
            one.is_ok() || other.is_ok()
        } else {
            let outcome = handle(service, event()).await;
            failed += usize::from(outcome.is_err());
            outcome.is_ok()
        };
        successes += usize::from(is_counted);
        if !is_counted && rng.bool() && records.len() > 1 {
            // Lambda reads less next time, and the rest in a batch of its own.
            let rest = records.split_off(records.len() / 2);
            failed += Box::pin(deliver(service, shard, mem::take(&mut records), rng)).await?;
            return Ok(failed + Box::pin(deliver(service, shard, rest, rng)).await?);
        }
    }
    Ok(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn counts_are_exact_although_batches_are_repeated_cut_and_die_half_way() {
        let counted = run(5_000).await.unwrap();
        assert_eq!(counted.wrong, [0; 0]);
        assert!(counted.records >= 5_000 && counted.failed > 0, "{counted}");
    }

    #[tokio::test]
    async fn a_design_that_does_not_know_what_it_counted_last_is_not_exact() {
        assert!(!count(2_000, true).await.unwrap().wrong.is_empty());
    }
}
