//! The deployed functions of this project, with one store and a random key.

use std::sync::Arc;

use apigw::{ConfigError, Event, Settings};
use emulator::{Environment, Functions, Reply};
use futures_util::future::BoxFuture;
use lambda_runtime::{Context, Error};
use serde::Serialize;
use serde_json::{Value, json, value::to_raw_value};
use tokens::{FixedKeyStore, InMemoryTokenStore, KeyRing, KeyRingError, Ports, Timestamp, TokenStore};
use uuid::Uuid;

/// The functions of this project, with a store in memory.
///
/// # Errors
///
/// [`KeyRingError`] if the random key ring is malformed, which never happens.
pub fn functions() -> Result<Functions, KeyRingError> {
    functions_over(Arc::new(InMemoryTokenStore::new()))
}

/// The functions of this project, all with `store` and one random key.
///
/// # Errors
///
/// As [`functions`].
pub fn functions_over<S: TokenStore + 'static>(store: Arc<S>) -> Result<Functions, KeyRingError> {
    let now = || Timestamp(apigw::epoch_seconds());
    let ports = Ports { keys: Arc::new(FixedKeyStore::new(random_ring()?)), store, now };
    let (of_authorizer, of_issue, of_validate) = (ports.clone(), ports.clone(), ports);
    Ok(Functions::default()
        .access_key(crate::ACCESS_KEY_ID, crate::SECRET_ACCESS_KEY)
        .configured("authorizer", move |environment| {
            let service =
                with_settings(environment, |settings| authorizer::Service::new(settings, of_authorizer.clone()));
            function(service, |service, event| Box::pin(authorizer::handle(service, event)))
        })
        .configured("hello", |environment| {
            let service = with_settings(environment, |settings| hello::Service::new(settings, apigw::epoch_seconds));
            function(service, |service, event| Box::pin(hello::handle(service, event)))
        })
        .configured("issue", move |environment| {
            let service = with_settings(environment, |settings| issue::Service::new(settings, of_issue.clone()));
            function(service, |service, event| Box::pin(issue::handle(service, event)))
        })
        .configured("validate", move |environment| {
            let service = with_settings(environment, |settings| validate::Service::new(settings, of_validate.clone()));
            function(service, |service, event| Box::pin(validate::handle(service, event)))
        }))
}

/// A function's `handle`.
type Handle<S, R> = for<'a> fn(&'a S, Event) -> BoxFuture<'a, Result<R, Error>>;

/// Calls `new` with the settings in a function's environment.
fn with_settings<S>(environment: &Environment, new: impl FnOnce(Settings<'_>) -> S) -> S {
    new(Settings::new(&|name| variable(environment, name)))
}

/// Wraps a function as a handler from JSON to JSON.
fn function<S, R>(
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
    match name {
        // The template builds issuer and audience from stack and Region. There are none on this machine, so
        // its tokens say `local`, and no deployed stack accepts them.
        "TOKEN_ISSUER" => Some("local".to_owned()),
        "TOKEN_AUDIENCE" => Some("local/Prod".to_owned()),
        name => environment.get(name).cloned(),
    }
}

/// A key ring with one key, which is drawn from the operating system's randomness and never shown.
fn random_ring() -> Result<KeyRing, KeyRingError> {
    let key = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    KeyRing::from_json(json!({"active": "k1", "k1": key}).to_string().as_bytes())
}
