//! `hello`: the protected API, which hands the token of its authorizer out.

use apigw::{ApiError, ConfigError, MintedContext, Responder, X_ACCESS_TOKEN, json, parse_rfc3339, required};
use aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayProxyResponse};
use http::{HeaderValue, StatusCode};
use lambda_runtime::{Error, LambdaEvent};
use serde::Serialize;

/// The oldest decision of an authorizer that is believed to be this request's, in seconds.
const MAX_DECISION_AGE_SECONDS: u64 = 10;

/// What to do with a decision that was made for another request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CachedPolicyCheck {
    /// Answer 500 and log it.
    Refuse,
    /// Only log it.
    Count,
}

/// Settings of the function, read once at cold start.
#[derive(Debug)]
pub struct Config {
    /// What to do with a decision that was made for another request (`CACHED_POLICY_CHECK`).
    pub cached_policy_check: CachedPolicyCheck,
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
        let cached_policy_check = match required(&lookup, "CACHED_POLICY_CHECK")?.as_str() {
            "refuse" => CachedPolicyCheck::Refuse,
            "count" => CachedPolicyCheck::Count,
            _ => return Err(ConfigError::Bad { variable: "CACHED_POLICY_CHECK", expected: "refuse or count" }),
        };
        Ok(Self { cached_policy_check, responder: Responder::from_lookup(&lookup)? })
    }
}

/// What the function needs to answer.
#[derive(Debug)]
pub struct Service {
    config: Config,
    now: fn() -> u64,
}

impl Service {
    /// The function with the given settings and a clock of epoch seconds.
    #[must_use]
    pub const fn new(config: Config, now: fn() -> u64) -> Self {
        Self { config, now }
    }
}

/// The body of a success.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HelloResponse {
    access_token: String,
    expires_at: String,
    status: &'static str,
}

/// Answers with the token that the authorizer minted for this request.
///
/// # Errors
///
/// None: every failure is a response.
pub async fn handle(
    service: &Service,
    event: LambdaEvent<ApiGatewayProxyRequest>,
) -> Result<ApiGatewayProxyResponse, Error> {
    let request_id = apigw::request_id(&event.payload);
    Ok(service.config.responder.respond(request_id, async { hello(service, &event.payload) }).await)
}

/// The answer with the token of the authorizer's context.
fn hello(service: &Service, request: &ApiGatewayProxyRequest) -> Result<ApiGatewayProxyResponse, ApiError> {
    let context = minted_context(request)?;
    if is_cached(&context, apigw::request_id(request), (service.now)()) {
        match service.config.cached_policy_check {
            CachedPolicyCheck::Refuse => return Err(ApiError::internal("the authorizer's decision was cached")),
            CachedPolicyCheck::Count => tracing::warn!("the authorizer's decision was cached"),
        }
    }
    let header = HeaderValue::from_str(&context.access_token).map_err(ApiError::internal)?;
    let body = HelloResponse { access_token: context.access_token, expires_at: context.expires_at, status: "success" };
    let mut response = json(StatusCode::OK, &body);
    response.headers.insert(X_ACCESS_TOKEN, header);
    Ok(response)
}

/// The authorizer's context, which nothing a client sends can stand in for.
fn minted_context(request: &ApiGatewayProxyRequest) -> Result<MintedContext, ApiError> {
    let fields = &request.request_context.authorizer.fields;
    let context = serde_json::from_value(serde_json::Value::from_iter(fields.clone()));
    // Serde's message could repeat a value of the context, and one of them is a token.
    context.map_err(|_| ApiError::internal("the request has no context of the minting authorizer"))
}

/// Whether the decision was made for another request, so that two callers would share a token.
///
/// A detector and no barrier: clients can choose their request id.
fn is_cached(context: &MintedContext, request_id: &str, now: u64) -> bool {
    let is_recent = parse_rfc3339(&context.decided_at)
        .is_some_and(|decided| now.saturating_sub(decided) <= MAX_DECISION_AGE_SECONDS);
    context.minted_for != request_id || !is_recent
}
