//! `report_link`: `POST /report-link`, which the guard lets through once for each token of a mailed link.

use std::sync::Arc;

use apigw::{ApiError, ConfigError, Event, Request, Responder, Response, Settings, SpentContext};
use http::StatusCode;
use lambda_runtime::Error;
use serde::Serialize;
use serde_json::Value;
use tokens::Jti;

use crate::Documents;

/// How many seconds the URL is valid: long enough to follow it, and too short to keep it.
const URL_SECONDS: u32 = 60;

/// The state that all invocations of the function share.
pub struct Service {
    documents: Arc<dyn Documents>,
    responder: Responder,
}

impl Service {
    /// Creates the function from its settings (those of [`Responder`]) and the files of the reports.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable at fault and what it must be.
    pub fn new(settings: Settings<'_>, documents: Arc<dyn Documents>) -> Result<Self, ConfigError> {
        Ok(Self { documents, responder: Responder::new(settings)? })
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}

/// The body of a success.
#[derive(Serialize)]
struct LinkResponse {
    url: String,
    expires_in: u32,
}

/// Answers with the URL of the report that the token opens.
///
/// # Errors
///
/// None: every failure is a response.
pub async fn handle(service: &Service, event: Event) -> Result<Response, Error> {
    Ok(service.responder.respond(event, |request| open(service, request)).await)
}

async fn open(service: &Service, request: Request) -> Result<Response, ApiError> {
    let context = serde_json::from_value::<SpentContext>(Value::Object(request.authorizer)).ok();
    // A decision for another request was cached: the token would open the report more than once.
    let context = context.filter(|context| context.spent_for == request.request_id);
    let id = context.and_then(|context| Jti::parse(&context.jti));
    let id = id.ok_or_else(|| ApiError::internal("the guard has not let this request through"))?;
    let url = service.documents.url(&id, URL_SECONDS).await.map_err(ApiError::unavailable)?;
    Ok(Response::json(StatusCode::OK, &LinkResponse { url, expires_in: URL_SECONDS }))
}
