//! Makes the tokens of the attacks. Unless stated otherwise they are signed with the right key, so that
//! the check has to refuse them and not the MAC alone.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::helpers::{KEY, setting};

/// Makes tokens at the time `now`, because a library that reads its own clock needs tokens of that time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Forger {
    pub(super) now: u64,
}

/// `bytes` in base64url.
pub(super) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The MAC of `message`, in base64url.
pub(super) fn mac(message: &str, key: impl AsRef<[u8]>, algorithm: Algorithm) -> String {
    crypto::sign(message.as_bytes(), &EncodingKey::from_secret(key.as_ref()), algorithm).unwrap()
}

/// A token of any bytes as header and claims, signed with `key`.
pub(super) fn sign_with(key: impl AsRef<[u8]>, header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    let message = format!("{}.{}", base64url(header), base64url(claims));
    format!("{message}.{}", mac(&message, key, Algorithm::HS256))
}

/// A token of any bytes as header and claims, signed with the right key.
pub(super) fn sign(header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    sign_with(KEY, header, claims)
}

/// `object` with the member `name`.
pub(super) fn with(mut object: Value, name: &str, value: impl Into<Value>) -> Value {
    object[name] = value.into();
    object
}

/// `object` without the member `name`.
pub(super) fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().unwrap().remove(name);
    object
}

/// The object `text` with `member` as its first member.
pub(super) fn with_first(text: &str, member: &str) -> String {
    format!("{{{member},{}", text.strip_prefix('{').unwrap())
}

impl Forger {
    /// The header of a good token.
    pub(super) fn header() -> Value {
        json!({"alg": "HS256", "typ": "ott+jwt", "kid": "k1"})
    }

    /// The claims of a good token.
    pub(super) fn claims(self) -> Value {
        json!({
            "iss": setting("TOKEN_ISSUER"), "aud": setting("TOKEN_AUDIENCE"), "jti": Uuid::from_u128(1).to_string(),
            "iat": self.now, "nbf": self.now, "exp": self.now + 300,
        })
    }

    /// A good token.
    pub(super) fn good(self) -> String {
        self.with_header(&Self::header())
    }

    /// A good token whose MAC has a character that differs between base64url and base64.
    pub(super) fn good_with_a_url_character(self) -> String {
        let numbers = 1u128..;
        let mut tokens =
            numbers.map(|number| self.with_claims(&with(self.claims(), "jti", Uuid::from_u128(number).to_string())));
        tokens.find(|token| token.rsplit('.').next().unwrap().contains(['-', '_'])).unwrap()
    }

    /// A token that is good except for its header.
    pub(super) fn with_header(self, header: &Value) -> String {
        sign(header.to_string(), self.claims().to_string())
    }

    /// A token that is good except for one member of its header.
    pub(super) fn with_member(self, name: &str, value: impl Into<Value>) -> String {
        self.with_header(&with(Self::header(), name, value))
    }

    /// A token that is good except for its claims.
    #[expect(clippy::unused_self, reason = "called like the others")]
    pub(super) fn with_claims(self, claims: &Value) -> String {
        sign(Self::header().to_string(), claims.to_string())
    }

    /// A token that is good except for one claim.
    pub(super) fn with_claim(self, name: &str, value: impl Into<Value>) -> String {
        self.with_claims(&with(self.claims(), name, value))
    }

    /// A token that is good except for its times.
    pub(super) fn with_times(self, iat: u64, nbf: u64, exp: u64) -> String {
        self.with_claims(&with(with(with(self.claims(), "iat", iat), "nbf", nbf), "exp", exp))
    }
}
