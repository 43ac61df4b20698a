//! The keys that sign and check tokens.

use std::{collections::HashMap, fmt};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use serde_json::{Map, Value};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{
    Timestamp,
    claimant::ClaimantKey,
    claims::{MAX_REVOKED_BEFORE, TOKEN_TYPE},
};

/// The shortest key, in bytes: the output of SHA-256, as RFC 7518, section 3.2 requires for HS256.
pub const MIN_KEY_BYTES: usize = 32;

/// The name of a key: `k` and 1 to 10 digits.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Kid(String);

impl Kid {
    /// Reads a `kid`; `None` for anything that cannot name a key.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('k')?;
        let is_kid = (1..=10).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_kid.then(|| Self(text.to_owned()))
    }

    /// The number in the name. For a key that a rotation made, it is the time of its making.
    pub(crate) fn number(&self) -> u64 {
        self.0[1..].parse().unwrap_or_default()
    }
}

impl fmt::Display for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The setting that names the key that signs.
pub(crate) const ACTIVE: &str = "active";

/// A symmetric key in the forms that signing, checking and claiming need, and the header of its tokens.
#[derive(ZeroizeOnDrop)]
pub(crate) struct Key {
    #[zeroize(skip)]
    pub(crate) header: Header,
    pub(crate) encoding: EncodingKey,
    pub(crate) decoding: DecodingKey,
    pub(crate) claimant: ClaimantKey,
}

/// The key ring: the keys that are accepted, and the one that signs.
///
/// It is read from a flat JSON object, such as `GenerateSecretString` makes:
/// `{"active": "k1", "k1": "…"}`. A member named `k` and 1 to 10 digits is a key, the UTF-8 bytes of
/// its string; every other member is a setting. There is no default key.
pub struct KeyRing {
    active: Kid,
    keys: HashMap<Kid, Key>,
    not_before: Timestamp,
}

impl KeyRing {
    /// Reads a ring from its JSON. The strings that are parsed on the way are wiped from memory.
    ///
    /// # Errors
    ///
    /// [`KeyRingError`], which names the member at fault and never holds a key.
    pub fn from_json(json: &[u8]) -> Result<Self, KeyRingError> {
        let members = Members::from_json(json)?;
        let active = members.text(ACTIVE).and_then(Kid::parse);
        let active = active.ok_or(KeyRingError::NoActiveKey)?;
        let not_before = match members.0.get("not_before") {
            None => Timestamp::default(),
            Some(value) => seconds(value).ok_or(KeyRingError::BadNotBefore)?,
        };
        let mut keys = HashMap::with_capacity(members.0.len());
        for (name, value) in &members.0 {
            let Some(kid) = Kid::parse(name) else { continue };
            let secret = value.as_str().unwrap_or_default().as_bytes();
            if secret.len() < MIN_KEY_BYTES {
                return Err(KeyRingError::ShortKey(kid));
            }
            let mut header = Header::new(Algorithm::HS256);
            header.typ = Some(TOKEN_TYPE.to_owned());
            header.kid = Some(name.clone());
            let (encoding, decoding) = (EncodingKey::from_secret(secret), DecodingKey::from_secret(secret));
            let claimant = ClaimantKey::derive(&encoding);
            keys.insert(kid, Key { header, encoding, decoding, claimant });
        }
        if !keys.contains_key(&active) {
            return Err(KeyRingError::NoActiveKey);
        }
        Ok(Self { active, keys, not_before })
    }

    /// Tokens minted at this second or before are revoked (the setting `not_before`).
    #[must_use]
    pub const fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// Whether this ring accepts a token that `key` signed at the time `iat`.
    pub(crate) fn accepts(&self, key: &Key, iat: Timestamp) -> bool {
        iat > self.not_before && self.holds(key)
    }

    /// Whether this ring has `key`, under the same name.
    pub(crate) fn holds(&self, key: &Key) -> bool {
        let is_kept =
            |kept: &Key| kept.header.kid == key.header.kid && kept.encoding.as_bytes() == key.encoding.as_bytes();
        self.keys.values().any(is_kept)
    }

    /// The name of the key that signs.
    pub(crate) const fn active_kid(&self) -> &Kid {
        &self.active
    }

    /// The key that signs.
    pub(crate) fn active(&self) -> &Key {
        &self.keys[&self.active]
    }

    /// Every key, with its name.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (&Kid, &Key)> {
        self.keys.iter()
    }

    /// How many keys it holds.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The key of that name.
    pub(crate) fn key(&self, kid: &Kid) -> Option<&Key> {
        self.keys.get(kid)
    }
}

/// The members of a key ring's JSON. The strings are wiped from memory, because some are keys.
pub(crate) struct Members(pub(crate) Map<String, Value>);

impl Members {
    /// Reads the members.
    pub(crate) fn from_json(json: &[u8]) -> Result<Zeroizing<Self>, KeyRingError> {
        let members = serde_json::from_slice(json).map_err(|_| KeyRingError::NotAnObject)?;
        Ok(Zeroizing::new(Self(members)))
    }

    /// The member of that name, if it is a string.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }
}

