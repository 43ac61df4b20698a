//! Responses: their common headers, and how failures and panics become responses.

use std::{fmt, future::Future, panic::AssertUnwindSafe};

use futures_util::FutureExt;
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
    },
};
use serde::{Serialize, Serializer};

use crate::{ApiError, ConfigError, Event, Request, Settings, error::ErrorStyle};

/// The header that carries a token.
pub const X_ACCESS_TOKEN: &str = "x-access-token";

/// A response, in the format that payloads 1.0 and 2.0 have in common.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    /// The HTTP status code.
    pub status_code: u16,
    /// The headers, each with one value.
    #[serde(serialize_with = "one_value_each")]
    pub headers: HeaderMap,
    /// The body.
    pub body: String,
}

impl Response {
    /// A response with the JSON of `body`.
    ///
    /// # Panics
    ///
    /// When `body` cannot be JSON, such as a map with keys that are not strings; [`Responder::respond`]
    /// answers 500 then.
    #[must_use]
    pub fn json(status: StatusCode, body: &impl Serialize) -> Self {
        Self {
            status_code: status.as_u16(),
            headers: HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]),
            body: serde_json::to_string(body).expect("a body of plain structs is JSON"),
        }
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A header and the body may hold a token.
        f.debug_struct("Response").field("status_code", &self.status_code).finish_non_exhaustive()
    }
}

/// Writes headers as an object of strings.
fn one_value_each<S: Serializer>(headers: &HeaderMap, serializer: S) -> Result<S::Ok, S::Error> {
    // Every value comes from a `str`: a token, a setting of the template, or a constant.
    serializer.collect_map(headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default())))
}

/// Makes a function's responses.
///
/// Each has the common headers: `Cache-Control: no-store`, `X-Content-Type-Options: nosniff`, and those
/// of CORS that let a script in a browser read the response and its headers.
#[derive(Debug)]
pub struct Responder {
    headers: HeaderMap,
    error_style: ErrorStyle,
}

impl Responder {
    /// Reads the CORS values of the template: `ALLOWED_ORIGIN` and `EXPOSED_HEADERS`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when one is missing or cannot be the value of a header.
    pub fn new(settings: Settings<'_>) -> Result<Self, ConfigError> {
        let header = |name| {
            let is_text = |value: &HeaderValue| value.to_str().is_ok();
            settings.parsed::<HeaderValue>(name, "the value of an HTTP header", is_text)
        };
        let headers = HeaderMap::from_iter([
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (ACCESS_CONTROL_ALLOW_ORIGIN, header("ALLOWED_ORIGIN")?),
            (ACCESS_CONTROL_EXPOSE_HEADERS, header("EXPOSED_HEADERS")?),
        ]);
        Ok(Self { headers, error_style: ErrorStyle::Plain })
    }

    /// Puts `"isValid": false` first in every error: for the routes that spend a token.
    #[must_use]
    pub fn for_spending(self) -> Self {
        Self { error_style: ErrorStyle::Spending, ..self }
    }

    /// Puts `error` of RFC 6749, section 5.2, first in every error: for the routes of RFC 7009 and RFC 7662.
    #[must_use]
    pub fn for_oauth(self) -> Self {
        Self { error_style: ErrorStyle::OAuth, ..self }
    }

    /// Answers `event` with the response of `handle` to its request. A panic in `handle` is a 500, and so
    /// is an event that is not a valid API Gateway event.
    pub async fn respond<F>(&self, event: Event, handle: impl FnOnce(Request) -> F) -> Response
    where
        F: Future<Output = Result<Response, ApiError>>,
    {
        let (request_id, outcome) = match Request::parse(&event) {
            Ok(request) => {
                let request_id = request.request_id.clone();
                // A panic cannot leave shared state half changed: an invocation's state is dropped with it.
                let outcome = AssertUnwindSafe(async { handle(request).await }).catch_unwind().await;
                (request_id, outcome.unwrap_or_else(|_| Err(ApiError::internal("the handler panicked"))))
            }
            Err(unreadable) => (String::new(), Err(ApiError::internal(unreadable))),
        };
        let mut response = outcome.unwrap_or_else(|err| err.into_response(&request_id, self.error_style));
        response.headers.extend(self.headers.clone());
        response
    }
}

#[cfg(test)]
mod tests {
    use lambda_runtime::Context;
    use serde_json::{Value, json as value, value::to_raw_value};

    use super::*;

    fn responder() -> Responder {
        Responder::new(Settings::new(&|name| Some(format!("value-of-{name}")))).unwrap()
    }

    /// The event of the request `request-1`.
    fn event() -> Event {
        let event = value!({"requestContext": {"requestId": "request-1"}});
        Event::new(to_raw_value(&event).unwrap(), Context::default())
    }

    async fn body(responder: &Responder, error: ApiError) -> (String, Value) {
        let response = responder.respond(event(), async |_| Err(error)).await;
        let body = serde_json::from_str(&response.body).unwrap();
        (response.body, body)
    }

