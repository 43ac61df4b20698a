//! `issue`: GET /tokens, a token on demand.

use std::sync::Arc;

use apigw::{ApiError, ConfigError, Responder, json, parsed, required, rfc3339};
use aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayProxyResponse};
use http::StatusCode;
use lambda_runtime::{Error, LambdaEvent};
use serde::Serialize;
use tokens::{
    Issuer, Jti, KeyStore, MAX_LIFETIME_SECONDS, MintError, Minter, Timestamp, TokenStore, claimant_of_invocation,
};
use uuid::Uuid;

/// Settings of the function, read once at cold start.
#[derive(Debug)]
pub struct Config {
    /// Whose tokens are issued (`TOKEN_ISSUER`, `TOKEN_AUDIENCE`).
    pub issuer: Issuer,
    /// Lifetime of a token in seconds, at most a day (`TOKEN_TTL_SECONDS`).
    pub token_ttl_seconds: u32,
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
        let is_ttl = |ttl: &u32| (1..=MAX_LIFETIME_SECONDS).contains(&u64::from(*ttl));
        Ok(Self {
            issuer: Issuer { iss: required(&lookup, "TOKEN_ISSUER")?, aud: required(&lookup, "TOKEN_AUDIENCE")? },
            token_ttl_seconds: parsed(&lookup, "TOKEN_TTL_SECONDS", "1 to 86400 seconds", is_ttl)?,
            responder: Responder::from_lookup(&lookup)?,
        })
    }
}

/// What the function needs to answer.
#[derive(Debug)]
pub struct Service {
    minter: Minter,
    responder: Responder,
    now: fn() -> Timestamp,
}

impl Service {
    /// The function over the given keys, store and clock.
    #[must_use]
    pub fn new(config: Config, keys: Arc<dyn KeyStore>, store: Arc<dyn TokenStore>, now: fn() -> Timestamp) -> Self {
        let minter = Minter::new(config.issuer, config.token_ttl_seconds, keys, store);
        Self { minter, responder: config.responder, now }
    }
}

/// The body of a success.
#[derive(Serialize)]
struct IssueResponse<'a> {
    token: &'a str,
    /// RFC 3339, UTC.
    expiration: String,
}

/// Answers `GET /tokens` with a new token.
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
        let host = apigw::host(request.request_context.domain_name.as_deref(), &request.headers);
        let minted_by = claimant_of_invocation(&context.request_id);
        let minted_by = minted_by.ok_or_else(|| ApiError::internal("the invocation has no request id"))?;
        let minted = service.minter.mint(Jti::new(Uuid::new_v4()), minted_by, host, (service.now)()).await;
        let minted = minted.map_err(|err| match err {
            MintError::Sign(_) => ApiError::internal(err),
            _ => ApiError::unavailable(err),
        })?;
        let expiration = rfc3339(minted.expires_at.0);
        Ok(json(StatusCode::OK, &IssueResponse { token: minted.token.expose(), expiration }))
    };
    Ok(service.responder.respond(apigw::request_id(&request), outcome).await)
}
