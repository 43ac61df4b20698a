//! `crud`: the API of products, which API Gateway opens to callers with its key.
//!
//! `GET` and `POST /products`; `GET`, `PUT` and `DELETE /products/{id}`.

use std::sync::Arc;

use apigw::{ApiError, ConfigError, Event, Request, Responder, Response, Settings};
use http::{HeaderMap, StatusCode};
use lambda_runtime::Error;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::{
    path_parameter,
    products::{self, NOT_FOUND, ProductResponse},
    text,
};
use crate::{EditableCatalogue, InvalidMember, Product, ProductId, Replacement};

/// The state that all invocations of the function share.
pub struct Service {
    catalogue: Arc<dyn EditableCatalogue>,
    responder: Responder,
}

impl Service {
    /// Creates the function from its settings (those of [`Responder`]) and its ports.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable at fault and what it must be.
    pub fn new(settings: Settings<'_>, catalogue: Arc<dyn EditableCatalogue>) -> Result<Self, ConfigError> {
        Ok(Self { catalogue, responder: Responder::new(settings)? })
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}

/// The body of `POST /products` and of `PUT /products/{id}`. Members that are not here are ignored; one that is there
/// twice is refused.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct ProductRequest {
    /// For `POST` alone.
    id: Option<Value>,
    product_name: Value,
    description: Value,
    price: Value,
    inventory_count: Value,
    image: Value,
    /// The stock that the caller saw; for `PUT` alone.
    if_inventory_count: Option<Value>,
}

/// Lists, adds, changes and removes products.
///
/// # Errors
///
/// None: every failure is a response.
pub async fn handle(service: &Service, event: Event) -> Result<Response, Error> {
    Ok(service.responder.respond(event, |request| crud(service, request)).await)
}

async fn crud(service: &Service, request: Request) -> Result<Response, ApiError> {
    let id = path_parameter(&request, "id");
    match (request.method.as_str(), id) {
        ("GET", None) => products::all(&*service.catalogue).await,
        ("GET", Some(id)) => products::one(&*service.catalogue, &id).await,
        ("POST", None) => add(service, &request).await,
        ("PUT", Some(id)) => replace(service, &request, &id).await,
        ("DELETE", Some(id)) => remove(service, &id).await,
        _ => Err(ApiError::internal("the route is not one of this function")),
    }
}

/// 201: the product is there. Without an ID in the request, it gets a new one.
async fn add(service: &Service, request: &Request) -> Result<Response, ApiError> {
    let body = body(request)?;
    let id = match &body.id {
        Some(id) => text(id).and_then(|id| ProductId::parse(&id)),
        None => ProductId::parse(&Uuid::new_v4().to_string()),
    };
    let id = id.ok_or(InvalidMember("`id` is not 1 to 36 letters, digits, `_` and `-`"))?;
    let product = product(id, &body)?;
    if !service.catalogue.add(&product).await.map_err(ApiError::unavailable)? {
        return Err(ApiError::conflict("There is another product with this ID", "exists"));
    }
    Ok(Response::json(StatusCode::CREATED, &ProductResponse::from(product)))
}

/// 200: the product is replaced.
async fn replace(service: &Service, request: &Request, id: &str) -> Result<Response, ApiError> {
    const SEEN: InvalidMember = InvalidMember("`if_inventory_count` is not a whole number, 0 or more");

    let body = body(request)?;
    let seen = body.if_inventory_count.as_ref().map(|seen| seen.as_u64().ok_or(SEEN)).transpose()?;
    let product = product(ProductId::parse(id).ok_or(NOT_FOUND)?, &body)?;
    match service.catalogue.replace(&product, seen).await.map_err(ApiError::unavailable)? {
        Replacement::Replaced => Ok(Response::json(StatusCode::OK, &ProductResponse::from(product))),
        Replacement::Missing => Err(NOT_FOUND),
        Replacement::StockChanged => Err(ApiError::conflict("The stock is not the one that was seen", "stock_changed")),
    }
}

/// 204: there is no product with this ID any more, or there never was.
async fn remove(service: &Service, id: &str) -> Result<Response, ApiError> {
    if let Some(id) = ProductId::parse(id) {
        service.catalogue.remove(&id).await.map_err(ApiError::unavailable)?;
    }
    Ok(Response { status_code: StatusCode::NO_CONTENT.as_u16(), headers: HeaderMap::new(), body: String::new() })
}

fn body(request: &Request) -> Result<ProductRequest, ApiError> {
    const INVALID: ApiError = ApiError::invalid_request(
        "The body is not a JSON object with the members of a product: `product_name`, `description`, `price`, \
         `inventory_count` and `image`, each once",
    );

    request.json(INVALID)?.ok_or(INVALID)
}

/// The product that a body describes.
fn product(id: ProductId, body: &ProductRequest) -> Result<Product, InvalidMember> {
    // What is not a string is as invalid as a control character, which no member may have.
    let text_of = |value: &Value| value.as_str().unwrap_or("\0").to_owned();
    let price = text(&body.price).unwrap_or_default();
    let (name, description, image) = (text_of(&body.product_name), text_of(&body.description), text_of(&body.image));
    Product::new(id, &name, &description, &price, body.inventory_count.as_u64(), &image)
}