impl Zeroize for Members {
    fn zeroize(&mut self) {
        for member in self.0.values_mut() {
            if let Value::String(text) = member {
                text.zeroize();
            }
        }
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").field("active", &self.active).finish_non_exhaustive()
    }
}

/// Reads seconds from a number, or from a string of digits.
fn seconds(value: &Value) -> Option<Timestamp> {
    let seconds = value.as_u64().or_else(|| value.as_str()?.parse().ok());
    seconds.filter(|seconds| *seconds <= MAX_REVOKED_BEFORE).map(Timestamp)
}

/// What is wrong with the JSON of a key ring.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyRingError {
    /// It is not a JSON object.
    #[error("the key ring is not a JSON object")]
    NotAnObject,
    /// `active` does not name a key of the ring.
    #[error("the key ring's member `active` does not name one of its keys")]
    NoActiveKey,
    /// `next` does not name a key of the ring. Only a rotation needs it.
    #[error("the key ring's member `next` does not name one of its keys")]
    NoNextKey,
    /// A key is too short, or not a string.
    #[error("the key ring's member `{0}` is not a string of at least {MIN_KEY_BYTES} bytes")]
    ShortKey(Kid),
    /// `not_before` is not a time.
    #[error("the key ring's member `not_before` is not a number of seconds")]
    BadNotBefore,
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn a_ring_holds_its_keys_and_names_the_active_one() {
        let json = format!(r#"{{"active":"k2","next":"k3","base":"v1","k1":"{KEY}","k2":"{KEY}","k3":"{KEY}"}}"#);
        let ring = KeyRing::from_json(json.as_bytes()).unwrap();
        assert_eq!(ring.active().header.kid.as_deref(), Some("k2"));
        assert!(ring.key(&Kid::parse("k1").unwrap()).is_some());
        assert_eq!(ring.not_before(), Timestamp(0));
    }

    #[test]
    fn a_setting_is_never_a_key() {
        let json = format!(r#"{{"active":"next","next":"{KEY}","k1":"{KEY}"}}"#);
        assert_eq!(KeyRing::from_json(json.as_bytes()).unwrap_err(), KeyRingError::NoActiveKey);
        for name in ["", "k", "next", "base", "active", "K1", "k1 ", "k-1", "k12345678901", "k１"] {
            assert_eq!(Kid::parse(name), None, "{name}");
        }
    }

    #[test]
    fn a_malformed_ring_is_refused_and_the_reason_holds_no_key() {
        let k1 = Kid::parse("k1").unwrap();
        for (json, error) in [
            (String::new(), KeyRingError::NotAnObject),
            ("[]".into(), KeyRingError::NotAnObject),
            (r#"{"active":"k1""#.into(), KeyRingError::NotAnObject),
            ("{}".into(), KeyRingError::NoActiveKey),
            (format!(r#"{{"active":"k2","k1":"{KEY}"}}"#), KeyRingError::NoActiveKey),
            (format!(r#"{{"active":1,"k1":"{KEY}"}}"#), KeyRingError::NoActiveKey),
            (format!(r#"{{"active":"k1","k1":"{}"}}"#, &KEY[1..]), KeyRingError::ShortKey(k1.clone())),
            (r#"{"active":"k1","k1":""}"#.into(), KeyRingError::ShortKey(k1.clone())),
            (r#"{"active":"k1","k1":["x"]}"#.into(), KeyRingError::ShortKey(k1)),
            (format!(r#"{{"active":"k1","k1":"{KEY}","not_before":"soon"}}"#), KeyRingError::BadNotBefore),
            (format!(r#"{{"active":"k1","k1":"{KEY}","not_before":1700000000000}}"#), KeyRingError::BadNotBefore),
        ] {
            let found = KeyRing::from_json(json.as_bytes()).unwrap_err();
            assert!(!found.to_string().contains(&KEY[1..]));
            assert!(found.to_string().contains("k1") == matches!(found, KeyRingError::ShortKey(_)));
            assert_eq!(found, error, "{json}");
        }
    }

    #[test]
    fn a65_every_type_that_holds_a_key_is_wiped_from_memory() {
        fn assert_is_wiped<T: ZeroizeOnDrop>() {}
        assert_is_wiped::<Key>();
        assert_is_wiped::<ClaimantKey>();
        assert_is_wiped::<Zeroizing<Members>>();

        let Ok(Value::Object(members)) = serde_json::from_str(&format!(r#"{{"active":"k1","k1":"{KEY}"}}"#)) else {
            panic!("no object")
        };
        let mut members = Members(members);
        members.zeroize();
        assert!(members.0.values().all(|member| member == ""), "a string is left");
    }

    #[test]
    fn not_before_is_a_number_or_a_string_of_digits() {
        for value in ["1700000000", "\"1700000000\""] {
            let json = format!(r#"{{"active":"k1","k1":"{KEY}","not_before":{value}}}"#);
            assert_eq!(KeyRing::from_json(json.as_bytes()).unwrap().not_before(), Timestamp(1_700_000_000));
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let ring = KeyRing::from_json(format!(r#"{{"active":"k1","k1":"{KEY}"}}"#).as_bytes()).unwrap();
        assert_eq!(format!("{ring:?}"), r#"KeyRing { active: Kid("k1"), .. }"#);
    }
}
