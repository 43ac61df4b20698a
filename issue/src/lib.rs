//! `issue`: `GET /tokens`, which mints a token on demand.
//!
//! Its tests are in `tests/handlers/issue.rs`.

use apigw::{ApiError, ConfigError, Event, Request, Responder, Response, Settings, rfc3339};
use http::StatusCode;
use lambda_runtime::Error;
use serde::Serialize;
use tokens::{
    Claimant, Insert, Issuer, Jti, MAX_LIFETIME_SECONDS, MAX_REVOKED_BEFORE, MintError, Minter, Ports, Timestamp,
};
use uuid::Uuid;

/// The state that all invocations of the function share.
#[derive(Debug)]
pub struct Service {
    minter: Minter,
    responder: Responder,
    is_open: bool,
    now: fn() -> Timestamp,
}

impl Service {
    /// Creates the function from its settings (`TOKEN_ISSUER`, `TOKEN_AUDIENCE`, `TOKEN_TTL_SECONDS`,
    /// `REVOKED_BEFORE`, `OPEN_ROUTES`, and those of [`Responder`]) and its ports.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable at fault and what it must be.
    pub fn new(settings: Settings<'_>, ports: Ports<impl Insert + 'static>) -> Result<Self, ConfigError> {
        let issuer = Issuer { iss: settings.text("TOKEN_ISSUER")?, aud: settings.text("TOKEN_AUDIENCE")? };
        let ttl_seconds = settings.number("TOKEN_TTL_SECONDS", 1..=MAX_LIFETIME_SECONDS)?;
        let revoked_before = Timestamp(settings.number("REVOKED_BEFORE", 0..=MAX_REVOKED_BEFORE)?);
        Ok(Self {
            minter: Minter::new(issuer, ttl_seconds, revoked_before, ports.keys, ports.store),
            responder: Responder::new(settings)?,
            is_open: settings.flag("OPEN_ROUTES")?,
            now: ports.now,
        })
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
pub async fn handle(service: &Service, event: Event) -> Result<Response, Error> {
    Ok(service.responder.respond(event, |request| issue(service, request)).await)
}

async fn issue(service: &Service, request: Request) -> Result<Response, ApiError> {
    if !service.is_open {
        return Err(ApiError::closed());
    }
    let minted_by = Claimant::of_invocation(&request.invocation_id)
        .ok_or_else(|| ApiError::internal("the invocation has no request id"))?;
    let minted = service.minter.mint(Jti::new(Uuid::new_v4()), minted_by, request.host, (service.now)()).await;
    let minted = minted.map_err(|err| match err {
        MintError::Sign(_) => ApiError::internal(err),
        _ => ApiError::unavailable(err),
    })?;
    let expiration = rfc3339(minted.expires_at.0);
    Ok(Response::json(StatusCode::OK, &IssueResponse { token: minted.token.expose(), expiration }))
}
