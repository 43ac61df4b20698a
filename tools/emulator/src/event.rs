//! Events: a request as API Gateway describes it to an authorizer and to a function (payload version 1).
//!
//! One thing differs from API Gateway: header names are in lower case, because the HTTP server does not keep
//! the case that the client sent.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, USER_AGENT};
use http::request::Parts;
use serde_json::{Map, Value, json};

use crate::account::{ACCOUNT_ID, USER_ID, USER_NAME};
use crate::routes::Match;
use crate::template::{Authorizer, Route};

/// The id of the API.
pub(crate) const API_ID: &str = "local";

/// A request for a route, as the events of the authorizer and of the function describe it.
#[derive(Debug)]
pub(crate) struct Description {
    /// ARN of the method that is called.
    pub(crate) method_arn: String,
    /// Members that both events have.
    members: Map<String, Value>,
}

/// Headers of a request that reach neither an authorizer nor a function (recorded: docs/gateway.md).
const HIDDEN: [&str; 12] = [
    "connection",
    "content-length",
    "content-md5",
    "expect",
    "max-forwards",
    "proxy-authenticate",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "www-authenticate",
];
/// The beginning of an `Authorization` header that holds a signature. Such a header reaches neither of them.
const SIGNATURE: &[u8] = b"AWS4-";

/// A name and one of its values.
type Pair<'a> = (&'a str, Cow<'a, str>);

/// Query parameters of a request, decoded, in order. A semicolon separates them, like an ampersand.
fn query_parameters(request: &Parts) -> Vec<(String, String)> {
    let query = request.uri.query().unwrap_or_default().replace(';', "&");
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// The headers in an event: the client's, and those in which API Gateway describes the connection.
fn headers<'a>(request: &'a Parts, context: &'a Value) -> Vec<Pair<'a>> {
    let mut headers: Vec<Pair<'a>> = request
        .headers
        .iter()
        .filter(|(name, value)| **name != AUTHORIZATION || !value.as_bytes().starts_with(SIGNATURE))
        .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())))
        .filter(|(name, _)| !HIDDEN.contains(name))
        .collect();
    let mut set = |name, value: Cow<'a, str>| {
        headers.retain(|(other, _)| *other != name);
        headers.push((name, value));
    };
    let domain = context["domainName"].as_str().unwrap_or_default();
    let source = context["identity"]["sourceIp"].as_str().unwrap_or_default();
    for (name, value) in forwarded(request, domain, source) {
        set(name, value.into());
    }
    headers
}

