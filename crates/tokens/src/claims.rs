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

/// The longest name of an audience, in bytes.
const MAX_AUDIENCE_NAME_BYTES: usize = 64;

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

/// The deployment whose tokens are accepted, and the audience for which they must be minted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Issuer {
    /// The `iss` claim: stack and Region.
    pub iss: String,
    /// The `aud` claim: stack and Region, and a name: the stage's for tokens that anyone can mint, another
    /// for those that only a backend can mint.
    pub aud: String,
}

/// The `aud` claim of `iss`'s tokens for the audience `name`; `None` if that is not 1 to 64 letters,
/// digits, `.`, `_` and `-`.
#[must_use]
pub fn audience(iss: &str, name: &str) -> Option<String> {
    let is_name = (1..=MAX_AUDIENCE_NAME_BYTES).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    is_name.then(|| format!("{iss}/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audience_has_a_name_of_1_to_64_letters_digits_dots_underscores_and_hyphens() {
        for name in ["Prod", "a", "report-link_v1.2", &"x".repeat(64)] {
            assert_eq!(audience("iss", name), Some(format!("iss/{name}")));
        }
        for name in ["", "a b", "a/b", "a\0", "ä", &"x".repeat(65)] {
            assert_eq!(audience("iss", name), None, "{name:?}");
        }
    }
}
