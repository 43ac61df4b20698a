//! The attacks on this project, each a test that is named by its number.
//!
//! | attacks | where |
//! | --- | --- |
//! | on the token's form, tried on another library too | [`forged`], [`plain`], [`table`] |
//! | on a token that was minted: replays, forged circumstances, and floods | [`spent`], [`network`] |
//! | on the request around it | [`requests`] |
//! | any header, body and event at all | [`arbitrary`] |
//!
//! Other attacks are next to the tests of what they attack. Their names begin with their numbers.

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
use apigw::Response;
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use crate::helpers::{invocation, sample};

/// The event of a request.
type Request = Value;

/// The reason of every refusal before the MAC has verified.
const INVALID: &str = "invalid_token";

/// Where a request carries its token.
#[derive(Clone, Copy, Debug)]
enum Place {
    Body,
    Header,
    Bearer,
}

/// A request with `token` in `place`, or `None` if HTTP or the limit of the body does not allow it there.
fn request_with(token: &str, place: Place) -> Option<Request> {
    let mut request = empty_request();
    match place {
        Place::Body => {
            let body = json!({ "token": token }).to_string();
            (body.len() <= apigw::MAX_BODY_BYTES).then_some(())?;
            request["body"] = body.into();
        }
        Place::Header => set_header(&mut request, "x-access-token", &header_value(token)?),
        Place::Bearer => set_header(&mut request, "authorization", &header_value(&format!("Bearer {token}"))?),
    }
    Some(request)
}

/// `request` as API Gateway sends it to an authorizer.
fn for_authorizer(mut request: Request) -> Request {
    let sample = sample("guard", "");
    for member in ["type", "methodArn"] {
        request[member] = sample[member].clone();
    }
    request
}

/// A request that carries no token yet.
fn empty_request() -> Request {
    static REQUEST: LazyLock<Request> = LazyLock::new(|| sample("validate-without-body", ""));
    REQUEST.clone()
}

/// `text` as the value of a header, if a server would pass it on unchanged, without trimming it.
fn header_value(text: &str) -> Option<String> {
    let token = text.strip_prefix("Bearer ").unwrap_or(text);
    (token.trim() == token && HeaderValue::from_str(text).is_ok()).then(|| text.to_owned())
}

fn set_header(request: &mut Request, name: &str, value: &str) {
    set_headers(request, name, &[value]);
}

/// Sends the header `name` once with each of `values`.
fn set_headers(request: &mut Request, name: &str, values: &[&str]) {
    request["headers"][name] = values.last().copied().into();
    request["multiValueHeaders"][name] = json!(values);
}

/// A response, as a client sees it.
#[derive(Debug, Eq, PartialEq)]
struct Seen {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Seen {
    /// The status and the reason.
    fn outcome(&self) -> (u16, String) {
        (self.status, self.reason())
    }

    fn reason(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        body["reason"].as_str().unwrap_or_default().to_owned()
    }
}

/// The answer to `request`, always in the same invocation.
async fn seen(service: &Service, request: Request) -> Seen {
    seen_by(service, request, "attack-1").await
}

/// As [`seen`], in the invocation `request_id`.
async fn seen_by(service: &Service, request: Request, request_id: &str) -> Seen {
    let Response { status_code, headers, body } = handle(service, invocation(&request, request_id)).await.unwrap();
    Seen { status: status_code, headers, body }
}
