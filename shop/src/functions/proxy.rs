//! `proxy`: `/staff/products` and `/staff/products/{id}`, the API of products for staff.
//!
//! A person signs in; the API of products knows no people and requires a key. The proxy decides by the role of the person
//! what they may do, and adds the key, which no page ever has. Only the method, the ID and the body go on.

use std::sync::{Arc, Mutex, PoisonError};

use apigw::{ApiError, ConfigError, Event, Request, Responder, Response, Settings};
use http::{HeaderMap, HeaderValue, StatusCode, header::CONTENT_TYPE};
use lambda_runtime::Error;

use super::{Staff, path_parameter, products::NOT_FOUND};
use crate::{ApiKey, Call, KeySource, ProductId, ProductsApi, Reply, Unavailable};

/// The state that all invocations of the function share.
pub struct Service {
    ports: Ports,
    /// The key, when it has been read.
    key: Mutex<Option<ApiKey>>,
    staff: Staff,
    responder: Responder,
}

/// What the function needs besides its settings.
#[derive(Clone)]
pub struct Ports {
    /// The API of products.
    pub api: Arc<dyn ProductsApi>,
    /// Where its key is kept.
    pub key: Arc<dyn KeySource>,
}

impl Service {
    /// Creates the function from its settings (`CLIENT_ID`, and those of [`Responder`]) and its ports.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable at fault and what it must be.
    pub fn new(settings: Settings<'_>, ports: Ports) -> Result<Self, ConfigError> {
        Ok(Self { ports, key: Mutex::default(), staff: Staff::new(settings)?, responder: Responder::new(settings)? })
    }

    /// Reads the key before the first request. Never fatal: the first request reads it again if that failed.
    pub async fn warm_up(&self) {
        _ = self.read_key().await;
    }

    /// Reads the key and keeps it.
    async fn read_key(&self) -> Result<ApiKey, Unavailable> {
        let key = self.ports.key.read().await?;
        *self.key.lock().unwrap_or_else(PoisonError::into_inner) = Some(key.clone());
        Ok(key)
    }

    /// The key that was read last, or else the key.
    async fn key(&self) -> Result<ApiKey, Unavailable> {
        let kept = self.key.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match kept {
            Some(key) => Ok(key),
            None => self.read_key().await,
        }
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ports").finish_non_exhaustive()
    }
}

/// Answers as the API of products does, if the role of the person allows the call.
///
/// # Errors
///
/// None: every failure is a response.
pub async fn handle(service: &Service, event: Event) -> Result<Response, Error> {
    Ok(service.responder.respond(event, |request| proxy(service, request)).await)
}

async fn proxy(service: &Service, request: Request) -> Result<Response, ApiError> {
    let id = path_parameter(&request, "id");
    if !service.staff.role(&request)?.may_call(&request.method, id.is_some()) {
        return Err(ApiError::forbidden("Only an admin may do this"));
    }
    // Nothing but an ID gets into a path.
    let id = id.map(|id| ProductId::parse(&id).ok_or(NOT_FOUND)).transpose()?;
    let call = Call { body: request.body()?.unwrap_or_default(), method: request.method, id };

    let mut reply = call_with(service, &service.key().await.map_err(ApiError::unavailable)?, &call).await?;
    if reply.status == StatusCode::FORBIDDEN {
        // The key may have been replaced.
        let key = service.read_key().await.map_err(ApiError::unavailable)?;
        reply = call_with(service, &key, &call).await?;
    }
    answer(reply)
}

async fn call_with(service: &Service, key: &ApiKey, call: &Call) -> Result<Reply, ApiError> {
    service.ports.api.call(key, call).await.map_err(ApiError::unavailable)
}

/// The reply of the API of products as an answer: its status and its body, under the headers of this API.
fn answer(Reply { status, body }: Reply) -> Result<Response, ApiError> {
    match status {
        200..=299 | 400 | 404 | 409 | 413 | 429 => {
            let mut headers = HeaderMap::new();
            if !body.is_empty() {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            }
            Ok(Response { status_code: status, headers, body })
        }
        // It has failed, or it refuses the key: not what the person did.
        _ => Err(ApiError::unavailable(format!("the API of products replied {status}"))),
    }
}
