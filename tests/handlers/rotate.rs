//! `rotate`: the four steps of a rotation, on a secret with versions and staging labels.

use std::{
    cell::Cell,
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
};

use ::rotate::{Ports, Service, handle, random_key};
use apigw::Settings;
use async_trait::async_trait;
use serde_json::{Value, json};
use tokens::{
    FixedKeyStore, KeyRing, KeyStore, KeyStoreError, RingVersions, Stages, Timestamp,
    rotation::{PROMOTION_SECONDS, PUBLICATION_SECONDS},
};
use zeroize::Zeroizing;

use crate::helpers::{KEY, NOW, body, event, invocation, minted, sample, service as validate, setting, store};

/// The steps, in the order in which Secrets Manager calls them.
const STEPS: [&str; 4] = ["createSecret", "setSecret", "testSecret", "finishSecret"];

thread_local! {
    /// The time by the clock of the function.
    static CLOCK: Cell<Timestamp> = const { Cell::new(NOW) };
}

/// A secret, as Secrets Manager keeps it: the value and the labels of each version.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Secret {
    /// The values; `None` is an empty version.
    versions: BTreeMap<String, Option<String>>,
    current: String,
    pending: Option<String>,
}

impl Secret {
    /// What `RotateSecret` does before it calls the function, for a rotation that prepares `version`.
    fn begin(&mut self, version: &str) {
        let in_progress = self.pending.as_ref().filter(|pending| **pending != self.current);
        assert_eq!(in_progress, None, "a previous rotation is not complete");
        self.versions.insert(version.to_owned(), None);
        self.pending = Some(version.to_owned());
    }

    /// What an operator's `PutSecretValue` does.
    fn put(&mut self, version: &str, ring: &Value) {
        self.versions.insert(version.to_owned(), Some(ring.to_string()));
        self.current = version.to_owned();
    }

    /// The ring in force.
    fn ring(&self) -> Value {
        serde_json::from_str(self.versions[&self.current].as_ref().unwrap()).unwrap()
    }

    /// The key store of a function that has just fetched the ring.
    fn keys(&self) -> Arc<dyn KeyStore> {
        Arc::new(FixedKeyStore::new(KeyRing::from_json(self.ring().to_string().as_bytes()).unwrap()))
    }
}

/// The secret behind the port, with calls that fail.
#[derive(Debug, Default)]
struct SecretsManager {
    secret: Mutex<Secret>,
    calls: AtomicUsize,
    /// The number of the call that fails, from 0, and whether it takes effect all the same.
    failure: Option<(usize, bool)>,
}

impl SecretsManager {
    fn new(secret: Secret) -> Arc<Self> {
        Arc::new(Self { secret: Mutex::new(secret), ..Self::default() })
    }

    /// The secret as it is now.
    fn secret(&self) -> Secret {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Secret> {
        self.secret.lock().unwrap()
    }

    /// Makes a call.
    fn call<T>(&self, call: impl FnOnce(&mut Secret) -> Result<T, &'static str>) -> Result<T, KeyStoreError> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        match self.failure {
            Some((failing, false)) if failing == number => Err(KeyStoreError("the request was lost".into())),
            Some((failing, true)) if failing == number => {
                _ = call(&mut self.lock());
                Err(KeyStoreError("the reply was lost".into()))
            }
            _ => call(&mut self.lock()).map_err(|reason| KeyStoreError(reason.into())),
        }
    }
}

#[async_trait]
impl RingVersions for SecretsManager {
    async fn stages(&self) -> Result<Stages, KeyStoreError> {
        self.call(|secret| Ok(Stages { current: Some(secret.current.clone()), pending: secret.pending.clone() }))
    }

    async fn ring_json(&self, version: &str) -> Result<Option<Zeroizing<String>>, KeyStoreError> {
        self.call(|secret| Ok(secret.versions[version].clone().map(Zeroizing::new)))
    }

