//! The functions on one store in memory, which can be broken.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use apigw::{Event, Settings};
use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use harness::process::variables;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use lambda_runtime::Context;
use serde_json::{Value, json, value::to_raw_value};
use tokens::{
    Claimant, Claims, FixedKeyStore, InMemoryTokenStore, Insert, Jti, KeyRing, KeyStore, Minter, NewToken, Ports,
    Revoke as _, Row, Spend, Spending, StoreError, Timestamp,
};
use uuid::Uuid;

/// The key of the ring.
pub(crate) const KEY: &str = harness::fake_aws::KEY;

/// The time by the clock of every function.
pub(crate) const NOW: Timestamp = Timestamp(1_700_000_000);

/// The ID of the request in every event.
pub(crate) const REQUEST_ID: &str = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef";

/// A store in memory that can be broken.
#[derive(Default)]
struct Store {
    store: InMemoryTokenStore,
    is_broken: AtomicBool,
}

impl Store {
    fn works(&self) -> Result<&InMemoryTokenStore, StoreError> {
        let is_broken = self.is_broken.load(Ordering::SeqCst);
        if is_broken { Err(StoreError::Unavailable("broken".into())) } else { Ok(&self.store) }
    }
}

#[async_trait]
impl Insert for Store {
    async fn insert(&self, jti: &Jti, row: Row) -> Result<(), StoreError> {
        self.works()?.insert(jti, row).await
    }
}

#[async_trait]
impl Spend for Store {
    async fn spend(&self, jti: &Jti, claimant: &Claimant, now: Timestamp) -> Result<Spending, StoreError> {
        self.works()?.spend(jti, claimant, now).await
    }
}

/// The functions that mint and spend.
pub(crate) struct Functions {
    keys: Arc<dyn KeyStore>,
    store: Arc<Store>,
}

impl Functions {
    pub(crate) fn new() -> Self {
        let ring = json!({"active": "k1", "k1": KEY}).to_string();
        let keys = Arc::new(FixedKeyStore::new(KeyRing::from_json(ring.as_bytes()).unwrap()));
        Self { keys, store: Arc::default() }
    }

    pub(crate) fn break_the_store(&self) {
        self.store.is_broken.store(true, Ordering::SeqCst);
    }

    fn ports(&self) -> Ports<Store> {
        Ports { keys: self.keys.clone(), store: self.store.clone(), now: || NOW }
    }

    /// A token that can be spent.
    pub(crate) async fn token(&self) -> String {
        self.minted(self.store.clone(), NOW).await
    }

    /// A token that `validate` and `guard` refuse for `reason`.
    pub(crate) async fn token_refused_as(&self, reason: &str) -> String {
        let own = self.store.clone();
        match reason {
            "invalid_token" => "canary.canary.canary".to_owned(),
            "expired" => self.minted(own, NOW.minus(300)).await,
            "not_yet_valid" => not_yet_valid(),
            "unknown_token" => self.minted(Arc::default(), NOW).await,
            "already_used" => {
                let token = self.minted(own, NOW).await;
                self.validate("validate", &token).await;
                token
            }
            "revoked" => {
                let token = self.minted(own, NOW).await;
                let jti = Jti::new(jti_of(&token).parse().unwrap());
                self.store.store.revoke(&jti, NOW).await.unwrap();
                token
            }
            other => panic!("{other}"),
        }
    }

    async fn minted(&self, store: Arc<Store>, now: Timestamp) -> String {
        let minter = Minter::new("proof".to_owned(), Timestamp(0), self.keys.clone(), store);
        let minted_by = Claimant::of_invocation("mint").unwrap();
        let new = NewToken { jti: jti(), aud: "proof/Prod".to_owned(), ttl_seconds: 300, minted_by, host: None };
        minter.mint(new, now).await.unwrap().token.expose().to_owned()
    }

    /// The answer of `validate` or `guard` to this token.
    pub(crate) async fn spend(&self, function: &str, token: &str) -> Value {
        if function == "guard" { self.guard(token).await } else { self.validate("validate", token).await }
    }

    /// The body of the answer of `validate` to the sample event `event`.
    pub(crate) async fn validate(&self, event: &str, token: &str) -> Value {
        self.validated(sample(event, token)).await
    }

