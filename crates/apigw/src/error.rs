//! Maps failures to HTTP: the one table for all functions.

use std::{collections::BTreeMap, error::Error};

use http::{
    HeaderValue, StatusCode,
    header::{RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde::Serialize;

use crate::{Response, metrics, rfc3339};

/// A failure: what the client gets, and the cause, which only the log gets.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    message: &'static str,
    reason: &'static str,
    used_at: Option<u64>,
    members: BTreeMap<&'static str, String>,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

/// What else the errors of a route say.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum ErrorStyle {
    /// Nothing.
    #[default]
    Plain,
    /// `"isValid": false`: the routes that spend a token.
    Spending,
    /// `error` of RFC 6749, section 5.2: the routes of RFC 7009 and RFC 7662.
    OAuth,
}

/// The body of every error response of a function.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    is_valid: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    message: &'static str,
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    used_at: Option<String>,
    request_id: &'a str,
    #[serde(flatten)]
    members: BTreeMap<&'static str, String>,
}

impl ApiError {
    /// 400: a malformed request; `message` says what it must be.
    #[must_use]
    pub const fn invalid_request(message: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message, "invalid_request")
    }

    /// 403: the operator has closed the route. The status and the body are those of an unknown route.
    #[must_use]
    pub const fn closed() -> Self {
        Self::new(StatusCode::FORBIDDEN, "Request refused", "invalid_request")
    }

    /// 403: the caller is known and may not do this.
    #[must_use]
    pub const fn forbidden(message: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, message, "forbidden")
    }

    /// 404: there is nothing by that name.
    #[must_use]
    pub const fn not_found(message: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, message, "not_found")
    }

    /// 409: the request contradicts the present state; `reason` is the stable code for how.
    #[must_use]
    pub const fn conflict(message: &'static str, reason: &'static str) -> Self {
        Self::new(StatusCode::CONFLICT, message, reason)
    }

    /// 413: the body is larger than [`MAX_BODY_BYTES`](crate::MAX_BODY_BYTES).
    #[must_use]
    pub const fn request_too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "Body too large", "request_too_large")
    }

    /// 401: the token is refused for `reason`; `used_at` is when it was spent.
    #[must_use]
    pub fn refused(reason: &'static str, used_at: Option<u64>) -> Self {
        let error = Self::new(StatusCode::UNAUTHORIZED, "Invalid or expired token", reason);
        Self { used_at, ..error }
    }

    /// 503: the outcome is unknown, or a dependency is down; the client can try again.
    #[must_use]
    pub fn unavailable(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let error = Self::new(StatusCode::SERVICE_UNAVAILABLE, "Service unavailable", "unavailable");
        Self { cause: Some(cause.into()), ..error }
    }

    /// 500: a defect, in the code or in the configuration of the API.
    #[must_use]
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let error = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error", "internal");
        Self { cause: Some(cause.into()), ..error }
    }

    /// Adds a member to the body, such as the ID of what the failure is about.
    #[must_use]
    pub fn with_member(mut self, name: &'static str, value: String) -> Self {
        self.members.insert(name, value);
        self
    }

    /// A failure without a cause.
    const fn new(status: StatusCode, message: &'static str, reason: &'static str) -> Self {
        Self { status, message, reason, used_at: None, members: BTreeMap::new(), cause: None }
    }

    /// Logs the failure, with its whole chain of sources. The line of a 401 or a 503 also counts it.
    fn log(&self, request_id: &str) {
        let (status, reason) = (self.status.as_u16(), self.reason);
        let cause = self.cause.as_deref().map(|cause| cause as &(dyn Error + 'static));
        match (self.status, cause) {
            (StatusCode::UNAUTHORIZED, _) => metrics::refused(reason, request_id),
            (StatusCode::SERVICE_UNAVAILABLE, cause) => metrics::unavailable("request failed", cause, request_id),
            (_, Some(cause)) => {
                let (error, request_id) = (chain(cause), metrics::loggable(request_id));
                tracing::error!(
                    http.status = status,
                    error.reason = reason,
                    error,
                    requestId = request_id,
                    "request failed"
                );
            }
            (_, None) => {
                let request_id = metrics::loggable(request_id);
                tracing::info!(http.status = status, error.reason = reason, requestId = request_id, "request refused");
            }
        }
    }

    /// Logs the failure, once, and renders the response.
    pub(crate) fn into_response(self, request_id: &str, style: ErrorStyle) -> Response {
        self.log(request_id);
        let body = ErrorBody {
            is_valid: (style == ErrorStyle::Spending).then_some(false),
            error: (style == ErrorStyle::OAuth).then_some(match self.status {
                StatusCode::SERVICE_UNAVAILABLE => "temporarily_unavailable",
                status if status.is_server_error() => "server_error",
                _ => "invalid_request",
            }),
            message: self.message,
            reason: self.reason,
            used_at: self.used_at.map(rfc3339),
            request_id,
            members: self.members,
        };
        let mut response = Response::json(self.status, &body);
        match self.status {
            StatusCode::UNAUTHORIZED => {
                // RFC 6750, section 3.1. A REST API renames it to x-amzn-Remapped-WWW-Authenticate.
                let challenge = HeaderValue::from_static(r#"Bearer error="invalid_token""#);
                response.headers.insert(WWW_AUTHENTICATE, challenge);
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                response.headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}

/// Logs why an invocation that answers no request failed, with the whole chain of sources.
///
/// Lambda's runtime would only log the `Debug` of the error, and [`subscriber`](crate::subscriber) drops that line.
pub fn log_failure(what: &str, err: &dyn Error) {
    tracing::error!(error = chain(err), "{what}");
}

/// The messages of an error and all its sources, joined. (No message repeats its source.)
///
/// Their `Debug` is not used: it may contain a reply of AWS, and a reply may contain keys.
#[must_use]
pub fn chain(err: &dyn Error) -> String {
    let sources = std::iter::successors(err.source(), |&source| source.source());
    sources.fold(err.to_string(), |chain, source| format!("{chain}: {source}"))
}
