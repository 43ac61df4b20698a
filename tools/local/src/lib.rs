//! This project's API on this machine: its functions behind the emulator of API Gateway.
//!
//! The handlers are the ones that are deployed. Tokens live in memory (or, with `--dynamodb`, in a
//! table), and the signing key is drawn at random at each start.

mod dynamodb;
mod functions;

pub use dynamodb::{DynamoDbError, dynamodb};
pub use emulator::{Options, Server};
pub use functions::{functions, functions_over};