    /// As [`Functions::validate`], in a request with this ID.
    pub(crate) async fn validate_of_request(&self, request_id: &str, token: &str) -> Value {
        self.validated(with_request_id(sample("validate", token), request_id)).await
    }

    async fn validated(&self, event: Value) -> Value {
        let service = with_settings(|settings| validate::Service::new(settings, self.ports()).unwrap());
        let response = validate::handle(&service, invocation(&event)).await.unwrap();
        serde_json::from_str(&response.body).unwrap()
    }

    /// The context of the answer of `guard`; null if it failed.
    pub(crate) async fn guard(&self, token: &str) -> Value {
        self.guarded(sample("guard", token)).await
    }

    /// As [`Functions::guard`], for a request with this ID.
    pub(crate) async fn guard_of_request(&self, request_id: &str, token: &str) -> Value {
        self.guarded(with_request_id(sample("guard", token), request_id)).await
    }

    async fn guarded(&self, event: Value) -> Value {
        let service = with_settings(|settings| guard::Service::new(settings, self.ports()).unwrap());
        context(guard::handle(&service, invocation(&event)).await)
    }

    /// The context of the answer of `authorizer`; null if it failed.
    pub(crate) async fn authorizer(&self) -> Value {
        let service = with_settings(|settings| authorizer::Service::new(settings, self.ports()).unwrap());
        context(authorizer::handle(&service, invocation(&sample("authorizer", ""))).await)
    }

    /// The body of the answer of `issue`.
    pub(crate) async fn issue(&self) -> Value {
        let service = with_settings(|settings| issue::Service::new(settings, self.ports()).unwrap());
        let response = issue::handle(&service, invocation(&sample("issue", ""))).await.unwrap();
        serde_json::from_str(&response.body).unwrap()
    }
}

/// The status of the answer of `hello`, with this setting for cached decisions, to the sample event `event`.
pub(crate) async fn hello(check: &str, event: &str) -> u16 {
    let lookup = |name: &str| if name == "CACHED_POLICY_CHECK" { Some(check.to_owned()) } else { setting(name) };
    let service = hello::Service::new(Settings::new(&lookup), || NOW.0).unwrap();
    hello::handle(&service, invocation(&sample(event, "eyJ.t.t"))).await.unwrap().status_code
}

/// A new `jti`.
pub(crate) fn jti() -> Jti {
    Jti::new(Uuid::new_v4())
}

/// The `jti` of a token.
pub(crate) fn jti_of(token: &str) -> String {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice::<Value>(&claims).unwrap()["jti"].as_str().unwrap().to_owned()
}

/// A genuine token whose `nbf` is in the future, which no minter makes.
fn not_yet_valid() -> String {
    let (iss, aud) = ("proof".to_owned(), "proof/Prod".to_owned());
    let claims = Claims { iss, aud, jti: jti(), iat: NOW, nbf: NOW.plus(60), exp: NOW.plus(300) };
    let mut header = Header::new(Algorithm::HS256);
    (header.typ, header.kid) = (Some("ott+jwt".to_owned()), Some("k1".to_owned()));
    jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(KEY.as_bytes())).unwrap()
}

fn setting(name: &str) -> Option<String> {
    variables("", "", "tokens").into_iter().find(|(variable, _)| *variable == name).map(|(_, value)| value)
}

fn with_settings<T>(new: impl FnOnce(Settings<'_>) -> T) -> T {
    new(Settings::new(&setting))
}

fn context(answer: Result<apigw::Answer<impl serde::Serialize>, lambda_runtime::Error>) -> Value {
    answer.map_or(Value::Null, |answer| serde_json::to_value(answer).unwrap()["context"].take())
}

/// The file `events/{name}.json`, with `token` in place of its `TOKEN`.
fn sample(name: &str, token: &str) -> Value {
    let path = format!("{}/../events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap().replace("TOKEN", token)).unwrap()
}

fn with_request_id(mut event: Value, request_id: &str) -> Value {
    event["requestContext"]["requestId"] = request_id.into();
    event
}

/// An invocation with this event, and an ID that no other has.
fn invocation(event: &Value) -> Event {
    let mut context = Context::default();
    context.request_id = Uuid::new_v4().to_string();
    Event::new(to_raw_value(event).unwrap(), context)
}
