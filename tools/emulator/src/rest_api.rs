//! The REST API: handles a request in the steps of API Gateway.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::response::Response;
use http::header::{CONNECTION, CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, Request, StatusCode};
use serde_json::Value;

use crate::account::Region;
use crate::event::{self, Description};
use crate::gateway_response::{GatewayResponses, Refusal, ResponseType};
use crate::lambda::{Function, InvokeError};
use crate::routes::{self, Routes};
use crate::sigv4::{self, AccessKey};
use crate::template::{Api, Authorization, Authorizer, Route, Target};
use crate::throttle::Bucket;
use crate::{body, clock, integration, policy};

/// How long the body of a request may take to arrive.
const READ_TIMEOUT: Duration = Duration::from_secs(29);
/// How long API Gateway waits for a function, whose own time-out may be longer.
const INTEGRATION_TIMEOUT: Duration = Duration::from_secs(29);
/// The longest segment of a path that is logged as it is.
const MAX_LOGGED_SEGMENT: usize = 32;
/// How many segments of a path are logged.
const MAX_LOGGED_SEGMENTS: usize = 8;
/// The header with the request's id.
const X_AMZN_REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
/// Characters that API Gateway accepts in a query string only in their encoded form.
const NOT_IN_A_QUERY: [char; 3] = ['{', '|', '}'];

/// A REST API that is ready to serve.
#[derive(Debug)]
pub(crate) struct RestApi {
    /// Its Region.
    region: Region,
    /// Name of the stage.
    stage: String,
    /// Finds the index of an endpoint.
    routes: Routes,
    /// Every endpoint.
    endpoints: Vec<Endpoint>,
    /// The gateway responses.
    responses: GatewayResponses,
    /// The access key of the callers.
    access_key: Option<AccessKey>,
}

/// A route and the functions behind it.
#[derive(Debug)]
struct Endpoint {
    /// The route of the template.
    route: Route,
    /// The authorizer, if there is one, and its function.
    authorizer: Option<(Arc<Authorizer>, Arc<Function>)>,
    /// The function; none for a preflight.
    function: Option<Arc<Function>>,
    /// The stage's throttling, which API Gateway counts for each method separately.
    throttle: Option<Bucket>,
}

/// The data for the log line of a request.
#[derive(Debug, Default)]
struct Record {
    /// The authorizer's decision.
    verdict: Option<&'static str>,
    /// Which functions ran and for how long.
    invocations: Vec<(String, Duration)>,
    /// The gateway response that was sent instead of a function's reply.
    gateway_response: Option<ResponseType>,
}

