//! This project's API on this machine: its functions behind the emulator of API Gateway.
//!
//! The handlers are the ones that are deployed. Tokens live in memory (or, with `--dynamodb`, in a
//! table), and the signing key is drawn at random at each start.
//!
//! - `functions`: the deployed functions, with one store and a random key
//! - `dynamodb`, `overrides`: the options `--dynamodb` and `--parameter-overrides`
//! - `stream`: the stream of the table of tokens, for the store in memory
//! - `documents`: the documents of the API, beside its template

mod documents;
mod dynamodb;
mod functions;
mod overrides;
mod stream;

/// Id of the access key that signs requests to routes with `AWS_IAM`. It belongs to no AWS account.
pub const ACCESS_KEY_ID: &str = "AKIDLOCAL";
/// The secret of that key, which is only one by name.
pub const SECRET_ACCESS_KEY: &str = "local-secret";

pub use documents::documents;
pub use dynamodb::{DynamoDbError, dynamodb};
pub use emulator::{Options, Server};
pub use functions::{functions, functions_over};
pub use overrides::parameter_overrides;
