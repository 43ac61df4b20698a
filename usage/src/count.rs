//! Counting a batch exactly once, although the stream delivers at least once.
//!
//! The item of an hour and a shard holds the sequence number that was counted last in it. Records at or below it have
//! been counted. A batch that failed half-way is completed by its repetition, item by item.

use std::collections::BTreeMap;

use tokens::{Count, Counts, Hour, SequenceNumber, UsageStore, UsageStoreError};

use crate::record::Record;

/// How often the item is read: once, and three times more if another invocation has written to it in the meantime.
const READS: usize = 4;

/// Why a batch was not counted, or only some of its hours.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CountError {
    /// The store failed.
    #[error("the batch was not counted")]
    Store(#[from] UsageStoreError),
    /// Each time that the item was read, another invocation wrote to it.
    #[error("another invocation counts the same shard")]
    Contended,
}

/// Counts the records of one shard.
///
/// # Errors
///
/// [`CountError`]. Counting the same records again is safe.
pub(crate) async fn count(store: &dyn UsageStore, shard: &str, records: Vec<Record>) -> Result<(), CountError> {
    let mut hours = BTreeMap::<_, BTreeMap<_, Vec<_>>>::new();
    for Record { number, counts } in &records {
        for (hour, count) in counts {
            hours.entry(*hour).or_default().entry(number).or_default().push(*count);
        }
    }
    for (hour, counts) in hours {
        count_hour(store, hour, shard, &counts).await?;
    }
    Ok(())
}

/// Counts what belongs to one hour, in the order of the sequence numbers.
async fn count_hour(
    store: &dyn UsageStore,
    hour: Hour,
    shard: &str,
    counts: &BTreeMap<&SequenceNumber, Vec<Count>>,
) -> Result<(), CountError> {
    for _ in 0..READS {
        let read = store.last(hour, shard).await?;
        let mut sum = Counts::default();
        let mut last = None;
        for (number, counts) in counts.iter().filter(|(number, _)| read.as_ref().is_none_or(|read| **number > read)) {
            counts.iter().for_each(|count| sum.count(*count));
            last = Some(*number);
        }
        let Some(last) = last else { return Ok(()) };
        if store.add(hour, shard, &sum, read.as_ref(), last).await? {
            return Ok(());
        }
    }
    Err(CountError::Contended)
}