    async fn put_pending(&self, version: &str, ring_json: &str) -> Result<(), KeyStoreError> {
        self.call(|secret| {
            let value = secret.versions.entry(version.to_owned()).or_default();
            if value.as_ref().is_some_and(|value| value != ring_json) {
                return Err("ResourceExistsException");
            }
            *value = Some(ring_json.to_owned());
            secret.pending = Some(version.to_owned());
            Ok(())
        })
    }

    async fn promote(&self, version: &str, base: &str) -> Result<(), KeyStoreError> {
        self.call(|secret| {
            if secret.current != base {
                return Err("InvalidParameterException");
            }
            version.clone_into(&mut secret.current);
            Ok(())
        })
    }

    async fn release(&self, version: &str) -> Result<(), KeyStoreError> {
        self.call(|secret| {
            if secret.pending.as_deref() != Some(version) {
                return Err("InvalidParameterException");
            }
            secret.pending = None;
            Ok(())
        })
    }
}

/// The ports of a function whose secret does not matter.
pub(crate) fn ports() -> Ports {
    ports_of(SecretsManager::new(Secret::default()))
}

fn ports_of(versions: Arc<SecretsManager>) -> Ports {
    Ports { versions, fresh_key: random_key, now: || CLOCK.get() }
}

fn service(secret: &Arc<SecretsManager>) -> Service {
    Service::new(Settings::new(&setting), ports_of(secret.clone())).unwrap()
}

/// A secret with the ring that the template generates, and that ring.
fn generated() -> (Secret, Value) {
    let ring = json!({"active": "k1", "k1": KEY});
    let mut secret = Secret::default();
    secret.put("v1", &ring);
    (secret, ring)
}

/// Calls one step; the error's text, with its sources.
async fn step(secret: &Arc<SecretsManager>, name: &str, version: &str) -> Result<(), String> {
    let mut event = sample("rotate", "");
    (event["Step"], event["ClientRequestToken"]) = (name.into(), version.into());
    handle(&service(secret), invocation(&event, "rotate-1")).await.map_err(|err| apigw::chain(&*err))
}

/// Calls the steps in their order until one fails, as Secrets Manager does.
async fn steps(secret: &Arc<SecretsManager>, version: &str) -> Result<(), String> {
    for name in STEPS {
        step(secret, name, version).await?;
    }
    Ok(())
}

/// Rotates the secret; the ring that is then in force.
async fn rotate(secret: &Arc<SecretsManager>, version: &str) -> Value {
    secret.lock().begin(version);
    steps(secret, version).await.unwrap();
    assert_eq!((&*secret.secret().current, secret.secret().pending), (version, None));
    secret.secret().ring()
}

/// Sets the clock forward.
fn pass(seconds: u64) {
    CLOCK.set(CLOCK.get().plus(seconds));
}

#[tokio::test]
async fn a_token_minted_before_a_rotation_is_spent_after_it() {
    let secret = SecretsManager::new(generated().0);
    for version in ["v2", "v3", "v4"] {
        let tokens = store();
        let token = minted(secret.secret().keys(), tokens.clone()).await;
        rotate(&secret, version).await;
        let after = validate(secret.secret().keys(), tokens);
        let spent = ::validate::handle(&after, event("validate", &token, "spend-1")).await.unwrap();
        assert_eq!(spent.status_code, 200, "{version}: {}", body(&spent));
        pass(PUBLICATION_SECONDS);
    }
}

