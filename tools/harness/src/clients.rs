//! The functions' clients, for tests and proofs that call the store without a function.

use std::sync::Arc;

use apigw::Settings;
use aws::DynamoTokenStore;

use crate::process::variables;

/// The clients of a function that uses the table `table`; both services are at `url`.
///
/// # Panics
///
/// When `url` is not a URL.
#[must_use]
pub fn clients(url: &str, table: &str) -> aws::Clients {
    let variables = variables(url, url, table);
    let lookup = |name: &str| variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| value.clone());
    aws::Clients::new(Settings::new(&lookup)).expect("the variables of a function")
}

/// The store of [`clients`].
///
/// # Panics
///
/// When `url` is not a URL.
#[must_use]
pub fn token_store(url: &str, table: &str) -> Arc<DynamoTokenStore> {
    clients(url, table).store
}
