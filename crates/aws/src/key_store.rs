//! The key ring from Secrets Manager, and when it is fetched again.

use std::{
    error::Error,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use apigw::metrics;
use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use tokens::{KeyRing, KeyStore, KeyStoreError, Timestamp};
use zeroize::Zeroizing;

/// The age at which a ring is refreshed, in seconds, plus or minus [`REFRESH_JITTER_SECONDS`].
const REFRESH_SECONDS: u64 = 300;

/// How far the refreshes of environments that started together spread out, in seconds.
const REFRESH_JITTER_SECONDS: u64 = 30;

/// The age up to which a ring that cannot be refreshed is used, in seconds: one day.
const MAX_AGE_SECONDS: u64 = 86_400;

/// The pause after a failed fetch, and after a fetch for an unknown `kid`, in seconds.
///
/// An attacker can make tokens with unknown keys for free, and AWS charges for every fetch.
const PAUSE_SECONDS: u64 = 10;

/// The pause between two log lines with the reason of a continuing failure, in seconds: ten minutes.
const LOG_PAUSE_SECONDS: u64 = 600;

/// The JSON of a ring, with its keys. It is wiped from memory after it has been parsed.
///
/// The SDK's own copies of the reply cannot be wiped.
type RingJson = Zeroizing<String>;

/// The cause of a failed fetch.
type BoxError = Box<dyn Error + Send + Sync>;

/// A [`KeyStore`] whose ring is a secret in Secrets Manager.
///
/// | the ring | is fetched |
/// | --- | --- |
/// | is missing, or older than a day | by the caller that asks for it |
/// | is older than 300 s, plus or minus 30 s | concurrently with a call to the store |
/// | does not contain a `kid` | at once, but at most once in 10 s |
///
/// After a failure there is no further attempt for 10 s, and the current ring stays in use. Each failed
/// attempt is counted. The reason is logged when the failure begins and then every ten minutes, not at each.
pub struct SecretsManagerKeyStore {
    source: Box<dyn Source>,
    /// Held during a fetch, so that there is one at a time.
    fetching: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

/// Fetches the JSON of the ring. It is a trait so that tests of the timing need no network.
#[async_trait]
trait Source: Send + Sync {
    async fn fetch(&self) -> Result<RingJson, BoxError>;
}

/// The current ring, and the times of the last failures and forced fetches.
#[derive(Default)]
struct State {
    fetched: Option<Fetched>,
    /// When the last fetch failed, if it did.
    failed_at: Option<Timestamp>,
    /// When the current failure was last logged.
    logged_at: Option<Timestamp>,
    /// When an unknown `kid` last caused a fetch.
    forced_at: Option<Timestamp>,
}

/// A ring, and when it was fetched.
struct Fetched {
    ring: Arc<KeyRing>,
    at: Timestamp,
    /// The age at which it is due for a refresh.
    due_seconds: u64,
}

/// A fetch failed, now or a few seconds ago.
#[derive(Debug, thiserror::Error)]
#[error("fetching it failed, and an earlier log line gives the reason")]
struct NotFetched;

/// The secret has no `SecretString`, so it is not the one that the template creates.
#[derive(Debug, thiserror::Error)]
#[error("the secret has no SecretString")]
pub(crate) struct NoSecretString;

impl SecretsManagerKeyStore {
    /// A key store for the secret `secret_id`, which is fetched when the ring is first needed.
    #[must_use]
    pub fn new(client: Client, secret_id: String) -> Self {
        Self::from_source(Box::new(Secret { client, secret_id }))
    }

    /// A key store with any source.
    fn from_source(source: Box<dyn Source>) -> Self {
        Self { source, fetching: tokio::sync::Mutex::default(), state: Mutex::default() }
    }

    /// Locks the state.
    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock, so the lock is never poisoned.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fetches the ring, whatever its age.
    async fn fetch(&self, now: Timestamp) -> Result<Arc<KeyRing>, KeyStoreError> {
        let json = self.source.fetch().await;
        let ring = json.and_then(|json| KeyRing::from_json(json.as_bytes()).map_err(BoxError::from));
        let mut state = self.state();
        match ring {
            Ok(ring) => {
                let ring = Arc::new(ring);
                state.fetched = Some(Fetched { ring: ring.clone(), at: now, due_seconds: due_seconds() });
                (state.failed_at, state.logged_at) = (None, None);
                Ok(ring)
            }
            Err(err) => {
                state.failed_at = Some(now);
                // By time, not by comparing reasons: each reason contains a new request id of AWS.
                let is_new = state.logged_at.is_none_or(|at| seconds_between(at, now) >= LOG_PAUSE_SECONDS);
                if is_new {
                    state.logged_at = Some(now);
                }
                let cause: &(dyn Error + 'static) = &*err;
                metrics::unavailable("the key ring could not be fetched", is_new.then_some(cause), "");
                Err(unavailable())
            }
        }
    }
}

impl State {
    /// The ring, unless it is too old to be used.
    fn usable(&self, now: Timestamp) -> Option<Arc<KeyRing>> {
        let fetched = self.fetched.as_ref().filter(|fetched| seconds_between(fetched.at, now) <= MAX_AGE_SECONDS);
        fetched.map(|fetched| fetched.ring.clone())
    }

    /// Whether the ring is old enough to be fetched again, and no fetch has just failed.
    fn is_due(&self, now: Timestamp) -> bool {
        let is_old = |fetched: &Fetched| seconds_between(fetched.at, now) >= fetched.due_seconds;
        self.fetched.as_ref().is_some_and(is_old) && !self.has_just_failed(now)
    }

    /// Whether a fetch failed so recently that another would be too early.
    fn has_just_failed(&self, now: Timestamp) -> bool {
        self.failed_at.is_some_and(|failed_at| seconds_between(failed_at, now) < PAUSE_SECONDS)
    }

    /// Whether an unknown `kid` caused a fetch so recently that another would be too early.
    fn was_just_forced(&self, now: Timestamp) -> bool {
        self.forced_at.is_some_and(|forced_at| seconds_between(forced_at, now) < PAUSE_SECONDS)
    }
}

#[async_trait]
impl KeyStore for SecretsManagerKeyStore {
    async fn ring(&self, now: Timestamp) -> Result<Arc<KeyRing>, KeyStoreError> {
        if let Some(ring) = self.state().usable(now) {
            return Ok(ring);
        }
        let _one_at_a_time = self.fetching.lock().await;
        {
            // Another caller may have fetched it while this one was waiting.
            let state = self.state();
            if let Some(ring) = state.usable(now) {
                return Ok(ring);
            }
            if state.has_just_failed(now) {
                return Err(unavailable());
            }
        }
        self.fetch(now).await
    }

    async fn ring_for_unknown_kid(&self, now: Timestamp) -> Result<Arc<KeyRing>, KeyStoreError> {
        let _one_at_a_time = self.fetching.lock().await;
        {
            let mut state = self.state();
            // Without a fetch it is unknown whether the key exists, so the current ring does not answer that.
            if state.has_just_failed(now) {
                return Err(unavailable());
            }
            if state.was_just_forced(now) {
                return state.usable(now).ok_or_else(unavailable);
            }
            state.forced_at = Some(now);
        }
        self.fetch(now).await
    }

    async fn refresh_if_due(&self, now: Timestamp) {
        if !self.state().is_due(now) {
            return;
        }
        // The holder of the lock is already fetching it.
        let Ok(_one_at_a_time) = self.fetching.try_lock() else { return };
        // A failure has been logged, and the current ring stays in use.
        let _refreshed = self.fetch(now).await;
    }
}

impl fmt::Debug for SecretsManagerKeyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretsManagerKeyStore").finish_non_exhaustive()
    }
}

/// The secret that holds the ring.
struct Secret {
    client: Client,
    secret_id: String,
}

#[async_trait]
impl Source for Secret {
    async fn fetch(&self) -> Result<RingJson, BoxError> {
        let secret = self.client.get_secret_value().secret_id(&self.secret_id).send().await?;
        Ok(secret.secret_string.map(Zeroizing::new).ok_or(NoSecretString)?)
    }
}

/// The age at which a new ring will be due for a refresh, drawn at random.
fn due_seconds() -> u64 {
    // The SDK draws its pauses with fastrand too, so a simulation can seed both.
    fastrand::u64(REFRESH_SECONDS - REFRESH_JITTER_SECONDS..=REFRESH_SECONDS + REFRESH_JITTER_SECONDS)
}

/// The time between `a` and `b`, in either order, so that a ring ages even if the clock is set back.
fn seconds_between(a: Timestamp, b: Timestamp) -> u64 {
    a.0.abs_diff(b.0)
}

/// The error that callers get. The reason is logged elsewhere, once.
fn unavailable() -> KeyStoreError {
    KeyStoreError(Box::new(NotFetched))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future;
    use tokens::{
        Caller, Checker, Claimant, IdempotencyKey, InMemoryTokenStore, Issuer, Jti, MAX_LIFETIME_SECONDS, Minter,
        NewToken, REPLAY_WINDOW_SECONDS, Spender, Token,
        rotation::{self, Change, PROMOTION_SECONDS},
    };
    use uuid::Uuid;
    use zeroize::ZeroizeOnDrop;

    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";
    const NOW: Timestamp = Timestamp(1_700_000_000);

    /// A source whose reply the test sets.
    struct Fake {
        reply: Mutex<Result<String, &'static str>>,
        fetches: AtomicUsize,
    }

    #[async_trait]
    impl Source for Arc<Fake> {
        async fn fetch(&self) -> Result<RingJson, BoxError> {
            tokio::task::yield_now().await;
            self.fetches.fetch_add(1, Ordering::Relaxed);
            let reply = self.reply.lock().unwrap().clone();
            reply.map(Zeroizing::new).map_err(BoxError::from)
        }
    }

    impl Fake {
        fn fetches(&self) -> usize {
            self.fetches.load(Ordering::Relaxed)
        }

        fn replies(&self, version: u64) {
            *self.reply.lock().unwrap() = Ok(format!(r#"{{"active":"k1","k1":"{KEY}","not_before":{version}}}"#));
        }

        fn fails(&self, reason: &'static str) {
            *self.reply.lock().unwrap() = Err(reason);
        }
    }

    /// A key store whose source holds the ring of version 1.
    fn store() -> (SecretsManagerKeyStore, Arc<Fake>) {
        let fake = Arc::new(Fake { reply: Mutex::new(Err("")), fetches: AtomicUsize::new(0) });
        fake.replies(1);
        (SecretsManagerKeyStore::from_source(Box::new(fake.clone())), fake)
    }

    /// A key store that fetched version 1 at `NOW`.
    async fn warm_store() -> (SecretsManagerKeyStore, Arc<Fake>) {
        let (store, fake) = store();
        store.ring(NOW).await.unwrap();
        (store, fake)
    }

    /// The version of the ring: the fake gives each version its own `not_before`.
    fn version(ring: Result<Arc<KeyRing>, KeyStoreError>) -> Option<u64> {
        ring.ok().map(|ring| ring.not_before().0)
    }

    #[test]
    fn a65_the_json_of_a_ring_is_wiped_from_memory() {
        fn assert_is_wiped<T: ZeroizeOnDrop>() {}
        assert_is_wiped::<RingJson>();
    }

    #[tokio::test]
    async fn a_ring_is_fetched_by_the_first_caller_and_kept() {
        let (store, fake) = store();
        assert_eq!(version(store.ring(NOW).await), Some(1));
        fake.replies(2);
        assert_eq!(version(store.ring(NOW.plus(MAX_AGE_SECONDS)).await), Some(1));
        assert_eq!(fake.fetches(), 1);
    }

    #[tokio::test]
    async fn callers_that_wait_for_the_same_fetch_share_it() {
        let (store, fake) = store();
        let (one, other) = future::join(store.ring(NOW), store.ring(NOW)).await;
        assert_eq!((version(one), version(other), fake.fetches()), (Some(1), Some(1), 1));

        fake.replies(2);
        let (one, other) = future::join(store.ring_for_unknown_kid(NOW), store.ring_for_unknown_kid(NOW)).await;
        assert_eq!((version(one), version(other), fake.fetches()), (Some(2), Some(2), 2));

        let due = NOW.plus(330);
        future::join(store.refresh_if_due(due), store.refresh_if_due(due)).await;
        assert_eq!(fake.fetches(), 3);
    }

    #[tokio::test]
    async fn a_ring_is_refreshed_at_an_age_of_300_seconds_give_or_take_30() {
        let (store, fake) = warm_store().await;
        fake.replies(2);
        store.refresh_if_due(NOW.plus(269)).await;
        assert_eq!((version(store.ring(NOW.plus(269)).await), fake.fetches()), (Some(1), 1));
        store.refresh_if_due(NOW.plus(330)).await;
        assert_eq!((version(store.ring(NOW.plus(330)).await), fake.fetches()), (Some(2), 2));
        store.refresh_if_due(NOW.plus(330 + 269)).await;
        assert_eq!(fake.fetches(), 2);
    }

    #[test]
    fn refreshes_are_spread_over_a_minute() {
        let mut drawn: Vec<u64> = (0..2000).map(|_| due_seconds()).collect();
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn, (270..=330).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_clock_that_is_set_back_does_not_stop_the_refreshes() {
        let (store, fake) = warm_store().await;
        store.refresh_if_due(NOW.minus(330)).await;
        assert_eq!(fake.fetches(), 2);
    }

    #[tokio::test]
    async fn a_clock_that_is_set_back_ages_the_ring_and_ends_a_pause() {
        let (store, fake) = warm_store().await;
        store.ring_for_unknown_kid(NOW).await.unwrap();
        store.ring_for_unknown_kid(NOW.minus(10)).await.unwrap();
        assert_eq!(fake.fetches(), 3, "the forced refresh was 10 s away");
        fake.fails("down");
        assert_eq!((version(store.ring(NOW.minus(86_500)).await), fake.fetches()), (None, 4), "the ring is a day away");
        assert_eq!((version(store.ring(NOW.minus(86_509)).await), fake.fetches()), (None, 4));
        assert_eq!(
            (version(store.ring(NOW.minus(86_510)).await), fake.fetches()),
            (None, 5),
            "the failure was 10 s away"
        );
    }

    #[tokio::test]
    async fn a_refresh_that_fails_keeps_the_ring_for_a_day_and_is_tried_again_after_10_seconds() {
        let (store, fake) = warm_store().await;
        fake.fails("down");
        for (age, fetches) in [(330, 2), (339, 2), (340, 3)] {
            store.refresh_if_due(NOW.plus(age)).await;
            assert_eq!((version(store.ring(NOW.plus(age)).await), fake.fetches()), (Some(1), fetches), "{age}");
        }
        assert_eq!(version(store.ring(NOW.plus(86_400)).await), Some(1));
        assert_eq!(version(store.ring(NOW.plus(86_401)).await), None);
        fake.replies(2);
        assert_eq!(version(store.ring(NOW.plus(86_411)).await), Some(2));
    }

    #[tokio::test]
    async fn a_refresh_that_brings_a_malformed_ring_keeps_the_old_one() {
        let (store, fake) = warm_store().await;
        *fake.reply.lock().unwrap() = Ok(r#"{"active":"k1","k1":"short"}"#.into());
        store.refresh_if_due(NOW.plus(330)).await;
        assert_eq!((version(store.ring(NOW.plus(330)).await), fake.fetches()), (Some(1), 2));
    }

    #[tokio::test]
    async fn a12_an_unknown_kid_refreshes_at_once_but_no_more_than_once_in_10_seconds() {
        let (store, fake) = warm_store().await;
        for (age, versions, fetches) in [(1, 2, 2), (2, 2, 2), (10, 2, 2), (11, 5, 3)] {
            fake.replies(if age == 1 { 2 } else { 5 });
            let ring = store.ring_for_unknown_kid(NOW.plus(age)).await;
            assert_eq!((version(ring), fake.fetches()), (Some(versions), fetches), "{age}");
        }
    }

    #[tokio::test]
    async fn an_unknown_kid_is_an_error_while_it_is_unknown_whether_the_key_exists() {
        let (store, fake) = warm_store().await;
        fake.fails("down");
        assert_eq!(version(store.ring_for_unknown_kid(NOW.plus(1)).await), None);
        fake.replies(2);
        assert_eq!((version(store.ring_for_unknown_kid(NOW.plus(10)).await), fake.fetches()), (None, 2));
        assert_eq!(version(store.ring(NOW.plus(10)).await), Some(1));
        assert_eq!((version(store.ring_for_unknown_kid(NOW.plus(11)).await), fake.fetches()), (Some(2), 3));
    }

    #[tokio::test]
    async fn a_cold_failure_is_an_error_and_is_tried_again_after_10_seconds() {
        let (store, fake) = store();
        fake.fails("down");
        for (age, fetches) in [(0, 1), (1, 1), (9, 1), (10, 2), (19, 2)] {
            assert_eq!((version(store.ring(NOW.plus(age)).await), fake.fetches()), (None, fetches), "{age}");
        }
        store.refresh_if_due(NOW.plus(20)).await;
        assert_eq!(fake.fetches(), 2);
        fake.replies(2);
        assert_eq!(version(store.ring(NOW.plus(20)).await), Some(2));
    }

    /// The rings of ten days, and when each comes into force: rotations begin every half hour, and every second one
    /// that changes the ring takes as long as it may.
    fn rings() -> Vec<(Timestamp, String)> {
        let mut rings = vec![(NOW, format!(r#"{{"active":"k1","k1":"{KEY}"}}"#))];
        for begins in (0..10 * 48).map(|half_hours| NOW.plus(half_hours * 1800)) {
            let current = rings[rings.len() - 1].1.as_bytes();
            let (next, change) = rotation::rotate(current, "", begins, KEY).unwrap();
            let ends = begins.plus(if rings.len() % 2 == 0 { PROMOTION_SECONDS } else { 0 });
            rotation::may_succeed(current, next.as_bytes(), ends).unwrap();
            if !matches!(change, Change::Copied { .. }) {
                rings.push((ends, next.to_string()));
            }
        }
        rings
    }

    /// An environment that fetched the ring at `fetched`, and cannot fetch it again.
    async fn cut_off(rings: &[(Timestamp, String)], fetched: Timestamp) -> Arc<SecretsManagerKeyStore> {
        let (store, fake) = store();
        let (_, ring) = rings.iter().rfind(|(since, _)| *since <= fetched).unwrap();
        *fake.reply.lock().unwrap() = Ok(ring.clone());
        store.ring(fetched).await.unwrap();
        fake.fails("down");
        Arc::new(store)
    }

    #[tokio::test]
    async fn rotations_refuse_no_token_even_if_environments_use_their_rings_for_as_long_as_they_may() {
        let (rings, tokens) = (rings(), Arc::new(InMemoryTokenStore::new()));
        let issuer = Issuer { iss: "test".to_owned(), aud: "test/Prod".to_owned() };
        let caller = Caller::Client(IdempotencyKey::parse("key").unwrap());
        let mint = async |keys: &Arc<SecretsManagerKeyStore>, now| {
            let new = NewToken {
                jti: Jti::new(Uuid::new_v4()),
                aud: issuer.aud.clone(),
                ttl_seconds: MAX_LIFETIME_SECONDS,
                minted_by: Claimant::of_invocation("mint").unwrap(),
                host: None,
            };
            let minter = Minter::new(issuer.iss.clone(), Timestamp(0), keys.clone(), tokens.clone());
            minter.mint(new, now).await.unwrap().token
        };
        let spend = async |keys: &Arc<SecretsManagerKeyStore>, token: &Token, now| {
            let spender = Spender::new(Checker::new(&issuer, Timestamp(0)), keys.clone(), tokens.clone());
            spender.spend(token, &caller, now).await.unwrap();
        };
        // The first rotation publishes a key, and the next three change the key that signs.
        assert!(rings.len() > 4);
        for (since, _) in &rings[2..5] {
            let (old, new) = (cut_off(&rings, since.minus(1)).await, cut_off(&rings, *since).await);
            let last = since.minus(1).plus(MAX_AGE_SECONDS);
            spend(&old, &mint(&new, last).await, last).await;

            let (token, expires) = (mint(&old, last).await, last.plus(MAX_LIFETIME_SECONDS));
            for now in [expires.minus(1), expires.minus(1).plus(REPLAY_WINDOW_SECONDS)] {
                spend(&cut_off(&rings, now).await, &token, now).await;
            }
        }
    }
}
