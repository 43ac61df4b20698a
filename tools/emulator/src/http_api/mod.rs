//! The HTTP API: handles a request in the steps of API Gateway, with payload 2.0.
//!
//! | step of a request | refused with |
//! | --- | --- |
//! | route by method and path | 404 |
//! | limit the body to 10 MB | 413 |
//! | ask the authorizer | 401, 403, 500 |
//! | invoke the function | 500, 503 |
//!
//! There are no gateway responses: the body of a refusal is `{"message":"…"}`.

mod event;
mod reply;

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::account::Region;
use crate::gateway::{Call, Endpoint, READ_TIMEOUT, Record, rejected};
use crate::lambda::Function;
use crate::routes::{Match, Routes};
use crate::template::{Authorizer, Cors, DEFAULT};
use crate::{body, policy};

use event::Description;

/// How long API Gateway waits for a function, whose own time-out may be longer.
const INTEGRATION_TIMEOUT: Duration = Duration::from_secs(30);
/// How long API Gateway waits for an authorizer.
const AUTHORIZER_TIMEOUT: Duration = Duration::from_secs(10);
/// The header with the request's id.
const APIGW_REQUEST_ID: HeaderName = HeaderName::from_static("apigw-requestid");

/// What is in place of an empty path variable. No path of a request or of a route contains it.
const EMPTY: char = '\0';

/// An HTTP API that is ready to serve.
#[derive(Debug)]
pub(crate) struct HttpApi {
    /// Finds the index of an endpoint.
    routes: Routes,
    /// Every endpoint; the one of the route `$default`, if there is one, is the last.
    endpoints: Vec<Endpoint>,
    /// The CORS configuration.
    cors: Option<Cors>,
    /// Its Region.
    region: Region,
}

