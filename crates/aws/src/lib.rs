//! The AWS side of token-auth: how the functions reach DynamoDB and Secrets Manager.
//!
//! | question | answered in |
//! | --- | --- |
//! | how a function gets its ports | [`ports`] (`clients.rs`) |
//! | which settings the clients take | `config.rs` |
//! | how long a call may take, and how often it is tried | [`Clients`], [`sdk_config`] (`clients.rs`) |
//! | how DynamoDB keeps the rule of one use | [`DynamoTokenStore`] (`store.rs`) |
//! | what a flood of spent tokens costs | `ended.rs` |
//! | what a row looks like in the table | [`to_item`], [`from_item`] (`row.rs`) |
//! | where the counts of use are kept | [`DynamoUsageStore`] (`usage_store.rs`) |
//! | when the key ring is fetched again | [`SecretsManagerKeyStore`] (`key_store.rs`) |
//! | how a rotation reads and writes the secret | [`SecretsManagerRingVersions`] (`ring_versions.rs`) |

mod clients;
mod config;
mod ended;
mod key_store;
mod ring_versions;
mod row;
mod store;
mod usage_store;

pub use clients::{
    Clients, dynamodb_config, key_store, ports, ring_versions, ring_versions_with_http_client, sdk_config, token_store,
};
pub use config::{credentials, is_endpoint};
pub use key_store::SecretsManagerKeyStore;
pub use ring_versions::SecretsManagerRingVersions;
pub use row::{UnreadableRow, from_item, to_item};
pub use store::{
    Access, DynamoTokenStore, IF_NEW_OR_MINE, IF_UNSPENT, IF_UNSPENT_OR_MINE, REVOKE, SAMPLED_CALLS, SPEND,
};
pub use usage_store::{DynamoUsageStore, USAGE_RETENTION_SECONDS, usage_store};
