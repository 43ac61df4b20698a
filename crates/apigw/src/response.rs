//! Responses: the headers that all carry, and panics turned into answers.

use std::{future::Future, panic::AssertUnwindSafe};

use aws_lambda_events::{apigw::ApiGatewayProxyResponse, encodings::Body};
use futures_util::FutureExt;
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
    },
};
use serde::Serialize;

use crate::{ApiError, ConfigError, parsed};

/// Makes a function's responses.
///
/// Each says that it must not be stored and what it is, and lets a browser's script read it and
/// its headers.
#[derive(Debug)]
pub struct Responder {
    headers: HeaderMap,
    answers_is_valid: bool,
}

impl Responder {
    /// Reads the CORS values of the template: `ALLOWED_ORIGIN` and `EXPOSED_HEADERS`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when one is missing or cannot be a header's value.
    pub fn from_lookup(lookup: &impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let header = |name| parsed::<HeaderValue>(lookup, name, "the value of an HTTP header", |_| true);
        let headers = HeaderMap::from_iter([
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (ACCESS_CONTROL_ALLOW_ORIGIN, header("ALLOWED_ORIGIN")?),
            (ACCESS_CONTROL_EXPOSE_HEADERS, header("EXPOSED_HEADERS")?),
        ]);
        Ok(Self { headers, answers_is_valid: false })
    }

    /// Puts `"isValid": false` first in every error: for the routes that spend a token.
    #[must_use]
    pub fn for_spending(self) -> Self {
        Self { answers_is_valid: true, ..self }
    }

    /// Answers the request `request_id` with what `outcome` comes to; a panic in it is a 500.
    pub async fn respond(
        &self,
        request_id: &str,
        outcome: impl Future<Output = Result<ApiGatewayProxyResponse, ApiError>>,
    ) -> ApiGatewayProxyResponse {
        // What a panic leaves half done is dropped with the invocation: nothing in it is shared.
        let outcome = AssertUnwindSafe(outcome).catch_unwind().await;
        let mut response = outcome
            .unwrap_or_else(|_| Err(ApiError::internal("the handler panicked")))
            .unwrap_or_else(|err| err.into_response(request_id, self.answers_is_valid.then_some(false)));
        response.headers.extend(self.headers.clone());
        response
    }
}

/// A response with the JSON of `body`.
///
/// # Panics
///
/// When `body` cannot be JSON, such as a map with keys that are no strings; [`Responder::respond`]
/// answers 500 then.
#[must_use]
pub fn json(status: StatusCode, body: &impl Serialize) -> ApiGatewayProxyResponse {
    let mut response = ApiGatewayProxyResponse::default();
    response.status_code = status.as_u16().into();
    response.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.body = Some(Body::Text(serde_json::to_string(body).expect("a body of plain structs is JSON")));
    response
}

/// The header that carries a token.
pub const X_ACCESS_TOKEN: &str = "x-access-token";

#[cfg(test)]
mod tests {
    use serde_json::{Value, json as value};

    use super::*;

    fn responder() -> Responder {
        Responder::from_lookup(&|name| Some(format!("value-of-{name}"))).unwrap()
    }

    async fn body(responder: &Responder, error: ApiError) -> (String, Value) {
        let response = responder.respond("request-1", async { Err(error) }).await;
        let Some(Body::Text(text)) = response.body else { panic!("no text") };
        let body = serde_json::from_str(&text).unwrap();
        (text, body)
    }

    #[tokio::test]
    async fn every_response_carries_the_common_headers() {
        let ok = responder().respond("request-1", async { Ok(json(StatusCode::OK, &())) }).await;
        let failed = responder().respond("request-1", async { Err(ApiError::request_too_large()) }).await;
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
        let response = responder().respond("request-1", async { panic!("secret") }).await;
        assert_eq!(response.status_code, 500);
        let expected = value!({"message": "Internal server error", "reason": "internal", "requestId": "request-1"});
        assert_eq!(response.body, Some(Body::Text(expected.to_string())));
    }

    #[tokio::test]
    async fn a_5xx_names_no_cause() {
        let (text, body) = body(&responder(), ApiError::unavailable("table token-auth-Tokens")).await;
        assert_eq!(body["reason"], "unavailable");
        assert!(!text.contains("table"));
    }

    #[tokio::test]
    async fn an_unavailable_service_says_when_to_try_again() {
        let response = responder().respond("request-1", async { Err(ApiError::unavailable("down")) }).await;
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

    #[test]
    fn a_value_that_cannot_be_a_header_is_an_error_that_names_the_variable() {
        let error = Responder::from_lookup(&|_| Some("a\nb".into())).unwrap_err();
        assert!(error.to_string().contains("ALLOWED_ORIGIN"));
    }
}