impl RestApi {
    /// Combines the template's API with its functions and the callers' key; enforces throttling if `throttles`.
    pub(crate) fn new(
        api: Api,
        functions: &BTreeMap<String, Arc<Function>>,
        access_key: Option<AccessKey>,
        region: Region,
        throttles: bool,
    ) -> Self {
        let authorizers: BTreeMap<_, _> = api.authorizers.into_iter().map(|(name, it)| (name, Arc::new(it))).collect();
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
            throttle: api.throttling.filter(|_| throttles).map(|settings| Bucket::new(settings, Instant::now())),
            route,
        };
        Self {
            region,
            stage: api.stage,
            routes: api.table,
            endpoints: api.routes.into_iter().map(endpoint).collect(),
            responses: api.responses,
            access_key,
        }
    }

    /// Answers a request and logs it in one line.
    pub(crate) async fn serve(&self, request: Request<Body>, peer: SocketAddr) -> Response {
        // A new one for every request: a client's own `x-amzn-RequestId` is ignored.
        let request_id = uuid::Uuid::new_v4().to_string();
        let (request, body) = request.into_parts();
        // API Gateway reads several leading slashes as one; `requestContext.path` keeps them.
        let path = &format!("/{}", request.uri.path().trim_start_matches('/'));
        let mut record = Record::default();
        let domain = host(&request);
        let mut context = event::request_context(&request, domain.unwrap_or_default(), &self.stage, &request_id, peer);
        let answer = match domain {
            Some(_) if !request.uri.query().is_some_and(|query| query.contains(NOT_IN_A_QUERY)) => {
                self.answer(&request, path, body, &mut context, &mut record).await
            }
            _ => Err(Refusal::Http(StatusCode::BAD_REQUEST)),
        };
        let mut response = answer.unwrap_or_else(|refusal| match refusal {
            Refusal::Gateway(kind) => {
                record.gateway_response = Some(kind);
                self.responses.render(kind, &context)
            }
            Refusal::Signature(error_type, message) => {
                let kind = ResponseType::InvalidSignature;
                record.gateway_response = Some(kind);
                self.responses.render_as(kind, error_type, Some(&message), &context)
            }
            Refusal::Http(status) => {
                let mut response = Response::new(Body::empty());
                *response.status_mut() = status;
                // Otherwise the rest of this request would be read as the next one.
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                response
            }
        });
        if let Ok(request_id) = HeaderValue::try_from(request_id) {
            response.headers_mut().insert(X_AMZN_REQUEST_ID, request_id);
        }
        // The path as it was routed, without its query, which may contain a token. Headers and bodies are never
        // logged.
        let (method, path) = (loggable(request.method.as_str()), loggable(routes::without_trailing_slash(path)));
        tracing::info!("{method} {path} {}{}", response.status().as_u16(), record.suffix());
        response
    }

    /// The response of the route's target.
    async fn answer(
        &self,
        request: &Parts,
        path: &str,
        body: Body,
        context: &mut Value,
        record: &mut Record,
    ) -> Result<Response, Refusal> {
        let body = body::read(body, READ_TIMEOUT).await?;
        let found = self.routes.find(routes::without_trailing_slash(path), request.method.as_str());
        let Some(found) = found else {
            // API Gateway looks at the signature of such a request too, if it has one.
            self.verify(request, body.as_deref().unwrap_or_default(), context)?;
            return Err(ResponseType::MissingAuthenticationToken.into());
        };
        let endpoint = &self.endpoints[found.index];
        if endpoint.throttle.as_ref().is_some_and(|bucket| !bucket.admit(Instant::now())) {
            return Err(ResponseType::Throttled.into());
        }
        let body = body?;
        if endpoint.route.authorization == Authorization::Iam {
            let verified = self.verify(request, &body, context);
            record.verdict = Some(verified.as_ref().map_or_else(Refusal::error_type, |()| "Allow"));
            verified?;
        }
        let description =
            Description::new(request, path, self.region.name(), &self.stage, &endpoint.route, &found, context);
        if let Some((authorizer, function)) = &endpoint.authorizer {
            let authorized = if description.identifies(authorizer) {
                authorize(function, &description, context, record).await
            } else {
                Err(ResponseType::Unauthorized)
            };
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
                Ok(integrate(function, event, record).await?)
            }
        }
    }

    /// Verifies the signature of a request and adds its caller to the request's context.
    fn verify(&self, request: &Parts, body: &[u8], context: &mut Value) -> Result<(), Refusal> {
        let host = context["domainName"].as_str().unwrap_or_default();
        let key_id =
            sigv4::verify(request, host, body, self.access_key.as_ref(), self.region.of_signatures(), clock::now())?;
        event::add_caller(context, key_id);
        Ok(())
    }
}

/// Calls the authorizer and adds its context to the request's.
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
    let mut members = decision.context;
    let took = record.invocations.last().map_or(0, |(_, took)| took.as_millis());
    members.insert("integrationLatency".to_owned(), u64::try_from(took).unwrap_or(u64::MAX).into());
    context["authorizer"] = Value::Object(members);
    if decision.is_allowed { Ok(()) } else { Err(ResponseType::AccessDenied) }
}

/// Invokes the function of a route and turns its reply into a response.
async fn integrate(function: &Function, event: Value, record: &mut Record) -> Result<Response, ResponseType> {
    let reply = tokio::time::timeout(INTEGRATION_TIMEOUT, record.timed(function, event)).await;
    let reply = reply.map_err(|_| ResponseType::IntegrationTimeout)?.map_err(|err| {
        tracing::warn!("function {}: {err}", function.id);
        ResponseType::IntegrationFailure // also for the function's own time-out
    })?;
    integration::response(&reply).map_err(|malformed| {
        tracing::warn!("function {}: {malformed}", function.id);
        ResponseType::IntegrationFailure
    })
}

/// The response of the mock integration that SAM creates for a preflight.
fn preflight(headers: &HeaderMap) -> Response {
    let mut response = Response::new(Body::from("{}\n"));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().extend(headers.clone());
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
    async fn timed(&mut self, function: &Function, event: Value) -> Result<Value, InvokeError> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lambda::Functions;

    #[tokio::test(start_paused = true)]
    async fn a_function_that_takes_longer_than_29_s_is_504() {
        for (seconds, expected) in [(28, Ok(())), (30, Err(ResponseType::IntegrationTimeout))] {
            let functions = Functions::default().handler("f", move |_, _| async move {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                Ok(serde_json::json!({}))
            });
            let handler = functions.make("f", &BTreeMap::new()).unwrap().unwrap();
            let function =
                Function { id: "F".to_owned(), region: Region::default(), handler, timeout: Duration::from_secs(60) };

            let response = integrate(&function, Value::Null, &mut Record::default()).await;

            assert_eq!(response.map(|_| ()), expected, "{seconds} s");
        }
    }
}
