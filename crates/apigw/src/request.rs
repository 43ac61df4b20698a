//! A request to the API: what a function reads from an event, whatever the version of its payload.

use std::{collections::BTreeMap, fmt};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::header::AUTHORIZATION;
use lambda_runtime::LambdaEvent;
use serde::{
    Deserialize,
    de::{
        DeserializeOwned,
        value::{self, MapDeserializer},
    },
};
use serde_json::{Map, Value, value::RawValue};

use crate::{ApiError, X_ACCESS_TOKEN};

/// An invocation with its event as Lambda delivers it, not yet parsed.
///
/// Lambda's runtime would log an event that a typed handler cannot read, with the value at fault, and
/// return it to the caller. Handlers therefore take the raw JSON, and only this module parses it.
pub type Event = LambdaEvent<Box<RawValue>>;

/// The largest body that is read, in bytes.
pub const MAX_BODY_BYTES: usize = 4096;

/// The longest host that is kept, in bytes.
const MAX_HOST_BYTES: usize = 255;

/// The parameters of a query string that would hold a token (the second by RFC 6750, section 2.3).
const TOKEN_PARAMETERS: [&str; 2] = ["token", "access_token"];

/// An event that API Gateway would not send. The error has no cause, because a cause could quote a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a valid API Gateway event")]
pub struct UnreadableEvent;

/// A request to the API.
pub struct Request {
    /// The method.
    pub method: String,
    /// The path, with its stage where API Gateway leaves it there.
    pub path: String,
    /// The host that the request came to: the API's domain name, else the `Host` header.
    pub host: Option<String>,
    /// The id of the request, which the client finds in `x-amzn-RequestId` and can choose.
    pub request_id: String,
    /// The id of the invocation, which Lambda draws. Empty if there is none.
    pub invocation_id: String,
    /// The authorizer's context. A client cannot set it.
    pub authorizer: Map<String, Value>,
    headers: Vec<(String, String)>,
    /// Whether the values of a repeated header are joined with commas.
    joins_values: bool,
    path_parameters: BTreeMap<String, String>,
    query_parameters: Vec<(String, String)>,
    body: Option<String>,
    is_base64_encoded: bool,
}

/// The members of an event that are read, under their names in both versions of the payload.
///
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>
#[derive(Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[derive(Default)]
pub(crate) struct Wire {
    pub(crate) version: Version,
    /// `REQUEST` in the event of an authorizer.
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    /// The ARN of the called method: 1.0, in the event of an authorizer.
    pub(crate) method_arn: Option<String>,
    http_method: Option<String>,
    path: Option<String>,
    raw_path: Option<String>,
    headers: Option<BTreeMap<String, String>>,
    multi_value_headers: Option<BTreeMap<String, Vec<String>>>,
    path_parameters: Option<BTreeMap<String, String>>,
    query_string_parameters: Option<BTreeMap<String, String>>,
    multi_value_query_string_parameters: Option<BTreeMap<String, Vec<String>>>,
    request_context: RequestContext,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
}

/// The version of the payload. A REST API's events do not name theirs.
#[derive(Clone, Copy, Default, Deserialize, Eq, PartialEq)]
pub(crate) enum Version {
    #[default]
    #[serde(rename = "1.0")]
    One,
    #[serde(rename = "2.0")]
    Two,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RequestContext {
    request_id: Option<String>,
    domain_name: Option<String>,
    authorizer: Option<Map<String, Value>>,
    http: Http,
}

/// Where version 2.0 keeps the method.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Http {
    method: Option<String>,
}

impl Wire {
    /// Reads an event.
    pub(crate) fn parse(event: &RawValue) -> Result<Self, UnreadableEvent> {
        // Serde would also accept an array of the fields in order.
        let is_object = event.get().trim_ascii_start().starts_with('{');
        serde_json::from_str(event.get()).ok().filter(|_| is_object).ok_or(UnreadableEvent)
    }

