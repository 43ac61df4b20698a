//! The REST API: what becomes of one request, step by step as in API Gateway.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures_util::StreamExt;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Request};
use serde_json::Value;

use crate::event::{self, Description};
use crate::gateway_response::{GatewayResponses, ResponseType};
use crate::lambda::{Function, InvokeError};
use crate::routes::{self, Routes};
use crate::template::{Api, Route, Target};
use crate::throttle::Bucket;
use crate::{integration, policy};

/// API Gateway's limit of a request's body.
const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;
/// How long a request may take to arrive.
const READ_TIMEOUT: Duration = Duration::from_secs(29);
/// The longest segment of a path that is logged as it is.
const MAX_LOGGED_SEGMENT: usize = 32;
/// How many segments of a path are logged.
const MAX_LOGGED_SEGMENTS: usize = 8;
/// The header with the request's id.
const X_AMZN_REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// A REST API that is ready to serve: everything the template decides is decided.
#[derive(Debug)]
pub(crate) struct RestApi {
    /// Name of the stage.
    stage: String,
    /// Finds the position of an endpoint.
    routes: Routes,
    /// Every route.
    endpoints: Vec<Endpoint>,
    /// What it answers by itself.
    responses: GatewayResponses,
}

/// A route with what stands behind it.
#[derive(Debug)]
struct Endpoint {
    /// The route as the template has it.
    route: Route,
    /// The function of the authorizer that is asked first.
    authorizer: Option<Arc<Function>>,
    /// The function; none for a preflight.
    function: Option<Arc<Function>>,
    /// The stage's throttling: API Gateway counts each method by itself.
    throttle: Option<Bucket>,
}

/// What the log says about a request.
#[derive(Debug, Default)]
struct Record {
    /// What the authorizer said.
    verdict: Option<&'static str>,
    /// Which functions ran and for how long.
    invocations: Vec<(String, Duration)>,
    /// What was sent in place of a function's reply.
    gateway_response: Option<ResponseType>,
}

impl RestApi {
    /// Puts together the template's API and its functions; throttles if `throttles`.
    pub(crate) fn new(api: Api, functions: &BTreeMap<String, Arc<Function>>, throttles: bool) -> Self {
        let routes = Routes::new(api.routes.iter().map(|route| (route.path.as_str(), route.method.as_str())));
        let endpoint = |route: Route| Endpoint {
            authorizer: route.authorizer.as_ref().map(|name| Arc::clone(&functions[&api.authorizers[name].function])),
            function: match &route.target {
                Target::Function(id) => Some(Arc::clone(&functions[id])),
                Target::Preflight(_) => None,
            },
            throttle: api.throttling.filter(|_| throttles).map(|settings| Bucket::new(settings, Instant::now())),
            route,
        };
        Self {
            stage: api.stage,
            routes,
            endpoints: api.routes.into_iter().map(endpoint).collect(),
            responses: api.responses,
        }
    }

    /// Answers a request and logs it in one line.
    pub(crate) async fn serve(&self, request: Request<Body>, peer: SocketAddr) -> Response {
        // A new one for every request: a client's own `x-amzn-RequestId` does not count here.
        let request_id = uuid::Uuid::new_v4().to_string();
        let (request, body) = request.into_parts();
        let path = routes::normalize(request.uri.path());
        let mut record = Record::default();
        let mut context = event::request_context(&request, path, &self.stage, &request_id, peer);
        let answer = self.answer(&request, path, body, &mut context, &mut record).await;
        let mut response = answer.unwrap_or_else(|kind| {
            record.gateway_response = Some(kind);
            self.responses.render(kind, &context)
        });
        if let Ok(request_id) = HeaderValue::try_from(request_id) {
            response.headers_mut().insert(X_AMZN_REQUEST_ID, request_id);
        }
        // The path without its query, which may hold a token; never a header or a body.
        let (method, path) = (loggable(request.method.as_str()), loggable(path));
        tracing::info!("{method} {path} {}{}", response.status().as_u16(), record.suffix());
        response
    }

