//! The store of tokens in DynamoDB.

use std::{
    fmt,
    time::{Duration, Instant},
};

use apigw::metrics;
use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client, Config,
    config::{retry::RetryConfig, timeout::TimeoutConfig},
    error::SdkError,
    operation::{put_item::PutItemError, update_item::UpdateItemError},
    types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use tokens::{
    Claimant, Find, Insert, Jti, REPLAY_WINDOW_SECONDS, Revoke, Row, Spend, Spending, StoreError, Timestamp, Verdict,
};
use uuid::Uuid;

use crate::{
    ended::EndedRows,
    row::{from_item, seconds, to_item},
};

/// The condition of a mint: [`tokens::may_insert`] as DynamoDB evaluates it.
///
/// The write replaces the whole item. Without the last two terms, a late duplicate would erase the mark
/// of a token that has been spent or revoked since.
pub const IF_NEW_OR_MINE: &str = "attribute_not_exists(jti) \
     OR (minted_by = :me AND attribute_not_exists(used_by) AND attribute_not_exists(revoked_at))";

/// What a spend writes: the claimant, and the time of the first spend.
pub const SPEND: &str = "SET used_at = if_not_exists(used_at, :now), used_by = :me";

/// The condition of a spend: [`tokens::decide`] as DynamoDB evaluates it.
///
/// An update creates the item that it does not find. `attribute_exists(jti)` forbids that explicitly;
/// the other terms would too, because a comparison with a missing attribute is false.
pub const IF_UNSPENT_OR_MINE: &str = "attribute_exists(jti) \
     AND ((attribute_not_exists(used_by) AND attribute_not_exists(revoked_at) AND expires_at > :now) \
          OR (used_by = :me AND used_at >= :replay_floor))";

/// What a revocation writes: the time of the first one.
pub const REVOKE: &str = "SET revoked_at = if_not_exists(revoked_at, :now)";

/// The condition of a revocation: [`tokens::may_revoke`] as DynamoDB evaluates it.
pub const IF_UNSPENT: &str = "attribute_exists(jti) AND attribute_not_exists(used_by)";

/// Of so many calls, one is timed: a line for each would cost as much as the call.
pub const SAMPLED_CALLS: u8 = 100;

/// The time-out of the warm-up call.
const WARM_UP_TIMEOUT: Duration = Duration::from_secs(1);

/// What a function's IAM role allows on the table: one action, which the warm-up in init also uses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Access {
    /// To mint tokens: `PutItem`.
    Mint,
    /// To spend tokens: `UpdateItem`.
    Spend,
    /// To revoke tokens: `UpdateItem`.
    Revoke,
    /// To look at tokens: `GetItem`.
    Find,
}

/// The store of tokens in a table of DynamoDB, one call for each operation.
pub struct DynamoTokenStore {
    client: Client,
    table_name: String,
    ended: EndedRows,
}

/// A condition that failed although the row meets it. Neither a success nor a refusal would be true.
#[derive(Debug, thiserror::Error)]
#[error("the condition failed although the row meets it")]
struct ContradictoryRow;

impl DynamoTokenStore {
    /// The store in the table `table_name`.
    #[must_use]
    pub fn new(client: Client, table_name: String) -> Self {
        Self { client, table_name, ended: EndedRows::default() }
    }

    /// Opens a connection with the one action that `access` allows, on an item with a random key. A write
    /// requires that the item exists, so it fails: nothing is written, and no further permission is needed.
    pub(crate) async fn warm_up(&self, access: Access) {
        const IF_EXISTS: &str = "attribute_exists(jti)";

        let jti = AttributeValue::S(format!("warm-{}", Uuid::new_v4()));
        // The connect time-out is left as it is: with another one the SDK would create a second pool of
        // connections, and this call would not warm up the first.
        let timeouts = TimeoutConfig::builder()
            .operation_timeout(WARM_UP_TIMEOUT)
            .operation_attempt_timeout(WARM_UP_TIMEOUT)
            .build();
        let retries = RetryConfig::standard().with_max_attempts(1);
        let once = Config::builder().timeout_config(timeouts).retry_config(retries);
        // The outcome is ignored: if this fails, the first request opens the connection.
        match access {
            Access::Mint => {
                let put = self.client.put_item().table_name(&self.table_name).item("jti", jti);
                let put = put.condition_expression(IF_EXISTS).customize().config_override(once);
                let _outcome = put.send().await;
            }
            Access::Spend | Access::Revoke => {
                let update = self.client.update_item().table_name(&self.table_name).key("jti", jti);
                let update = update.condition_expression(IF_EXISTS).customize().config_override(once);
                let _outcome = update.send().await;
            }
            Access::Find => {
                let get = self.client.get_item().table_name(&self.table_name).key("jti", jti);
                let _outcome = get.customize().config_override(once).send().await;
            }
        }
    }
}

