//! `checkout`: `POST /orders` and `GET /orders/status/{executionArn}`.
//!
//! The checkout token is checked here and spent inside the order, so that a reply that is lost costs nothing: the same
//! token with the same order has the same answer, also after the token has expired.

mod request;

use std::sync::Arc;

use apigw::{ApiError, ConfigError, Event, Request, Responder, Response, Settings};
use http::{Method, StatusCode};
use lambda_runtime::Error;
use serde::Serialize;
use tokens::{Checker, Issuer, KeyStore, MAX_REVOKED_BEFORE, Refusal, Timestamp};
use uuid::Uuid;

use super::path_parameter;
use crate::{Accepted, Catalogue, Execution, Executions, Order, OrderId, PricingError, Start, Wish, price};

/// The state that all invocations of the function share.
pub struct Service {
    checker: Checker,
    is_token_required: bool,
    responder: Responder,
    ports: Ports,
}

/// What the function needs besides its settings.
#[derive(Clone)]
pub struct Ports {
    /// The key ring of the checkout tokens.
    pub keys: Arc<dyn KeyStore>,
    /// The products.
    pub catalogue: Arc<dyn Catalogue>,
    /// The executions of orders.
    pub executions: Arc<dyn Executions>,
    /// The clock.
    pub now: fn() -> Timestamp,
}

impl Service {
    /// Creates the function from its settings (`TOKEN_ISSUER`, `TOKEN_AUDIENCE`, `REVOKED_BEFORE`, `CHECKOUT_TOKEN`, and
    /// those of [`Responder`]) and its ports.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable at fault and what it must be.
    pub fn new(settings: Settings<'_>, ports: Ports) -> Result<Self, ConfigError> {
        let issuer = Issuer { iss: settings.text("TOKEN_ISSUER")?, aud: settings.text("TOKEN_AUDIENCE")? };
        let revoked_before = Timestamp(settings.number("REVOKED_BEFORE", 0..=MAX_REVOKED_BEFORE)?);
        Ok(Self {
            checker: Checker::new(&issuer, revoked_before),
            is_token_required: settings.choice("CHECKOUT_TOKEN", &[("required", true), ("optional", false)])?,
            responder: Responder::new(settings)?,
            ports,
        })
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ports").finish_non_exhaustive()
    }
}

/// The body of a success of `POST /orders`.
#[derive(Serialize)]
struct AcceptedResponse {
    #[serde(rename = "executionArn")]
    execution_arn: String,
    order_id: OrderId,
}

/// The body of a success of `GET /orders/status/{executionArn}`.
#[derive(Serialize)]
struct StatusResponse {
    status: String,
    order_id: OrderId,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// Accepts an order, or answers with the status of one.
///
/// # Errors
///
/// None: every failure is a response.
pub async fn handle(service: &Service, event: Event) -> Result<Response, Error> {
    let handle = async |request: Request| {
        if *request.method == Method::POST { place(service, &request).await } else { status(service, &request).await }
    };
    Ok(service.responder.respond(event, handle).await)
}

/// `POST /orders`: checks the token, prices the order, and starts its execution.
async fn place(service: &Service, request: &Request) -> Result<Response, ApiError> {
    let now = (service.ports.now)();
    let token = request::token(request)?;
    let wish = request::wish(request)?;
    let Some(token) = token else {
        if service.is_token_required {
            return Err(ApiError::invalid_request("X-Access-Token with a checkout token is required"));
        }
        return start(service, OrderId::new(Uuid::new_v4()), false, &wish, now).await;
    };
    let checked = service.checker.look(&token, &*service.ports.keys, now).await.map_err(ApiError::unavailable)?;
    let checked = checked.ok_or_else(|| ApiError::refused(Refusal::InvalidToken.reason(), None))?;
    let id = checked.claims.jti;
    match checked.refusal {
        None => start(service, id, true, &wish, now).await,
        // The order may have been accepted when the token was still valid, and the reply lost.
        Some(refusal) => accepted_before(service, id, &wish, ApiError::refused(refusal.reason(), None)).await,
    }
}

/// Starts the execution of an order at the present prices.
async fn start(
    service: &Service,
    id: OrderId,
    has_token: bool,
    wish: &Wish,
    now: Timestamp,
) -> Result<Response, ApiError> {
    let ids: Vec<_> = wish.lines.iter().map(|line| line.product_id.clone()).collect();
    let products = service.ports.catalogue.find_all(&ids).await.map_err(ApiError::unavailable)?;
    let items = match price(&wish.lines, &products) {
        Ok(items) => items,
        // An order that was accepted stays accepted, at the prices of that time.
        Err(err) => return accepted_before(service, id, wish, conflict(err)).await,
    };
    let order = Order { id, customer: wish.customer.clone(), items, placed_at: now };
    let input = serde_json::to_string(&Accepted { order, has_token }).map_err(ApiError::internal)?;
    match service.ports.executions.start(&id, input).await.map_err(ApiError::unavailable)? {
        Start::Started => Ok(accepted(service, id)),
        Start::Exists => {
            let not_found_yet = ApiError::unavailable("the execution exists and is not found yet");
            accepted_before(service, id, wish, not_found_yet).await
        }
    }
}

/// 202 if `wish` was accepted before under `id`, 401 if another order was, and `otherwise` if none was.
async fn accepted_before(
    service: &Service,
    id: OrderId,
    wish: &Wish,
    otherwise: ApiError,
) -> Result<Response, ApiError> {
    let found = service.ports.executions.find(&id).await.map_err(ApiError::unavailable)?;
    let Execution { input, .. } = found.ok_or(otherwise)?;
    if serde_json::from_str::<Accepted>(&input).is_ok_and(|accepted| wish.is_of(&accepted.order)) {
        return Ok(accepted(service, id));
    }
    Err(ApiError::refused("already_used", None).with_member("order_id", id.to_string()))
}

/// 202: the order is accepted.
fn accepted(service: &Service, order_id: OrderId) -> Response {
    let execution_arn = service.ports.executions.arn(&order_id);
    Response::json(StatusCode::ACCEPTED, &AcceptedResponse { execution_arn, order_id })
}

/// 409: the customer was shown other prices or products.
fn conflict(err: PricingError) -> ApiError {
    match err {
        PricingError::UnknownProduct => ApiError::conflict("A product is no longer sold", "unknown_product"),
        PricingError::PriceChanged => ApiError::conflict("A price has changed", "price_changed"),
    }
}

/// `GET /orders/status/{executionArn}`: the status of an execution, by its ARN or by the ID of its order.
async fn status(service: &Service, request: &Request) -> Result<Response, ApiError> {
    const NOT_FOUND: ApiError = ApiError::not_found("There is no such order");

    let name = path_parameter(request, "executionArn").ok_or(NOT_FOUND)?;
    let order_id = OrderId::parse(name.rsplit(':').next().unwrap_or_default()).ok_or(NOT_FOUND)?;
    if name != order_id.to_string() && name != service.ports.executions.arn(&order_id) {
        return Err(NOT_FOUND);
    }
    let found = service.ports.executions.find(&order_id).await.map_err(ApiError::unavailable)?;
    let Execution { status, error, .. } = found.ok_or(NOT_FOUND)?;
    let reason = (status == "FAILED").then_some(match error.as_deref() {
        Some("OutOfStock") => "out_of_stock",
        Some("TokenRefused") => "token_refused",
        _ => "failed",
    });
    Ok(Response::json(StatusCode::OK, &StatusResponse { status, order_id, reason }))
}
