//! Shared by the tests of all handlers: events, services with given ports, and answers.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use apigw::{Event, Response, Settings};
use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use lambda_runtime::Context;
use serde_json::{Value, value::to_raw_value};
use tokens::{
    Claimant, Find, FixedKeyStore, InMemoryTokenStore, Insert, Jti, KeyRing, KeyStore, KeyStoreError, Ports, Revoke,
    Row, Spend, Spending, StoreError, Timestamp,
};

/// The time by the clock of every service in these tests.
pub(crate) const NOW: Timestamp = Timestamp(1_700_000_000);

/// The key of every ring in these tests.
pub(crate) const KEY: &str = "a-key-of-the-tests-and-of-nothing-else";

/// The settings that the template gives the functions.
pub(crate) fn setting(name: &str) -> Option<String> {
    let value = match name {
        "TOKEN_ISSUER" => "token-auth.eu-west-1",
        "TOKEN_AUDIENCE" => "token-auth.eu-west-1/Prod",
        "TOKEN_TTL_SECONDS" => "300",
        "REVOKED_BEFORE" => "0",
        "ALLOWED_ORIGIN" => "https://app.example.com",
        "EXPOSED_HEADERS" => "X-Access-Token",
        "CACHED_POLICY_CHECK" => "refuse",
        "OPEN_ROUTES" => "true",
        "KEY_RING_SECRET_ID" => "arn:aws:secretsmanager:eu-west-1:123456789012:secret:KeyRing-1A2B3C",
        "WEB_PAGE" => "true",
        _ => return None,
    };
    Some(value.to_owned())
}

/// [`setting`], with these values in place of the template's.
pub(crate) fn setting_with<'a>(overrides: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
    move |name| {
        let overridden = overrides.iter().find(|(overridden, _)| *overridden == name);
        overridden.map_or_else(|| setting(name), |(_, value)| Some((*value).to_owned()))
    }
}

