//! Looking at a token without spending it (RFC 7662).

use std::sync::Arc;

use crate::{
    CheckError, Checker, Claims, Find, KeyRing, KeyStore, KeyStoreError, Refusal, Row, StoreError, Timestamp, Token,
    check::is_from_the_future,
    key_store::{with_refresh, with_ring},
};

/// Looks at tokens.
pub struct Inspector {
    checker: Checker,
    keys: Arc<dyn KeyStore>,
    store: Arc<dyn Find>,
}

/// The state of a genuine token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Inspection {
    /// Its claims.
    pub claims: Claims,
    /// Why it can no longer be spent, or not yet; `None` if it can.
    pub refusal: Option<Refusal>,
    /// Its row, if there is one.
    pub row: Option<Row>,
}

/// Why the state of a token is unknown.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The token could not be checked.
    #[error("no keys to check with")]
    Keys(#[source] KeyStoreError),
    /// Its row could not be read.
    #[error("the token's row could not be read")]
    Store(#[source] StoreError),
}

impl Inspector {
    /// An inspector of the genuine tokens of `checker`.
    #[must_use]
    pub fn new(checker: Checker, keys: Arc<dyn KeyStore>, store: Arc<dyn Find>) -> Self {
        Self { checker, keys, store }
    }

    /// Looks at `token`: its claims, and whether a new claimant could spend it now. `None` if it is not
    /// genuine; that costs no call to the store.
    ///
    /// One read and no write. What happened to the row comes first: a spent token is
    /// [`Refusal::AlreadyUsed`] also after it has expired.
    ///
    /// # Errors
    ///
    /// [`InspectError`]; nothing is known of the token.
    pub async fn inspect(&self, token: &Token, now: Timestamp) -> Result<Option<Inspection>, InspectError> {
        let genuine = |ring: &KeyRing| match self.checker.genuine(token, ring)? {
            (claims, _) if is_from_the_future(&claims, now) => Err(CheckError::Refused(Refusal::InvalidToken)),
            (claims, _) => Ok(claims),
        };
        let (checked, _ring) = with_ring(&*self.keys, now, genuine).await.map_err(InspectError::Keys)?;
        let Ok(claims) = checked else { return Ok(None) };
        let (row, ring) = with_refresh(&*self.keys, now, self.store.find(&claims.jti)).await;
        let (row, ring) = (row.map_err(InspectError::Store)?, ring.map_err(InspectError::Keys)?);
        // The ring after the read has the last word, as when a token is spent.
        if genuine(&ring).is_err() {
            return Ok(None);
        }
        let refusal = match &row {
            Some(Row { used_by: Some(_), used_at, .. }) => {
                Some(Refusal::AlreadyUsed { used_at: used_at.unwrap_or_default() })
            }
            Some(Row { revoked_at: Some(_), .. }) => Some(Refusal::Revoked),
            row => {
                let unknown = row.is_none().then_some(Refusal::UnknownToken);
                self.checker.check_times(&claims, &ring, now, now).err().or(unknown)
            }
        };
        Ok(Some(Inspection { claims, refusal, row }))
    }
}

impl std::fmt::Debug for Inspector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inspector").field("checker", &self.checker).finish_non_exhaustive()
    }
}
