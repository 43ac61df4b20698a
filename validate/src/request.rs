//! Reads the token and the claimant from a request.

use apigw::{ApiError, Request};
use serde::Deserialize;
use tokens::{Caller, Claimant, IdempotencyKey, Token};

/// The body of a request. Unknown members are ignored; a repeated `token` is refused.
#[derive(Deserialize)]
struct ValidateRequest {
    #[serde(default)]
    token: String,
}

/// The one token of the request: in the JSON body `{"token"}`, in `X-Access-Token`, or in
/// `Authorization: Bearer`.
///
/// An empty token counts as no token, and so does another scheme. A token in the query string is refused.
pub(crate) fn token(request: &Request) -> Result<Token, ApiError> {
    const NOT_JSON: ApiError = ApiError::invalid_request("The body is not a JSON object with one string `token`");

    request.without_token_in_query()?;
    let in_body = request.json::<ValidateRequest>(NOT_JSON)?.map(|body| body.token);
    let in_body = in_body.as_deref().filter(|token| !token.is_empty());
    let mut tokens = request.tokens().chain(in_body);
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
