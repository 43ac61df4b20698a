//! The key ring in Secrets Manager.

use serde_json::{Value, json};
use tokens::Timestamp;

/// The key ring: the key that signs, the one before it and the one after it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyRing {
    /// The number of the key that signs.
    pub(crate) active: u32,
    /// Tokens that were minted at this second or before are revoked.
    pub(crate) not_before: Timestamp,
    /// The keys up to this number have been withdrawn.
    pub(crate) withdrawn: u32,
}

impl KeyRing {
    /// Withdraws the key that signs and those before it. The key after it is kept; another one signs.
    pub(crate) fn withdraw(&mut self) {
        (self.withdrawn, self.active) = (self.active, self.active + 2);
    }

    /// Whether it refuses a token that the key number `key` signed at `iat`, because that key or all tokens of
    /// that time are no longer accepted.
    pub(crate) fn refuses(self, key: u32, iat: Timestamp) -> bool {
        key < self.active - 1 || iat <= self.not_before
    }

    /// The secret string that holds it.
    pub(crate) fn to_json(self) -> String {
        let keys = (self.active - 1..=self.active + 1)
            .map(|key| (format!("k{key}"), json!(format!("key of this proof {key:0>40}"))));
        let settings = [("active".to_owned(), json!(format!("k{}", self.active)))];
        let not_before = [("not_before".to_owned(), json!(self.not_before.0))];
        Value::Object(keys.chain(settings).chain(not_before).collect()).to_string()
    }
}
