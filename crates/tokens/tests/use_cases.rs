//! Minting and spending, with a scripted key store and a store that counts its calls.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use futures_util::FutureExt;
use tokens::{
    Caller, Checker, Claimant, Claims, InMemoryTokenStore, Insert, Issuer, Jti, KeyRing, KeyStore, KeyStoreError,
    MintError, Minted, Minter, Ports, ROW_RETENTION_SECONDS, Refusal, Spend, SpendError, Spender, Spent, StoreError,
    Timestamp, Verdict,
};
use uuid::Uuid;

const NOW: Timestamp = Timestamp(1_700_000_000);
const JTI: Jti = Jti::new(Uuid::from_u128(1));

/// The JSON of a ring whose active key is `kid`.
fn ring(kid: &str, not_before: u64) -> Arc<KeyRing> {
    let json = format!(
        r#"{{"active":"{kid}","{kid}":"the-key-of-the-tests-under-the-name-{kid}","not_before":{not_before}}}"#
    );
    Arc::new(KeyRing::from_json(json.as_bytes()).unwrap())
}

/// A key store that moves on to the next ring at a refresh. Without a next ring, a refresh fails.
struct Scripted {
    current: Mutex<Arc<KeyRing>>,
    next: Option<Arc<KeyRing>>,
    refreshes: AtomicUsize,
}

impl Scripted {
    fn new(current: Arc<KeyRing>, next: Option<Arc<KeyRing>>) -> Arc<Self> {
        Arc::new(Self { current: Mutex::new(current), next, refreshes: AtomicUsize::new(0) })
    }

    fn refresh(&self) -> Result<Arc<KeyRing>, KeyStoreError> {
        self.refreshes.fetch_add(1, Ordering::SeqCst);
        let next = self.next.clone().ok_or_else(|| KeyStoreError("down".into()))?;
        *self.current.lock().unwrap() = next.clone();
        Ok(next)
    }
}

#[async_trait]
impl KeyStore for Scripted {
    async fn ring(&self, _now: Timestamp) -> Result<Arc<KeyRing>, KeyStoreError> {
        Ok(self.current.lock().unwrap().clone())
    }

    async fn ring_for_unknown_kid(&self, _now: Timestamp) -> Result<Arc<KeyRing>, KeyStoreError> {
        self.refresh()
    }

    async fn refresh_if_due(&self, _now: Timestamp) {
        let _kept = self.refresh();
    }
}

/// The in-memory store, and how often it was asked to spend.
struct Counting {
    store: Arc<InMemoryTokenStore>,
    spends: AtomicUsize,
}

#[async_trait]
impl Spend for Counting {
    async fn spend(&self, jti: &Jti, claimant: &Claimant, now: Timestamp) -> Result<Verdict, StoreError> {
        self.spends.fetch_add(1, Ordering::SeqCst);
        self.store.spend(jti, claimant, now).await
    }
}

/// The invocation `id`.
fn by(id: &str) -> Claimant {
    Claimant::of_invocation(id).unwrap()
}

fn issuer() -> Issuer {
    Issuer { iss: "stack".into(), aud: "stack/Prod".into() }
}

fn mint(keys: Arc<dyn KeyStore>, store: Arc<dyn Insert>) -> Result<Minted, MintError> {
    let minter = Minter::new(issuer(), 300, Timestamp(0), keys, store);
    minter.mint(JTI, by("mint"), Some("api.example.com".into()), NOW).now_or_never().unwrap()
}

fn spend(minted: &Minted, keys: Arc<dyn KeyStore>, store: Arc<dyn Spend>) -> Result<Spent, SpendError> {
    let spender = Spender::new(Checker::new(&issuer(), Timestamp(0)), keys, store);
    let caller = Caller::Invocation(by("spend"));
    spender.spend(&minted.token, &caller, NOW).now_or_never().unwrap()
}

/// A token that the key `kid` has signed, and the store that has its row.
fn minted(kid: &str) -> (Minted, Arc<Counting>) {
    let store = Arc::new(InMemoryTokenStore::new());
    let minted = mint(Scripted::new(ring(kid, 0), None), store.clone()).unwrap();
    (minted, Arc::new(Counting { store, spends: AtomicUsize::new(0) }))
}