    /// The request that the event describes, in the invocation `invocation_id`.
    pub(crate) fn into_request(self, invocation_id: String) -> Request {
        let context = self.request_context;
        let headers = pairs(self.headers, self.multi_value_headers);
        let host = context.domain_name.or_else(|| values(&headers, "host").next().map(str::to_owned));
        let authorizer = context.authorizer.unwrap_or_default();
        Request {
            method: self.http_method.or(context.http.method).unwrap_or_default(),
            path: self.path.or(self.raw_path).unwrap_or_default(),
            host: host.filter(|host| host.len() <= MAX_HOST_BYTES),
            request_id: context.request_id.unwrap_or_default(),
            invocation_id,
            authorizer: match (self.version, authorizer) {
                (Version::One, context) => context,
                // The context of a Lambda authorizer is in `lambda`; other authorizers have other members.
                (Version::Two, mut members) => match members.remove("lambda") {
                    Some(Value::Object(context)) => context,
                    _ => Map::new(),
                },
            },
            headers,
            joins_values: self.version == Version::Two,
            path_parameters: self.path_parameters.unwrap_or_default(),
            query_parameters: pairs(self.query_string_parameters, self.multi_value_query_string_parameters),
            body: self.body,
            is_base64_encoded: self.is_base64_encoded.unwrap_or_default(),
        }
    }
}

impl Request {
    /// Reads the request of an event.
    ///
    /// # Errors
    ///
    /// [`UnreadableEvent`] if it is not an event of an API Gateway proxy integration.
    pub fn parse(event: &Event) -> Result<Self, UnreadableEvent> {
        Ok(Wire::parse(&event.payload)?.into_request(event.context.request_id.clone()))
    }

    /// All values of the header `name`, in order. Payload 2.0 joins several values with commas.
    pub fn header_values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        values(&self.headers, name)
    }

    /// The value of the path's variable `name`, as it was sent: it may be percent-encoded.
    #[must_use]
    pub fn path_parameter(&self, name: &str) -> Option<&str> {
        self.path_parameters.get(name).map(String::as_str)
    }

    /// Whether the query string has a parameter of this name.
    fn has_query_parameter(&self, name: &str) -> bool {
        self.query_values(name).next().is_some()
    }

    /// All values of the query parameter `name`, decoded, in order. Payload 2.0 joins several values with commas.
    pub fn query_values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.query_parameters.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The tokens in the headers: each value of `X-Access-Token`, and the credentials of each `Authorization`
    /// with the scheme `Bearer`. An empty value counts as none, and so does another scheme.
    ///
    /// In payload 2.0 a comma separates tokens, because the values of a repeated header are joined with it.
    pub fn tokens(&self) -> impl Iterator<Item = &str> {
        let bearer = self.header_values(AUTHORIZATION.as_str()).filter_map(bearer);
        let values = self.header_values(X_ACCESS_TOKEN).chain(bearer);
        let tokens = values.flat_map(|value| value.split(|separator| separator == ',' && self.joins_values));
        tokens.filter(|token| !token.is_empty())
    }

    /// Refuses a token in the query string, because query strings remain in logs and histories (RFC 9700,
    /// section 4.3.2).
    ///
    /// # Errors
    ///
    /// 400 if the query string has a parameter `token` or `access_token`.
    pub fn without_token_in_query(&self) -> Result<(), ApiError> {
        if TOKEN_PARAMETERS.iter().any(|name| self.has_query_parameter(name)) {
            return Err(ApiError::invalid_request("A token does not belong in the query string"));
        }
        Ok(())
    }

    /// The body, which is a JSON object; `None` if it is empty.
    ///
    /// # Errors
    ///
    /// `error` if the body is not the JSON of a `T`; as [`Request::body`] otherwise.
    pub fn json<T: DeserializeOwned>(&self, error: ApiError) -> Result<Option<T>, ApiError> {
        self.body()?.map(|body| from_json(&body).ok_or(error)).transpose()
    }

    /// The body, which is a JSON object if it begins with `{`, and otherwise a form
    /// (`application/x-www-form-urlencoded`). A member that is repeated is an error. A form has only strings,
    /// so `T` gives a parameter that may be missing a default instead of an `Option`.
    ///
    /// # Errors
    ///
    /// `error` if the body is neither, or not that of a `T`; as [`Request::body`] otherwise.
    pub fn json_or_form<T: DeserializeOwned>(&self, error: ApiError) -> Result<T, ApiError> {
        let body = self.body()?.unwrap_or_default();
        let parsed = if body.trim_ascii_start().starts_with(b"{") {
            from_json(&body)
        } else {
            let pairs = MapDeserializer::<_, value::Error>::new(form_urlencoded::parse(&body));
            // The decoder would read other bytes as U+FFFD.
            str::from_utf8(&body).ok().and_then(|_| T::deserialize(pairs).ok())
        };
        parsed.ok_or(error)
    }

    /// The body's bytes, decoded if API Gateway has encoded them; `None` if the body is empty.
    ///
    /// # Errors
    ///
    /// 413 above [`MAX_BODY_BYTES`], 400 for a body that is marked as base64 but is not base64.
    pub fn body(&self) -> Result<Option<Vec<u8>>, ApiError> {
        let text = self.body.as_deref().unwrap_or_default();
        let bytes = if !self.is_base64_encoded {
            text.as_bytes().to_vec()
        } else if text.len() > MAX_BODY_BYTES.div_ceil(3) * 4 {
            return Err(ApiError::request_too_large()); // before it is decoded
        } else {
            STANDARD.decode(text).map_err(|_| ApiError::invalid_request("The body is not base64"))?
        };
        match bytes.len() {
            0 => Ok(None),
            1..=MAX_BODY_BYTES => Ok(Some(bytes)),
            _ => Err(ApiError::request_too_large()),
        }
    }
}

