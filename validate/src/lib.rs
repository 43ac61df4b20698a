//! `validate`: POST /validate and POST /tokens, which spend a token.

mod request;

use std::sync::Arc;

use apigw::{ApiError, ConfigError, Responder, json, parsed, required};
use aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayProxyResponse};
use http::StatusCode;
use lambda_runtime::{Error, LambdaEvent};
use serde::Serialize;
use tokens::{Caller, Checker, Issuer, KeyStore, Refusal, SpendError, Spender, Timestamp, TokenStore};

/// Settings of the function, read once at cold start.
#[derive(Debug)]
pub struct Config {
    /// Whose tokens are accepted (`TOKEN_ISSUER`, `TOKEN_AUDIENCE`).
    pub issuer: Issuer,
    /// Tokens minted at this second or before are revoked; 0 for none (`REVOKED_BEFORE`).
    pub revoked_before: Timestamp,
    /// The headers of the responses (`ALLOWED_ORIGIN`, `EXPOSED_HEADERS`).
    pub responder: Responder,
}

impl Config {
    /// Reads every setting through `lookup`, so that tests need no process environment.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable at fault.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        Ok(Self {
            issuer: Issuer { iss: required(&lookup, "TOKEN_ISSUER")?, aud: required(&lookup, "TOKEN_AUDIENCE")? },
            revoked_before: Timestamp(parsed(&lookup, "REVOKED_BEFORE", "seconds since the epoch", |_| true)?),
            responder: Responder::from_lookup(&lookup)?.for_spending(),
        })
    }
}

/// What the function needs to answer.
#[derive(Debug)]
pub struct Service {
    spender: Spender,
    responder: Responder,
    now: fn() -> Timestamp,
}

impl Service {
    /// The function over the given keys, store and clock.
    #[must_use]
    pub fn new(config: Config, keys: Arc<dyn KeyStore>, store: Arc<dyn TokenStore>, now: fn() -> Timestamp) -> Self {
        let checker = Checker::new(&config.issuer, config.revoked_before);
        Self { spender: Spender::new(checker, keys, store), responder: config.responder, now }
    }
}

/// The body of a success.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ValidateResponse {
    is_valid: bool,
    message: &'static str,
    /// The same client was told so before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    replayed: bool,
}

/// Spends the token of the request.
///
/// # Errors
///
/// None: every failure is a response.
pub async fn handle(
    service: &Service,
    event: LambdaEvent<ApiGatewayProxyRequest>,
) -> Result<ApiGatewayProxyResponse, Error> {
    let LambdaEvent { payload: request, context } = event;
    let outcome = async {
        let now = (service.now)();
        let token = request::token(&request)?;
        let caller = request::caller(&request, &context.request_id)?;
        let spent = service.spender.spend(&token, &caller, now).await.map_err(api_error)?;
        // To a client that did not ask, the SDK's own retry is nobody's business.
        let replayed = spent.replayed && matches!(caller, Caller::Client(_));
        let message = "Token validated successfully";
        Ok(json(StatusCode::OK, &ValidateResponse { is_valid: true, message, replayed }))
    };
    Ok(service.responder.respond(apigw::request_id(&request), outcome).await)
}

/// How a spend that failed is told: a refusal with its reason, and else as an outcome not known.
fn api_error(err: SpendError) -> ApiError {
    match err {
        SpendError::Refused(refusal @ Refusal::AlreadyUsed { used_at }) => {
            ApiError::refused(refusal.reason(), Some(used_at.0))
        }
        SpendError::Refused(refusal) => ApiError::refused(refusal.reason(), None),
        SpendError::Keys(_) | SpendError::Store(_) => ApiError::unavailable(err),
    }
}
