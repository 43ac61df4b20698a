//! `hello`: the protected API. `GET /hello` returns the token that its authorizer minted, and `POST /hello`
//! runs at most once for each token: its guard has spent it.
//!
//! Its tests are in `tests/handlers/hello.rs`.

use apigw::{
    ApiError, ConfigError, Event, MintedContext, Request, Responder, Response, Settings, SpentContext, X_ACCESS_TOKEN,
    metrics, parse_rfc3339,
};
use http::{HeaderValue, Method, StatusCode};
use lambda_runtime::Error;
use serde::Serialize;
use serde_json::Value;

/// The maximum age of an authorizer's decision, in seconds. An older one counts as another request's.
const MAX_DECISION_AGE_SECONDS: u64 = 10;

/// What to do with a decision that was made for another request.
#[derive(Clone, Copy, Debug)]
enum CachedPolicyCheck {
    /// Count it and answer 500.
    Refuse,
    /// Only count it.
    Count,
}

/// The state that all invocations of the function share.
#[derive(Debug)]
pub struct Service {
    cached_policy_check: CachedPolicyCheck,
    responder: Responder,
    is_open: bool,
    now: fn() -> u64,
}

impl Service {
    /// Creates the function from its settings (`CACHED_POLICY_CHECK`, `OPEN_ROUTES`, and those of
    /// [`Responder`]) and a clock of seconds since the Unix epoch.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable at fault and what it must be.
    pub fn new(settings: Settings<'_>, now: fn() -> u64) -> Result<Self, ConfigError> {
        let checks = [("refuse", CachedPolicyCheck::Refuse), ("count", CachedPolicyCheck::Count)];
        Ok(Self {
            cached_policy_check: settings.choice("CACHED_POLICY_CHECK", &checks)?,
            responder: Responder::new(settings)?,
            is_open: settings.flag("OPEN_ROUTES")?,
            now,
        })
    }
}

/// The body of a success of `GET /hello`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HelloResponse {
    access_token: String,
    expires_at: String,
    status: &'static str,
}

/// The body of a success of `POST /hello`.
#[derive(Serialize)]
struct GuardedResponse {
    status: &'static str,
}

/// Answers with the token that the authorizer minted for this request, or that the guard let it through.
///
/// # Errors
///
/// None: every failure is a response.
pub async fn handle(service: &Service, event: Event) -> Result<Response, Error> {
    let hello = async |request: Request| {
        if *request.method == Method::POST { guarded(service, request) } else { hello(service, request) }
    };
    Ok(service.responder.respond(event, hello).await)
}

/// `POST /hello`: what a token is needed for.
fn guarded(service: &Service, request: Request) -> Result<Response, ApiError> {
    let context = serde_json::from_value::<SpentContext>(Value::Object(request.authorizer)).ok();
    let context = context
        .filter(|context| !context.jti.is_empty())
        .ok_or_else(|| ApiError::internal("the request was not let through by the guard"))?;
    refuse_cached(service, &context.spent_for, &context.decided_at, &request.request_id)?;
    Ok(Response::json(StatusCode::OK, &GuardedResponse { status: "success" }))
}

/// `GET /hello`: the token that was minted for this request.
fn hello(service: &Service, request: Request) -> Result<Response, ApiError> {
    if !service.is_open {
        return Err(ApiError::closed());
    }
    // Serde's message could repeat a value of the context, and one of them is a token.
    let context = serde_json::from_value::<MintedContext>(Value::Object(request.authorizer)).ok();
    // Without a token while OpenRoutes changes: the authorizer is closed already, and this function not yet.
    let context = context
        .filter(|context| !context.access_token.is_empty())
        .ok_or_else(|| ApiError::internal("the request has no token of the minting authorizer"))?;
    refuse_cached(service, &context.minted_for, &context.decided_at, &request.request_id)?;
    let header = HeaderValue::from_str(&context.access_token).map_err(ApiError::internal)?;
    let body = HelloResponse { access_token: context.access_token, expires_at: context.expires_at, status: "success" };
    let mut response = Response::json(StatusCode::OK, &body);
    response.headers.insert(X_ACCESS_TOKEN, header);
    Ok(response)
}

/// Counts a decision that was made for another request than `request_id`, so that two callers
/// would share a token, and refuses it, unless the setting is to count it only.
///
/// This detects a misconfiguration. It does not stop an attack: clients can choose their request id.
fn refuse_cached(service: &Service, decided_for: &str, decided_at: &str, request_id: &str) -> Result<(), ApiError> {
    let is_recent = parse_rfc3339(decided_at)
        .is_some_and(|decided| (service.now)().saturating_sub(decided) <= MAX_DECISION_AGE_SECONDS);
    if decided_for == request_id && is_recent {
        return Ok(());
    }
    metrics::cached_policy(request_id);
    match service.cached_policy_check {
        CachedPolicyCheck::Refuse => Err(ApiError::internal("the authorizer's decision was cached")),
        CachedPolicyCheck::Count => Ok(()),
    }
}