#[tokio::test]
async fn a_key_is_published_by_one_rotation_and_signs_after_the_next() {
    let secret = SecretsManager::new(generated().0);
    let published = rotate(&secret, "v2").await;
    assert_eq!(
        (&published["active"], &published["next"], &published["base"]),
        (&"k1".into(), &"k1700000000".into(), &"v1".into())
    );
    assert_eq!(published["k1700000000"].as_str().unwrap().len(), 64);

    pass(PUBLICATION_SECONDS - 1);
    let mut copy = rotate(&secret, "v3").await;
    assert_eq!(copy["base"].take(), "v2");
    copy["base"] = "v1".into();
    assert_eq!(copy, published);

    pass(1);
    let rotated = rotate(&secret, "v4").await;
    assert_eq!((&rotated["active"], &rotated["next"]), (&"k1700000000".into(), &"k1700176400".into()));
    assert_eq!((&rotated["k1"], &rotated["k1700000000"]), (&KEY.into(), &published["k1700000000"]));

    pass(PUBLICATION_SECONDS);
    let last = rotate(&secret, "v5").await;
    assert_eq!((&last["active"], &last["k1"]), (&"k1700176400".into(), &Value::Null));
}

#[tokio::test]
async fn a_step_that_is_repeated_changes_nothing() {
    let secret = SecretsManager::new(generated().0);
    secret.lock().begin("v2");
    for name in STEPS {
        step(&secret, name, "v2").await.unwrap();
        let once = secret.secret();
        step(&secret, name, "v2").await.unwrap();
        assert_eq!(secret.secret(), once, "{name}");
    }
    // Late duplicates of the whole rotation find it done.
    let done = secret.secret();
    steps(&secret, "v2").await.unwrap();
    assert_eq!(secret.secret(), done);
}

#[tokio::test]
async fn a_rotation_that_ends_at_any_call_is_completed_by_its_repetition() {
    let mut ends = 0;
    for number in 0.. {
        for takes_effect in [false, true] {
            let (mut secret, before) = generated();
            secret.begin("v2");
            let failure = Some((number, takes_effect));
            let failing = Arc::new(SecretsManager { secret: Mutex::new(secret), failure, ..SecretsManager::default() });
            let first = steps(&failing, "v2").await;
            ends += usize::from(first.is_err());
            if failing.calls.load(Ordering::SeqCst) <= number {
                // Every call of a rotation, lost on the way there and back, but for the promotion's reply.
                assert!(number > 8 && ends == 2 * number - 1, "{ends} of {number} calls");
                return;
            }
            let current = failing.secret().current;
            assert!(current == "v1" && failing.secret().ring() == before || current == "v2", "{number}");
            steps(&failing, "v2").await.unwrap();
            let after = failing.secret().ring();
            assert_eq!((&after["k1"], &after["next"]), (&before["k1"], &"k1700000000".into()), "{number}");
        }
    }
}

#[tokio::test]
async fn a_ring_that_an_operator_put_during_a_rotation_stays_in_force_and_the_next_rotation_keeps_it() {
    for puts_before in 1..STEPS.len() {
        let secret = SecretsManager::new(generated().0);
        secret.lock().begin("v2");
        for name in &STEPS[..puts_before] {
            step(&secret, name, "v2").await.unwrap();
        }
        let put = json!({"active": "k1", "k1": KEY, "not_before": 7});
        secret.lock().put("v3", &put);
        let mut failed = Ok(());
        for name in &STEPS[puts_before..] {
            failed = step(&secret, name, "v2").await;
        }

        assert!(failed.unwrap_err().contains("changed since this rotation began"));
        assert_eq!((secret.secret().ring(), secret.secret().pending), (put, None));
        let next = rotate(&secret, "v4").await;
        assert_eq!((&next["not_before"], &next["base"]), (&7.into(), &"v3".into()));
    }
}

#[tokio::test]
async fn a_ring_that_an_operator_puts_after_a_rotation_is_rotated_by_the_next_one() {
    let secret = SecretsManager::new(generated().0);
    rotate(&secret, "v2").await;
    let put = secret.secret().ring();
    secret.lock().put("v3", &put);
    assert_eq!(rotate(&secret, "v4").await["base"], "v3");
}

/// A secret whose current version an operator replaces in the moment before the promotion.
struct Replaced(Arc<SecretsManager>);

