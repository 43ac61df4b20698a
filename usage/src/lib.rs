//! `usage`: counts what happens to tokens, and reports it.
//!
//! | event | what the function does | where |
//! | --- | --- | --- |
//! | a batch of the stream of the table of tokens | reads what happened (`record.rs`), and counts it exactly once (`count.rs`) | [`handle`] |
//! | `GET /usage` | sums the counts of a period (`report.rs`) | [`handle`] |
//!
//! What is counted is defined by [`tokens::Counts`]. Its route is for operators: API Gateway checks their IAM
//! permission. Its tests are in `tests/handlers/usage.rs`.

mod count;
mod record;
mod report;

use std::{collections::BTreeMap, fmt, sync::Arc};

use apigw::{ConfigError, Event, Responder, Response, Settings};
use lambda_runtime::Error;
use serde::Serialize;
use tokens::{Timestamp, UsageStore};

use crate::record::{Batch, Record};

/// The state that all invocations of the function share.
pub struct Service {
    store: Arc<dyn UsageStore>,
    responder: Responder,
    now: fn() -> Timestamp,
}

impl Service {
    /// Creates the function from its settings (those of [`Responder`]), the store of counts and the clock.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable at fault and what it must be.
    pub fn new(
        settings: Settings<'_>,
        store: Arc<dyn UsageStore>,
        now: fn() -> Timestamp,
    ) -> Result<Self, ConfigError> {
        Ok(Self { store, responder: Responder::new(settings)?, now })
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}

/// What the function answers.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Reply {
    /// To a request.
    Response(Response),
    /// To a batch of the stream, all of which is counted.
    Counted {
        /// What the next batch of the tumbling window would get. It is empty; the window is only there because an
        /// event names its shard only within one.
        state: BTreeMap<(), ()>,
    },
}

/// Counts a batch of the stream, or answers a request.
///
/// # Errors
///
/// For a batch: an event without the ID of its shard, or counts that could not be stored. Lambda then delivers the
/// batch again. For a request: none, every failure is a response.
pub async fn handle(service: &Service, event: Event) -> Result<Reply, Error> {
    let Some(batch) = Batch::of(&event).map_err(logged)? else {
        let report = async |request| report::report(&*service.store, &request, (service.now)()).await;
        return Ok(Reply::Response(service.responder.respond(event, report).await));
    };
    count(service, &batch).await.map_err(logged)?;
    Ok(Reply::Counted { state: BTreeMap::new() })
}

/// Logs why a batch was not counted.
fn logged(err: impl std::error::Error) -> Error {
    apigw::log_failure("a batch was not counted, and is delivered again", &err);
    apigw::chain(&err).into()
}

/// Counts a batch.
async fn count(service: &Service, batch: &Batch) -> Result<(), count::CountError> {
    let records: Vec<_> = batch.records.iter().filter_map(Record::read).collect();
    let without_place = batch.records.len() - records.len();
    if without_place > 0 {
        tracing::error!(shard = batch.shard, records = without_place, "records without a sequence number or a time");
    }
    count::count(&*service.store, &batch.shard, records).await
}
