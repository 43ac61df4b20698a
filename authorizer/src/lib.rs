//! `authorizer`: the REQUEST authorizer that mints a token for every request to the route behind it.

use std::sync::Arc;

use apigw::{ConfigError, MintedContext, parsed, required, rfc3339};
use aws_lambda_events::apigw::{
    ApiGatewayCustomAuthorizerRequestTypeRequest as AuthorizerRequest, ApiGatewayCustomAuthorizerResponse as Response,
};
use lambda_runtime::{Error, LambdaEvent};
use tokens::{Issuer, Jti, KeyStore, MAX_LIFETIME_SECONDS, Minter, Timestamp, TokenStore, claimant_of_invocation};
use uuid::Uuid;

/// Settings of the function, read once at cold start.
#[derive(Debug)]
pub struct Config {
    /// Whose tokens are minted (`TOKEN_ISSUER`, `TOKEN_AUDIENCE`).
    pub issuer: Issuer,
    /// Lifetime of a token in seconds, at most a day (`TOKEN_TTL_SECONDS`).
    pub token_ttl_seconds: u32,
}

impl Config {
    /// Reads every setting through `lookup`, so that tests need no process environment.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable at fault.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let is_ttl = |ttl: &u32| (1..=MAX_LIFETIME_SECONDS).contains(&u64::from(*ttl));
        Ok(Self {
            issuer: Issuer { iss: required(&lookup, "TOKEN_ISSUER")?, aud: required(&lookup, "TOKEN_AUDIENCE")? },
            token_ttl_seconds: parsed(&lookup, "TOKEN_TTL_SECONDS", "1 to 86400 seconds", is_ttl)?,
        })
    }
}

/// What the function needs to answer.
#[derive(Debug)]
pub struct Service {
    minter: Minter,
    now: fn() -> Timestamp,
}

impl Service {
    /// The function over the given keys, store and clock.
    #[must_use]
    pub fn new(config: Config, keys: Arc<dyn KeyStore>, store: Arc<dyn TokenStore>, now: fn() -> Timestamp) -> Self {
        Self { minter: Minter::new(config.issuer, config.token_ttl_seconds, keys, store), now }
    }
}

/// An event that does not say what was called.
#[derive(Debug, thiserror::Error)]
#[error("the event has no {0}")]
pub struct IncompleteEvent(&'static str);

/// Mints a token and allows the one method that was called, with the token in the context.
///
/// # Errors
///
/// Any failure is an error of the function, which API Gateway answers with the gateway response
/// `AUTHORIZER_FAILURE`: without a stored row there is no token and no Allow.
pub async fn handle(
    service: &Service,
    event: LambdaEvent<AuthorizerRequest>,
) -> Result<Response<MintedContext>, Error> {
    let LambdaEvent { payload: request, context } = event;
    let method_arn = request.method_arn.ok_or(IncompleteEvent("methodArn"))?;
    let minted_for = request.request_context.request_id.ok_or(IncompleteEvent("requestContext.requestId"))?;
    let now = (service.now)();
    let minted_by = claimant_of_invocation(&context.request_id).ok_or(IncompleteEvent("request id"))?;
    // This event's type has no `domainName`; API Gateway routes by `Host`, so the two agree.
    let host = apigw::host(None, &request.headers);
    let minted = service.minter.mint(Jti::new(Uuid::new_v4()), minted_by, host, now).await?;
    let context = MintedContext {
        access_token: minted.token.expose().to_owned(),
        expires_at: rfc3339(minted.expires_at.0),
        minted_for,
        decided_at: rfc3339(now.0),
    };
    Ok(apigw::allow(&method_arn, minted.jti.to_string(), context))
}
