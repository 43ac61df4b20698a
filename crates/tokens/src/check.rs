//! The strict check of a token: signature, claims and times.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, Validation};
use serde::Deserialize;

use crate::{
    Claims, Issuer, KeyRing, Kid, LEEWAY_SECONDS, MAX_LIFETIME_SECONDS, MAX_TOKEN_BYTES, Refusal, Timestamp, Token,
    audience,
    claims::TOKEN_TYPE,
    key_ring::Key,
    key_store::{KeyStore, KeyStoreError, with_ring},
};

/// Checks tokens: everything except whether they have been spent.
///
/// The checks run from cheap to expensive, and each is stricter than the library's defaults: a token is
/// accepted only if [`Minter`](crate::Minter) could have made it.
#[derive(Debug)]
pub struct Checker {
    validation: Validation,
    /// Whose tokens of any audience are accepted; with `None` the audience is checked by `validation`.
    any_audience_of: Option<String>,
    revoked_before: Timestamp,
}

/// The header of a token: exactly these members.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StrictHeader<'a> {
    alg: &'a str,
    typ: &'a str,
    kid: &'a str,
}

/// A check that did not pass.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CheckError {
    /// The token is refused.
    Refused(Refusal),
    /// Its `kid` is well-formed but not in the ring, which may be out of date.
    UnknownKid,
}

/// What a check finds out about a genuine token, without a look at its row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checked {
    /// Its claims.
    pub claims: Claims,
    /// Why it is refused: it has expired, is not valid yet, or is revoked by its time of minting. `None` if it is not.
    pub refusal: Option<Refusal>,
}

impl From<CheckError> for Refusal {
    fn from(err: CheckError) -> Self {
        match err {
            CheckError::Refused(refusal) => refusal,
            CheckError::UnknownKid => Self::InvalidToken,
        }
    }
}

impl Checker {
    /// A checker of `issuer`'s tokens. Those minted at `revoked_before` or earlier are revoked (0: none).
    #[must_use]
    pub fn new(issuer: &Issuer, revoked_before: Timestamp) -> Self {
        let mut validation = validation(&issuer.iss);
        validation.set_audience(&[&issuer.aud]);
        Self { validation, any_audience_of: None, revoked_before }
    }

    /// As [`Checker::new`], but of the tokens that `iss` minted for any audience: for operators, who look at
    /// tokens and revoke them but never accept them.
    #[must_use]
    pub fn of_any_audience(iss: &str, revoked_before: Timestamp) -> Self {
        let mut validation = validation(iss);
        validation.validate_aud = false;
        Self { validation, any_audience_of: Some(iss.to_owned()), revoked_before }
    }

    /// Checks `token` against the keys of `ring` at the time `now`.
    ///
    /// # Errors
    ///
    /// [`CheckError`]. Any failure before the MAC verifies is [`Refusal::InvalidToken`].
    pub fn check(&self, token: &Token, ring: &KeyRing, now: Timestamp) -> Result<Claims, CheckError> {
        self.check_with_key(token, ring, now, now).map(|(claims, _)| claims)
    }

    /// Checks `token` against the key ring of `keys`, without spending it. `None` if it is not genuine.
    ///
    /// A genuine token that is refused still identifies what it was spent on, so its claims are returned too.
    /// A ring that is due is refreshed first, because no call to the store follows.
    ///
    /// # Errors
    ///
    /// [`KeyStoreError`] if there is no key ring to check with.
    pub async fn look(
        &self,
        token: &Token,
        keys: &dyn KeyStore,
        now: Timestamp,
    ) -> Result<Option<Checked>, KeyStoreError> {
        let checked = |ring: &KeyRing| match self.genuine(token, ring)? {
            (claims, _) if is_from_the_future(&claims, now) => Err(CheckError::Refused(Refusal::InvalidToken)),
            (claims, _) => Ok(Checked { refusal: self.check_times(&claims, ring, now, now).err(), claims }),
        };
        keys.refresh_if_due(now).await;
        let (checked, _ring) = with_ring(keys, now, checked).await?;
        Ok(checked.ok())
    }

