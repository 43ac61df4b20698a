//! What a REST API and an HTTP API have in common: the endpoints, the host and the log line of a request.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::response::Response;
use http::header::{CONNECTION, HOST, HeaderValue};
use http::request::Parts;
use http::uri::Authority;
use http::{Request, StatusCode};
use serde_json::Value;

use crate::account::Region;
use crate::gateway_response::ResponseType;
use crate::http_api::HttpApi;
use crate::lambda::{Function, InvokeError};
use crate::rest_api::RestApi;
use crate::routes;
use crate::sigv4::AccessKey;
use crate::template::{Api, Authorization, Authorizer, Kind, Route, Target, Throttling};
use crate::throttle::Bucket;

/// How long the body of a request may take to arrive.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_secs(29);
/// The longest segment of a path that is logged as it is.
const MAX_LOGGED_SEGMENT: usize = 32;
/// How many segments of a path are logged.
const MAX_LOGGED_SEGMENTS: usize = 8;

/// An API that is ready to serve.
#[derive(Debug)]
pub(crate) enum Gateway {
    /// `AWS::Serverless::Api`.
    Rest(RestApi),
    /// `AWS::Serverless::HttpApi`.
    Http(HttpApi),
}

/// A request as it arrived.
pub(crate) struct Call {
    /// Method, target and headers.
    pub(crate) request: Parts,
    /// The body, not yet read.
    pub(crate) body: Body,
    /// The host that the client named, with its port.
    pub(crate) domain: String,
    /// The client.
    pub(crate) peer: SocketAddr,
    /// A new id for every request: one that the client sends is ignored.
    pub(crate) id: String,
}

/// A route and the functions behind it.
#[derive(Debug)]
pub(crate) struct Endpoint {
    /// The route of the template.
    pub(crate) route: Route,
    /// The authorizer, if there is one, and its function.
    pub(crate) authorizer: Option<(Arc<Authorizer>, Arc<Function>)>,
    /// The function; none for a preflight.
    pub(crate) function: Option<Arc<Function>>,
    /// The stage's throttling, which API Gateway counts for each method separately.
    pub(crate) throttle: Option<Bucket>,
}

/// The data for the log line of a request.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// The authorizer's decision.
    pub(crate) verdict: Option<&'static str>,
    /// Which functions ran and for how long.
    pub(crate) invocations: Vec<(String, Duration)>,
    /// The gateway response that was sent instead of a function's reply.
    pub(crate) gateway_response: Option<ResponseType>,
}

impl Gateway {
    /// Combines the template's API with its functions and the callers' key; enforces throttling if `throttles`.
    pub(crate) fn new(
        api: Api,
        functions: &BTreeMap<String, Arc<Function>>,
        access_key: Option<AccessKey>,
        region: &Region,
        throttles: bool,
    ) -> Self {
        let Api { kind, routes, table, authorizers, .. } = api;
        match kind {
            Kind::Rest { stage, responses, throttling } => {
                let endpoints = endpoints(routes, authorizers, functions, throttling.filter(|_| throttles));
                Self::Rest(RestApi::new(stage, table, endpoints, responses, access_key, region.clone()))
            }
            Kind::Http { cors } => {
                Self::Http(HttpApi::new(table, endpoints(routes, authorizers, functions, None), cors, region.clone()))
            }
        }
    }

    /// Answers a request and logs it in one line.
    pub(crate) async fn serve(&self, request: Request<Body>, peer: SocketAddr) -> Response {
        let (request, body) = request.into_parts();
        let (method, path) = (request.method.clone(), request.uri.path().to_owned());
        let mut record = Record::default();
        let response = match host(&request).map(str::to_owned) {
            None => rejected(StatusCode::BAD_REQUEST),
            Some(domain) => {
                let call = Call { request, body, domain, peer, id: uuid::Uuid::new_v4().to_string() };
                match self {
                    Self::Rest(api) => api.serve(call, &mut record).await,
                    Self::Http(api) => api.serve(call, &mut record).await,
                }
            }
        };
        // The path without its query, which may contain a token. Headers and bodies are never logged.
        let path = format!("/{}", path.trim_start_matches('/'));
        let (method, path) = (loggable(method.as_str()), loggable(routes::without_trailing_slash(&path)));
        tracing::info!("{method} {path} {}{}", response.status().as_u16(), record.suffix());
        response
    }
}

/// The endpoints of an API's routes, in their order.
fn endpoints(
    routes: Vec<Route>,
    authorizers: BTreeMap<String, Authorizer>,
    functions: &BTreeMap<String, Arc<Function>>,
    throttling: Option<Throttling>,
) -> Vec<Endpoint> {
    let authorizers: BTreeMap<_, _> = authorizers.into_iter().map(|(name, it)| (name, Arc::new(it))).collect();
    let authorizer = |name: &String| {
        let authorizer = &authorizers[name];
        (Arc::clone(authorizer), Arc::clone(&functions[&authorizer.function]))
    };
    let endpoint = |route: Route| Endpoint {
        authorizer: match &route.authorization {
            Authorization::Authorizer(name) => Some(authorizer(name)),
            Authorization::Open | Authorization::Iam => None,
        },
        function: match &route.target {
            Target::Function(id) => Some(Arc::clone(&functions[id])),
            Target::Preflight(_) => None,
        },
        throttle: throttling.map(|settings| Bucket::new(settings, Instant::now())),
        route,
    };
    routes.into_iter().map(endpoint).collect()
}

/// HTTP's own answer to a request that API Gateway does not process: only a status.
pub(crate) fn rejected(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    // Otherwise the rest of this request would be read as the next one.
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The host that the request is for: HTTP/2's `:authority`, or the one `Host` that HTTP/1 requires.
fn host(request: &Parts) -> Option<&str> {
    let mut hosts = request.headers.get_all(HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => Some(host.to_str().ok()?),
        (None, _) if request.version == http::Version::HTTP_2 => None,
        _ => return None,
    };
    let host = request.uri.authority().map(Authority::as_str).or(host)?;
    host.parse::<Authority>().is_ok_and(|authority| !authority.host().is_empty()).then_some(host)
}

/// A path or a method for the log. A segment that is too long or has unusual characters is left out: it may
/// be a token, or an attempt to forge a log line.
fn loggable(path: &str) -> String {
    let shown =
        |segment: &str| segment.len() <= MAX_LOGGED_SEGMENT && segment.bytes().all(|byte| byte.is_ascii_graphic());
    let segments = path.split('/').take(MAX_LOGGED_SEGMENTS).map(|segment| if shown(segment) { segment } else { "…" });
    segments.collect::<Vec<_>>().join("/")
}

impl Record {
    /// Invokes a function and notes how long it took.
    pub(crate) async fn timed(&mut self, function: &Function, event: Value) -> Result<Value, InvokeError> {
        let start = Instant::now();
        let reply = function.invoke(event).await;
        self.invocations.push((function.id.clone(), start.elapsed()));
        reply
    }

    /// The part of the log line after the status.
    fn suffix(&self) -> String {
        let mut text = String::new();
        if let Some(kind) = self.gateway_response {
            _ = write!(text, " {}", kind.name());
        }
        if let Some(verdict) = self.verdict {
            _ = write!(text, " authorizer={verdict}");
        }
        for (id, took) in &self.invocations {
            _ = write!(text, " {id}={:.1}ms", took.as_secs_f64() * 1000.0);
        }
        text
    }
}
