//! The design that others use: a JWT library with its defaults.

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

use crate::helpers::{KEY, setting};

/// What such a design reads from a token: the id, by which it keeps which tokens are spent.
#[derive(Deserialize)]
struct Claims {
    jti: String,
}

/// Whether the library, with no more than what it needs to accept a good token, accepts this one.
///
/// It reads the clock of this machine, and takes no other.
pub(super) fn accepts(token: &str) -> bool {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_audience(&[setting("TOKEN_AUDIENCE").unwrap()]);
    let decoded = jsonwebtoken::decode::<Claims>(token, &DecodingKey::from_secret(KEY.as_bytes()), &validation);
    decoded.is_ok_and(|token| !token.claims.jti.is_empty())
}
