//! `GET /usage`: the counts of a period, by hour.

use std::{collections::BTreeMap, ops::Range};

use apigw::{ApiError, Request, Response, rfc3339};
use http::StatusCode;
use serde::Serialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokens::{Counts, Hour, Timestamp, UsageStore};

/// The length of the period without `from`, in seconds: 24 hours.
const DEFAULT_PERIOD_SECONDS: u64 = 24 * 3_600;

/// The longest period, in seconds: 31 days.
const MAX_PERIOD_SECONDS: u64 = 31 * 24 * 3_600;

/// How long after its end an hour is provisional, in seconds. By then the stream has delivered its records.
const SETTLING_SECONDS: u64 = 600;

/// The body of a success.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UsageResponse {
    from: String,
    to: String,
    hours: Vec<HourOfUse>,
    totals: Totals,
    mint_to_spend: MintToSpend,
}

/// An hour in which something was counted.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HourOfUse {
    hour: String,
    minted: u64,
    spent: u64,
    revoked: u64,
    due: u64,
    /// Absent while the hour is provisional.
    #[serde(skip_serializing_if = "Option::is_none")]
    expired_unused: Option<u64>,
    /// Absent if it is 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<u64>,
    /// Whether counts may be missing yet; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    provisional: Option<bool>,
}

/// The sums over the hours.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Totals {
    minted: u64,
    spent: u64,
    revoked: u64,
    expired_unused: u64,
    unreadable: u64,
}

/// The time from mint to spend of the tokens that were spent. A percentile is the upper bound of a bucket of the
/// histogram; `null` if no token was spent.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MintToSpend {
    count: u64,
    p50_seconds: Option<u64>,
    p90_seconds: Option<u64>,
    p99_seconds: Option<u64>,
}

/// Answers with the counts of the period that the request names.
///
/// # Errors
///
/// 400 for a period that is malformed, empty or too long; 503 if the counts could not be read.
pub(crate) async fn report(store: &dyn UsageStore, request: &Request, now: Timestamp) -> Result<Response, ApiError> {
    let hours = period(request, now)?;
    let items = store.counts(hours.clone()).await.map_err(ApiError::unavailable)?;
    Ok(Response::json(StatusCode::OK, &response(&hours, items, now)))
}

/// The hours that the request asks for.
fn period(request: &Request, now: Timestamp) -> Result<Range<Hour>, ApiError> {
    let to = moment(request, "to")?.unwrap_or(now);
    let from = moment(request, "from")?.unwrap_or(to.minus(DEFAULT_PERIOD_SECONDS));
    if from >= to {
        return Err(ApiError::invalid_request("`from` must be before `to`"));
    }
    if to.0 - from.0 > MAX_PERIOD_SECONDS {
        return Err(ApiError::invalid_request("The period must be at most 31 days long"));
    }
    // Up to whole hours: the last second of the period is in its last hour.
    Ok(Hour::of(from)..Hour::of(to.minus(1)).next())
}

/// The time in the query parameter `name`.
fn moment(request: &Request, name: &str) -> Result<Option<Timestamp>, ApiError> {
    const INVALID: ApiError = ApiError::invalid_request(
        "`from` and `to` must each be one time of RFC 3339, such as 2026-01-31T12:00:00Z, not before 1970",
    );

    let mut values = request.query_values(name);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(INVALID);
    }
    // Where a form is decoded, the sign of an offset arrives as a space unless it was written as %2B.
    let (date, time) =
        value.split_at_checked(10).filter(|(_, time)| time.starts_with(['T', 't', ' '])).ok_or(INVALID)?;
    let time =
        OffsetDateTime::parse(&format!("{date}T{}", time[1..].replace(' ', "+")), &Rfc3339).map_err(|_| INVALID)?;
    Ok(Some(Timestamp(time.unix_timestamp().try_into().map_err(|_| INVALID)?)))
}

/// The body for the items of these hours.
fn response(hours: &Range<Hour>, items: Vec<(Hour, Counts)>, now: Timestamp) -> UsageResponse {
    let mut by_hour = BTreeMap::<_, Counts>::new();
    let mut sum = Counts::default();
    for (hour, counts) in items {
        sum.add(&counts);
        by_hour.entry(hour).or_default().add(&counts);
    }
    let hours_of_use: Vec<_> = by_hour.into_iter().map(|(hour, counts)| hour_of_use(hour, &counts, now)).collect();
    UsageResponse {
        from: rfc3339(hours.start.start().0),
        to: rfc3339(hours.end.start().0),
        totals: Totals {
            minted: sum.minted,
            spent: sum.spent,
            revoked: sum.revoked,
            expired_unused: hours_of_use.iter().filter_map(|hour| hour.expired_unused).sum(),
            unreadable: sum.unreadable,
        },
        hours: hours_of_use,
        mint_to_spend: MintToSpend {
            count: sum.spent,
            p50_seconds: sum.delay_percentile(50),
            p90_seconds: sum.delay_percentile(90),
            p99_seconds: sum.delay_percentile(99),
        },
    }
}

/// An hour with its counts, as it is at `now`.
fn hour_of_use(hour: Hour, counts: &Counts, now: Timestamp) -> HourOfUse {
    let is_provisional = now < hour.end().plus(SETTLING_SECONDS);
    HourOfUse {
        hour: rfc3339(hour.start().0),
        minted: counts.minted,
        spent: counts.spent,
        revoked: counts.revoked,
        due: counts.due,
        expired_unused: (!is_provisional).then(|| counts.due_unused()),
        unreadable: (counts.unreadable > 0).then_some(counts.unreadable),
        provisional: is_provisional.then_some(true),
    }
}
