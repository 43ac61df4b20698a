//! Tokens that were tampered with: none is accepted, and none reaches the store.

use std::{
    fmt, panic,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fastrand::Rng;
use futures_util::FutureExt as _;
use tokens::{
    Caller, Checker, Claimant, FixedKeyStore, InMemoryTokenStore, Insert, Issuer, Jti, KeyRing, KeyStore, Minter,
    NewToken, Refusal, Row, Spend, SpendError, Spender, Spending, StoreError, Timestamp, Token, Verdict,
};
use uuid::Uuid;

const NOW: Timestamp = Timestamp(1_700_000_000);

/// The characters of base64url, and some that are none.
const CHARACTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. \n\0\"{";

/// What came of the tampering.
#[derive(Debug, Default)]
pub struct Tampered {
    /// How many tokens were sent.
    pub tokens: u64,
    /// How many calls reached the store.
    pub store_calls: u64,
    /// What was not refused as it must be.
    pub violations: Vec<String>,
}

impl fmt::Display for Tampered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tokens, store_calls, violations } = self;
        write!(f, "{tokens} tampered tokens, {store_calls} calls to the store, {} not refused", violations.len())
    }
}

/// A store that no tampered token may reach.
#[derive(Default)]
struct CountingStore(AtomicU64);

#[async_trait]
impl Insert for CountingStore {
    async fn insert(&self, _jti: &Jti, _row: Row) -> Result<(), StoreError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[async_trait]
impl Spend for CountingStore {
    async fn spend(&self, _jti: &Jti, _claimant: &Claimant, _now: Timestamp) -> Result<Spending, StoreError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(Verdict::Spent { replayed: false }.into())
    }
}

/// Tampers with good tokens `tokens` times, on every core.
///
/// # Errors
///
/// When no token can be minted to begin with.
pub fn run(tokens: u64) -> Result<Tampered> {
    let threads = thread::available_parallelism().map_or(1, |threads| threads.get() as u64);
    let mut total = Tampered::default();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|seed| scope.spawn(move || tamper(seed, tokens / threads + u64::from(seed < tokens % threads))))
            .collect();
        for worker in workers {
            let tampered = worker.join().expect("its panics are caught")?;
            total.tokens += tampered.tokens;
            total.store_calls += tampered.store_calls;
            total.violations.extend(tampered.violations);
        }
        Ok(total)
    })
}

/// What spends tokens, the store that notices, and tokens that would be accepted.
struct Target {
    spender: Spender,
    store: Arc<CountingStore>,
    good: Vec<String>,
}

impl Target {
    fn new() -> Result<Self> {
        let issuer = Issuer { iss: "proof".to_owned(), aud: "proof/Prod".to_owned() };
        let ring = KeyRing::from_json(br#"{"active":"k1","k1":"a key of this proof and of nothing else"}"#)?;
        let keys: Arc<dyn KeyStore> = Arc::new(FixedKeyStore::new(ring));
        let minter = Minter::new(issuer.iss.clone(), Timestamp(0), keys.clone(), Arc::new(InMemoryTokenStore::new()));
        let mint = |number| {
            let jti = Jti::new(Uuid::from_u128(number));
            let (aud, minted_by) = (issuer.aud.clone(), Claimant::from_stored("r:mint".to_owned()));
            let minted =
                minter.mint(NewToken { jti, aud, ttl_seconds: 300, minted_by, host: None }, NOW).now_or_never();
            Ok(minted.context("the store in memory waits for nothing")??.token.expose().to_owned())
        };
        let good = (0..8).map(mint).collect::<Result<_>>()?;
        let store = Arc::new(CountingStore::default());
        Ok(Self { spender: Spender::new(Checker::new(&issuer, Timestamp(0)), keys, store.clone()), store, good })
    }
}

/// Tampers with tokens on one thread.
fn tamper(seed: u64, tokens: u64) -> Result<Tampered> {
    let Target { spender, store, good } = Target::new()?;
    let caller = Caller::Invocation(Claimant::from_stored("r:another".to_owned()));
    let mut rng = Rng::with_seed(seed);
    let mut tampered = Tampered { tokens, ..Tampered::default() };
    for number in 0..tokens {
        let token = Token::new(tampered_with(&good, &mut rng));
        let spend = || spender.spend(&token, &caller, NOW).now_or_never();
        let is_refused = matches!(
            panic::catch_unwind(panic::AssertUnwindSafe(spend)),
            Ok(Some(Err(SpendError::Refused(Refusal::InvalidToken))))
        );
        if !is_refused {
            // Not the token itself: it may be a good one.
            tampered.violations.push(format!("token {number} of seed {seed}"));
        }
    }
    tampered.store_calls = store.0.load(Ordering::Relaxed);
    Ok(tampered)
}

/// One of the `good` tokens with something changed, and none of them again.
fn tampered_with(good: &[String], rng: &mut Rng) -> String {
    loop {
        let mut token = good[rng.usize(0..good.len())].clone().into_bytes();
        for _ in 0..rng.usize(1..=3) {
            change(&mut token, good, rng);
        }
        let token = String::from_utf8_lossy(&token).into_owned();
        if !good.contains(&token) {
            return token;
        }
    }
}

/// Changes something.
fn change(token: &mut Vec<u8>, good: &[String], rng: &mut Rng) {
    if token.is_empty() {
        return;
    }
    let at = rng.usize(0..token.len());
    let character = CHARACTERS[rng.usize(0..CHARACTERS.len())];
    match rng.u32(0..10) {
        0 => token[at] ^= 1 << rng.u32(0..8),
        1 => token[at] = character,
        2 => token.insert(at, character),
        3 => drop(token.remove(at)),
        4 => token.swap(at, rng.usize(0..good[0].len()).min(at)),
        5 => token.truncate(at),
        6 => token.extend_from_within(at..),
        segment => {
            // A whole segment: of another token, or with a member or a byte changed.
            let mut segments: Vec<Vec<u8>> = token.split(|byte| *byte == b'.').map(<[u8]>::to_vec).collect();
            let at = rng.usize(0..segments.len());
            segments[at] = match segment {
                7 => good[rng.usize(0..good.len())].split('.').nth(at).unwrap_or_default().into(),
                _ => edited(&segments[at], rng),
            };
            *token = segments.join(&b'.');
        }
    }
}

/// A segment with one character of what it encodes changed.
fn edited(segment: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut decoded = URL_SAFE_NO_PAD.decode(segment).unwrap_or_default();
    if !decoded.is_empty() {
        let at = rng.usize(0..decoded.len());
        match rng.u32(0..3) {
            0 => decoded[at] = rng.u8(..),
            1 => decoded.insert(at, rng.u8(32..127)),
            _ => drop(decoded.remove(at)),
        }
    }
    URL_SAFE_NO_PAD.encode(decoded).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_tampered_token_is_accepted_or_reaches_the_store() {
        let tampered = run(20_000).unwrap();
        assert_eq!((tampered.tokens, tampered.store_calls), (20_000, 0));
        assert_eq!(tampered.violations, [""; 0]);
    }

    #[test]
    fn a_token_that_nobody_has_tampered_with_is_accepted() {
        let Target { spender, store, good } = Target::new().unwrap();
        let caller = Caller::Invocation(Claimant::from_stored("r:another".to_owned()));
        for token in good {
            assert!(spender.spend(&Token::new(token), &caller, NOW).now_or_never().unwrap().is_ok());
        }
        assert_eq!(store.0.load(Ordering::Relaxed), 8);
    }
}
