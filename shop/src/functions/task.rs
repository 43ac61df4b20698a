//! What the functions of the state machines have in common.

use std::fmt;

use lambda_runtime::{Diagnostic, LambdaEvent};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokens::Refusal;

use crate::Unavailable;

/// Why a step of an order or of a report failed. The state machine matches the names of the variants, and does not retry the final
/// ones.
#[derive(thiserror::Error)]
pub enum TaskError {
    /// Final: there is too little in stock, and the order is rejected.
    #[error("out of stock")]
    OutOfStock,
    /// Final: the checkout token does not make this order.
    #[error("the checkout token is refused")]
    TokenRefused(#[source] Refusal),
    /// Final: the input is not that of this step, or the order is missing.
    #[error("the input is invalid, or there is no such order")]
    Invalid,
    /// A conflict with another transaction, or a busy store.
    #[error("busy")]
    Busy,
    /// The outcome is unknown.
    #[error("unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl fmt::Debug for TaskError {
    /// A cause's own `Debug` could show a reply of AWS.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&apigw::chain(self))
    }
}

impl TaskError {
    /// The name of the error in the machine's definition.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::OutOfStock => "OutOfStock",
            Self::TokenRefused(_) => "TokenRefused",
            Self::Invalid => "Invalid",
            Self::Busy => "Busy",
            Self::Unavailable(_) => "Unavailable",
        }
    }
}

impl From<Unavailable> for TaskError {
    fn from(err: Unavailable) -> Self {
        Self::Unavailable(err.into())
    }
}

impl From<TaskError> for Diagnostic {
    fn from(err: TaskError) -> Self {
        Self { error_type: err.name().to_owned(), error_message: apigw::chain(&err) }
    }
}

/// Runs a step, and logs why it failed.
///
/// # Errors
///
/// As `step`.
pub async fn logged<T>(step: impl Future<Output = Result<T, TaskError>>) -> Result<T, TaskError> {
    step.await.inspect_err(|err| apigw::log_failure("the step failed", err))
}

/// The input of a step. Lambda's runtime would log an input that it cannot read, and the input names a person.
pub(super) fn input<T: DeserializeOwned>(event: &LambdaEvent<Box<RawValue>>) -> Result<T, TaskError> {
    serde_json::from_str(event.payload.get()).map_err(|_| TaskError::Invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_what_display_shows_and_not_the_debug_of_a_cause() {
        let error = TaskError::from(Unavailable("down".into()));
        assert_eq!(format!("{error:?}"), "unavailable: the outcome is unknown: down");
    }
}
