//! `inspect`: `POST /tokens/introspect`, which returns the state of a token (RFC 7662).
//!
//! Its route is for operators: API Gateway checks their IAM permission. Its tests are in
//! `tests/handlers/inspect.rs`.

use apigw::{ApiError, ConfigError, Event, Request, Responder, Response, Settings, rfc3339};
use http::StatusCode;
use lambda_runtime::Error;
use serde::{Deserialize, Serialize};
use tokens::{Checker, Claims, Find, Inspection, Inspector, MAX_REVOKED_BEFORE, Ports, Refusal, Row, Timestamp, Token};

/// The state that all invocations of the function share.
#[derive(Debug)]
pub struct Service {
    inspector: Inspector,
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
    pub fn new(settings: Settings<'_>, ports: Ports<impl Find + 'static>) -> Result<Self, ConfigError> {
        let revoked_before = Timestamp(settings.number("REVOKED_BEFORE", 0..=MAX_REVOKED_BEFORE)?);
        let checker = Checker::of_any_audience(&settings.text("TOKEN_ISSUER")?, revoked_before);
        Ok(Self {
            inspector: Inspector::new(checker, ports.keys, ports.store),
            responder: Responder::new(settings)?.for_oauth(),
            now: ports.now,
        })
    }
}

/// The parameters of a request. Unknown parameters are ignored, among them `token_type_hint`: there is one
/// type of token.
#[derive(Default, Deserialize)]
#[serde(default)]
struct IntrospectRequest {
    token: String,
}

/// The body of a success. For a token that is not genuine it is `{"active": false}` alone.
#[derive(Serialize)]
struct IntrospectResponse<'a> {
    /// Whether a new claimant could spend the token now.
    active: bool,
    #[serde(flatten)]
    token: Option<GenuineToken<'a>>,
}

/// What is known of a genuine token: its claims, and extensions of RFC 7662, section 2.2.
///
/// That section advises against saying more than `active` of an inactive token. Here only an operator asks, who
/// wants to know what happened.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GenuineToken<'a> {
    #[serde(flatten)]
    claims: &'a Claims,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    used_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a str>,
}

/// Answers with the state of the token of the request, and never spends it.
///
/// # Errors
///
/// None: every failure is a response.
pub async fn handle(service: &Service, event: Event) -> Result<Response, Error> {
    Ok(service.responder.respond(event, |request| inspect(service, request)).await)
}

async fn inspect(service: &Service, request: Request) -> Result<Response, ApiError> {
    const INVALID: ApiError =
        ApiError::invalid_request("The body is not a JSON object or a form with one string `token`");

    let now = (service.now)();
    request.without_token_in_query()?;
    let IntrospectRequest { token } = request.json_or_form(INVALID)?;
    if token.is_empty() {
        return Err(ApiError::invalid_request("A `token` is required"));
    }
    let inspection = service.inspector.inspect(&Token::new(token), now).await.map_err(ApiError::unavailable)?;
    let body = IntrospectResponse {
        active: inspection.as_ref().is_some_and(|inspection| inspection.refusal.is_none()),
        token: inspection.as_ref().map(genuine_token),
    };
    Ok(Response::json(StatusCode::OK, &body))
}

/// What an inspection says of a token.
fn genuine_token(inspection: &Inspection) -> GenuineToken<'_> {
    let Inspection { claims, refusal, row } = inspection;
    let time = |time: fn(&Row) -> Option<Timestamp>| row.as_ref().and_then(time).map(|time| rfc3339(time.0));
    GenuineToken {
        claims,
        state: refusal.map_or("unspent", Refusal::reason),
        used_at: time(|row| row.used_at),
        revoked_at: time(|row| row.revoked_at),
        host: row.as_ref().and_then(|row| row.host.as_deref()),
    }
}
