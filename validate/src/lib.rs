//! `validate`: `POST /validate` and `POST /tokens`, which spend a token.
//!
//! Its tests are in `tests/handlers/validate.rs`, `idempotency.rs` and `attacks/`.

mod request;

use apigw::{ApiError, ConfigError, Event, Request, Responder, Response, Settings, metrics};
use http::StatusCode;
use lambda_runtime::Error;
use serde::Serialize;
use tokens::{Caller, Checker, Issuer, MAX_REVOKED_BEFORE, Ports, Spend, SpendError, Spender, Timestamp};

/// The state that all invocations of the function share.
#[derive(Debug)]
pub struct Service {
    spender: Spender,
    responder: Responder,
    now: fn() -> Timestamp,
}

impl Service {
    /// Creates the function from its settings (`TOKEN_ISSUER`, `TOKEN_AUDIENCE`, `REVOKED_BEFORE`, and
    /// those of [`Responder`]) and its ports.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable at fault and what it must be.
    pub fn new(settings: Settings<'_>, ports: Ports<impl Spend + 'static>) -> Result<Self, ConfigError> {
        let issuer = Issuer { iss: settings.text("TOKEN_ISSUER")?, aud: settings.text("TOKEN_AUDIENCE")? };
        let revoked_before = Timestamp(settings.number("REVOKED_BEFORE", 0..=MAX_REVOKED_BEFORE)?);
        Ok(Self {
            spender: Spender::new(Checker::new(&issuer, revoked_before), ports.keys, ports.store),
            responder: Responder::new(settings)?.for_spending(),
            now: ports.now,
        })
    }
}

/// The body of a success.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ValidateResponse {
    is_valid: bool,
    message: &'static str,
    /// The same client got this answer before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    replayed: bool,
}

/// Spends the token of the request.
///
/// # Errors
///
/// None: every failure is a response.
pub async fn handle(service: &Service, event: Event) -> Result<Response, Error> {
    Ok(service.responder.respond(event, |request| validate(service, request)).await)
}

async fn validate(service: &Service, request: Request) -> Result<Response, ApiError> {
    let now = (service.now)();
    let token = request::token(&request)?;
    let caller = request::caller(&request)?;
    let spent = service.spender.spend(&token, &caller, now).await.map_err(api_error)?;
    // A client without a key cannot repeat its claim, so this replay was a retry of the SDK.
    let replayed = spent.replayed && matches!(caller, Caller::Client(_));
    if replayed {
        metrics::replayed(&request.request_id);
    }
    let message = "Token validated successfully";
    Ok(Response::json(StatusCode::OK, &ValidateResponse { is_valid: true, message, replayed }))
}

/// The answer to a spend that failed: a refusal with its reason, else an unknown outcome.
fn api_error(err: SpendError) -> ApiError {
    match err {
        SpendError::Refused(refusal) => ApiError::refused(refusal.reason(), refusal.used_at().map(|used_at| used_at.0)),
        SpendError::Keys(_) | SpendError::Store(_) => ApiError::unavailable(err),
    }
}
