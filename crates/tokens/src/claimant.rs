//! Who claims a token.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::{Jti, REPLAY_WINDOW_SECONDS, Timestamp};

/// The longest idempotency key, in characters.
const MAX_IDEMPOTENCY_KEY_LENGTH: usize = 255;

/// What a key is derived for, so that a MAC for one purpose is never valid for another.
const PURPOSE: &[u8] = b"token-auth claimant v1";

/// Who claims a token: an invocation of a function, or a client with its idempotency key.
///
/// Two requests of the same claimant are one claim, repeated. Requests of two claimants are two claims,
/// of which at most one succeeds. The store keeps the text in `minted_by` and `used_by`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Claimant(String);

impl Claimant {
    /// The invocation to which Lambda gave the id `request_id`.
    ///
    /// Call it once per invocation, before the first call to the store, so that a retry of that call is
    /// the same claimant. API Gateway's request id is not suitable: a client can choose it.
    ///
    /// `None` if the id is empty: otherwise all invocations without an id would be the same claimant.
    #[must_use]
    pub fn of_invocation(request_id: &str) -> Option<Self> {
        (!request_id.is_empty()).then(|| Self(format!("r:{request_id}")))
    }

    /// One execution of an invocation, with 128 random bits drawn in it.
    ///
    /// Lambda may deliver an invocation again, under the same id. Where a replay would let a second request
    /// through, each execution is therefore a separate claimant.
    #[must_use]
    pub fn of_execution(request_id: &str, random: u128) -> Option<Self> {
        (!request_id.is_empty()).then(|| Self(format!("r:{request_id}.{random:032x}")))
    }

    /// The claimant that a store kept as `text`.
    #[must_use]
    pub const fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The text that a store keeps.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Claimant> for String {
    fn from(claimant: Claimant) -> Self {
        claimant.0
    }
}

/// The value of `Idempotency-Key`. A client that sends it stays the same claimant when it retries.
///
/// Any caller that has both the token and this key is the claimant, so the key is as secret as the token.
#[derive(Clone, Eq, PartialEq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Reads a key of 1 to 255 printable ASCII characters; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_key = (1..=MAX_IDEMPOTENCY_KEY_LENGTH).contains(&text.len())
            && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        is_key.then(|| Self(text.to_owned()))
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdempotencyKey(..)")
    }
}

/// Who asks to spend a token.
#[derive(Clone, Debug)]
pub enum Caller {
    /// An invocation: its client cannot repeat the claim.
    Invocation(Claimant),
    /// A client that can repeat the claim with the same key, and then gets the same answer.
    Client(IdempotencyKey),
}

impl Caller {
    /// The latest `exp` that has passed for this caller at the time `now`.
    ///
    /// A client with a key may be repeating a claim that succeeded before `exp`; only the row can tell. An
    /// invocation is always a new claim.
    pub(crate) const fn passed_exp(&self, now: Timestamp) -> Timestamp {
        match self {
            Self::Invocation(_) => now,
            Self::Client(_) => now.minus(REPLAY_WINDOW_SECONDS),
        }
    }
}

/// The key that turns an idempotency key into a claimant. It is derived from the key that signed the token.
#[derive(ZeroizeOnDrop)]
pub(crate) struct ClaimantKey(EncodingKey);

impl ClaimantKey {
    /// Derives it from a key of the ring.
    pub(crate) fn derive(key: &EncodingKey) -> Self {
        let encoded = Zeroizing::new(mac(PURPOSE, key));
        let secret = URL_SAFE_NO_PAD.decode(&*encoded).expect("the library encodes a MAC in base64url");
        Self(EncodingKey::from_secret(&Zeroizing::new(secret)))
    }

    /// The claimant that `caller` is for the token `jti`.
    ///
    /// For a client it is a MAC, from which a reader of the table can learn neither the client's key nor
    /// which tokens were claimed with the same key.
    pub(crate) fn claimant(&self, caller: &Caller, jti: &Jti) -> Claimant {
        match caller {
            Caller::Invocation(claimant) => claimant.clone(),
            Caller::Client(IdempotencyKey(key)) => {
                let message = format!("{jti}\0{key}");
                Claimant(format!("i:{}", mac(message.as_bytes(), &self.0)))
            }
        }
    }
}

/// HMAC-SHA256 in base64url, by the same library, and so the same backend, that signs the tokens.
fn mac(message: &[u8], key: &EncodingKey) -> String {
    crypto::sign(message, key, Algorithm::HS256).expect("an HMAC key signs any message")
}

#[cfg(test)]
mod tests {
    use super::*;

    const JTI: &str = "0198d7a2-6c0e-4f5e-9d43-3a1b2c4d5e6f";

    #[test]
    fn an_invocation_is_a_claimant_by_its_id_and_only_with_an_id() {
        assert_eq!(Claimant::of_invocation("6bc28136").unwrap().as_str(), "r:6bc28136");
        assert_eq!(Claimant::of_invocation(""), None);
    }

    #[test]
    fn two_executions_of_an_invocation_are_two_claimants() {
        let [one, other] = [0x1f, u128::MAX].map(|random| Claimant::of_execution("6bc28136", random).unwrap());
        assert_eq!(one.as_str(), "r:6bc28136.0000000000000000000000000000001f");
        assert_ne!(one, other);
        assert_eq!(Claimant::of_execution("", 1), None);
    }

    #[test]
    fn an_idempotency_key_is_1_to_255_printable_ascii_characters() {
        for key in ["x", "order 17", "~!@#", &"x".repeat(255)] {
            assert_eq!(IdempotencyKey::parse(key), Some(IdempotencyKey(key.to_owned())), "{key}");
        }
        for other in ["", "a\tb", "a\0", "\x7f", "ключ", &"x".repeat(256)] {
            assert_eq!(IdempotencyKey::parse(other), None, "{other:?}");
        }
    }

    #[test]
    fn the_claimant_of_a_client_is_a_mac_of_token_and_key_with_a_derived_key() {
        let key = ClaimantKey::derive(&EncodingKey::from_secret(b"0123456789abcdef0123456789abcdef"));
        let caller = Caller::Client(IdempotencyKey::parse("order-17").unwrap());
        // Computed with another implementation of HMAC-SHA256.
        let expected = "i:rhU4TbzsKTESo3zhQHHBlvHLldVEl2mlz5jChw1u6HI";
        assert_eq!(key.claimant(&caller, &Jti::parse(JTI).unwrap()).as_str(), expected);
        let invocation = Claimant::of_invocation("1").unwrap();
        assert_eq!(key.claimant(&Caller::Invocation(invocation.clone()), &Jti::parse(JTI).unwrap()), invocation);
    }

    #[test]
    fn debug_shows_no_key() {
        let key = IdempotencyKey::parse("order-17").unwrap();
        assert_eq!(format!("{key:?}"), "IdempotencyKey(..)");
    }
}
