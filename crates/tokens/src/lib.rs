//! The domain of token-auth: one-time tokens, minted once and spent once.
//!
//! | question | answered in |
//! | --- | --- |
//! | what a token says | [`Claims`] (`claims.rs`) |
//! | which keys sign and check it | [`KeyRing`] (`key_ring.rs`) |
//! | how the keys are rotated | [`rotation`], [`RingVersions`] (`ring_versions.rs`) |
//! | how it is minted | [`Minter`] (`mint.rs`) |
//! | when it is accepted, and when it is refused | [`Checker`] (`check.rs`), [`Refusal`] (`refusal.rs`) |
//! | how it is spent | [`Spender`] (`spend.rs`) |
//! | how it is revoked, or only looked at | [`Revoker`] (`revoke.rs`), [`Inspector`] (`inspect.rs`) |
//! | who claims it | [`Claimant`] (`claimant.rs`) |
//! | why it is spent only once | [`decide`] (`rule.rs`) |
//! | what a store must do | [`Insert`], [`Spend`], [`Revoke`], [`Find`] (`store.rs`) |
//! | what is counted of the use of tokens, and where it is kept | [`Counts`] (`usage.rs`), [`UsageStore`] (`usage_store.rs`) |
//!
//! Nothing here knows AWS, HTTP, the environment, a clock or a source of randomness: the time, the
//! token's id and the caller's identity are arguments. So the rule can be tested, modelled and
//! simulated without any of them.

mod check;
mod claimant;
mod claims;
mod in_memory;
mod inspect;
mod jti;
mod key_ring;
mod key_store;
mod mint;
mod ports;
mod refusal;
mod revoke;
mod ring_versions;
pub mod rotation;
mod rule;
mod spend;
mod store;
mod timestamp;
mod token;
mod usage;
mod usage_store;

pub use check::{CheckError, Checked, Checker};
pub use claimant::{Caller, Claimant, IdempotencyKey};
pub use claims::{Claims, Issuer, LEEWAY_SECONDS, MAX_LIFETIME_SECONDS, MAX_REVOKED_BEFORE, MAX_TOKEN_BYTES, audience};
pub use in_memory::InMemoryTokenStore;
pub use inspect::{InspectError, Inspection, Inspector};
pub use jti::Jti;
pub use key_ring::{KeyRing, KeyRingError, Kid, MIN_KEY_BYTES};
pub use key_store::{FixedKeyStore, KeyStore, KeyStoreError};
pub use mint::{MintError, Minted, Minter, NewToken};
pub use ports::Ports;
pub use refusal::Refusal;
pub use revoke::{RevokeError, Revoker};
pub use ring_versions::{RingVersions, Stages};
pub use rule::{REPLAY_WINDOW_SECONDS, ROW_RETENTION_SECONDS, Row, Verdict, decide, may_insert, may_revoke};
pub use spend::{SpendError, Spender, Spent};
pub use store::{Find, Insert, Revoke, Spend, Spending, StoreError, TokenStore};
pub use timestamp::Timestamp;
pub use token::Token;
pub use usage::{Count, Counts, DELAY_BOUNDS_SECONDS, Hour, SequenceNumber};
pub use usage_store::{InMemoryUsageStore, UsageStore, UsageStoreError};
