//! Gateway responses: the responses of API Gateway itself, as the template defines them.

use std::collections::HashMap;

use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

/// The header by which API Gateway names the kind of its own errors.
const X_AMZN_ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
/// Gateway responses that a template may define although the emulator never sends them.
const OTHER_TYPES: &[&str] = &[
    "API_CONFIGURATION_ERROR",
    "BAD_REQUEST_PARAMETERS",
    "BAD_REQUEST_BODY",
    "DEFAULT_4XX",
    "DEFAULT_5XX",
    "EXPIRED_TOKEN",
    "INVALID_API_KEY",
    "QUOTA_EXCEEDED",
    "RESOURCE_NOT_FOUND",
    "UNSUPPORTED_MEDIA_TYPE",
    "WAF_FILTERED",
];

/// The gateway responses that the emulator sends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ResponseType {
    /// The authorizer's policy does not allow the call.
    AccessDenied,
    /// API Gateway cannot use the authorizer's reply.
    AuthorizerConfigurationError,
    /// The authorizer failed.
    AuthorizerFailure,
    /// The function failed or its reply is malformed.
    IntegrationFailure,
    /// The function takes longer than API Gateway waits.
    IntegrationTimeout,
    /// The signature of the request is incomplete, too old or wrong.
    InvalidSignature,
    /// No such route, or the route requires a signature and the request has none.
    MissingAuthenticationToken,
    /// The body is too long.
    RequestTooLarge,
    /// The stage's throttling refuses the request.
    Throttled,
    /// The request lacks an identity source, or the authorizer fails with `Unauthorized`.
    Unauthorized,
}

impl ResponseType {
    /// Every type, for the search by name.
    const ALL: [Self; 10] = [
        Self::AccessDenied,
        Self::AuthorizerConfigurationError,
        Self::AuthorizerFailure,
        Self::IntegrationFailure,
        Self::IntegrationTimeout,
        Self::InvalidSignature,
        Self::MissingAuthenticationToken,
        Self::RequestTooLarge,
        Self::Throttled,
        Self::Unauthorized,
    ];

    /// API Gateway's name, status, error type and message, which is null if it is `None`.
    const fn facts(self) -> (&'static str, StatusCode, &'static str, Option<&'static str>) {
        match self {
            Self::AccessDenied => (
                "ACCESS_DENIED",
                StatusCode::FORBIDDEN,
                "AccessDeniedException",
                Some("User is not authorized to access this resource"),
            ),
            Self::AuthorizerConfigurationError => (
                "AUTHORIZER_CONFIGURATION_ERROR",
                StatusCode::INTERNAL_SERVER_ERROR,
                "AuthorizerConfigurationException",
                None,
            ),
            Self::AuthorizerFailure => {
                ("AUTHORIZER_FAILURE", StatusCode::INTERNAL_SERVER_ERROR, "AuthorizerFailureException", None)
            }
            Self::IntegrationFailure => (
                "INTEGRATION_FAILURE",
                StatusCode::BAD_GATEWAY,
                "InternalServerErrorException",
                Some("Internal server error"),
            ),
            Self::IntegrationTimeout => (
                "INTEGRATION_TIMEOUT",
                StatusCode::GATEWAY_TIMEOUT,
                "InternalServerErrorException",
                Some("Endpoint request timed out"),
            ),
            Self::InvalidSignature => (
                "INVALID_SIGNATURE",
                StatusCode::FORBIDDEN,
                "InvalidSignatureException",
                Some(
                    "The request signature we calculated does not match the signature you provided. Check your AWS \
                     Secret Access Key and signing method. Consult the service documentation for details.",
                ),
            ),
            Self::MissingAuthenticationToken => (
                "MISSING_AUTHENTICATION_TOKEN",
                StatusCode::FORBIDDEN,
                "MissingAuthenticationTokenException",
                Some("Missing Authentication Token"),
            ),
            Self::RequestTooLarge => {
                ("REQUEST_TOO_LARGE", StatusCode::PAYLOAD_TOO_LARGE, "BadRequestException", Some("Request Too Long"))
            }
            Self::Throttled => {
                ("THROTTLED", StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException", Some("Too Many Requests"))
            }
            Self::Unauthorized => {
                ("UNAUTHORIZED", StatusCode::UNAUTHORIZED, "UnauthorizedException", Some("Unauthorized"))
            }
        }
    }

    /// API Gateway's name.
    pub(crate) const fn name(self) -> &'static str {
        self.facts().0
    }
}

/// The answer to a request that does not get its target's response.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// HTTP's own answer to a request that API Gateway does not process: only a status.
    Http(StatusCode),
    /// A gateway response.
    Gateway(ResponseType),
    /// [`ResponseType::InvalidSignature`], with the error type and the message of its cause.
    Signature(&'static str, String),
}

impl Refusal {
    /// API Gateway's name for the error; empty if it has none.
    pub(crate) const fn error_type(&self) -> &'static str {
        match self {
            Self::Http(_) => "",
            Self::Gateway(kind) => kind.facts().2,
            Self::Signature(error_type, _) => error_type,
        }
    }
}

impl From<ResponseType> for Refusal {
    fn from(kind: ResponseType) -> Self {
        Self::Gateway(kind)
    }
}

/// Whether API Gateway knows a gateway response of this name.
pub(crate) fn is_type(name: &str) -> bool {
    OTHER_TYPES.contains(&name) || ResponseType::ALL.iter().any(|known| known.name() == name)
}

