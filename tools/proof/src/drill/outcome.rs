//! What came of a drill, and what must not be.

use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use tokens::Timestamp;

use super::Environment;
use crate::limits::OLDEST_RING_SECONDS;

/// A token, and what it says of itself.
pub(super) struct Minted {
    pub(super) token: String,
    /// The number of the key that signed it.
    key: u32,
    iat: Timestamp,
}

impl Minted {
    pub(super) fn new(token: String) -> Result<Self> {
        let segment = |number: usize| -> Option<Value> {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(number)?).ok()?).ok()
        };
        let key = segment(0).and_then(|header| header["kid"].as_str()?.strip_prefix('k')?.parse().ok());
        let iat = segment(1).and_then(|claims| claims["iat"].as_u64());
        let (key, iat) = key.zip(iat).context("a token without a key or a time")?;
        Ok(Self { token, key, iat: Timestamp(iat) })
    }
}

/// The revocation of every token up to a time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Revocation {
    pub(super) revoked_before: Timestamp,
    /// When the operator put it into the ring.
    pub(super) at: Instant,
}

/// What came of a drill.
#[derive(Debug, Default)]
pub struct Drill {
    /// How long tokens were minted.
    pub took: Duration,
    /// How many environments were started.
    pub starts: usize,
    /// How many tokens were minted, by the key that signed them.
    pub minted: BTreeMap<u32, usize>,
    /// How many were spent.
    pub spent: usize,
    /// How many of them by an environment that had started before the token's key signed.
    pub spent_before: usize,
    /// How many by one that had started after it.
    pub spent_after: usize,
    /// How many were refused, because the operator had revoked them.
    pub revoked: usize,
    /// How many were refused for any other reason.
    pub refused: usize,
    /// How many requests failed.
    pub errors: usize,
    /// What is not as it must be.
    pub violations: Vec<String>,
    /// The operator's revocation, once it is made.
    pub(super) revocation: Option<Revocation>,
}

impl Drill {
    /// Notes the answer to a mint.
    pub(super) fn minted(&mut self, minted: Option<&Minted>, outcome: &str) {
        match minted {
            Some(minted) => *self.minted.entry(minted.key).or_default() += 1,
            None => {
                self.errors += 1;
                self.violations.push(format!("a mint was answered: {outcome}"));
            }
        }
    }

    /// Notes the answer of `environment` to a spend which began at `began`.
    pub(super) fn spent(&mut self, minted: &Minted, environment: &Environment, began: Instant, outcome: &str) {
        let revocation = self.revocation.filter(|revocation| minted.iat <= revocation.revoked_before);
        let is_known =
            |Revocation { at, .. }| environment.started > at || began > at + Duration::from_secs(OLDEST_RING_SECONDS);
        match (outcome, revocation) {
            ("200", revocation) if !revocation.is_some_and(is_known) => {
                self.spent += 1;
                self.spent_before += usize::from(environment.key < minted.key);
                self.spent_after += usize::from(environment.key > minted.key);
                return;
            }
            ("401 revoked", Some(_)) => return self.revoked += 1,
            ("200", _) => {}
            _ if outcome.starts_with("401") => self.refused += 1,
            _ => self.errors += 1,
        }
        self.violations.push(format!("the spend of a token of k{} was answered: {outcome}", minted.key));
    }

    /// Notes what a drill of `rotations` must see, and did not.
    pub(super) fn must_have_seen_everything(&mut self, rotations: usize) {
        let (keys, has_crossed) = (self.minted.len(), self.spent_before > 0 && self.spent_after > 0);
        let is_refused = self.revoked > 0;
        let mut must = |is_seen: bool, what: &str| {
            if !is_seen {
                self.violations.push(what.to_owned());
            }
        };
        must(keys == rotations + 1, "some rotation did not change the key that signs");
        must(has_crossed, "no token came from an older environment to a younger one, or from a younger to an older");
        must(is_refused, "no revoked token was refused");
    }
}

impl fmt::Display for Drill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { took, starts, minted, spent, spent_before, spent_after, .. } = self;
        let Self { revoked, refused, errors, violations, .. } = self;
        let (tokens, keys) = (minted.values().sum::<usize>(), minted.len());
        let seconds = took.as_secs_f64();
        let rate = 2.0 * tokens as f64 / seconds;
        write!(
            f,
            "{tokens} tokens of {keys} keys, {spent} spent, {spent_before} of them by environments from before the key \
             signed and {spent_after} by those from after it, {revoked} refused as the operator asked, {refused} \
             refused, {errors} errors, {} violations; {starts} cold starts, {rate:.0} requests a second for \
             {seconds:.0} s",
            violations.len(),
        )
    }
}