#[async_trait]
impl RingVersions for Replaced {
    async fn stages(&self) -> Result<Stages, KeyStoreError> {
        self.0.stages().await
    }

    async fn ring_json(&self, version: &str) -> Result<Option<Zeroizing<String>>, KeyStoreError> {
        self.0.ring_json(version).await
    }

    async fn put_pending(&self, version: &str, ring_json: &str) -> Result<(), KeyStoreError> {
        self.0.put_pending(version, ring_json).await
    }

    async fn promote(&self, version: &str, base: &str) -> Result<(), KeyStoreError> {
        self.0.lock().put("v3", &json!({"active": "k1", "k1": KEY, "not_before": 7}));
        self.0.promote(version, base).await
    }

    async fn release(&self, version: &str) -> Result<(), KeyStoreError> {
        self.0.release(version).await
    }
}

#[tokio::test]
async fn a_ring_that_an_operator_put_just_before_the_promotion_stays_in_force() {
    let secret = SecretsManager::new(generated().0);
    secret.lock().begin("v2");
    for name in &STEPS[..3] {
        step(&secret, name, "v2").await.unwrap();
    }
    let ports = Ports { versions: Arc::new(Replaced(secret.clone())), ..ports() };
    let replaced = Service::new(Settings::new(&setting), ports).unwrap();
    let mut event = sample("rotate", "");
    (event["Step"], event["ClientRequestToken"]) = ("finishSecret".into(), "v2".into());
    handle(&replaced, invocation(&event, "rotate-1")).await.unwrap_err();
    assert_eq!(secret.secret().current, "v3");
    step(&secret, "finishSecret", "v2").await.unwrap_err();
    assert_eq!((secret.secret().current, secret.secret().pending), ("v3".to_owned(), None));
}