    /// As [`Checker::check`], but also returns the key that signed the token, and refuses as expired each
    /// token whose `exp` is `passed_exp` or earlier.
    pub(crate) fn check_with_key<'ring>(
        &self,
        token: &Token,
        ring: &'ring KeyRing,
        now: Timestamp,
        passed_exp: Timestamp,
    ) -> Result<(Claims, &'ring Key), CheckError> {
        let (claims, key) = self.genuine(token, ring)?;
        if is_from_the_future(&claims, now) {
            return Err(CheckError::Refused(Refusal::InvalidToken));
        }
        self.check_times(&claims, ring, now, passed_exp).map_err(CheckError::Refused)?;
        Ok((claims, key))
    }

    /// The claims of a token that a minter of this deployment has signed, and the key, whatever the time: it
    /// may have expired, not be valid yet, or be revoked.
    pub(crate) fn genuine<'ring>(
        &self,
        token: &Token,
        ring: &'ring KeyRing,
    ) -> Result<(Claims, &'ring Key), CheckError> {
        const INVALID: CheckError = CheckError::Refused(Refusal::InvalidToken);

        let text = token.expose();
        let header = decode_canonical(text).ok_or(INVALID)?;
        let kid = kid(&header).ok_or(INVALID)?;
        let key = ring.key(&kid).ok_or(CheckError::UnknownKid)?;
        let Ok(data) = jsonwebtoken::decode::<Claims>(text, &key.decoding, &self.validation) else {
            return Err(INVALID);
        };
        let claims = data.claims;
        let is_lifetime_allowed = claims.exp > claims.iat && claims.exp.minus(MAX_LIFETIME_SECONDS) <= claims.iat;
        if !is_lifetime_allowed || !self.is_audience_allowed(&claims.aud) {
            return Err(INVALID);
        }
        Ok((claims, key))
    }

    /// Whether tokens with this `aud` are accepted, as far as `validation` leaves it open.
    fn is_audience_allowed(&self, aud: &str) -> bool {
        let Some(iss) = &self.any_audience_of else { return true };
        let name = aud.strip_prefix(iss.as_str()).and_then(|rest| rest.strip_prefix('/'));
        name.is_some_and(|name| audience(iss, name).is_some())
    }

    /// Refuses a genuine token that is not valid now, or that is revoked by its time of minting.
    pub(crate) fn check_times(
        &self,
        claims: &Claims,
        ring: &KeyRing,
        now: Timestamp,
        passed_exp: Timestamp,
    ) -> Result<(), Refusal> {
        if claims.exp <= passed_exp {
            return Err(Refusal::Expired);
        }
        if claims.nbf > now.plus(LEEWAY_SECONDS) {
            return Err(Refusal::NotYetValid);
        }
        if claims.iat <= self.revoked_before.max(ring.not_before()) {
            return Err(Refusal::Revoked);
        }
        Ok(())
    }
}

/// Whether a token was minted later than a clock of this deployment can say: such a token is invalid.
pub(crate) fn is_from_the_future(claims: &Claims, now: Timestamp) -> bool {
    claims.iat > now.plus(LEEWAY_SECONDS)
}

/// Configures the library to check the algorithm, the MAC and `iss`.
///
/// The only place that builds a [`Validation`]. The library's checks of times are switched off: it would
/// read its own clock, with a leeway of 60 s. [`Claims`] requires every claim and allows no other.
fn validation(iss: &str) -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_issuer(&[iss]);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation
}

/// The bytes of the header, if `text` is three segments of canonical base64url (no padding, no
/// other alphabet, no stray bits at an end): two JSON objects, and a MAC of 32 bytes.
fn decode_canonical(text: &str) -> Option<Vec<u8>> {
    if text.len() > MAX_TOKEN_BYTES {
        return None;
    }
    let mut segments = text.split('.').map(|segment| URL_SAFE_NO_PAD.decode(segment).ok());
    let (header, claims, mac) = (segments.next()??, segments.next()??, segments.next()??);
    // Serde would also accept an array of the fields in order.
    let are_objects = header.starts_with(b"{") && claims.starts_with(b"{");
    (are_objects && mac.len() == 32 && segments.next().is_none()).then_some(header)
}

/// The `kid` of a header that has exactly the members of [`StrictHeader`].
fn kid(header: &[u8]) -> Option<Kid> {
    let header = serde_json::from_slice::<StrictHeader<'_>>(header).ok()?;
    if header.alg != "HS256" || header.typ != TOKEN_TYPE {
        return None;
    }
    Kid::parse(header.kid)
}
