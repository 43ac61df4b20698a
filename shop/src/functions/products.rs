//! `products`: `GET /products` and `GET /products/{id}`.

use std::sync::Arc;

use apigw::{ApiError, ConfigError, Event, Request, Responder, Response, Settings};
use http::StatusCode;
use lambda_runtime::Error;
use serde::Serialize;

use super::path_parameter;
use crate::{Catalogue, Product, ProductId};

/// The state that all invocations of the function share.
pub struct Service {
    catalogue: Arc<dyn Catalogue>,
    responder: Responder,
}

impl Service {
    /// Creates the function from its settings (those of [`Responder`]) and its ports.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable at fault and what it must be.
    pub fn new(settings: Settings<'_>, catalogue: Arc<dyn Catalogue>) -> Result<Self, ConfigError> {
        Ok(Self { catalogue, responder: Responder::new(settings)? })
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}

/// 404: there is no product with this ID.
pub(super) const NOT_FOUND: ApiError = ApiError::not_found("There is no such product");

/// The body of a success of `GET /products`.
#[derive(Serialize)]
struct ProductsResponse {
    products: Vec<ProductResponse>,
}

/// The body of a success of `GET /products/{id}`.
#[derive(Serialize)]
pub(super) struct ProductResponse {
    id: ProductId,
    product_name: String,
    description: String,
    price: String,
    inventory_count: u64,
    image: String,
}

impl From<Product> for ProductResponse {
    fn from(product: Product) -> Self {
        let Product { id, product_name, description, price, inventory_count, image } = product;
        Self { id, product_name, description, price: price.to_string(), inventory_count, image }
    }
}

/// Answers with all products, or with one.
///
/// # Errors
///
/// None: every failure is a response.
pub async fn handle(service: &Service, event: Event) -> Result<Response, Error> {
    Ok(service.responder.respond(event, |request| products(service, request)).await)
}

async fn products(service: &Service, request: Request) -> Result<Response, ApiError> {
    match path_parameter(&request, "id") {
        Some(id) => one(&*service.catalogue, &id).await,
        None => all(&*service.catalogue).await,
    }
}

/// 200: all products.
pub(super) async fn all(catalogue: &dyn Catalogue) -> Result<Response, ApiError> {
    let products = catalogue.all().await.map_err(ApiError::unavailable)?;
    let products = products.into_iter().map(ProductResponse::from).collect();
    Ok(Response::json(StatusCode::OK, &ProductsResponse { products }))
}

/// 200: the product with this ID; 404 without one.
pub(super) async fn one(catalogue: &dyn Catalogue, id: &str) -> Result<Response, ApiError> {
    let id = ProductId::parse(id).ok_or(NOT_FOUND)?;
    let product = catalogue.find(&id).await.map_err(ApiError::unavailable)?.ok_or(NOT_FOUND)?;
    Ok(Response::json(StatusCode::OK, &ProductResponse::from(product)))
}
