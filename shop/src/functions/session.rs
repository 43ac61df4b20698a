//! `session`: `POST /auth/exchange` (also `/exchange-token`), `/auth/refresh` and `/auth/logout`.
//!
//! The refresh token never reaches the page. It is in a cookie that scripts cannot read, and that a browser sends to
//! this host alone and from no other site. Claims are not read here: API Gateway checks the access tokens.

use std::sync::Arc;

use apigw::{ApiError, ConfigError, Event, Request, Responder, Response, Settings, metrics};
use http::{
    HeaderValue, StatusCode,
    header::{ACCESS_CONTROL_ALLOW_CREDENTIALS, COOKIE, ORIGIN, SET_COOKIE},
};
use lambda_runtime::Error;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{IdentityProvider, PageTokens, RefreshToken};

/// The name of the cookie. With this prefix a browser takes it only with `Secure`, `Path=/` and no `Domain`.
const NAME: &str = "__Host-refresh";

/// The attributes of the cookie besides its age.
const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Strict";

/// The age of the cookie: the life of a refresh token in the template.
const MAX_AGE_SECONDS: u32 = 86_400;

/// The state that all invocations of the function share.
pub struct Service {
    provider: Arc<dyn IdentityProvider>,
    site: String,
    responder: Responder,
}

impl Service {
    /// Creates the function from its settings (`ALLOWED_ORIGIN`, and those of [`Responder`]) and its ports.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable at fault and what it must be.
    pub fn new(settings: Settings<'_>, provider: Arc<dyn IdentityProvider>) -> Result<Self, ConfigError> {
        Ok(Self { provider, site: settings.text("ALLOWED_ORIGIN")?, responder: Responder::new(settings)? })
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}

/// The body of `POST /auth/exchange`. Members that are not here are ignored; one that is there twice is refused.
#[derive(Deserialize)]
struct ExchangeRequest {
    #[serde(default)]
    code: Value,
    #[serde(default)]
    code_verifier: Value,
}

/// The body of a success of `POST /auth/exchange` and `/auth/refresh`.
#[derive(Serialize)]
struct TokensResponse {
    access_token: String,
    id_token: String,
    expires_in: u64,
    token_type: &'static str,
}

/// Exchanges a code, refreshes the tokens, or signs out.
///
/// # Errors
///
/// None: every failure is a response.
pub async fn handle(service: &Service, event: Event) -> Result<Response, Error> {
    let mut refreshes = false;
    let respond = service.responder.respond(event, |request| {
        refreshes = route(&request) == "refresh";
        session(service, request)
    });
    let mut response = respond.await;
    if refreshes && response.status_code == StatusCode::UNAUTHORIZED {
        response.headers.insert(SET_COOKIE, set_cookie("", 0));
    }
    // A page can read the response to a request with cookies only with this header.
    response.headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    Ok(response)
}

/// The last segment of the path.
fn route(request: &Request) -> &str {
    request.path.rsplit('/').next().unwrap_or_default()
}

async fn session(service: &Service, request: Request) -> Result<Response, ApiError> {
    // A browser sends the origin of the page with each POST. The form of another site could sign a person in under
    // another name; and the cookie is sent from each port of this host.
    if !request.header_values(ORIGIN.as_str()).eq([service.site.as_str()]) {
        return Err(ApiError::forbidden("Only the page of the shop may do this"));
    }
    match route(&request) {
        "exchange" | "exchange-token" => exchange(service, &request).await,
        "refresh" => refresh(service, &request).await,
        "logout" => Ok(logout(service, &request).await),
        _ => Err(ApiError::internal("the route is not one of this function")),
    }
}

/// 200 with tokens for the code of a sign-in, and the cookie.
async fn exchange(service: &Service, request: &Request) -> Result<Response, ApiError> {
    const INVALID: ApiError =
        ApiError::invalid_request("The body is not a JSON object with `code` and `code_verifier`, each once");
    const CODE: ApiError = ApiError::invalid_request("`code` is not 1 to 2048 visible ASCII characters");
    const VERIFIER: ApiError =
        ApiError::invalid_request("`code_verifier` is not 43 to 128 letters, digits and - . _ ~");

    let body: ExchangeRequest = request.json(INVALID)?.ok_or(INVALID)?;
    let is_code = |code: &&str| (1..=2048).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_graphic());
    let code = body.code.as_str().filter(is_code).ok_or(CODE)?;
    // RFC 7636, section 4.1.
    let is_verifier = |verifier: &&str| {
        let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        (43..=128).contains(&verifier.len()) && verifier.bytes().all(is_unreserved)
    };
    let verifier = body.code_verifier.as_str().filter(is_verifier).ok_or(VERIFIER)?;
    let exchanged = service.provider.exchange(code, verifier).await.map_err(ApiError::unavailable)?;
    let (tokens, refresh_token) = exchanged.ok_or_else(|| ApiError::refused("invalid_grant", None))?;
    let mut response = success(tokens);
    response.headers.insert(SET_COOKIE, set_cookie(refresh_token.expose(), MAX_AGE_SECONDS));
    Ok(response)
}

/// 200 with new tokens; the cookie stays. 401 without a cookie, or if its token has ended.
async fn refresh(service: &Service, request: &Request) -> Result<Response, ApiError> {
    let signed_out = || ApiError::refused("signed_out", None);
    let token = cookie(request).ok_or_else(signed_out)?;
    let tokens = service.provider.refresh(&token).await.map_err(ApiError::unavailable)?;
    Ok(success(tokens.ok_or_else(signed_out)?))
}

/// 200: the cookie is gone from the browser, and its token has ended if the provider can be reached.
async fn logout(service: &Service, request: &Request) -> Response {
    if let Some(token) = cookie(request)
        && let Err(err) = service.provider.revoke(&token).await
    {
        metrics::unavailable("a refresh token was not revoked", Some(&err), &request.request_id);
    }
    let mut response = Response::json(StatusCode::OK, &json!({"status": "success"}));
    response.headers.insert(SET_COOKIE, set_cookie("", 0));
    response
}

/// 200 with the tokens for the page.
fn success(PageTokens { access_token, id_token, expires_in }: PageTokens) -> Response {
    let body = TokensResponse { access_token, id_token, expires_in, token_type: "Bearer" };
    Response::json(StatusCode::OK, &body)
}

/// The refresh token in the cookie of a request, if there is one.
fn cookie(request: &Request) -> Option<RefreshToken> {
    let mut pairs = request.header_values(COOKIE.as_str()).flat_map(|header| header.split(';'));
    let value = pairs.find_map(|pair| pair.trim().strip_prefix(NAME)?.strip_prefix('='))?;
    RefreshToken::parse(value)
}

/// The cookie with a refresh token. With an age of 0, the browser removes it (RFC 6265, section 3.1).
fn set_cookie(value: &str, max_age_seconds: u32) -> HeaderValue {
    let cookie = format!("{NAME}={value}; {ATTRIBUTES}; Max-Age={max_age_seconds}");
    HeaderValue::try_from(cookie).expect("a refresh token is visible ASCII")
}