#[tokio::test]
async fn an_event_that_is_not_of_this_rotation_is_an_error_and_changes_nothing() {
    let (mut secret, _) = generated();
    secret.begin("v2");
    let before = secret.clone();
    let secret = SecretsManager::new(secret);
    let event = |member: &str, value: Value| {
        let mut event = sample("rotate", "");
        event["ClientRequestToken"] = "v2".into();
        event[member] = value;
        event
    };
    for (event, reason) in [
        (
            event("SecretId", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:Other-1A2B3C".into()),
            "another secret",
        ),
        (event("SecretId", "KeyRing".into()), "another secret"),
        (event("ClientRequestToken", "v3".into()), "neither the pending nor the current version"),
        (event("ClientRequestToken", "".into()), "neither the pending nor the current version"),
        (event("Step", "dropSecret".into()), "unknown step"),
        (event("Step", "".into()), "unknown step"),
        (event("Step", Value::Null), "not a rotation event"),
        (event("Step", json!({"canary": 1})), "not a rotation event"),
        (event("SecretId", json!(["canary"])), "not a rotation event"),
        (json!({"Step": "canary"}), "not a rotation event"),
        (json!("canary"), "not a rotation event"),
        (sample("validate", "canary"), "not a rotation event"),
        (event("Step", "finishSecret".into()), "pending version is empty"),
    ] {
        let error = handle(&service(&secret), invocation(&event, "rotate-1")).await.unwrap_err();
        let error = apigw::chain(&*error);
        assert!(error.contains(reason) && !error.contains("canary"), "{event}: {error}");
        assert_eq!(secret.secret(), before, "{event}");
    }
}

#[tokio::test]
async fn an_event_with_more_members_than_are_read_is_a_rotation_event() {
    let (mut secret, _) = generated();
    secret.begin("v2");
    let secret = SecretsManager::new(secret);
    let mut event = sample("rotate", "");
    (event["ClientRequestToken"], event["RotationToken"]) = ("v2".into(), "x".into());
    handle(&service(&secret), invocation(&event, "rotate-1")).await.unwrap();
    assert!(secret.secret().versions["v2"].is_some());
}

#[tokio::test]
async fn the_test_that_secrets_manager_runs_when_rotation_is_configured_passes() {
    let (mut secret, ring) = generated();
    secret.begin("v2");
    let secret = SecretsManager::new(secret);
    step(&secret, "testSecret", "v2").await.unwrap();
    secret.lock().versions.insert("v2".to_owned(), Some(ring.to_string()));
    step(&secret, "testSecret", "v2").await.unwrap();
    assert_eq!(secret.secret().pending, Some("v2".to_owned()));
}

#[tokio::test]
async fn a_ring_edited_by_hand_to_nonsense_is_not_rotated_and_the_error_names_what_is_wrong_and_no_key() {
    for (ring, reason) in [
        (json!({"active": "k2", "k1": KEY}), "`active` does not name"),
        (json!({"active": "k1", "k1": KEY, "k2": "short"}), "`k2` is not a string of at least 32 bytes"),
        (json!({"active": "k1", "k1": KEY, "next": "k2"}), "`next` does not name"),
        (json!({"active": "k1", "k1": KEY, "not_before": "soon"}), "`not_before` is not a number"),
        (json!(KEY), "not a JSON object"),
    ] {
        let mut secret = Secret::default();
        secret.put("v1", &ring);
        secret.begin("v2");
        let before = secret.clone();
        let secret = SecretsManager::new(secret);
        let error = steps(&secret, "v2").await.unwrap_err();
        assert!(error.contains(reason) && error.contains("stays in force") && !error.contains(KEY), "{error}");
        assert_eq!(secret.secret(), before);
        // Mended, the same rotation goes on.
        secret.lock().put("v3", &json!({"active": "k1", "k1": KEY}));
        steps(&secret, "v2").await.unwrap();
        assert_eq!(secret.secret().current, "v2");
    }
}

#[tokio::test]
async fn a_pending_ring_that_would_refuse_live_tokens_is_given_up() {
    let (_, ring) = generated();
    let other_key = json!({"active": "k1", "k1": "another-key-of-the-tests-and-of-nothing-else", "base": "v1"});
    let at_once =
        json!({"active": "k2", "k1": KEY, "k2": "another-key-of-the-tests-and-of-nothing-else", "base": "v1"});
    for (pending, reason) in [
        (other_key, "a key that the current ring does not hold"),
        (at_once, "a key that the current ring does not hold"),
        (json!({"base": "v1"}), "`active`"),
        (json!([]), ""),
    ] {
        for name in ["testSecret", "finishSecret"] {
            let mut secret = Secret::default();
            secret.put("v1", &ring);
            secret.begin("v2");
            secret.versions.insert("v2".to_owned(), Some(pending.to_string()));
            let secret = SecretsManager::new(secret);
            let error = step(&secret, name, "v2").await.unwrap_err();
            assert!(error.contains(reason) && error.contains("given up"), "{pending}: {error}");
            assert_eq!((secret.secret().ring(), secret.secret().pending), (ring.clone(), None));
        }
    }
}

#[tokio::test]
async fn a_rotation_that_was_held_up_for_too_long_is_given_up_and_the_next_one_draws_another_key() {
    let secret = SecretsManager::new(generated().0);
    secret.lock().begin("v2");
    step(&secret, "createSecret", "v2").await.unwrap();
    pass(PROMOTION_SECONDS + 1);
    let error = steps(&secret, "v2").await.unwrap_err();
    assert!(error.contains("more than 1800 seconds ago"), "{error}");
    assert_eq!(secret.secret().pending, None);
    assert_eq!(rotate(&secret, "v3").await["next"], "k1700001801");
}

#[test]
fn a_fresh_key_is_64_random_characters() {
    let keys = [(); 100].map(|()| random_key().unwrap());
    assert!(keys.iter().all(|key| key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_graphic())));
    assert!((1..keys.len()).all(|index| !keys[..index].contains(&keys[index])), "a key was drawn twice");
}
