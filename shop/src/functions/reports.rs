//! `reports`: `POST /create-report`, `GET /create-report/status/{executionArn}` and
//! `GET /get-presigned-urls/{executionArn}`, for staff.

use std::sync::Arc;

use apigw::{ApiError, ConfigError, Event, Request, Responder, Response, Settings};
use http::{Method, StatusCode};
use lambda_runtime::Error;
use serde::Serialize;
use tokens::Jti;
use uuid::Uuid;

use super::{Staff, path_parameter};
use crate::{Documents, Execution, Executions};

/// How many seconds the URLs for staff are valid.
const URL_SECONDS: u32 = 300;

/// The state that all invocations of the function share.
pub struct Service {
    executions: Arc<dyn Executions>,
    documents: Arc<dyn Documents>,
    staff: Staff,
    responder: Responder,
}

impl Service {
    /// Creates the function from its settings (`CLIENT_ID`, and those of [`Responder`]) and its ports: the
    /// executions of the report machine, and the files of the reports.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable at fault and what it must be.
    pub fn new(
        settings: Settings<'_>,
        executions: Arc<dyn Executions>,
        documents: Arc<dyn Documents>,
    ) -> Result<Self, ConfigError> {
        Ok(Self { executions, documents, staff: Staff::new(settings)?, responder: Responder::new(settings)? })
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}

/// The body of a success of `POST /create-report`.
#[derive(Serialize)]
struct StartedResponse {
    #[serde(rename = "executionArn")]
    execution_arn: String,
}

/// The body of a success of `GET /create-report/status/{executionArn}`.
#[derive(Serialize)]
struct StatusResponse {
    status: String,
}

/// The body of a success of `GET /get-presigned-urls/{executionArn}`.
#[derive(Serialize)]
struct UrlsResponse {
    urls: Urls,
    expires_in: u32,
}

/// A URL of each report.
#[derive(Serialize)]
struct Urls {
    orders: String,
    products: String,
}

/// Starts the making of the reports, or answers with its status or with the URLs of the reports.
///
/// # Errors
///
/// None: every failure is a response.
pub async fn handle(service: &Service, event: Event) -> Result<Response, Error> {
    let handle = async |request: Request| {
        // Everyone who is signed in may make reports.
        service.staff.role(&request)?;
        if *request.method == Method::POST {
            return create(service).await;
        }
        let execution = find(service, &request).await?;
        // The last segment is the ARN.
        match request.path.rsplit('/').nth(1) {
            Some("get-presigned-urls") => urls(service, execution).await,
            _ => Ok(Response::json(StatusCode::OK, &StatusResponse { status: execution.status })),
        }
    };
    Ok(service.responder.respond(event, handle).await)
}

/// `POST /create-report`: starts an execution.
async fn create(service: &Service) -> Result<Response, ApiError> {
    let id = Jti::new(Uuid::new_v4());
    // The ID is new: one that exists was started by an attempt of this very call.
    service.executions.start(&id, "{}".to_owned()).await.map_err(ApiError::unavailable)?;
    Ok(Response::json(StatusCode::ACCEPTED, &StartedResponse { execution_arn: service.executions.arn(&id) }))
}

/// The execution that the path names by its ARN.
async fn find(service: &Service, request: &Request) -> Result<Execution, ApiError> {
    const NOT_FOUND: ApiError = ApiError::not_found("There is no such execution");

    let arn = path_parameter(request, "executionArn").ok_or(NOT_FOUND)?;
    let id = Jti::parse(arn.rsplit(':').next().unwrap_or_default()).ok_or(NOT_FOUND)?;
    // It belongs to another machine.
    if arn != service.executions.arn(&id) {
        return Err(NOT_FOUND);
    }
    service.executions.find(&id).await.map_err(ApiError::unavailable)?.ok_or(NOT_FOUND)
}

/// `GET /get-presigned-urls/{executionArn}`: the URLs of the reports of an execution that has succeeded.
async fn urls(service: &Service, execution: Execution) -> Result<Response, ApiError> {
    let output = execution.output.ok_or_else(|| ApiError::conflict("The reports are not ready", "not_ready"))?;
    // In the order of the machine's branches.
    let [orders, products]: [Jti; 2] = serde_json::from_str(&output).map_err(ApiError::internal)?;
    let url = async |id| service.documents.url(&id, URL_SECONDS).await.map_err(ApiError::unavailable);
    let urls = Urls { orders: url(orders).await?, products: url(products).await? };
    Ok(Response::json(StatusCode::OK, &UrlsResponse { urls, expires_in: URL_SECONDS }))
}
