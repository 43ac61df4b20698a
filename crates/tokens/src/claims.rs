//! The claims of a token, and their limits.

use serde::{Deserialize, Serialize};

use crate::{Jti, Timestamp};

/// The `typ` of a token's header: its own type, so that another JWT that is signed with the same key is
/// never accepted as a token (RFC 8725, section 3.11).
pub(crate) const TOKEN_TYPE: &str = "ott+jwt";

/// The longest token that is checked, in bytes. Minted tokens have fewer than 400.
pub const MAX_TOKEN_BYTES: usize = 1024;

/// The longest lifetime of any token, `exp - iat`, in seconds: one day.
///
/// A constant, not a setting: it limits how long a key must be kept after it stops signing.
pub const MAX_LIFETIME_SECONDS: u64 = 86_400;

/// The latest time that `RevokedBefore` and `not_before` accept: ten digits. A time in milliseconds has
/// more, and would revoke every future token.
pub const MAX_REVOKED_BEFORE: u64 = 9_999_999_999;

/// How far in the future `nbf` and `iat` may be, in seconds.
///
/// The clocks of two environments differ, and a token is often spent within a second of its minting.
/// `exp` has no leeway: a token is never accepted at or after it.
pub const LEEWAY_SECONDS: u64 = 5;

/// The claims of a token: exactly these six of RFC 7519, section 4.1.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// The deployment that minted the token.
    pub iss: String,
    /// The API and stage that the token is for.
    pub aud: String,
    /// The token's identifier, by which it is spent.
    pub jti: Jti,
    /// When it was minted.
    pub iat: Timestamp,
    /// When it becomes valid.
    pub nbf: Timestamp,
    /// When it stops being valid; at this second it no longer is.
    pub exp: Timestamp,
}

/// The deployment whose tokens are minted and accepted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Issuer {
    /// The `iss` claim: stack and Region.
    pub iss: String,
    /// The `aud` claim: stack, Region and stage, so that no token works in another.
    pub aud: String,
}
