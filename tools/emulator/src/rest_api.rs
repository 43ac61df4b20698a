//! The REST API: handles a request in the steps of API Gateway.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::response::Response;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;

use crate::account::Region;
use crate::event::{self, Description};
use crate::gateway::{Call, Endpoint, READ_TIMEOUT, Record, rejected};
use crate::gateway_response::{GatewayResponses, Refusal, ResponseType};
use crate::lambda::{Function, InvokeError};
use crate::routes::{self, Routes};
use crate::sigv4::{self, AccessKey};
use crate::template::{Authorization, Target};
use crate::{body, clock, integration, policy};

/// How long API Gateway waits for a function, whose own time-out may be longer.
const INTEGRATION_TIMEOUT: Duration = Duration::from_secs(29);
/// The header with the request's id.
const X_AMZN_REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
/// The header that overrides the method of a request.
const X_HTTP_METHOD_OVERRIDE: HeaderName = HeaderName::from_static("x-http-method-override");
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

impl RestApi {
    /// The API of a stage, with its routes and their endpoints, its gateway responses and the callers' key.
    pub(crate) const fn new(
        stage: String,
        routes: Routes,
        endpoints: Vec<Endpoint>,
        responses: GatewayResponses,
        access_key: Option<AccessKey>,
        region: Region,
    ) -> Self {
        Self { region, stage, routes, endpoints, responses, access_key }
    }

    /// Answers a request.
    pub(crate) async fn serve(&self, call: Call, record: &mut Record) -> Response {
        let Call { mut request, body, domain, peer, id } = call;
        let overriding = request.headers.remove(X_HTTP_METHOD_OVERRIDE);
        if let Some(method) = overriding.and_then(|method| Method::from_bytes(method.as_bytes()).ok()) {
            request.method = method;
        }
        // API Gateway reads several leading slashes as one; `requestContext.path` keeps them.
        let path = &format!("/{}", request.uri.path().trim_start_matches('/'));
        let mut context = event::request_context(&request, &domain, &self.stage, &id, peer);
        let answer = if request.uri.query().is_some_and(|query| query.contains(NOT_IN_A_QUERY)) {
            Err(Refusal::Http(StatusCode::BAD_REQUEST))
        } else {
            self.answer(&request, path, body, &mut context, record).await
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
            Refusal::Http(status) => rejected(status),
        });
        if let Ok(id) = HeaderValue::try_from(id) {
            response.headers_mut().insert(X_AMZN_REQUEST_ID, id);
        }
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
        let body = body::read(body, READ_TIMEOUT).await.map_err(Refusal::Http)?;
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
        let body = body.ok_or(ResponseType::RequestTooLarge)?;
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

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
