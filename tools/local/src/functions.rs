//! The functions of this project, as they are deployed, over one store and a random key.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use lambda_runtime::{Context, Error, LambdaEvent};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokens::{FixedKeyStore, InMemoryTokenStore, KeyRing, KeyRingError, KeyStore, Timestamp, TokenStore};
use uuid::Uuid;

use emulator::{Environment, Functions, Reply};

/// The functions of this project, over a store in memory.
///
/// # Errors
///
/// [`KeyRingError`] when the random key ring is none; it never is.
pub fn functions() -> Result<Functions, KeyRingError> {
    functions_over(Arc::new(InMemoryTokenStore::new()))
}

/// The functions of this project, all over `store` and one random key.
///
/// # Errors
///
/// As [`functions`].
pub fn functions_over(store: Arc<dyn TokenStore>) -> Result<Functions, KeyRingError> {
    let keys: Arc<dyn KeyStore> = Arc::new(FixedKeyStore::new(random_ring()?));
    let state = move || (Arc::clone(&keys), Arc::clone(&store));
    let (for_authorizer, for_issue, for_validate) = (state.clone(), state.clone(), state);
    Ok(Functions::default()
        .configured("authorizer", move |environment| {
            let config = authorizer::Config::from_lookup(lookup(environment)).map_err(message)?;
            let (keys, store) = for_authorizer();
            let service = authorizer::Service::new(config, keys, store, now);
            Ok(handler(service, |service, event| Box::pin(authorizer::handle(service, event))))
        })
        .configured("hello", |environment| {
            let config = hello::Config::from_lookup(lookup(environment)).map_err(message)?;
            let service = hello::Service::new(config, apigw::epoch_seconds);
            Ok(handler(service, |service, event| Box::pin(hello::handle(service, event))))
        })
        .configured("issue", move |environment| {
            let config = issue::Config::from_lookup(lookup(environment)).map_err(message)?;
            let (keys, store) = for_issue();
            let service = issue::Service::new(config, keys, store, now);
            Ok(handler(service, |service, event| Box::pin(issue::handle(service, event))))
        })
        .configured("validate", move |environment| {
            let config = validate::Config::from_lookup(lookup(environment)).map_err(message)?;
            let (keys, store) = for_validate();
            let service = validate::Service::new(config, keys, store, now);
            Ok(handler(service, |service, event| Box::pin(validate::handle(service, event))))
        }))
}

/// A function's `handle` over its service.
type Handle<S, E, R> = for<'a> fn(&'a S, LambdaEvent<E>) -> BoxFuture<'a, Result<R, Error>>;

/// A typed handler as one from JSON to JSON; its own errors quote nothing of an event or a reply.
fn handler<S, E, R>(
    service: S,
    handle: Handle<S, E, R>,
) -> impl Fn(Value, Context) -> BoxFuture<'static, Reply> + Send + Sync + 'static
where
    S: Send + Sync + 'static,
    E: DeserializeOwned + Send + 'static,
    R: Serialize + Send + 'static,
{
    let service = Arc::new(service);
    move |event, context| {
        let service = Arc::clone(&service);
        Box::pin(async move {
            let event = serde_json::from_value(event).map_err(|_| "the handler cannot read the event".to_owned())?;
            let reply = handle(&service, LambdaEvent::new(event, context)).await;
            let reply = reply.map_err(|err| apigw::chain(&*err))?;
            serde_json::to_value(reply).map_err(|_| "the handler's reply cannot be written".to_owned())
        })
    }
}

/// Looks a function's variables up, as its process environment would be.
fn lookup(environment: &Environment) -> impl Fn(&str) -> Option<String> {
    |name| match name {
        // The template names issuer and audience after stack and region, which this machine does not
        // have: its tokens say `local`, and no deployed stack takes them for its own.
        "TOKEN_ISSUER" => Some("local".to_owned()),
        "TOKEN_AUDIENCE" => Some("local/Prod".to_owned()),
        name => environment.get(name).cloned(),
    }
}

/// A key ring with one key from the operating system's randomness, which nobody ever sees.
fn random_ring() -> Result<KeyRing, KeyRingError> {
    let key = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    KeyRing::from_json(json!({"active": "k1", "k1": key}).to_string().as_bytes())
}

/// The clock of the functions.
fn now() -> Timestamp {
    Timestamp(apigw::epoch_seconds())
}

/// What an error says, as Lambda reports it.
fn message(err: impl std::fmt::Display) -> String {
    err.to_string()
}