/// A gateway response as the template defines it.
#[derive(Debug, Default)]
pub(crate) struct GatewayResponse {
    /// Status instead of API Gateway's.
    pub(crate) status: Option<StatusCode>,
    /// Headers.
    pub(crate) headers: HeaderMap,
    /// Media type and text of the body.
    pub(crate) template: Option<(HeaderValue, BodyTemplate)>,
}

/// The gateway responses of an API.
#[derive(Debug, Default)]
pub(crate) struct GatewayResponses {
    /// By the name of the type, `DEFAULT_4XX` and `DEFAULT_5XX` included.
    by_type: HashMap<String, GatewayResponse>,
}

impl GatewayResponses {
    /// Adds the response of the type `name`.
    pub(crate) fn insert(&mut self, name: &str, response: GatewayResponse) {
        self.by_type.insert(name.to_owned(), response);
    }

    /// The response of the type `kind`, its variables taken from the request's `context`.
    pub(crate) fn render(&self, kind: ResponseType, context: &Value) -> Response {
        let (.., error_type, message) = kind.facts();
        self.render_as(kind, error_type, message, context)
    }

    /// As [`Self::render`], with this error type and message in place of the type's own.
    pub(crate) fn render_as(
        &self,
        kind: ResponseType,
        error_type: &'static str,
        message: Option<&str>,
        context: &Value,
    ) -> Response {
        let (name, status, ..) = kind.facts();
        let family = if status.is_client_error() { "DEFAULT_4XX" } else { "DEFAULT_5XX" };
        let defined = self.by_type.get(name).or_else(|| self.by_type.get(family));
        let built_in;
        let (media_type, template) = match defined.and_then(|defined| defined.template.as_ref()) {
            Some((media_type, template)) => (media_type.clone(), template),
            None => {
                built_in = BodyTemplate::default();
                (HeaderValue::from_static("application/json"), &built_in)
            }
        };
        let body = template.render(|path| match path {
            ["error", "responseType"] => name.to_owned(),
            ["error", "message"] => message.unwrap_or_default().to_owned(),
            ["error", "messageString"] => Value::from(message).to_string(),
            path => match path.iter().try_fold(context, |value, key| value.get(key)) {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Null) | None => String::new(),
                Some(other) => other.to_string(),
            },
        });
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = defined.and_then(|defined| defined.status).unwrap_or(status);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, media_type);
        headers.insert(X_AMZN_ERROR_TYPE, HeaderValue::from_static(error_type));
        if let Some(defined) = defined {
            headers.extend(defined.headers.clone());
        }
        response
    }
}

/// The body of a gateway response: text in which only `$context.…` is replaced.
#[derive(Debug)]
pub(crate) struct BodyTemplate(Vec<Segment>);

/// A piece of a [`BodyTemplate`].
#[derive(Debug, Eq, PartialEq)]
enum Segment {
    /// Text as it is.
    Text(String),
    /// The path of a variable below `$context`.
    Variable(Vec<String>),
}

impl Default for BodyTemplate {
    /// API Gateway's own body, `{"message":$context.error.messageString}`.
    fn default() -> Self {
        Self(vec![
            Segment::Text(r#"{"message":"#.to_owned()),
            Segment::Variable(vec!["error".to_owned(), "messageString".to_owned()]),
            Segment::Text("}".to_owned()),
        ])
    }
}

impl BodyTemplate {
    /// Parses the text of a template.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut segments = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            let word = |text: &str| text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
            let mut end = word(after);
            while let Some(next) = after[end..].strip_prefix('.').map(word).filter(|length| *length > 0) {
                end += 1 + next;
            }
            let (variable, after) = after.split_at(end);
            segments.push(Segment::Text(before.to_owned()));
            match variable.strip_prefix("context.") {
                Some(path) => segments.push(Segment::Variable(path.split('.').map(str::to_owned).collect())),
                None if variable.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                    return Err(format!("${variable} is not supported in a gateway response, only $context"));
                }
                None => segments.push(Segment::Text(format!("${variable}"))),
            }
            rest = after;
        }
        segments.push(Segment::Text(rest.to_owned()));
        Ok(Self(segments))
    }

    /// The text with every variable replaced by its `value`.
    fn render(&self, value: impl Fn(&[&str]) -> String) -> String {
        self.0.iter().fold(String::new(), |body, segment| match segment {
            Segment::Text(text) => body + text,
            Segment::Variable(path) => body + &value(&path.iter().map(String::as_str).collect::<Vec<_>>()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(text: &str) -> String {
        BodyTemplate::parse(text).unwrap().render(|path| format!("<{}>", path.join("/")))
    }

    #[test]
    fn a_template_replaces_context_variables_and_nothing_else() {
        assert_eq!(render(r#"{"id":"$context.requestId"}"#), r#"{"id":"<requestId>"}"#);
        assert_eq!(render("$context.a.b_c. $context.d"), "<a/b_c>. <d>");
        assert_eq!(render("5$, $5 and $$context.a-b"), "5$, $5 and $<a>-b");
    }

    #[test]
    fn other_variables_are_refused_and_not_left_as_they_are() {
        for text in ["$input.body", "#set($x = 1)", "$context", "$contextual.a", "$util.escapeJavaScript($context.a)"] {
            assert!(BodyTemplate::parse(text).is_err(), "{text}");
        }
    }
}
