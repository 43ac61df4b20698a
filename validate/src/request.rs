//! Reads the token and the claimant from a request.

use apigw::{ApiError, Request, X_ACCESS_TOKEN};
use http::header::AUTHORIZATION;
use serde::Deserialize;
use tokens::{Caller, Claimant, IdempotencyKey, Token};

/// The parameters of a query string that would hold a token (the second by RFC 6750, 2.3).
const QUERY_PARAMETERS: [&str; 2] = ["token", "access_token"];

/// The body of a request. Unknown members are ignored; a repeated `token` is refused.
#[derive(Deserialize)]
struct ValidateRequest {
    #[serde(default)]
    token: String,
}

/// The one token of the request: in the JSON body `{"token"}`, in `X-Access-Token`, or in
/// `Authorization: Bearer`.
///
/// An empty token counts as no token, and so does another scheme. A token in the query string is refused,
/// because query strings remain in logs and histories (RFC 9700, section 4.3.2).
pub(crate) fn token(request: &Request) -> Result<Token, ApiError> {
    if QUERY_PARAMETERS.iter().any(|name| request.has_query_parameter(name)) {
        return Err(ApiError::invalid_request("A token does not belong in the query string"));
    }
    let in_body = request.body()?.map_or(Ok(String::new()), |body| from_json(&body))?;
    let in_headers = request.header_values(X_ACCESS_TOKEN);
    let bearer = request.header_values(AUTHORIZATION.as_str()).filter_map(bearer);
    let mut tokens = in_headers.chain(bearer).chain([in_body.as_str()]).filter(|token| !token.is_empty());
    match (tokens.next(), tokens.next()) {
        (Some(token), None) => Ok(Token::new(token.to_owned())),
        (None, _) => Err(ApiError::invalid_request("A token is required")),
        (Some(_), Some(_)) => Err(ApiError::invalid_request("More than one token")),
    }
}

/// Who asks: the client that sends `Idempotency-Key`, else the invocation.
///
/// <https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/>
pub(crate) fn caller(request: &Request) -> Result<Caller, ApiError> {
    const NOT_ONE: ApiError =
        ApiError::invalid_request("Idempotency-Key must be one value of 1 to 255 printable ASCII characters");

    let mut keys = request.header_values("idempotency-key");
    match (keys.next(), keys.next()) {
        (None, _) => Claimant::of_invocation(&request.invocation_id)
            .map(Caller::Invocation)
            .ok_or_else(|| ApiError::internal("the invocation has no request id")),
        (Some(key), None) => IdempotencyKey::parse(key).map(Caller::Client).ok_or(NOT_ONE),
        (Some(_), Some(_)) => Err(NOT_ONE),
    }
}

/// The token in a JSON body; empty if it has none.
fn from_json(body: &[u8]) -> Result<String, ApiError> {
    // Serde would also take an array of a struct's fields in order, and any bytes in a member that it ignores.
    let text = str::from_utf8(body).ok().filter(|text| text.trim_ascii_start().starts_with('{'));
    let request = text.and_then(|text| serde_json::from_str::<ValidateRequest>(text).ok());
    Ok(request.ok_or(ApiError::invalid_request("The body is not a JSON object with one string `token`"))?.token)
}

/// The credentials of an `Authorization` header with the scheme `Bearer` (RFC 6750, section 2.1). The
/// scheme is case-insensitive (RFC 9110, section 11.1).
fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, credentials) = authorization.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| credentials.trim())
}
