//! Events of payload 2.0: a request as an HTTP API describes it to an authorizer and to a function.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::{CONTENT_TYPE, COOKIE, USER_AGENT};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use crate::account::ACCOUNT_ID;
use crate::clock;
use crate::event::{API_ID, forwarded};
use crate::gateway::Call;
use crate::template::{Authorizer, DEFAULT, Route};

/// Headers of the connection, which an intermediary does not pass on (RFC 9110, section 7.6.1).
const OF_THE_CONNECTION: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// Media types of bodies that reach a function as text, beside `text/*` (recorded: docs/gateway.md).
const TEXTUAL: [&str; 3] = ["application/javascript", "application/json", "application/xml"];

/// A request for a route, as the events of the authorizer and of the function describe it.
pub(super) struct Description {
    /// ARN of the route that is called.
    pub(super) route_arn: String,
    /// Members that both events have.
    members: Map<String, Value>,
}

impl Description {
    /// Describes a request for `route`, whose path has these parameters.
    pub(super) fn new(call: &Call, region: &str, route: &Route, parameters: &[(String, String)]) -> Self {
        let (request, method, source) = (&call.request, call.request.method.as_str(), call.peer.ip().to_string());
        let raw_path = request.uri.path();
        let path = decoded(raw_path);
        let route_key =
            if route.path == DEFAULT { DEFAULT.to_owned() } else { format!("{} {}", route.method, route.path) };
        let epoch = clock::now_millis();
        let user_agent = request.headers.get(USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()));
        let context = json!({
            "accountId": ACCOUNT_ID,
            "apiId": API_ID,
            "domainName": call.domain,
            "domainPrefix": call.domain.split('.').next(),
            "http": {
                "method": method,
                "path": path,
                "protocol": format!("{:?}", request.version),
                "sourceIp": source,
                "userAgent": user_agent.unwrap_or_default(),
            },
            "requestId": call.id,
            "routeKey": route_key,
            "stage": DEFAULT,
            "time": clock::request_time(epoch),
            "timeEpoch": epoch,
        });
        let query = request.uri.query().unwrap_or_default();
        let parameters = parameters.iter().map(|(name, value)| (name.clone(), decoded(value)));
        let mut headers = joined(headers(&request.headers));
        headers.extend(forwarded(request, &call.domain, &source).map(|(name, value)| (name.to_owned(), value)));
        let members = [
            ("version", json!("2.0")),
            ("routeKey", json!(route_key)),
            ("rawPath", json!(path)),
            ("rawQueryString", json!(query)),
            ("cookies", json!(cookies(&request.headers))),
            ("headers", json!(headers)),
            ("queryStringParameters", json!(joined(form_urlencoded::parse(query.as_bytes())))),
            ("pathParameters", json!(parameters.collect::<BTreeMap<_, _>>())),
            ("requestContext", context),
        ];
        // A part that the request does not have is missing, not null or empty, except for the query string.
        let is_there = |value: &Value| match value {
            Value::Array(items) => !items.is_empty(),
            Value::Object(members) => !members.is_empty(),
            _ => true,
        };
        let members = members.into_iter().filter(|(_, value)| is_there(value));
        Self {
            route_arn: format!("arn:aws:execute-api:{region}:{ACCOUNT_ID}:{API_ID}/{DEFAULT}/{method}{raw_path}"),
            members: members.map(|(name, value)| (name.to_owned(), value)).collect(),
        }
    }

    /// The values of an authorizer's identity sources; `None` if one of them is missing or empty.
    pub(super) fn identity(&self, authorizer: &Authorizer) -> Option<Vec<&str>> {
        let value =
            |member, name: &String| self.members.get(member)?.get(name)?.as_str().filter(|value| !value.is_empty());
        let headers = authorizer.headers.iter().map(|name| value("headers", name));
        let queries = authorizer.query_parameters.iter().map(|name| value("queryStringParameters", name));
        headers.chain(queries).collect()
    }

    /// The event of a REQUEST authorizer, whose identity sources have these values.
    pub(super) fn authorizer_event(&self, identity: &[&str]) -> Value {
        let mut event = self.members.clone();
        event.insert("type".to_owned(), json!("REQUEST"));
        event.insert("routeArn".to_owned(), json!(self.route_arn));
        event.insert("identitySource".to_owned(), if identity.is_empty() { Value::Null } else { json!(identity) });
        Value::Object(event)
    }

    /// The event of a proxy integration, with the authorizer's context if the route has an authorizer.
    pub(super) fn proxy_event(self, headers: &HeaderMap, body: &[u8], authorizer: Option<Map<String, Value>>) -> Value {
        let mut event = self.members;
        if let Some(context) = authorizer {
            event["requestContext"]["authorizer"] = json!({ "lambda": context });
        }
        let text = std::str::from_utf8(body).ok().filter(|_| is_textual(headers));
        event.insert("isBase64Encoded".to_owned(), json!(!body.is_empty() && text.is_none()));
        if !body.is_empty() {
            let body = text.map_or_else(|| STANDARD.encode(body), str::to_owned);
            event.insert("body".to_owned(), json!(body));
        }
        Value::Object(event)
    }
}

/// A path, or a part of it, with its escapes decoded.
fn decoded(path: &str) -> Cow<'_, str> {
    percent_decode_str(path).decode_utf8_lossy()
}

/// The headers in an event, whose cookies are apart.
fn headers(headers: &HeaderMap) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
    let shown = headers.iter().filter(|(name, _)| **name != COOKIE && !OF_THE_CONNECTION.contains(&name.as_str()));
    shown.map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())))
}

/// The cookies of all `Cookie` headers.
fn cookies(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(COOKIE).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let cookies = values.flat_map(|value| value.split(';').map(|cookie| cookie.trim().to_owned()).collect::<Vec<_>>());
    cookies.filter(|cookie| !cookie.is_empty()).collect()
}

/// Each name with its values, joined with commas.
fn joined<'a>(pairs: impl Iterator<Item = (impl Into<Cow<'a, str>>, Cow<'a, str>)>) -> BTreeMap<String, String> {
    let mut by_name = BTreeMap::<String, String>::new();
    for (name, value) in pairs {
        let entry = by_name.entry(name.into().into_owned());
        entry.and_modify(|joined| *joined = format!("{joined},{value}")).or_insert_with(|| value.clone().into_owned());
    }
    by_name
}

/// Whether the content type of a request is that of a text.
fn is_textual(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim().to_lowercase();
    media_type.starts_with("text/") || TEXTUAL.contains(&media_type.as_str())
}
