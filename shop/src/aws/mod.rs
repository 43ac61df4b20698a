//! The ports on AWS.

mod catalogue;
mod cognito;
mod documents;
mod executions;
mod https;
mod order_list;
mod orders;
mod products_api;
mod sales;

use apigw::{ConfigError, Settings};
use aws_sdk_dynamodb::Client;

pub use catalogue::{DynamoCatalogue, IF_PRODUCT, IF_SEEN, UnreadableProduct, to_item};
pub use cognito::Cognito;
pub use documents::S3Documents;
pub use executions::StepFunctions;
pub use order_list::DynamoOrderList;
pub use orders::{CONFIRM, DynamoOrders, IF_ENOUGH, IF_NEW, IF_PENDING, REJECT, TAKE};
pub use products_api::{HttpsProductsApi, SecretKey};
pub use sales::DynamoSales;

use crate::Unavailable;

/// The DynamoDB client of a function. Nothing is called yet.
fn dynamodb(settings: Settings<'_>) -> Result<Client, ConfigError> {
    Ok(Client::from_conf(::aws::dynamodb_config(settings)?.build()))
}

/// An unknown outcome, because of `err`.
fn unavailable(err: impl std::error::Error + Send + Sync + 'static) -> Unavailable {
    Unavailable(err.into())
}
