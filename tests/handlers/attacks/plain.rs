//! The usual design: a JWT library with its defaults.

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

use crate::helpers::{KEY, setting};

/// The one claim that such a design reads: the id, under which it remembers spent tokens.
#[derive(Deserialize)]
struct Claims {
    jti: String,
}

/// Whether the library accepts this token, with only the settings that it needs to accept a good one.
///
/// It reads the clock of this machine, and cannot be given another.
pub(super) fn accepts(token: &str) -> bool {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_audience(&[setting("TOKEN_AUDIENCE").unwrap()]);
    let decoded = jsonwebtoken::decode::<Claims>(token, &DecodingKey::from_secret(KEY.as_bytes()), &validation);
    decoded.is_ok_and(|token| !token.claims.jti.is_empty())
}
