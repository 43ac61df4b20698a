//! `authorizer`: the REQUEST authorizer that mints a token for every request to the route behind it.
//!
//! Its tests are in `tests/handlers/authorizer.rs`.

use apigw::{Answer, ConfigError, Decision, Event, MintedContext, Request, Settings, rfc3339};
use lambda_runtime::Error;
use tokens::{Claimant, Insert, Jti, MAX_LIFETIME_SECONDS, MAX_REVOKED_BEFORE, Minter, NewToken, Ports, Timestamp};
use uuid::Uuid;

/// The state that all invocations of the function share.
#[derive(Debug)]
pub struct Service {
    minter: Minter,
    aud: String,
    ttl_seconds: u64,
    is_open: bool,
    now: fn() -> Timestamp,
}

impl Service {
    /// Creates the function from its settings (`TOKEN_ISSUER`, `TOKEN_AUDIENCE`, `TOKEN_TTL_SECONDS`,
    /// `REVOKED_BEFORE`, `OPEN_ROUTES`) and its ports.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable at fault and what it must be.
    pub fn new(settings: Settings<'_>, ports: Ports<impl Insert + 'static>) -> Result<Self, ConfigError> {
        let iss = settings.text("TOKEN_ISSUER")?;
        let revoked_before = Timestamp(settings.number("REVOKED_BEFORE", 0..=MAX_REVOKED_BEFORE)?);
        Ok(Self {
            minter: Minter::new(iss, revoked_before, ports.keys, ports.store),
            aud: settings.text("TOKEN_AUDIENCE")?,
            ttl_seconds: settings.number("TOKEN_TTL_SECONDS", 1..=MAX_LIFETIME_SECONDS)?,
            is_open: settings.flag("OPEN_ROUTES")?,
            now: ports.now,
        })
    }
}

/// An invocation without a request id.
#[derive(Debug, thiserror::Error)]
#[error("the invocation has no request id")]
struct NoInvocationId;

/// Mints a token and allows the one method that was called, with the token in the context.
///
/// # Errors
///
/// Any failure is an error of the function, which API Gateway answers with the gateway response
/// `AUTHORIZER_FAILURE`: without a stored row there is no token, and no Allow unless the routes are closed.
pub async fn handle(service: &Service, event: Event) -> Result<Answer<MintedContext>, Error> {
    apigw::authorize(event, |request| mint(service, request)).await
}

async fn mint(service: &Service, request: Request) -> Result<Decision<MintedContext>, Error> {
    if !service.is_open {
        // The function behind it answers 403. A Deny would be a 401, which suggests that a token would help.
        return Ok(Decision::Allow { principal_id: "closed".to_owned(), context: MintedContext::default() });
    }
    let now = (service.now)();
    let new = NewToken {
        jti: Jti::new(Uuid::new_v4()),
        aud: service.aud.clone(),
        ttl_seconds: service.ttl_seconds,
        minted_by: Claimant::of_invocation(&request.invocation_id).ok_or(NoInvocationId)?,
        host: request.host,
    };
    let minted = service.minter.mint(new, now).await?;
    let context = MintedContext {
        access_token: minted.token.expose().to_owned(),
        expires_at: rfc3339(minted.expires_at.0),
        minted_for: request.request_id,
        decided_at: rfc3339(now.0),
    };
    Ok(Decision::Allow { principal_id: minted.jti.to_string(), context })
}