/// The headers in which API Gateway describes the connection from the client `source` to the host `domain`.
pub(crate) fn forwarded(request: &Parts, domain: &str, source: &str) -> [(&'static str, String); 4] {
    let port = domain.rsplit_once(':').map_or("80", |(_, port)| port);
    let forwarded = request.headers.get_all("x-forwarded-for").iter();
    let forwarded = forwarded.map(|value| String::from_utf8_lossy(value.as_bytes())).chain([source.into()]);
    [
        ("host", domain.to_owned()),
        ("x-forwarded-for", forwarded.collect::<Vec<_>>().join(", ")),
        ("x-forwarded-port", port.to_owned()),
        ("x-forwarded-proto", "http".to_owned()),
    ]
}

/// The request context before a route is known, which a gateway response can refer to.
///
/// `domain` is the host that the client sent, with its port, so that it equals the header `Host`.
pub(crate) fn request_context(request: &Parts, domain: &str, stage: &str, request_id: &str, peer: SocketAddr) -> Value {
    let user_agent = request.headers.get(USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let epoch = crate::clock::now_millis();
    json!({
        "accountId": ACCOUNT_ID,
        "apiId": API_ID,
        "domainName": domain,
        "domainPrefix": domain.split('.').next(),
        "httpMethod": request.method.as_str(),
        "identity": { "sourceIp": peer.ip().to_string(), "userAgent": user_agent },
        "path": format!("/{stage}{}", request.uri.path()),
        "protocol": format!("{:?}", request.version),
        "requestId": request_id,
        "requestTime": crate::clock::request_time(epoch),
        "requestTimeEpoch": epoch,
        "stage": stage,
    })
}

/// Adds the user that signed the request with the access key `key_id` to the request's `context`.
pub(crate) fn add_caller(context: &mut Value, key_id: &str) {
    let identity = &mut context["identity"];
    identity["accessKey"] = key_id.into();
    identity["accountId"] = ACCOUNT_ID.into();
    identity["caller"] = USER_ID.into();
    identity["user"] = USER_ID.into();
    identity["userArn"] = format!("arn:aws:iam::{ACCOUNT_ID}:user/{USER_NAME}").into();
}

impl Description {
    /// Describes a request for `route`, and adds the route to its `context`.
    pub(crate) fn new(
        request: &Parts,
        path: &str,
        region: &str,
        stage: &str,
        route: &Route,
        found: &Match,
        context: &mut Value,
    ) -> Self {
        let method = request.method.as_str();
        context["resourceId"] = Value::from(format!("r{}", found.index));
        context["resourcePath"] = Value::from(route.path.as_str());
        let headers = headers(request, context);
        let queries = query_parameters(request);
        let queries = pairs(&queries);
        let members = [
            ("resource", Value::from(route.path.as_str())),
            ("path", Value::from(path)),
            ("httpMethod", Value::from(method)),
            ("headers", last_values(&headers)),
            ("multiValueHeaders", all_values(&headers)),
            ("queryStringParameters", last_values(&queries)),
            ("multiValueQueryStringParameters", all_values(&queries)),
            ("pathParameters", last_values(&pairs(&found.parameters))),
            ("stageVariables", json!({})),
        ];
        let arn_path = path.trim_start_matches('/');
        Self {
            method_arn: format!("arn:aws:execute-api:{region}:{ACCOUNT_ID}:{API_ID}/{stage}/{method}/{arn_path}"),
            members: members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        }
    }

    /// Whether the request has every identity source of an authorizer. If not, API Gateway does not call it.
    pub(crate) fn identifies(&self, authorizer: &Authorizer) -> bool {
        let has = |member: &str, name: &String| {
            self.members.get(member).and_then(|values| values[name].as_str()).is_some_and(|value| !value.is_empty())
        };
        authorizer.headers.iter().all(|name| has("headers", name))
            && authorizer.query_parameters.iter().all(|name| has("queryStringParameters", name))
    }

    /// The event of a REQUEST authorizer.
    pub(crate) fn authorizer_event(&self, context: &Value) -> Value {
        let mut event = self.members.clone();
        event.insert("type".to_owned(), Value::from("REQUEST"));
        event.insert("methodArn".to_owned(), Value::from(self.method_arn.as_str()));
        event.insert("requestContext".to_owned(), context.clone());
        Value::Object(event)
    }

    /// The event of a proxy integration.
    pub(crate) fn proxy_event(self, context: Value, body: &[u8]) -> Value {
        let mut event = self.members;
        // Where an authorizer's event has an empty object, API Gateway writes null here.
        for (_, value) in event.iter_mut().filter(|(_, value)| value.as_object().is_some_and(Map::is_empty)) {
            *value = Value::Null;
        }
        // Without binary media types a body is text. Bytes that are not UTF-8 are kept, in base64.
        let (body, is_base64_encoded) = match std::str::from_utf8(body) {
            Ok("") => (Value::Null, false),
            Ok(text) => (Value::from(text), false),
            Err(_) => (Value::from(STANDARD.encode(body)), true),
        };
        event.insert("body".to_owned(), body);
        event.insert("isBase64Encoded".to_owned(), Value::from(is_base64_encoded));
        event.insert("requestContext".to_owned(), context);
        Value::Object(event)
    }
}

/// Names and values, borrowed.
fn pairs(owned: &[(String, String)]) -> Vec<Pair<'_>> {
    owned.iter().map(|(name, value)| (name.as_str(), Cow::from(value))).collect()
}

/// Each name with its last value.
fn last_values(pairs: &[Pair<'_>]) -> Value {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), Value::from(&**value))).collect::<Map<_, _>>().into()
}

/// Each name with all its values.
fn all_values(pairs: &[Pair<'_>]) -> Value {
    let mut by_name = BTreeMap::<&str, Vec<&str>>::new();
    for (name, value) in pairs {
        by_name.entry(name).or_default().push(value);
    }
    json!(by_name)
}
