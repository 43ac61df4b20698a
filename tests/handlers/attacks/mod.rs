//! The attacks on this project, each a test that is named by its number.
//!
//! | attacks | where |
//! | --- | --- |
//! | on the token's form, which another library is put before as well | [`forged`], [`plain`], [`table`] |
//! | on a token that was minted: replays, forged circumstances, and floods | [`spent`], [`network`] |
//! | on the request around it | [`requests`] |
//! | any header, body and event at all | [`arbitrary`] |
//!
//! Others stand where what they attack is tested anyway; their names begin with their numbers.

mod arbitrary;
mod forged;
mod forger;
mod network;
mod plain;
mod requests;
mod spent;
mod table;

use std::sync::LazyLock;

use ::validate::{Service, handle};
use aws_lambda_events::{
    apigw::{ApiGatewayProxyRequest, ApiGatewayProxyResponse},
    encodings::Body,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use lambda_runtime::{Context, LambdaEvent};
use serde_json::json;

use crate::helpers::event;

/// The reason of every refusal before the MAC has verified.
const INVALID: &str = "invalid_token";

/// Where a request carries its token.
#[derive(Clone, Copy, Debug)]
enum Place {
    Body,
    Header,
    Bearer,
}

/// A request with `token` in `place`; none where HTTP or the limit of a body lets it not pass as it is.
fn request_with(token: &str, place: Place) -> Option<ApiGatewayProxyRequest> {
    let mut request = empty_request();
    match place {
        Place::Body => {
            let body = json!({ "token": token }).to_string();
            (body.len() <= apigw::MAX_BODY_BYTES).then_some(())?;
            request.body = Some(body);
        }
        Place::Header => set_header(&mut request, "x-access-token", header_value(token)?),
        Place::Bearer => set_header(&mut request, "authorization", header_value(&format!("Bearer {token}"))?),
    }
    Some(request)
}

/// A request that carries no token yet.
fn empty_request() -> ApiGatewayProxyRequest {
    static REQUEST: LazyLock<ApiGatewayProxyRequest> = LazyLock::new(|| event("validate-without-body", "", "").payload);
    REQUEST.clone()
}

/// `text` as the value of a header, which a server strips of white space at its ends.
fn header_value(text: &str) -> Option<HeaderValue> {
    let token = text.strip_prefix("Bearer ").unwrap_or(text);
    (token.trim() == token).then(|| HeaderValue::from_str(text).ok())?
}

fn set_header(request: &mut ApiGatewayProxyRequest, name: &'static str, value: HeaderValue) {
    let name = HeaderName::from_static(name);
    request.headers.insert(name.clone(), value.clone());
    request.multi_value_headers.insert(name, value);
}

/// A response, as far as a client can see it.
#[derive(Debug, Eq, PartialEq)]
struct Seen {
    status: i64,
    headers: HeaderMap,
    body: String,
}

impl Seen {
    /// The status and the reason.
    fn outcome(&self) -> (i64, String) {
        (self.status, self.reason())
    }

    fn reason(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        body["reason"].as_str().unwrap_or_default().to_owned()
    }
}

/// What a client sees of the answer to `request`, all the requests having the same id.
async fn seen(service: &Service, request: ApiGatewayProxyRequest) -> Seen {
    seen_by(service, request, "attack-1").await
}

/// As [`seen`], in the invocation `request_id`.
async fn seen_by(service: &Service, request: ApiGatewayProxyRequest, request_id: &str) -> Seen {
    let mut context = Context::default();
    context.request_id = request_id.to_owned();
    let event = LambdaEvent::new(request, context);
    let ApiGatewayProxyResponse { status_code, headers, body, .. } = handle(service, event).await.unwrap();
    let Some(Body::Text(body)) = body else { panic!("the response has no text") };
    Seen { status: status_code, headers, body }
}
