//! Minting and spending, with a scripted key store and a store that counts its calls.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use futures_util::FutureExt;
use tokens::{
    Caller, Checker, Claimant, Claims, Find, InMemoryTokenStore, Insert, InspectError, Inspection, Inspector, Issuer,
    Jti, KeyRing, KeyStore, KeyStoreError, MintError, Minted, Minter, NewToken, Ports, ROW_RETENTION_SECONDS, Refusal,
    Revoke, RevokeError, Revoker, Row, Spend, SpendError, Spender, Spending, Spent, StoreError, Timestamp, Token,
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
    async fn spend(&self, jti: &Jti, claimant: &Claimant, now: Timestamp) -> Result<Spending, StoreError> {
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
    let minter = Minter::new(issuer().iss, Timestamp(0), keys, store);
    minter.mint(new_token(issuer().aud), NOW).now_or_never().unwrap()
}

fn new_token(aud: String) -> NewToken {
    NewToken { jti: JTI, aud, ttl_seconds: 300, minted_by: by("mint"), host: Some("api.example.com".into()) }
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
    assert_eq!(spend(&minted, keys, store).unwrap().claims.jti, JTI);
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
fn a_spend_tells_what_was_spent() {
    let (minted, store) = minted("k1");
    let spent = spend(&minted, Scripted::new(ring("k1", 0), None), store).unwrap();
    assert_eq!((spent.claims.jti, spent.claims.iat), (JTI, NOW));
    assert_eq!((spent.host.as_deref(), spent.replayed), (Some("api.example.com"), false));
}

/// What an inspector of every audience says of `token` at `now`, with `keys` and `revoked_before`.
fn inspect(
    token: &Token,
    keys: Arc<dyn KeyStore>,
    store: Arc<dyn Find>,
    (revoked_before, now): (u64, Timestamp),
) -> Result<Option<Inspection>, InspectError> {
    let checker = Checker::of_any_audience("stack", Timestamp(revoked_before));
    Inspector::new(checker, keys, store).inspect(token, now).now_or_never().unwrap()
}

#[test]
fn an_inspection_tells_what_has_become_of_a_genuine_token() {
    let (minted, counting) = minted("k1");
    let unspent = counting.store.row(&JTI).unwrap();
    let used = Row { used_at: Some(NOW.plus(3)), used_by: Some(by("spend")), ..unspent.clone() };
    let revoked = Row { revoked_at: Some(NOW.plus(2)), ..unspent.clone() };
    let (exp, is_used) = (NOW.plus(300), Some(Refusal::AlreadyUsed { used_at: NOW.plus(3) }));
    let cases = [
        ("unspent", &unspent, 0, NOW, None),
        ("unspent in its last second", &unspent, 0, exp.minus(1), None),
        ("expired", &unspent, 0, exp, Some(Refusal::Expired)),
        ("revoked by its time", &unspent, NOW.0, NOW, Some(Refusal::Revoked)),
        ("revoked", &revoked, 0, NOW, Some(Refusal::Revoked)),
        ("revoked, and expired since", &revoked, 0, exp, Some(Refusal::Revoked)),
        ("used, and revoked by its time since", &used, NOW.0, NOW.plus(9), is_used),
        ("used, and expired since", &used, 0, exp, is_used),
    ];
    for (case, row, revoked_before, now, expected) in cases {
        let store = Arc::new(InMemoryTokenStore::new());
        store.insert(&JTI, row.clone()).now_or_never().unwrap().unwrap();
        let keys = Scripted::new(ring("k1", 0), None);
        let inspection = inspect(&minted.token, keys, store, (revoked_before, now)).unwrap().unwrap();
        assert_eq!((inspection.claims.jti, inspection.refusal), (JTI, expected), "{case}");
        assert_eq!(inspection.row.as_ref(), Some(row), "{case}");
    }
}

#[test]
fn an_inspection_of_a_genuine_token_without_a_row_says_that_it_is_unknown() {
    let (minted, _) = minted("k1");
    let (keys, empty) = (Scripted::new(ring("k1", 0), None), Arc::new(InMemoryTokenStore::new()));
    let inspection = inspect(&minted.token, keys, empty, (0, NOW)).unwrap().unwrap();
    assert_eq!((inspection.refusal, inspection.row), (Some(Refusal::UnknownToken), None));
}

/// A store that must not be called.
struct Untouched;

#[async_trait]
impl Find for Untouched {
    async fn find(&self, _jti: &Jti) -> Result<Option<Row>, StoreError> {
        panic!("the store was called")
    }
}

#[async_trait]
impl Revoke for Untouched {
    async fn revoke(&self, _jti: &Jti, _now: Timestamp) -> Result<(), StoreError> {
        panic!("the store was called")
    }
}

#[test]
fn a_token_that_is_not_genuine_is_neither_inspected_nor_revoked_and_costs_no_call_to_the_store() {
    let (minted, _) = minted("k1");
    let forged = Token::new(format!("{}A", &minted.token.expose()[..minted.token.expose().len() - 1]));
    for (token, kid) in [(&forged, "k1"), (&minted.token, "k2")] {
        let keys = || Scripted::new(ring(kid, 0), Some(ring(kid, 0)));
        assert_eq!(inspect(token, keys(), Arc::new(Untouched), (0, NOW)).unwrap(), None);
        let revoker = Revoker::new(Checker::of_any_audience("stack", Timestamp(0)), keys(), Arc::new(Untouched));
        revoker.revoke(token, NOW).now_or_never().unwrap().unwrap();
    }
}

#[test]
fn a_token_from_the_future_is_not_genuine_to_an_inspector_but_can_be_revoked() {
    let (minted, counting) = minted("k1");
    let (keys, early) = (Scripted::new(ring("k1", 0), None), NOW.minus(6));
    assert_eq!(inspect(&minted.token, keys.clone(), Arc::new(Untouched), (0, early)).unwrap(), None);
    assert!(inspect(&minted.token, keys.clone(), counting.store.clone(), (0, NOW.minus(5))).unwrap().is_some());
    // The clock of this function may be wrong, and that of the spender right.
    let revoker = Revoker::new(Checker::of_any_audience("stack", Timestamp(0)), keys, counting.store.clone());
    revoker.revoke(&minted.token, early).now_or_never().unwrap().unwrap();
    assert_eq!(counting.store.row(&JTI).unwrap().revoked_at, Some(early));
}

#[test]
fn a_token_whose_key_was_withdrawn_since_is_not_genuine() {
    let (minted, store) = minted("k1");
    let keys = Scripted::new(ring("k1", 0), Some(ring("k2", 0)));
    assert_eq!(inspect(&minted.token, keys, store.store.clone(), (0, NOW)).unwrap(), None);
}

#[test]
fn without_the_key_of_a_token_it_is_unknown_what_has_become_of_it() {
    let (minted, _) = minted("k2");
    let keys = || Scripted::new(ring("k1", 0), None);
    let inspected = inspect(&minted.token, keys(), Arc::new(Untouched), (0, NOW));
    assert!(matches!(inspected, Err(InspectError::Keys(_))), "{inspected:?}");
    let revoker = Revoker::new(Checker::of_any_audience("stack", Timestamp(0)), keys(), Arc::new(Untouched));
    let revoked = revoker.revoke(&minted.token, NOW).now_or_never().unwrap();
    assert!(matches!(revoked, Err(RevokeError::Keys(_))), "{revoked:?}");
}

#[test]
fn a_revoked_token_is_refused_and_a_spent_one_stays_spent() {
    let (minted, counting) = minted("k1");
    let keys = Scripted::new(ring("k1", 0), None);
    let checker = Checker::of_any_audience("stack", Timestamp(0));
    let revoker = Revoker::new(checker, keys.clone(), counting.store.clone());
    for later in [1, 2] {
        revoker.revoke(&minted.token, NOW.plus(later)).now_or_never().unwrap().unwrap();
    }
    assert_eq!(counting.store.row(&JTI).unwrap().revoked_at, Some(NOW.plus(1)));
    assert_eq!(refusal(spend(&minted, keys.clone(), counting)), Refusal::Revoked);

    let (minted, counting) = self::minted("k1");
    spend(&minted, keys.clone(), counting.clone()).unwrap();
    let revoker = Revoker::new(Checker::of_any_audience("stack", Timestamp(0)), keys, counting.store.clone());
    revoker.revoke(&minted.token, NOW).now_or_never().unwrap().unwrap();
    revoker.revoke_by_id(&JTI, NOW).now_or_never().unwrap().unwrap();
    assert_eq!(counting.store.row(&JTI).unwrap().revoked_at, None);
}

#[test]
fn a_token_of_the_longest_size_passes_and_one_byte_more_does_not() {
    let sized = |padding: usize| {
        let issuer = Issuer { iss: "s".repeat(padding), aud: "a".into() };
        let keys = Scripted::new(ring("k1", 0), None);
        let minter = Minter::new(issuer.iss.clone(), Timestamp(0), keys, Arc::new(InMemoryTokenStore::new()));
        let minted = minter.mint(new_token(issuer.aud.clone()), NOW).now_or_never().unwrap().unwrap();
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
    let minter = Minter::new(issuer().iss, Timestamp(0), keys.clone(), store.clone());
    assert_eq!(format!("{minter:?}"), r#"Minter { iss: "stack", .. }"#);
    let checker = || Checker::new(&issuer(), Timestamp(0));
    for (name, shown) in [
        ("Spender", format!("{:?}", Spender::new(checker(), keys.clone(), store.clone()))),
        ("Revoker", format!("{:?}", Revoker::new(checker(), keys.clone(), store.clone()))),
        ("Inspector", format!("{:?}", Inspector::new(checker(), keys.clone(), store.clone()))),
    ] {
        let is_short = shown.starts_with(&format!("{name} {{ checker: Checker {{")) && shown.ends_with(", .. }");
        assert!(is_short, "{shown}");
    }
    assert_eq!(format!("{:?}", Ports { keys, store, now: || NOW }), "Ports { .. }");
}