    /// The response of the route's target, or the kind of gateway response in its place.
    async fn answer(
        &self,
        request: &Parts,
        path: &str,
        body: Body,
        context: &mut Value,
        record: &mut Record,
    ) -> Result<Response, ResponseType> {
        let body = tokio::time::timeout(READ_TIMEOUT, read(body)).await.ok().flatten();
        let found = self.routes.find(path, request.method.as_str()).ok_or(ResponseType::MissingAuthenticationToken)?;
        let endpoint = &self.endpoints[found.index];
        if endpoint.throttle.as_ref().is_some_and(|bucket| !bucket.admit(Instant::now())) {
            return Err(ResponseType::Throttled);
        }
        let body = body.ok_or(ResponseType::RequestTooLarge)?;
        let description = Description::new(request, path, &self.stage, &endpoint.route, &found, context);
        if let Some(function) = &endpoint.authorizer {
            let authorized = authorize(function, &description, context, record).await;
            record.verdict = Some(match authorized {
                Ok(()) => "Allow",
                Err(ResponseType::AccessDenied) => "Deny",
                Err(ResponseType::Unauthorized) => "Unauthorized",
                Err(_) => "error",
            });
            authorized?;
        }
        match (&endpoint.route.target, &endpoint.function) {
            (Target::Preflight(headers), _) => Ok(preflight(headers)),
            (Target::Function(_), function) => {
                let function = function.as_ref().ok_or(ResponseType::IntegrationFailure)?;
                let event = description.proxy_event(context.clone(), &body);
                integrate(function, event, record).await
            }
        }
    }
}

/// Asks the authorizer; an Allow puts its context into the request's.
async fn authorize(
    function: &Function,
    description: &Description,
    context: &mut Value,
    record: &mut Record,
) -> Result<(), ResponseType> {
    let answer = record.timed(function, description.authorizer_event(context)).await.map_err(|err| match err {
        InvokeError::Failed(message) if message == "Unauthorized" => ResponseType::Unauthorized,
        err => {
            tracing::warn!("authorizer {}: {err}", function.id);
            ResponseType::AuthorizerFailure
        }
    })?;
    let decision = policy::decide(&answer, &description.method_arn).map_err(|malformed| {
        tracing::warn!("authorizer {}: {malformed}", function.id);
        ResponseType::AuthorizerConfigurationError
    })?;
    context["authorizer"] = Value::Object(decision.context);
    if decision.is_allowed { Ok(()) } else { Err(ResponseType::AccessDenied) }
}

/// Invokes the function of a route and makes its reply a response.
async fn integrate(function: &Function, event: Value, record: &mut Record) -> Result<Response, ResponseType> {
    let reply = record.timed(function, event).await.map_err(|err| {
        tracing::warn!("function {}: {err}", function.id);
        ResponseType::IntegrationFailure // its own time-out too
    })?;
    integration::response(&reply).map_err(|malformed| {
        tracing::warn!("function {}: {malformed}", function.id);
        ResponseType::IntegrationFailure
    })
}

/// The response of the mock integration that SAM puts behind a preflight.
fn preflight(headers: &HeaderMap) -> Response {
    let mut response = Response::new(Body::from("{}\n"));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().extend(headers.clone());
    response
}

/// The whole body, or `None` if it is longer than API Gateway accepts or breaks off.
///
/// A body that is too long is read to its end all the same: a client that is still sending would see a
/// broken connection in place of the 413.
async fn read(body: Body) -> Option<Bytes> {
    let mut chunks = body.into_data_stream();
    let mut whole = Vec::new();
    let mut is_too_long = false;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.ok()?;
        is_too_long |= whole.len() + chunk.len() > MAX_BODY_BYTES;
        if !is_too_long {
            whole.extend_from_slice(&chunk);
        }
    }
    (!is_too_long).then(|| whole.into())
}

/// A path or a method for the log: what is too long or too odd to be a route's own is left out, for
/// it may be a token, or written to forge a line.
fn loggable(path: &str) -> String {
    let shown =
        |segment: &str| segment.len() <= MAX_LOGGED_SEGMENT && segment.bytes().all(|byte| byte.is_ascii_graphic());
    let segments = path.split('/').take(MAX_LOGGED_SEGMENTS).map(|segment| if shown(segment) { segment } else { "…" });
    segments.collect::<Vec<_>>().join("/")
}

impl Record {
    /// Invokes a function and notes how long it took.
    async fn timed(&mut self, function: &Function, event: Value) -> Result<Value, InvokeError> {
        let start = Instant::now();
        let reply = function.invoke(event).await;
        self.invocations.push((function.id.clone(), start.elapsed()));
        reply
    }

    /// What follows the status in the log.
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
