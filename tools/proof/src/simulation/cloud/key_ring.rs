//! What a key ring says.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use tokens::Timestamp;

/// A key ring: which keys it accepts, and the tokens of which time it does not.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyRing {
    /// The number of the key that signs.
    pub(crate) active: u32,
    /// The numbers of its keys.
    pub(crate) keys: BTreeSet<u32>,
    /// Tokens that were minted at this second or before are revoked.
    pub(crate) not_before: Timestamp,
}

impl KeyRing {
    /// Reads a ring; `None` for one that the functions cannot use.
    pub(crate) fn from_json(json: &str) -> Option<Self> {
        let ring = tokens::KeyRing::from_json(json.as_bytes()).ok()?;
        let members: Map<String, Value> = serde_json::from_str(json).ok()?;
        let number = |name: &str| name.strip_prefix('k')?.parse().ok();
        let active = number(members["active"].as_str()?)?;
        let keys = members.keys().filter_map(|name| number(name)).collect();
        Some(Self { active, keys, not_before: ring.not_before() })
    }

    /// Whether it refuses a token that the key number `key` signed at `iat`.
    pub(crate) fn refuses(&self, key: u32, iat: Timestamp) -> bool {
        !self.keys.contains(&key) || iat <= self.not_before
    }
}