/// The answer to a request that does not get its function's response.
#[derive(Debug, Eq, PartialEq)]
enum Refusal {
    /// HTTP's own answer to a request that API Gateway does not process.
    Http(StatusCode),
    /// API Gateway's answer: a status and its message.
    Gateway(StatusCode, &'static str),
}

/// No route.
const NOT_FOUND: Refusal = Refusal::Gateway(StatusCode::NOT_FOUND, "Not Found");
/// The body is too long.
const TOO_LARGE: Refusal = Refusal::Gateway(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
/// An identity source is missing.
const UNAUTHORIZED: Refusal = Refusal::Gateway(StatusCode::UNAUTHORIZED, "Unauthorized");
/// The authorizer does not allow the call.
const FORBIDDEN: Refusal = Refusal::Gateway(StatusCode::FORBIDDEN, "Forbidden");
/// The authorizer or the function failed, or answered what API Gateway cannot read.
const FAILED: Refusal = Refusal::Gateway(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
/// The function takes longer than API Gateway waits.
const TIMED_OUT: Refusal = Refusal::Gateway(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable");

impl HttpApi {
    /// The API of a Region, with its routes, their endpoints and its CORS.
    pub(crate) const fn new(routes: Routes, endpoints: Vec<Endpoint>, cors: Option<Cors>, region: Region) -> Self {
        Self { routes, endpoints, cors, region }
    }

    /// Answers a request.
    pub(crate) async fn serve(&self, call: Call, record: &mut Record) -> Response {
        let (id, method) = (HeaderValue::try_from(&call.id), call.request.method.clone());
        let headers = call.request.headers.clone();
        let mut response = match self.answer(call, record).await {
            Ok(response) => response,
            Err(Refusal::Http(status)) => return rejected(status),
            Err(Refusal::Gateway(status, message)) => {
                let mut response = Response::new(Body::from(json!({ "message": message }).to_string()));
                *response.status_mut() = status;
                response.headers_mut().insert(header::CONTENT_TYPE, reply::JSON);
                response
            }
        };
        if let Some(cors) = &self.cors {
            cors.apply(&headers, is_preflight(&method, &headers), response.headers_mut());
        }
        if let Ok(id) = id {
            response.headers_mut().insert(APIGW_REQUEST_ID, id);
        }
        response
    }

    /// The route for a path and a method. Its last variable can be empty: `/items/` is a path of `/items/{id}`.
    fn find(&self, path: &str, method: &str) -> Option<Match> {
        let with_empty_variable = || {
            let mut found = self.routes.find(&format!("{path}{EMPTY}"), method).filter(|_| path.ends_with('/'))?;
            found.parameters.last_mut()?.1.clear();
            Some(found)
        };
        self.routes.find(path, method).or_else(with_empty_variable)
    }

    /// The response of the route's function, or of a preflight.
    async fn answer(&self, mut call: Call, record: &mut Record) -> Result<Response, Refusal> {
        let body = std::mem::take(&mut call.body);
        let body = body::read(body, READ_TIMEOUT).await.map_err(Refusal::Http)?;
        let (method, headers) = (&call.request.method, &call.request.headers);
        let found = self.find(call.request.uri.path(), method.as_str());
        let (index, parameters) = found.map(|found| (Some(found.index), found.parameters)).unwrap_or_default();
        let default = || self.endpoints.last().filter(|endpoint| endpoint.route.path == DEFAULT);
        let Some(endpoint) = index.map(|index| &self.endpoints[index]).or_else(default) else {
            if self.cors.is_some() && is_preflight(method, headers) {
                let mut response = Response::new(Body::empty());
                *response.status_mut() = StatusCode::NO_CONTENT;
                return Ok(response);
            }
            return Err(NOT_FOUND);
        };
        let body = body.ok_or(TOO_LARGE)?;
        let description = Description::new(&call, self.region.name(), &endpoint.route, &parameters);
        let mut context = None;
        if let Some((authorizer, function)) = &endpoint.authorizer {
            let authorized = authorize(authorizer, function, &description, record).await;
            record.verdict = Some(match &authorized {
                Ok(_) => "Allow",
                Err(FORBIDDEN) => "Deny",
                Err(UNAUTHORIZED) => "Unauthorized",
                Err(_) => "error",
            });
            context = Some(authorized?);
        }
        let function = endpoint.function.as_ref().ok_or(FAILED)?;
        integrate(function, description.proxy_event(headers, &body, context), record).await
    }
}

/// Calls the authorizer. Returns its context.
async fn authorize(
    authorizer: &Authorizer,
    function: &Function,
    description: &Description,
    record: &mut Record,
) -> Result<Map<String, Value>, Refusal> {
    let failed = |why: &dyn std::fmt::Display| {
        tracing::warn!("authorizer {}: {why}", function.id);
        FAILED
    };
    let identity = description.identity(authorizer).ok_or(UNAUTHORIZED)?;
    if authorizer.is_forbidden {
        return Err(failed(&"API Gateway has no permission to invoke it"));
    }
    let answer = record.timed(function, description.authorizer_event(&identity));
    let answer = tokio::time::timeout(AUTHORIZER_TIMEOUT, answer).await.map_err(|err| failed(&err))?;
    let answer = answer.map_err(|err| failed(&err))?;
    let decision = policy::decide_in_http_api(&answer, &description.route_arn, authorizer.is_simple);
    let decision = decision.map_err(|malformed| failed(&malformed))?;
    if decision.is_allowed { Ok(decision.context) } else { Err(FORBIDDEN) }
}

/// Invokes the function of a route and turns its reply into a response.
async fn integrate(function: &Function, event: Value, record: &mut Record) -> Result<Response, Refusal> {
    let reply = tokio::time::timeout(INTEGRATION_TIMEOUT, record.timed(function, event)).await;
    let reply = reply.map_err(|_| TIMED_OUT)?.map_err(|err| {
        tracing::warn!("function {}: {err}", function.id);
        FAILED
    })?;
    reply::response(&reply).map_err(|malformed| {
        tracing::warn!("function {}: {malformed}", function.id);
        FAILED
    })
}

/// Whether a request is the preflight of a browser.
fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::OPTIONS
        && headers.contains_key(header::ORIGIN)
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

impl Cors {
    /// Replaces the CORS headers of a response by those of the configuration, for a request with these headers.
    fn apply(&self, request: &HeaderMap, is_preflight: bool, response: &mut HeaderMap) {
        for name in [
            header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            header::ACCESS_CONTROL_ALLOW_METHODS,
            header::ACCESS_CONTROL_ALLOW_ORIGIN,
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            header::ACCESS_CONTROL_MAX_AGE,
        ] {
            response.remove(name);
        }
        let Some(origin) = request.get(header::ORIGIN).and_then(|origin| self.allowed(origin)) else { return };
        response.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        response.extend(self.common.clone());
        if is_preflight {
            response.extend(self.preflight.clone());
        }
    }

    /// The value of `Access-Control-Allow-Origin` for an origin; `None` if it is not allowed.
    fn allowed(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        if self.origins.iter().any(|allowed| allowed == "*") {
            return Some(HeaderValue::from_static("*"));
        }
        let text = origin.to_str().ok()?;
        // `https://*` allows every origin that begins with `https://`.
        let is_allowed = |allowed: &String| match allowed.strip_suffix("://*") {
            Some(scheme) => text.split_once("://").is_some_and(|(own, _)| own == scheme),
            None => allowed == text,
        };
        self.origins.iter().any(is_allowed).then(|| origin.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::lambda::Functions;

    #[tokio::test(start_paused = true)]
    async fn a_function_that_takes_longer_than_30_s_is_503() {
        for (seconds, expected) in [(29, Ok(())), (31, Err(TIMED_OUT))] {
            let functions = Functions::default().handler("f", move |_, _| async move {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                Ok(json!({}))
            });
            let handler = functions.make("f", &BTreeMap::new()).unwrap().unwrap();
            let function =
                Function { id: "F".to_owned(), region: Region::default(), handler, timeout: Duration::from_secs(60) };

            let response = integrate(&function, Value::Null, &mut Record::default()).await;

            assert_eq!(response.map(|_| ()), expected, "{seconds} s");
        }
    }
}
