//! `orders`: `GET /orders` and `GET /orders/{id}`, for staff.

use std::sync::Arc;

use apigw::{ApiError, ConfigError, Event, Request, Responder, Response, Settings, rfc3339};
use http::StatusCode;
use lambda_runtime::Error;
use serde::Serialize;

use super::{Staff, path_parameter};
use crate::{Line, OrderId, OrderList, Position, ProductId, StoredOrder};

/// How many orders an answer has, unless the request says so.
const DEFAULT_LIMIT: u32 = 50;

/// The most orders that an answer has. With twenty lines each they are far from the 1 MB that one query reads.
const MAX_LIMIT: u32 = 100;

/// The state that all invocations of the function share.
pub struct Service {
    orders: Arc<dyn OrderList>,
    staff: Staff,
    responder: Responder,
}

impl Service {
    /// Creates the function from its settings (`CLIENT_ID`, and those of [`Responder`]) and its ports.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable at fault and what it must be.
    pub fn new(settings: Settings<'_>, orders: Arc<dyn OrderList>) -> Result<Self, ConfigError> {
        Ok(Self { orders, staff: Staff::new(settings)?, responder: Responder::new(settings)? })
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}

/// The body of a success of `GET /orders`.
#[derive(Serialize)]
struct OrdersResponse {
    orders: Vec<OrderResponse>,
    /// What `before` must be to continue the list, unless this is its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// The body of a success of `GET /orders/{id}`.
#[derive(Serialize)]
struct OrderResponse {
    id: OrderId,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    customer_name: String,
    email: String,
    phone: String,
    total_amount: String,
    order_time: String,
    ordered_items: Vec<LineResponse>,
}

#[derive(Serialize)]
struct LineResponse {
    product_id: ProductId,
    product_name: String,
    quantity: u32,
    amount: String,
}

impl From<StoredOrder> for OrderResponse {
    fn from(StoredOrder { order, status, reason }: StoredOrder) -> Self {
        Self {
            id: order.id,
            status: status.as_str(),
            reason,
            total_amount: order.total().to_string(),
            order_time: rfc3339(order.placed_at.0),
            customer_name: order.customer.customer_name,
            email: order.customer.email,
            phone: order.customer.phone,
            ordered_items: order.items.into_iter().map(LineResponse::from).collect(),
        }
    }
}

impl From<Line> for LineResponse {
    fn from(line: Line) -> Self {
        let amount = line.amount().to_string();
        let Line { product_id, product_name, quantity, .. } = line;
        Self { product_id, product_name, quantity, amount }
    }
}

/// Answers with the newest orders, or with one.
///
/// # Errors
///
/// None: every failure is a response.
pub async fn handle(service: &Service, event: Event) -> Result<Response, Error> {
    Ok(service.responder.respond(event, |request| orders(service, request)).await)
}

async fn orders(service: &Service, request: Request) -> Result<Response, ApiError> {
    // Everyone who is signed in may read orders.
    service.staff.role(&request)?;
    match path_parameter(&request, "id") {
        Some(id) => one(service, &id).await,
        None => page(service, &request).await,
    }
}

/// `GET /orders`: a page of the list.
async fn page(service: &Service, request: &Request) -> Result<Response, ApiError> {
    const BEFORE: ApiError = ApiError::invalid_request("`before` is not what `next` was in an earlier answer");
    const LIMIT: ApiError = ApiError::invalid_request("`limit` is not a whole number from 1 to 100");

    let before = parameter(request, "before", BEFORE)?.map(|text| Position::parse(text).ok_or(BEFORE)).transpose()?;
    let limit = parameter(request, "limit", LIMIT)?.map(|text| text.parse().map_err(|_| LIMIT)).transpose()?;
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(LIMIT);
    }
    // One more shows whether the list goes on.
    let mut orders = service.orders.newest(before.as_ref(), limit + 1).await.map_err(ApiError::unavailable)?;
    let goes_on = orders.len() > limit as usize;
    orders.truncate(limit as usize);
    let next = orders.last().filter(|_| goes_on).map(|last| Position::from(last).to_string());
    let orders = orders.into_iter().map(OrderResponse::from).collect();
    Ok(Response::json(StatusCode::OK, &OrdersResponse { orders, next }))
}

/// The value of a query parameter, if there is one; `error` if there are several.
fn parameter<'a>(request: &'a Request, name: &'a str, error: ApiError) -> Result<Option<&'a str>, ApiError> {
    let mut values = request.query_values(name);
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(error),
    }
}

/// `GET /orders/{id}`.
async fn one(service: &Service, id: &str) -> Result<Response, ApiError> {
    const NOT_FOUND: ApiError = ApiError::not_found("There is no such order");

    let id = OrderId::parse(id).ok_or(NOT_FOUND)?;
    let order = service.orders.find(&id).await.map_err(ApiError::unavailable)?.ok_or(NOT_FOUND)?;
    Ok(Response::json(StatusCode::OK, &OrderResponse::from(order)))
}