fn refusal(outcome: Result<Spent, SpendError>) -> Refusal {
    match outcome {
        Err(SpendError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_mint_stores_a_row_that_says_when_where_and_by_whom() {
    let store = Arc::new(InMemoryTokenStore::new());
    let keys = Scripted::new(ring("k1", 0), None);
    let minted = mint(keys.clone(), store.clone()).unwrap();

    let row = store.row(&JTI).unwrap();
    assert_eq!((minted.jti, minted.expires_at), (JTI, NOW.plus(300)));
    assert_eq!((row.minted_by.as_str(), row.host.as_deref()), ("r:mint", Some("api.example.com")));
    assert_eq!((row.created_at, row.expires_at), (NOW, minted.expires_at));
    assert_eq!(row.purge_at, minted.expires_at.plus(ROW_RETENTION_SECONDS));
    assert_eq!((row.used_at, row.used_by, row.revoked_at), (None, None, None));
    assert_eq!(keys.refreshes.load(Ordering::SeqCst), 1, "a ring that is due is refreshed concurrently with the write");

    let claims = Checker::new(&issuer(), Timestamp(0)).check(&minted.token, &ring("k1", 0), NOW).unwrap();
    let expected =
        Claims { iss: "stack".into(), aud: "stack/Prod".into(), jti: JTI, iat: NOW, nbf: NOW, exp: NOW.plus(300) };
    assert_eq!(claims, expected);
}

#[test]
fn a_token_that_the_refreshed_ring_would_refuse_is_not_returned() {
    for next in [ring("k2", 0), ring("k1", NOW.0), ring("k1", NOW.0 + 1)] {
        let outcome = mint(Scripted::new(ring("k1", 0), Some(next)), Arc::new(InMemoryTokenStore::new()));
        assert!(matches!(outcome, Err(MintError::DeadOnArrival)), "{outcome:?}");
    }
    let kept = ring("k1", NOW.0 - 1);
    assert!(mint(Scripted::new(ring("k1", 0), Some(kept)), Arc::new(InMemoryTokenStore::new())).is_ok());
}

#[test]
fn a_key_of_the_same_name_and_other_bytes_is_another_key() {
    let other = KeyRing::from_json(br#"{"active":"k1","k1":"other-bytes-under-the-same-name-k1"}"#).unwrap();
    let outcome = mint(Scripted::new(ring("k1", 0), Some(Arc::new(other))), Arc::new(InMemoryTokenStore::new()));
    assert!(matches!(outcome, Err(MintError::DeadOnArrival)), "{outcome:?}");
}

#[test]
fn an_unknown_kid_is_looked_up_once_more() {
    let (minted, store) = minted("k2");
    let keys = Scripted::new(ring("k1", 0), Some(ring("k2", 0)));
    assert_eq!(spend(&minted, keys, store).unwrap(), Spent { replayed: false });
}

#[test]
fn a_kid_that_stays_unknown_is_refused_and_costs_no_call_to_the_store() {
    let (minted, store) = minted("k2");
    let keys = Scripted::new(ring("k1", 0), Some(ring("k3", 0)));
    assert_eq!(refusal(spend(&minted, keys, store.clone())), Refusal::InvalidToken);
    assert_eq!(store.spends.load(Ordering::SeqCst), 0);
}

#[test]
fn a_kid_that_cannot_be_looked_up_is_not_a_refusal() {
    let (minted, store) = minted("k2");
    let outcome = spend(&minted, Scripted::new(ring("k1", 0), None), store);
    assert!(matches!(outcome, Err(SpendError::Keys(_))), "{outcome:?}");
}

#[test]
fn a13_a_token_of_a_withdrawn_key_is_refused_after_an_idle_hour_too() {
    let (minted, store) = minted("k1");
    let keys = Scripted::new(ring("k1", 0), Some(ring("k2", 0)));
    assert_eq!(refusal(spend(&minted, keys, store)), Refusal::InvalidToken);
}

#[test]
fn a_token_revoked_by_time_costs_no_call_to_the_store() {
    let (minted, store) = minted("k1");
    assert_eq!(refusal(spend(&minted, Scripted::new(ring("k1", NOW.0), None), store.clone())), Refusal::Revoked);
    assert_eq!(store.spends.load(Ordering::SeqCst), 0);
}

#[test]
fn an_expired_token_reads_as_expired_even_when_it_was_revoked_by_time() {
    let minted = mint(Scripted::new(ring("k1", 0), None), Arc::new(InMemoryTokenStore::new())).unwrap();
    let checked = Checker::new(&issuer(), NOW).check(&minted.token, &ring("k1", 0), NOW.plus(300));
    assert_eq!(checked.map_err(Refusal::from), Err(Refusal::Expired));
}

#[test]
fn a_token_of_the_longest_size_passes_and_one_byte_more_does_not() {
    let sized = |padding: usize| {
        let issuer = Issuer { iss: "s".repeat(padding), aud: "a".into() };
        let keys = Scripted::new(ring("k1", 0), None);
        let minter = Minter::new(issuer.clone(), 300, Timestamp(0), keys, Arc::new(InMemoryTokenStore::new()));
        let minted = minter.mint(JTI, by("mint"), None, NOW).now_or_never().unwrap().unwrap();
        let checked = Checker::new(&issuer, Timestamp(0)).check(&minted.token, &ring("k1", 0), NOW);
        (minted.token.expose().len(), checked.is_ok())
    };
    let sizes: Vec<_> = (500..700).map(sized).collect();
    let longest = sizes.iter().filter(|(_, passes)| *passes).map(|(bytes, _)| *bytes).max().unwrap();
    let shortest_refused = sizes.iter().filter(|(_, passes)| !passes).map(|(bytes, _)| *bytes).min().unwrap();
    assert!(longest <= tokens::MAX_TOKEN_BYTES && longest > tokens::MAX_TOKEN_BYTES - 3, "{longest}");
    assert!(shortest_refused > tokens::MAX_TOKEN_BYTES, "{shortest_refused}");
}

#[test]
fn debug_names_the_deployment_and_leaves_out_the_ports() {
    let (keys, store) = (Scripted::new(ring("k1", 0), None), Arc::new(InMemoryTokenStore::new()));
    let minter = Minter::new(issuer(), 300, Timestamp(0), keys.clone(), store.clone());
    assert_eq!(format!("{minter:?}"), r#"Minter { issuer: Issuer { iss: "stack", aud: "stack/Prod" }, .. }"#);
    let spender = format!("{:?}", Spender::new(Checker::new(&issuer(), Timestamp(0)), keys.clone(), store.clone()));
    assert!(spender.starts_with("Spender { checker: Checker {") && spender.ends_with(", .. }"), "{spender}");
    assert_eq!(format!("{:?}", Ports { keys, store, now: || NOW }), "Ports { .. }");
}
