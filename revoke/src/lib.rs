//! `revoke`: `POST /tokens/revoke`, which revokes a token (RFC 7009).
//!
//! Its route is for operators: API Gateway checks their IAM permission. Its tests are in
//! `tests/handlers/revoke.rs`.

use apigw::{ApiError, ConfigError, Event, Request, Responder, Response, Settings};
use http::StatusCode;
use lambda_runtime::Error;
use serde::{Deserialize, Serialize};
use tokens::{Checker, Jti, MAX_REVOKED_BEFORE, Ports, Revoke, Revoker, Timestamp, Token};

/// The state that all invocations of the function share.
#[derive(Debug)]
pub struct Service {
    revoker: Revoker,
    responder: Responder,
    now: fn() -> Timestamp,
}

impl Service {
    /// Creates the function from its settings (`TOKEN_ISSUER`, `REVOKED_BEFORE`, and those of [`Responder`])
    /// and its ports.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable at fault and what it must be.
    pub fn new(settings: Settings<'_>, ports: Ports<impl Revoke + 'static>) -> Result<Self, ConfigError> {
        let revoked_before = Timestamp(settings.number("REVOKED_BEFORE", 0..=MAX_REVOKED_BEFORE)?);
        let checker = Checker::of_any_audience(&settings.text("TOKEN_ISSUER")?, revoked_before);
        Ok(Self {
            revoker: Revoker::new(checker, ports.keys, ports.store),
            responder: Responder::new(settings)?.for_oauth(),
            now: ports.now,
        })
    }
}

/// The parameters of a request, of which one is given. Unknown parameters are ignored, among them
/// `token_type_hint`: there is one type of token.
#[derive(Default, Deserialize)]
#[serde(default)]
struct RevokeRequest {
    token: String,
    jti: String,
}

/// The body of a success.
#[derive(Serialize)]
struct RevokeResponse {
    status: &'static str,
}

/// Revokes the token of the request, given itself or by its `jti`.
///
/// The answer is 200 also for a token that is not genuine, spent, expired or unknown (RFC 7009, section 2.2).
///
/// # Errors
///
/// None: every failure is a response.
pub async fn handle(service: &Service, event: Event) -> Result<Response, Error> {
    Ok(service.responder.respond(event, |request| revoke(service, request)).await)
}

async fn revoke(service: &Service, request: Request) -> Result<Response, ApiError> {
    const INVALID: ApiError =
        ApiError::invalid_request("The body is not a JSON object or a form with one string `token` or `jti`");

    let now = (service.now)();
    request.without_token_in_query()?;
    let RevokeRequest { token, jti } = request.json_or_form(INVALID)?;
    let revoked = match (token.is_empty(), jti.is_empty()) {
        // An invalid token is 200, but this one may have been valid before a shell added a line break.
        (false, true) if token.contains(char::is_whitespace) => {
            return Err(ApiError::invalid_request("`token` contains white space"));
        }
        (false, true) => service.revoker.revoke(&Token::new(token), now).await,
        (true, false) => {
            let jti = Jti::parse(&jti).ok_or(ApiError::invalid_request("`jti` is not a UUID"))?;
            service.revoker.revoke_by_id(&jti, now).await
        }
        (true, true) => return Err(ApiError::invalid_request("A `token` or a `jti` is required")),
        (false, false) => return Err(ApiError::invalid_request("Both a `token` and a `jti`")),
    };
    revoked.map_err(ApiError::unavailable)?;
    Ok(Response::json(StatusCode::OK, &RevokeResponse { status: "success" }))
}
