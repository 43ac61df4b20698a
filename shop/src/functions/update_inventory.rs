//! `update_inventory`: the second step of an order, which takes its stock and confirms it, or rejects it.

use std::sync::Arc;

use lambda_runtime::LambdaEvent;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{TaskError, new_order::Placed, task::input};
use crate::{OrderId, Orders, Settlement, Status};

/// The state that all invocations of the function share.
pub struct Service {
    /// The orders, and their stock.
    pub orders: Arc<dyn Orders>,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}

/// The output of the execution.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Confirmed {
    /// The ID of the order.
    pub order_id: OrderId,
}

/// Takes the stock of an order, whole or not at all, and confirms the order; without enough stock, rejects it.
///
/// # Errors
///
/// [`TaskError`].
pub async fn handle(service: &Service, event: LambdaEvent<Box<RawValue>>) -> Result<Confirmed, TaskError> {
    let Placed { order_id, items } = input(&event)?;
    let status = match service.orders.confirm(&order_id, &items).await? {
        Settlement::Confirmed => Some(Status::Confirmed),
        Settlement::Rejected => Some(Status::Rejected),
        Settlement::Missing => None,
        Settlement::Busy => return Err(TaskError::Busy),
        // Another attempt may have confirmed it in the meantime: the status that is returned decides.
        Settlement::OutOfStock => service.orders.reject(&order_id).await?,
    };
    match status {
        Some(Status::Confirmed) => Ok(Confirmed { order_id }),
        Some(Status::Rejected) => Err(TaskError::OutOfStock),
        Some(Status::Pending) => Err(TaskError::Busy),
        None => Err(TaskError::Invalid),
    }
}
