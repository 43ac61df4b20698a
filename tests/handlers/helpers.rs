//! What the tests of all handlers need: events, a service over given stores, answers to look at.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use aws_lambda_events::{apigw::ApiGatewayProxyResponse, encodings::Body};
use lambda_runtime::{Context, LambdaEvent};
use serde_json::Value;
use tokens::{
    Claim, FixedKeyStore, InMemoryTokenStore, Jti, KeyRing, KeyStore, KeyStoreError, Row, StoreError, Timestamp,
    TokenStore, Verdict,
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
        _ => return None,
    };
    Some(value.to_owned())
}

/// A key store after a rotation: another key signs, and [`KEY`] is still accepted.
pub(crate) fn rotated_keys() -> Arc<dyn KeyStore> {
    let json = format!(r#"{{"active":"k2","k1":"{KEY}","k2":"another-key-of-the-tests-and-of-nothing-else"}}"#);
    Arc::new(FixedKeyStore::new(KeyRing::from_json(json.as_bytes()).unwrap()))
}

/// A ring with one key, [`KEY`], that takes tokens minted at `not_before` or earlier for revoked.
fn ring(not_before: Timestamp) -> KeyRing {
    let json = format!(r#"{{"active":"k1","k1":"{KEY}","not_before":{}}}"#, not_before.0);
    KeyRing::from_json(json.as_bytes()).unwrap()
}

/// A key store that keeps the same ring for ever.
pub(crate) fn keys() -> Arc<dyn KeyStore> {
    Arc::new(FixedKeyStore::new(ring(Timestamp(0))))
}

/// A key store that idled while the operator revoked what had been minted until [`NOW`].
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
pub(crate) fn store() -> Arc<dyn TokenStore> {
    Arc::new(InMemoryTokenStore::new())
}

/// The file `events/{name}.json` as the event of the invocation `request_id`, with `token` in place
/// of its `TOKEN`.
pub(crate) fn event<E: serde::de::DeserializeOwned>(name: &str, token: &str, request_id: &str) -> LambdaEvent<E> {
    let path = format!("{}/../events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let json = std::fs::read_to_string(&path).unwrap_or_else(|err| panic!("{path}: {err}"));
    let mut context = Context::default();
    context.request_id = request_id.to_owned();
    LambdaEvent::new(serde_json::from_str(&json.replace("TOKEN", token)).unwrap(), context)
}

/// A token that the authorizer has just minted over `keys` and `store`.
pub(crate) async fn minted(keys: Arc<dyn KeyStore>, store: Arc<dyn TokenStore>) -> String {
    let config = ::authorizer::Config::from_lookup(setting).unwrap();
    let service = ::authorizer::Service::new(config, keys, store, || NOW);
    let allowed = ::authorizer::handle(&service, event("authorizer", "", "mint-1")).await.unwrap();
    allowed.context.access_token
}

/// `validate` over the given keys, store and clock.
pub(crate) fn service_at(
    now: fn() -> Timestamp,
    keys: Arc<dyn KeyStore>,
    store: Arc<dyn TokenStore>,
) -> ::validate::Service {
    ::validate::Service::new(::validate::Config::from_lookup(setting).unwrap(), keys, store, now)
}

/// `validate` over the given keys and store.
pub(crate) fn service(keys: Arc<dyn KeyStore>, store: Arc<dyn TokenStore>) -> ::validate::Service {
    service_at(|| NOW, keys, store)
}

/// The JSON of a response's body.
pub(crate) fn body(response: &ApiGatewayProxyResponse) -> Value {
    let Some(Body::Text(text)) = &response.body else { panic!("the response has no text") };
    serde_json::from_str(text).unwrap()
}

/// A store whose every call fails, with the outcome not known.
pub(crate) struct DownStore;

#[async_trait]
impl TokenStore for DownStore {
    async fn insert(&self, _jti: &Jti, _row: Row) -> Result<(), StoreError> {
        Err(StoreError::Unavailable("table Tokens-1A2B is down".into()))
    }

    async fn spend(&self, _jti: &Jti, _claim: &Claim, _now: Timestamp) -> Result<Verdict, StoreError> {
        Err(StoreError::Unavailable("table Tokens-1A2B is down".into()))
    }
}

/// A store that no test may reach.
pub(crate) struct UntouchedStore;

#[async_trait]
impl TokenStore for UntouchedStore {
    async fn insert(&self, _jti: &Jti, _row: Row) -> Result<(), StoreError> {
        panic!("the store was called")
    }

    async fn spend(&self, _jti: &Jti, _claim: &Claim, _now: Timestamp) -> Result<Verdict, StoreError> {
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