    #[tokio::test]
    async fn every_response_carries_the_common_headers() {
        let ok = responder().respond(event(), async |_| Ok(Response::json(StatusCode::OK, &()))).await;
        let failed = responder().respond(event(), async |_| Err(ApiError::request_too_large())).await;
        for response in [ok, failed] {
            assert_eq!(response.headers["cache-control"], "no-store");
            assert_eq!(response.headers["x-content-type-options"], "nosniff");
            assert_eq!(response.headers["access-control-allow-origin"], "value-of-ALLOWED_ORIGIN");
            assert_eq!(response.headers["access-control-expose-headers"], "value-of-EXPOSED_HEADERS");
            assert_eq!(response.headers["content-type"], "application/json");
        }
    }

    #[tokio::test]
    async fn a_panic_is_a_constant_500() {
        let response = responder().respond(event(), async |_| panic!("secret")).await;
        assert_eq!(response.status_code, 500);
        let expected = value!({"message": "Internal server error", "reason": "internal", "requestId": "request-1"});
        assert_eq!(response.body, expected.to_string());
    }

    #[tokio::test]
    async fn an_invalid_event_is_a_constant_500() {
        let event = to_raw_value(&value!({"headers": "canary", "requestContext": {"requestId": "canary"}})).unwrap();
        let response = responder().respond(Event::new(event, Context::default()), async |_| unreachable!()).await;
        let expected = value!({"message": "Internal server error", "reason": "internal", "requestId": ""});
        assert_eq!((response.status_code, response.body), (500, expected.to_string()));
    }

    #[tokio::test]
    async fn a_response_is_written_as_both_payloads_have_it() {
        let response = responder().respond(event(), async |_| Ok(Response::json(StatusCode::OK, &true))).await;
        assert_eq!(
            serde_json::to_value(&response).unwrap(),
            value!({
                "statusCode": 200,
                "headers": {
                    "content-type": "application/json",
                    "cache-control": "no-store",
                    "x-content-type-options": "nosniff",
                    "access-control-allow-origin": "value-of-ALLOWED_ORIGIN",
                    "access-control-expose-headers": "value-of-EXPOSED_HEADERS",
                },
                "body": "true",
            })
        );
        assert_eq!(format!("{response:?}"), "Response { status_code: 200, .. }");
    }

    #[tokio::test]
    async fn a_5xx_names_no_cause() {
        let (text, body) = body(&responder(), ApiError::unavailable("table token-auth-Tokens")).await;
        assert_eq!(body["reason"], "unavailable");
        assert!(!text.contains("table"));
    }

    #[tokio::test]
    async fn an_unavailable_service_says_when_to_try_again() {
        let response = responder().respond(event(), async |_| Err(ApiError::unavailable("down"))).await;
        assert_eq!((response.status_code, &response.headers["retry-after"]), (503, &HeaderValue::from_static("1")));
    }

    #[tokio::test]
    async fn a_refusal_on_a_spend_route_begins_with_is_valid() {
        let (text, body) =
            body(&responder().for_spending(), ApiError::refused("already_used", Some(1_700_000_000))).await;
        assert!(text.starts_with(r#"{"isValid":false,"message":"Invalid or expired token","reason":"already_used","#));
        assert_eq!(body["usedAt"], "2023-11-14T22:13:20Z");
        assert_eq!(body["requestId"], "request-1");
    }

    #[tokio::test]
    async fn an_error_of_an_oauth_route_has_the_code_of_oauth_too() {
        for (error, code) in [
            (ApiError::invalid_request("No."), "invalid_request"),
            (ApiError::request_too_large(), "invalid_request"),
            (ApiError::internal("a defect"), "server_error"),
            (ApiError::unavailable("down"), "temporarily_unavailable"),
        ] {
            let (text, body) = body(&responder().for_oauth(), error).await;
            assert!(text.starts_with(&format!(r#"{{"error":"{code}","message":"#)), "{text}");
            assert!(body["reason"].is_string());
        }
    }

    #[tokio::test]
    async fn a_refusal_by_the_state_of_things_has_its_own_status_and_may_name_a_thing() {
        for (error, status, reason) in [
            (ApiError::forbidden("No."), 403, "forbidden"),
            (ApiError::not_found("No."), 404, "not_found"),
            (ApiError::conflict("No.", "price_changed"), 409, "price_changed"),
        ] {
            let error = error.with_member("order_id", "17".into());
            let response = responder().respond(event(), async |_| Err(error)).await;
            let expected = value!({"message": "No.", "reason": reason, "requestId": "request-1", "order_id": "17"});
            let body: Value = serde_json::from_str(&response.body).unwrap();
            assert_eq!((response.status_code, body), (status, expected));
        }
    }

    #[test]
    fn a_value_that_cannot_be_a_header_is_an_error_that_names_the_variable() {
        let error = Responder::new(Settings::new(&|_| Some("a\nb".into()))).unwrap_err();
        assert!(error.to_string().contains("ALLOWED_ORIGIN"));
    }
}
