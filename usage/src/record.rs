//! What a record of the table's stream says: what happened to a token, by its images before and after.

use apigw::{Event, LAST_SECOND};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use tokens::{Count, Hour, SequenceNumber, Timestamp};

/// How far the times of a token may lie from the time of the record, in seconds: 26 hours.
///
/// A token lives for a day at most. It limits the hours that a batch writes to.
const MAX_DISTANCE_SECONDS: u64 = 26 * 3_600;

/// A batch of the stream, with records of one shard.
#[derive(Debug)]
pub(crate) struct Batch {
    /// The shard.
    pub(crate) shard: String,
    /// The records.
    pub(crate) records: Vec<Value>,
}

/// An event of the stream that cannot be counted. It fails, so that Lambda delivers it again.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum UnreadableBatch {
    /// `Records` is not a list.
    #[error("the records of the stream are not a list")]
    Records,
    /// Without its shard, a record that is delivered twice would be counted twice.
    #[error("the event does not name its shard: the event source mapping has no tumbling window")]
    Shard,
}

/// The members of an event that are read.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-windows.html>
#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow, rename = "Records")]
    records: Option<&'a RawValue>,
    #[serde(rename = "shardId")]
    shard: Option<Value>,
}

impl Batch {
    /// The batch of `event`; `None` if it is not an event of a stream.
    ///
    /// # Errors
    ///
    /// [`UnreadableBatch`] if it is one and cannot be counted.
    pub(crate) fn of(event: &Event) -> Result<Option<Self>, UnreadableBatch> {
        let event = event.payload.get();
        // Serde would also accept an array of the members in order.
        if !event.trim_ascii_start().starts_with('{') {
            return Ok(None);
        }
        let Ok(Wire { records: Some(records), shard }) = serde_json::from_str(event) else { return Ok(None) };
        let records = serde_json::from_str(records.get()).map_err(|_| UnreadableBatch::Records)?;
        match shard {
            Some(Value::String(shard)) if !shard.is_empty() => Ok(Some(Self { shard, records })),
            _ => Err(UnreadableBatch::Shard),
        }
    }
}

/// A record that has a place in its shard and in time.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Record {
    /// Its place in the shard.
    pub(crate) number: SequenceNumber,
    /// What it counts, each in its hour.
    pub(crate) counts: Vec<(Hour, Count)>,
}

impl Record {
    /// Reads a record; `None` if it has no sequence number or no time, which DynamoDB gives every record.
    pub(crate) fn read(record: &Value) -> Option<Self> {
        let change = &record["dynamodb"];
        let number = SequenceNumber::new(change["SequenceNumber"].as_str()?.to_owned())?;
        let time = moment(&change["ApproximateCreationDateTime"])?;
        let counts = counts(change, time).unwrap_or_else(|| vec![(Hour::of(time), Count::Unreadable)]);
        Some(Self { number, counts })
    }
}

/// The time of a record: a number of seconds, which may have a fraction.
fn moment(value: &Value) -> Option<Timestamp> {
    let seconds = value.as_f64()?;
    #[expect(clippy::cast_precision_loss, reason = "exact below 2^53")]
    let is_time = (0.0..=LAST_SECOND as f64).contains(&seconds);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the range of times")]
    is_time.then_some(Timestamp(seconds as u64))
}

/// What a change counts at `time`; `None` if it is not the change of a token.
fn counts(change: &Value, time: Timestamp) -> Option<Vec<(Hour, Count)>> {
    let image = |name| change.get(name).map(Image::read);
    let (old, new) = match (image("OldImage"), image("NewImage")) {
        // An item was removed, in most cases by its time to live.
        (Some(_), None) => return Some(Vec::new()),
        (None, None) => return None,
        (None, Some(new)) => (None, new?),
        (Some(old), Some(new)) => (Some(old?), new?),
    };
    let near = |moment: Timestamp| (moment.0.abs_diff(time.0) <= MAX_DISTANCE_SECONDS).then(|| Hour::of(moment));
    let mut counts = Vec::new();
    if old.is_none() {
        counts.extend([(near(new.created_at)?, Count::Minted), (near(new.expires_at)?, Count::Due)]);
    }
    if old.is_none_or(|old| old.end == End::None) {
        match new.end {
            End::Spent(at) => {
                let delay_seconds = at.0.saturating_sub(new.created_at.0);
                counts.extend([(near(at)?, Count::Spent { delay_seconds }), (near(new.expires_at)?, Count::DueSpent)]);
            }
            End::Revoked(at) => {
                counts.extend([(near(at)?, Count::Revoked), (near(new.expires_at)?, Count::DueRevoked)]);
            }
            End::None => {}
        }
    }
    Some(counts)
}

/// The state of a token's row.
#[derive(Clone, Copy)]
struct Image {
    created_at: Timestamp,
    expires_at: Timestamp,
    end: End,
}

/// How a token has ended.
#[derive(Clone, Copy, Eq, PartialEq)]
enum End {
    /// Not yet, or by expiry.
    None,
    Spent(Timestamp),
    Revoked(Timestamp),
}

impl Image {
    /// Reads an image; `None` if it is not the row of a token. Attributes that are not counted may be of any type.
    fn read(image: &Value) -> Option<Self> {
        image["jti"]["S"].as_str()?;
        let time = |name| match image.get(name) {
            None => Some(None),
            Some(value) => value["N"].as_str()?.parse().ok().map(Timestamp).map(Some),
        };
        let (used_at, revoked_at) = (time("used_at")?, time("revoked_at")?);
        let end = match (image.get("used_by"), used_at, revoked_at) {
            (Some(_), Some(at), _) => End::Spent(at),
            (Some(_), None, _) => return None,
            (None, _, Some(at)) => End::Revoked(at),
            (None, _, None) => End::None,
        };
        Some(Self { created_at: time("created_at")??, expires_at: time("expires_at")??, end })
    }
}
