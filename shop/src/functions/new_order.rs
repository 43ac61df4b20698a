//! `new_order`: the first step of an order, which spends its checkout token and writes the pending order.

use std::sync::Arc;

use apigw::metrics;
use lambda_runtime::LambdaEvent;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokens::{Claimant, Spend};

use super::{TaskError, task::input};
use crate::{Accepted, OrderId, Orders, Taking};

/// The state that all invocations of the function share.
pub struct Service {
    /// The checkout tokens.
    pub tokens: Arc<dyn Spend>,
    /// The orders.
    pub orders: Arc<dyn Orders>,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}

/// An order that is written: the input of the next step, which needs to know nothing of the customer.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Placed {
    /// Its ID.
    pub order_id: OrderId,
    /// The stock that it takes.
    pub items: Vec<Taking>,
}

/// Spends the token of an order as of the time when the order was accepted, and writes the order.
///
/// Both can be repeated: the claimant is the order, and the time does not change. So neither a token that expires on
/// the way nor a late retry refuses an order that was accepted.
///
/// # Errors
///
/// [`TaskError`].
pub async fn handle(service: &Service, event: LambdaEvent<Box<RawValue>>) -> Result<Placed, TaskError> {
    let Accepted { order, has_token } = input(&event)?;
    if has_token {
        let claimant = Claimant::of_invocation(&order.id.to_string()).ok_or(TaskError::Invalid)?;
        let spending = service.tokens.spend(&order.id, &claimant, order.placed_at).await;
        let spending = spending.map_err(|err| TaskError::Unavailable(err.into()))?;
        spending.verdict.into_result().map_err(|refusal| {
            metrics::refused(refusal.reason(), &event.context.request_id);
            TaskError::TokenRefused(refusal)
        })?;
    }
    service.orders.place(&order).await?;
    Ok(Placed { order_id: order.id, items: order.items.into_iter().map(Taking::from).collect() })
}