/// A key store after a rotation: another key signs, and [`KEY`] is still accepted.
pub(crate) fn rotated_keys() -> Arc<dyn KeyStore> {
    let json = format!(r#"{{"active":"k2","k1":"{KEY}","k2":"another-key-of-the-tests-and-of-nothing-else"}}"#);
    Arc::new(FixedKeyStore::new(KeyRing::from_json(json.as_bytes()).unwrap()))
}

/// A key store in which another key has replaced [`KEY`].
pub(crate) fn withdrawn_keys() -> Arc<dyn KeyStore> {
    let json = r#"{"active":"k2","k2":"another-key-of-the-tests-and-of-nothing-else"}"#;
    Arc::new(FixedKeyStore::new(KeyRing::from_json(json.as_bytes()).unwrap()))
}

/// A ring with one key, [`KEY`]. Tokens minted at `not_before` or earlier are revoked.
fn ring(not_before: Timestamp) -> KeyRing {
    let json = format!(r#"{{"active":"k1","k1":"{KEY}","not_before":{}}}"#, not_before.0);
    KeyRing::from_json(json.as_bytes()).unwrap()
}

/// A key store that always has the same ring.
pub(crate) fn keys() -> Arc<dyn KeyStore> {
    Arc::new(FixedKeyStore::new(ring(Timestamp(0))))
}

/// A key store that was idle while an operator revoked the tokens minted until [`NOW`].
#[derive(Default)]
pub(crate) struct IdleKeyStore {
    is_refreshed: AtomicBool,
}

#[async_trait]
impl KeyStore for IdleKeyStore {
    async fn ring(&self, _now: Timestamp) -> Result<Arc<KeyRing>, KeyStoreError> {
        let not_before = if self.is_refreshed.load(Ordering::SeqCst) { NOW } else { Timestamp(0) };
        Ok(Arc::new(ring(not_before)))
    }

    async fn ring_for_unknown_kid(&self, now: Timestamp) -> Result<Arc<KeyRing>, KeyStoreError> {
        self.ring(now).await
    }

    async fn refresh_if_due(&self, _now: Timestamp) {
        self.is_refreshed.store(true, Ordering::SeqCst);
    }
}

/// An empty store.
pub(crate) fn store() -> Arc<InMemoryTokenStore> {
    Arc::default()
}

/// The ports of a function at [`NOW`].
pub(crate) fn ports<S>(keys: Arc<dyn KeyStore>, store: Arc<S>) -> Ports<S> {
    Ports { keys, store, now: || NOW }
}

/// The file `events/{name}.json`, with `token` in place of its `TOKEN`.
pub(crate) fn sample(name: &str, token: &str) -> Value {
    let path = format!("{}/../events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let json = std::fs::read_to_string(&path).unwrap_or_else(|err| panic!("{path}: {err}"));
    serde_json::from_str(&json.replace("TOKEN", token)).unwrap()
}

/// The invocation `request_id` with the event `sample`.
pub(crate) fn invocation(sample: &Value, request_id: &str) -> Event {
    let mut context = Context::default();
    context.request_id = request_id.to_owned();
    Event::new(to_raw_value(sample).unwrap(), context)
}

/// The invocation `request_id` with the event `events/{name}.json`, with `token` in place of its `TOKEN`.
pub(crate) fn event(name: &str, token: &str, request_id: &str) -> Event {
    invocation(&sample(name, token), request_id)
}

/// `authorizer` with the template's settings.
pub(crate) fn authorizer(ports: Ports<impl Insert + 'static>) -> ::authorizer::Service {
    ::authorizer::Service::new(Settings::new(&setting), ports).unwrap()
}

/// The answer of `authorizer` to `event`, as JSON.
pub(crate) async fn answer(authorizer: &::authorizer::Service, event: Event) -> Result<Value, String> {
    let answer = ::authorizer::handle(authorizer, event).await.map_err(|err| err.to_string())?;
    Ok(serde_json::to_value(answer).unwrap())
}

/// The token in the answer of an authorizer.
pub(crate) fn token(answer: &Value) -> String {
    answer["context"]["accessToken"].as_str().unwrap().to_owned()
}

/// A token that `authorizer` has just minted with `keys` and `store`.
pub(crate) async fn minted(keys: Arc<dyn KeyStore>, store: Arc<impl Insert + 'static>) -> String {
    token(&answer(&authorizer(ports(keys, store)), event("authorizer", "", "mint-1")).await.unwrap())
}

/// The claims of a token, whatever its signature.
pub(crate) fn claims(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

/// The `jti` of a token, whatever its signature.
pub(crate) fn jti(token: &str) -> Jti {
    Jti::parse(claims(token)["jti"].as_str().unwrap()).unwrap()
}

/// `guard` with the given keys and store.
pub(crate) fn guard(keys: Arc<dyn KeyStore>, store: Arc<impl Spend + 'static>) -> ::guard::Service {
    ::guard::Service::new(Settings::new(&setting), ports(keys, store)).unwrap()
}

/// The answer of `guard` to `event`, as JSON.
pub(crate) async fn guarded(guard: &::guard::Service, event: Event) -> Result<Value, String> {
    let answer = ::guard::handle(guard, event).await.map_err(|err| err.to_string())?;
    Ok(serde_json::to_value(answer).unwrap())
}

/// `validate` with the given keys, store and clock.
pub(crate) fn service_at(
    now: fn() -> Timestamp,
    keys: Arc<dyn KeyStore>,
    store: Arc<impl Spend + 'static>,
) -> ::validate::Service {
    ::validate::Service::new(Settings::new(&setting), Ports { keys, store, now }).unwrap()
}

/// `validate` with the given keys and store.
pub(crate) fn service(keys: Arc<dyn KeyStore>, store: Arc<impl Spend + 'static>) -> ::validate::Service {
    service_at(|| NOW, keys, store)
}

/// The JSON of a response's body.
pub(crate) fn body(response: &Response) -> Value {
    serde_json::from_str(&response.body).unwrap()
}

/// A store whose every call fails with an unknown outcome.
pub(crate) struct DownStore;

#[async_trait]
impl Insert for DownStore {
    async fn insert(&self, _jti: &Jti, _row: Row) -> Result<(), StoreError> {
        Err(StoreError::Unavailable("table Tokens-1A2B is down".into()))
    }
}

#[async_trait]
impl Spend for DownStore {
    async fn spend(&self, _jti: &Jti, _claimant: &Claimant, _now: Timestamp) -> Result<Spending, StoreError> {
        Err(StoreError::Unavailable("table Tokens-1A2B is down".into()))
    }
}

#[async_trait]
impl Revoke for DownStore {
    async fn revoke(&self, _jti: &Jti, _now: Timestamp) -> Result<(), StoreError> {
        Err(StoreError::Unavailable("table Tokens-1A2B is down".into()))
    }
}

#[async_trait]
impl Find for DownStore {
    async fn find(&self, _jti: &Jti) -> Result<Option<Row>, StoreError> {
        Err(StoreError::Unavailable("table Tokens-1A2B is down".into()))
    }
}

/// A store that must not be called.
pub(crate) struct UntouchedStore;

#[async_trait]
impl Insert for UntouchedStore {
    async fn insert(&self, _jti: &Jti, _row: Row) -> Result<(), StoreError> {
        panic!("the store was called")
    }
}

#[async_trait]
impl Spend for UntouchedStore {
    async fn spend(&self, _jti: &Jti, _claimant: &Claimant, _now: Timestamp) -> Result<Spending, StoreError> {
        panic!("the store was called")
    }
}

#[async_trait]
impl Revoke for UntouchedStore {
    async fn revoke(&self, _jti: &Jti, _now: Timestamp) -> Result<(), StoreError> {
        panic!("the store was called")
    }
}

#[async_trait]
impl Find for UntouchedStore {
    async fn find(&self, _jti: &Jti) -> Result<Option<Row>, StoreError> {
        panic!("the store was called")
    }
}

/// A key store that has never had a ring.
pub(crate) struct DownKeyStore;

#[async_trait]
impl KeyStore for DownKeyStore {
    async fn ring(&self, _now: Timestamp) -> Result<Arc<KeyRing>, KeyStoreError> {
        Err(KeyStoreError("the secret is missing".into()))
    }

    async fn ring_for_unknown_kid(&self, now: Timestamp) -> Result<Arc<KeyRing>, KeyStoreError> {
        self.ring(now).await
    }

    async fn refresh_if_due(&self, _now: Timestamp) {}
}