impl fmt::Debug for DynamoTokenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoTokenStore").field("table_name", &self.table_name).finish_non_exhaustive()
    }
}

#[async_trait]
impl Insert for DynamoTokenStore {
    async fn insert(&self, jti: &Jti, row: Row) -> Result<(), StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table_name)
            .condition_expression(IF_NEW_OR_MINE)
            .expression_attribute_values(":me", AttributeValue::S(row.minted_by.as_str().to_owned()))
            .set_item(Some(to_item(jti, row)));
        match timed(put.send()).await.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(()),
            Err(PutItemError::ConditionalCheckFailedException(_)) => Err(StoreError::Taken),
            Err(err) => Err(unavailable(err)),
        }
    }
}

#[async_trait]
impl Spend for DynamoTokenStore {
    async fn spend(&self, jti: &Jti, claimant: &Claimant, now: Timestamp) -> Result<Spending, StoreError> {
        if let Some(refusal) = self.ended.refusal(jti, claimant, now) {
            return Ok(refusal.into());
        }
        let update = self
            .client
            .update_item()
            .table_name(&self.table_name)
            .key("jti", AttributeValue::S(jti.to_string()))
            .update_expression(SPEND)
            .condition_expression(IF_UNSPENT_OR_MINE)
            .expression_attribute_values(":now", seconds(now))
            .expression_attribute_values(":replay_floor", seconds(now.minus(REPLAY_WINDOW_SECONDS)))
            .expression_attribute_values(":me", AttributeValue::S(claimant.as_str().to_owned()))
            .return_values(ReturnValue::AllOld)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match timed(update.send()).await.map_err(SdkError::into_service_error) {
            Ok(old) => {
                let old = old.attributes.unwrap_or_default();
                let host = old.get("host").and_then(|host| host.as_s().ok()).cloned();
                Ok(Spending { verdict: Verdict::Spent { replayed: old.contains_key("used_by") }, host })
            }
            // The old row explains the refusal; it is never guessed from one attribute.
            Err(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                let old = failed.item().map(from_item).transpose().map_err(unavailable)?;
                let refusal = match tokens::decide(old.as_ref(), claimant, now) {
                    Verdict::Spent { .. } => return Err(unavailable(ContradictoryRow)),
                    refusal => refusal,
                };
                if let Some(row) = old {
                    self.ended.keep(*jti, row);
                }
                Ok(refusal.into())
            }
            Err(err) => Err(unavailable(err)),
        }
    }
}

#[async_trait]
impl Revoke for DynamoTokenStore {
    async fn revoke(&self, jti: &Jti, now: Timestamp) -> Result<(), StoreError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table_name)
            .key("jti", AttributeValue::S(jti.to_string()))
            .update_expression(REVOKE)
            .condition_expression(IF_UNSPENT)
            .expression_attribute_values(":now", seconds(now));
        match timed(update.send()).await.map_err(SdkError::into_service_error) {
            Ok(_) | Err(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
            Err(err) => Err(unavailable(err)),
        }
    }
}

#[async_trait]
impl Find for DynamoTokenStore {
    async fn find(&self, jti: &Jti) -> Result<Option<Row>, StoreError> {
        let get = self.client.get_item().table_name(&self.table_name).key("jti", AttributeValue::S(jti.to_string()));
        let found = timed(get.consistent_read(true).send()).await;
        let found = found.map_err(|err| unavailable(err.into_service_error()))?;
        found.item().map(from_item).transpose().map_err(unavailable)
    }
}

/// Waits for a call, retries included. Logs how long one in [`SAMPLED_CALLS`] took.
async fn timed<T>(call: impl Future<Output = T>) -> T {
    // From the generator that a simulation seeds.
    let began = (fastrand::u8(..SAMPLED_CALLS) == 0).then(Instant::now);
    let outcome = call.await;
    if let Some(began) = began {
        metrics::store_latency(began.elapsed());
    }
    outcome
}

/// An unknown outcome, because of `err`.
fn unavailable(err: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Unavailable(err.into())
}
