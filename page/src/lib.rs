//! `page`: the web page of the API. `GET /` returns it, in one response.
//!
//! Its sources are in `web/`, and `build.rs` joins them. Its tests are in `tests/handlers/page.rs`, and in
//! `tests/browser/`, where a browser uses it.

use apigw::{ApiError, ConfigError, Event, Responder, Response, Settings};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY},
};
use lambda_runtime::Error;

/// The page, with its style, its script and its texts.
pub const PAGE: &str = include_str!(concat!(env!("OUT_DIR"), "/page.html"));

/// Its `Content-Security-Policy`: only this script and this style, and requests only to the API that served it.
pub const POLICY: &str = include_str!(concat!(env!("OUT_DIR"), "/policy.txt"));

/// The state that all invocations of the function share.
#[derive(Debug)]
pub struct Service {
    responder: Responder,
    is_open: bool,
}

impl Service {
    /// Creates the function from its settings: `WEB_PAGE`, and those of [`Responder`].
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable at fault and what it must be.
    pub fn new(settings: Settings<'_>) -> Result<Self, ConfigError> {
        Ok(Self { responder: Responder::new(settings)?, is_open: settings.flag("WEB_PAGE")? })
    }
}

/// Answers with the page.
///
/// # Errors
///
/// None: every failure is a response.
pub async fn handle(service: &Service, event: Event) -> Result<Response, Error> {
    let page = async |_| if service.is_open { Ok(page()) } else { Err(ApiError::closed()) };
    Ok(service.responder.respond(event, page).await)
}

fn page() -> Response {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    Response {
        status_code: StatusCode::OK.as_u16(),
        headers: HeaderMap::from_iter(headers.map(|(name, value)| (name, HeaderValue::from_static(value)))),
        body: PAGE.to_owned(),
    }
}
