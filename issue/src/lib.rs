//! `issue`: mints tokens on demand: `GET /tokens` for anyone, `POST /tokens/mint` for backends.
//!
//! API Gateway checks the IAM permission of a backend. The tests are in `tests/handlers/issue.rs`.

use apigw::{ApiError, ConfigError, Event, Request, Responder, Response, Settings, rfc3339};
use http::{Method, StatusCode};
use lambda_runtime::Error;
use serde::{Deserialize, Serialize};
use tokens::{
    Claimant, Insert, Jti, MAX_LIFETIME_SECONDS, MAX_REVOKED_BEFORE, MintError, Minted, Minter, NewToken, Ports,
    Timestamp, audience,
};
use uuid::Uuid;

/// The state that all invocations of the function share.
#[derive(Debug)]
pub struct Service {
    minter: Minter,
    iss: String,
    /// The audience of the tokens for anyone.
    aud: String,
    ttl_seconds: u64,
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
        let iss = settings.text("TOKEN_ISSUER")?;
        let revoked_before = Timestamp(settings.number("REVOKED_BEFORE", 0..=MAX_REVOKED_BEFORE)?);
        Ok(Self {
            minter: Minter::new(iss.clone(), revoked_before, ports.keys, ports.store),
            iss,
            aud: settings.text("TOKEN_AUDIENCE")?,
            ttl_seconds: settings.number("TOKEN_TTL_SECONDS", 1..=MAX_LIFETIME_SECONDS)?,
            responder: Responder::new(settings)?,
            is_open: settings.flag("OPEN_ROUTES")?,
            now: ports.now,
        })
    }
}

/// The body of a success of `GET /tokens`.
#[derive(Serialize)]
struct IssueResponse<'a> {
    token: &'a str,
    /// RFC 3339, UTC.
    expiration: String,
}

/// The body of `POST /tokens/mint`. Unknown members are ignored.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MintRequest {
    /// The name of the audience.
    audience: String,
    /// The lifetime of the token.
    ttl_seconds: Option<u64>,
}

/// The body of a success of `POST /tokens/mint`.
#[derive(Serialize)]
struct MintResponse<'a> {
    token: &'a str,
    /// RFC 3339, UTC.
    expiration: String,
    /// The backend's key to what the token is for. A guard passes it on.
    jti: String,
}

/// Answers with a new token.
///
/// # Errors
///
/// None: every failure is a response.
pub async fn handle(service: &Service, event: Event) -> Result<Response, Error> {
    // The two routes have different methods.
    let issue = async |request: Request| {
        if *request.method == Method::POST { mint(service, request).await } else { issue(service, request).await }
    };
    Ok(service.responder.respond(event, issue).await)
}

/// `GET /tokens`: a token for anyone.
async fn issue(service: &Service, request: Request) -> Result<Response, ApiError> {
    if !service.is_open {
        return Err(ApiError::closed());
    }
    let minted = new_token(service, request, service.aud.clone(), service.ttl_seconds).await?;
    let expiration = rfc3339(minted.expires_at.0);
    Ok(Response::json(StatusCode::OK, &IssueResponse { token: minted.token.expose(), expiration }))
}

/// `POST /tokens/mint`: a token that only a backend can mint, for a named audience.
async fn mint(service: &Service, request: Request) -> Result<Response, ApiError> {
    const INVALID: ApiError = ApiError::invalid_request(
        "The body is not a JSON object with a string `audience` and, if given, a whole number `ttlSeconds`",
    );

    let MintRequest { audience: name, ttl_seconds } = request.json(INVALID)?.ok_or(INVALID)?;
    // The stage's audience is that of the tokens which anyone can mint.
    let aud = audience(&service.iss, &name).filter(|aud| *aud != service.aud).ok_or(ApiError::invalid_request(
        "`audience` is not 1 to 64 letters, digits, `.`, `_` and `-`, or it is the name of the stage",
    ))?;
    let ttl_seconds = ttl_seconds.unwrap_or(service.ttl_seconds);
    if !(1..=MAX_LIFETIME_SECONDS).contains(&ttl_seconds) {
        return Err(ApiError::invalid_request("`ttlSeconds` is not from 1 to 86400"));
    }
    let minted = new_token(service, request, aud, ttl_seconds).await?;
    let (expiration, jti) = (rfc3339(minted.expires_at.0), minted.jti.to_string());
    Ok(Response::json(StatusCode::OK, &MintResponse { token: minted.token.expose(), expiration, jti }))
}

/// Mints a token.
async fn new_token(service: &Service, request: Request, aud: String, ttl_seconds: u64) -> Result<Minted, ApiError> {
    let minted_by = Claimant::of_invocation(&request.invocation_id)
        .ok_or_else(|| ApiError::internal("the invocation has no request id"))?;
    let jti = Jti::new(Uuid::new_v4());
    let new = NewToken { jti, aud, ttl_seconds, minted_by, host: request.host };
    service.minter.mint(new, (service.now)()).await.map_err(|err| match err {
        MintError::Sign(_) => ApiError::internal(err),
        _ => ApiError::unavailable(err),
    })
}