/// Reads the JSON object in `body`.
fn from_json<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    // Serde would also take an array of a struct's fields in order, and any bytes in a member that it ignores.
    let text = str::from_utf8(body).ok().filter(|text| text.trim_ascii_start().starts_with('{'))?;
    serde_json::from_str(text).ok()
}

/// The credentials of an `Authorization` header with the scheme `Bearer` (RFC 6750, section 2.1). The
/// scheme is case-insensitive (RFC 9110, section 11.1).
fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, credentials) = authorization.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| credentials.trim())
}

/// Names and values: `lists` has every value of each name, and `last` only the last of them, unless there are no lists.
fn pairs(
    last: Option<BTreeMap<String, String>>,
    lists: Option<BTreeMap<String, Vec<String>>>,
) -> Vec<(String, String)> {
    match lists {
        Some(lists) if !lists.is_empty() => {
            let values =
                |(name, values): (String, Vec<String>)| values.into_iter().map(move |value| (name.clone(), value));
            lists.into_iter().flat_map(values).collect()
        }
        _ => last.unwrap_or_default().into_iter().collect(),
    }
}

/// The values of the header `name`, whose case does not matter (RFC 9110, section 5.1).
fn values<'a>(headers: &'a [(String, String)], name: &'a str) -> impl Iterator<Item = &'a str> {
    headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A header, the body and the authorizer's context may hold a token.
        f.debug_struct("Request").field("method", &self.method).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use lambda_runtime::Context;
    use serde_json::{json, value::to_raw_value};

    use super::*;

    fn parse(event: &Value) -> Result<Request, UnreadableEvent> {
        Request::parse(&Event::new(to_raw_value(event).unwrap(), Context::default()))
    }

    fn body(text: &str, is_base64_encoded: bool) -> Result<Option<Vec<u8>>, ApiError> {
        parse(&json!({"body": text, "isBase64Encoded": is_base64_encoded})).unwrap().body()
    }

    #[test]
    fn both_versions_of_the_payload_are_the_same_request() {
        let one = json!({
            "httpMethod": "POST", "path": "/hello", "headers": {"X-Access-Token": "t"},
            "multiValueHeaders": {"X-Access-Token": ["t"]}, "queryStringParameters": {"q": "1"}, "body": "{}",
            "pathParameters": {"id": "7"},
            "requestContext": {"requestId": "1", "domainName": "api.example.com", "authorizer": {"jti": "j"}},
        });
        let two = json!({
            "version": "2.0", "rawPath": "/hello", "headers": {"x-access-token": "t"},
            "queryStringParameters": {"q": "1"}, "body": "{}", "pathParameters": {"id": "7"},
            "requestContext": {
                "requestId": "1", "domainName": "api.example.com", "http": {"method": "POST"},
                "authorizer": {"lambda": {"jti": "j"}},
            },
        });
        for event in [one, two] {
            let request = parse(&event).unwrap();
            assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/hello"));
            assert_eq!((request.host.as_deref(), request.request_id.as_str()), (Some("api.example.com"), "1"));
            assert_eq!(request.header_values("X-ACCESS-TOKEN").collect::<Vec<_>>(), ["t"]);
            assert_eq!((request.path_parameter("id"), request.path_parameter("ID")), (Some("7"), None));
            assert!(request.has_query_parameter("q") && !request.has_query_parameter("Q"));
            assert_eq!(request.body().unwrap().as_deref(), Some(&b"{}"[..]));
            assert_eq!(request.authorizer["jti"], "j");
        }
    }

    #[test]
    fn a_member_that_is_null_is_one_that_is_missing() {
        let names = [
            "type",
            "methodArn",
            "httpMethod",
            "path",
            "rawPath",
            "headers",
            "multiValueHeaders",
            "queryStringParameters",
            "body",
            "isBase64Encoded",
        ];
        for name in names {
            assert!(parse(&json!({ name: null })).is_ok(), "{name}");
        }
        for name in ["requestId", "domainName", "authorizer"] {
            assert!(parse(&json!({"requestContext": { name: null }})).is_ok(), "{name}");
        }
    }

    #[test]
    fn headers_are_read_from_headers_if_there_are_no_lists() {
        for lists in [json!(null), json!({})] {
            let request = parse(&json!({"headers": {"A": "1"}, "multiValueHeaders": lists})).unwrap();
            assert_eq!(request.header_values("a").collect::<Vec<_>>(), ["1"]);
        }
    }

    #[test]
    fn a_member_of_another_type_makes_the_event_unreadable_and_the_error_says_nothing_of_it() {
        for event in [
            json!([]),
            json!("canary"),
            json!({"version": "3.0"}),
            json!({"headers": "canary"}),
            json!({"headers": {"a": ["canary"]}}),
            json!({"multiValueHeaders": {"a": "canary"}}),
            json!({"requestContext": "canary"}),
            json!({"requestContext": {"requestId": 1}}),
            json!({"requestContext": {"authorizer": "canary"}}),
            json!({"isBase64Encoded": "canary"}),
            json!({"body": {"token": "canary"}}),
        ] {
            let error = parse(&event).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("canary"), "{event}");
        }
    }

    #[test]
    fn only_the_context_of_a_lambda_authorizer_is_read() {
        let jwt = json!({"version": "2.0", "requestContext": {"authorizer": {"jwt": {"claims": {"jti": "j"}}}}});
        assert!(parse(&jwt).unwrap().authorizer.is_empty());
    }

    #[test]
    fn the_limit_of_a_body_applies_to_its_decoded_bytes() {
        for length in [1, 3000, 3073, 4095, 4096] {
            let bytes = vec![b'x'; length];
            let (plain, encoded) = (String::from_utf8(bytes.clone()).unwrap(), STANDARD.encode(&bytes));
            assert_eq!(body(&plain, false).unwrap(), Some(bytes.clone()), "{length}");
            assert_eq!(body(&encoded, true).unwrap(), Some(bytes), "{length}");
        }
        for length in [4097, 4098, 5000, 100_000] {
            let plain = "x".repeat(length);
            assert!(body(&plain, false).is_err(), "{length}");
            assert!(body(&STANDARD.encode(&plain), true).is_err(), "{length}");
        }
    }

    #[test]
    fn an_empty_body_is_none() {
        assert_eq!(parse(&json!({})).unwrap().body().unwrap(), None);
        assert_eq!(body("", true).unwrap(), None);
    }

    #[test]
    fn a_comma_separates_tokens_only_where_repeated_headers_are_joined() {
        for (version, header, value, expected) in [
            ("1.0", "X-Access-Token", "a,b", vec!["a,b"]),
            ("1.0", "Authorization", "Bearer a,b", vec!["a,b"]),
            ("2.0", "x-access-token", "a", vec!["a"]),
            ("2.0", "x-access-token", "a,b", vec!["a", "b"]),
            ("2.0", "x-access-token", "a,", vec!["a"]),
            ("2.0", "x-access-token", "", vec![]),
            ("2.0", "authorization", "Bearer a,b", vec!["a", "b"]),
            ("2.0", "authorization", "Bearer a,Bearer b", vec!["a", "Bearer b"]),
            ("2.0", "authorization", "Basic a,b", vec![]),
        ] {
            let request = parse(&json!({ "version": version, "headers": { header: value } })).unwrap();
            assert_eq!(request.tokens().collect::<Vec<_>>(), expected, "{version}: {value}");
        }
    }

    #[test]
    fn a_form_or_a_json_object_is_read_and_a_repeated_or_misplaced_member_is_an_error() {
        #[derive(Debug, Default, Deserialize, Eq, PartialEq)]
        #[serde(default)]
        struct Parameters {
            token: String,
        }
        let read = |body: &str| {
            let request = parse(&json!({ "body": body })).unwrap();
            request.json_or_form::<Parameters>(ApiError::request_too_large()).ok().map(|parameters| parameters.token)
        };
        let not_utf8 = json!({"body": STANDARD.encode(b"token=\xff"), "isBase64Encoded": true});
        assert!(parse(&not_utf8).unwrap().json_or_form::<Parameters>(ApiError::request_too_large()).is_err());
        for (body, token) in [
            ("", Some("")),
            ("token=a&other=b", Some("a")),
            ("other=b", Some("")),
            ("token=a+b%2B%C3%A4", Some("a b+ä")),
            ("token", Some("")),
            (r#" {"token":"a","other":[1]}"#, Some("a")),
            ("token=a&token=a", None),
            (r#"{"token":"a","token":"a"}"#, None),
            (r#"{"token":1}"#, None),
            (r#"{"token":"a"}token=b"#, None),
            (r#"["a"]"#, Some("")), // a form with one odd name
        ] {
            assert_eq!(read(body).as_deref(), token, "{body}");
        }
    }

    #[test]
    fn a_host_is_the_domain_name_else_the_header_and_at_most_255_bytes() {
        let host = |domain: Option<&str>, header: Option<&str>| {
            let headers: Map<_, _> = header.map(|header| ("Host".to_owned(), header.into())).into_iter().collect();
            parse(&json!({"headers": headers, "requestContext": {"domainName": domain}})).unwrap().host
        };
        assert_eq!(host(Some("domain.example"), Some("header.example")).as_deref(), Some("domain.example"));
        assert_eq!(host(None, Some("header.example")).as_deref(), Some("header.example"));
        assert_eq!(host(None, None), None);
        assert!(host(Some(&"x".repeat(255)), None).is_some());
        assert_eq!(host(Some(&"x".repeat(256)), None), None);
    }

    #[test]
    fn debug_shows_nothing_that_may_be_a_token() {
        let event = json!({"httpMethod": "POST", "headers": {"X-Access-Token": "canary"}, "body": "canary"});
        assert_eq!(format!("{:?}", parse(&event).unwrap()), r#"Request { method: "POST", .. }"#);
    }
}
