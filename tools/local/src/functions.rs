//! The deployed functions of this project, with one store and a random key.

use std::sync::Arc;

use apigw::{ConfigError, Event, Settings};
use emulator::{Environment, Functions, Reply};
use futures_util::future::BoxFuture;
use lambda_runtime::{Context, Error};
use serde::Serialize;
use serde_json::{Value, json, value::to_raw_value};
use tokens::{FixedKeyStore, InMemoryUsageStore, KeyRing, KeyRingError, Ports, Timestamp, TokenStore, UsageStore};
use uuid::Uuid;

use crate::stream::{NotCounted, Stream, StreamedTokenStore};

/// The functions of this project, with stores in memory.
///
/// # Errors
///
/// [`KeyRingError`] if the random key ring is malformed, which never happens.
pub fn functions() -> Result<Functions, KeyRingError> {
    let stream = Arc::new(Stream::default());
    let store = Arc::new(StreamedTokenStore::new(Arc::clone(&stream)));
    with_stores(store, Arc::new(InMemoryUsageStore::new()), &stream)
}

/// The functions of this project, all with `store` and one random key. Nothing is counted: `GET /usage` is 503.
///
/// # Errors
///
/// As [`functions`].
pub fn functions_over<S: TokenStore + 'static>(store: Arc<S>) -> Result<Functions, KeyRingError> {
    with_stores(store, Arc::new(NotCounted), &Arc::default())
}

/// The functions with these stores, one random key, and `stream` between the stores.
fn with_stores<S: TokenStore + 'static>(
    store: Arc<S>,
    counts: Arc<dyn UsageStore>,
    stream: &Arc<Stream>,
) -> Result<Functions, KeyRingError> {
    let now = || Timestamp(apigw::epoch_seconds());
    let stream = Arc::clone(stream);
    let ports = Ports { keys: Arc::new(FixedKeyStore::new(random_ring()?)), store, now };

    let clock: fn() -> u64 = apigw::epoch_seconds;

    /// Makes the handler of a function's crate from what its `Service::new` takes after the settings.
    macro_rules! function {
        ($function:ident $(, $argument:ident)?) => {{
            $(let $argument = $argument.clone();)?
            move |environment: &Environment| {
                let lookup = |name: &str| variable(environment, name);
                let service = $function::Service::new(Settings::new(&lookup) $(, $argument.clone())?);
                handler(service, |service, event| Box::pin($function::handle(service, event)))
            }
        }};
    }
    Ok(Functions::default()
        .access_key(crate::ACCESS_KEY_ID, crate::SECRET_ACCESS_KEY)
        .configured("authorizer", function!(authorizer, ports))
        .configured("guard", function!(guard, ports))
        .configured("hello", function!(hello, clock))
        .configured("inspect", function!(inspect, ports))
        .configured("issue", function!(issue, ports))
        .configured("page", function!(page))
        .configured("revoke", function!(revoke, ports))
        .configured("usage", move |environment: &Environment| {
            let lookup = |name: &str| variable(environment, name);
            let service = usage::Service::new(Settings::new(&lookup), Arc::clone(&counts), now).map(|service| {
                let service = Arc::new(service);
                stream.deliver_to(&service);
                (Arc::clone(&stream), service)
            });
            handler(service, |(stream, service), event| {
                Box::pin(async move {
                    // Lambda would have waited for a minute.
                    stream.deliver().await;
                    usage::handle(service, event).await
                })
            })
        })
        .configured("validate", function!(validate, ports)))
}

/// A function's `handle`.
type Handle<S, R> = for<'a> fn(&'a S, Event) -> BoxFuture<'a, Result<R, Error>>;

/// Wraps a function as a handler from JSON to JSON.
fn handler<S, R>(
    service: Result<S, ConfigError>,
    handle: Handle<S, R>,
) -> Result<impl Fn(Value, Context) -> BoxFuture<'static, Reply> + Send + Sync + 'static, String>
where
    S: Send + Sync + 'static,
    R: Serialize + Send + 'static,
{
    let service = Arc::new(service.map_err(|err| err.to_string())?);
    Ok(move |event: Value, context| -> BoxFuture<'static, Reply> {
        let service = Arc::clone(&service);
        Box::pin(async move {
            let event = to_raw_value(&event).map_err(|err| err.to_string())?;
            let reply = handle(&service, Event::new(event, context)).await.map_err(|err| err.to_string())?;
            serde_json::to_value(reply).map_err(|err| err.to_string())
        })
    })
}

/// The variable `name` of a function, as its process environment would have it.
fn variable(environment: &Environment, name: &str) -> Option<String> {
    let value = environment.get(name)?;
    Some(match name {
        // The template builds issuer and audience from stack and Region. There are none on this machine, so
        // its tokens say `local`, and no deployed stack accepts them.
        "TOKEN_ISSUER" => "local".to_owned(),
        "TOKEN_AUDIENCE" => format!("local/{}", value.rsplit('/').next().unwrap_or_default()),
        _ => value.clone(),
    })
}

/// A key ring with one key, which is drawn from the operating system's randomness and never shown.
fn random_ring() -> Result<KeyRing, KeyRingError> {
    let key = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    KeyRing::from_json(json!({"active": "k1", "k1": key}).to_string().as_bytes())
}
