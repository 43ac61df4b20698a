//! `guard`: the REQUEST authorizer that spends a token before the route behind it runs.
//!
//! Its tests are in `tests/handlers/guard.rs` and `attacks/`.

use apigw::{Answer, ConfigError, Decision, Event, Request, Settings, SpentContext, metrics, rfc3339};
use lambda_runtime::Error;
use serde::Serialize;
use tokens::{
    Caller, Checker, Claimant, Issuer, MAX_REVOKED_BEFORE, Ports, Spend, SpendError, Spender, Timestamp, Token,
};

/// The state that all invocations of the function share.
#[derive(Debug)]
pub struct Service {
    spender: Spender,
    now: fn() -> Timestamp,
}

impl Service {
    /// Creates the function from its settings (`TOKEN_ISSUER`, `TOKEN_AUDIENCE`, `REVOKED_BEFORE`) and its
    /// ports. It accepts the tokens of one audience and no other.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable at fault and what it must be.
    pub fn new(settings: Settings<'_>, ports: Ports<impl Spend + 'static>) -> Result<Self, ConfigError> {
        let issuer = Issuer { iss: settings.text("TOKEN_ISSUER")?, aud: settings.text("TOKEN_AUDIENCE")? };
        let revoked_before = Timestamp(settings.number("REVOKED_BEFORE", 0..=MAX_REVOKED_BEFORE)?);
        let spender = Spender::new(Checker::new(&issuer, revoked_before), ports.keys, ports.store);
        Ok(Self { spender, now: ports.now })
    }
}

/// What the guard passes on.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum GuardContext {
    /// To the function behind it.
    Spent(SpentContext),
    /// To the gateway response `ACCESS_DENIED`, which refers to both members.
    #[serde(rename_all = "camelCase")]
    Refused {
        /// Why the request is refused.
        reason: &'static str,
        /// When the token was spent, in RFC 3339; empty for every reason but `already_used`.
        used_at: String,
    },
}

/// An invocation without a request id.
#[derive(Debug, thiserror::Error)]
#[error("the invocation has no request id")]
struct NoInvocationId;

/// Spends the token of the request, and allows the one method that was called.
///
/// The token is in `X-Access-Token` or in `Authorization: Bearer`. It is spent before the route runs: the route
/// runs at most once for each token, and not at all if API Gateway fails after that.
///
/// # Errors
///
/// Any failure but a refusal is an error of the function, which API Gateway answers with the gateway response
/// `AUTHORIZER_FAILURE`. The token may be spent then.
pub async fn handle(service: &Service, event: Event) -> Result<Answer<GuardContext>, Error> {
    apigw::authorize(event, |request| spend(service, request)).await
}

async fn spend(service: &Service, request: Request) -> Result<Decision<GuardContext>, Error> {
    let now = (service.now)();
    let Some(token) = token(&request) else {
        tracing::info!(error.reason = "invalid_request", "request refused");
        return Ok(deny("invalid_request", None));
    };
    // `Idempotency-Key` is ignored, and each execution is a separate claimant: a replay would let a second request
    // through.
    let mut random = [0; 16];
    getrandom::fill(&mut random)?;
    let claimant = Claimant::of_execution(&request.invocation_id, u128::from_ne_bytes(random)).ok_or(NoInvocationId)?;
    match service.spender.spend(&token, &Caller::Invocation(claimant), now).await {
        Ok(spent) => {
            let context = SpentContext {
                jti: spent.claims.jti.to_string(),
                issued_at: rfc3339(spent.claims.iat.0),
                used_at: rfc3339(now.0),
                host: spent.host.unwrap_or_default(),
                spent_for: request.request_id,
                decided_at: rfc3339(now.0),
            };
            Ok(Decision::Allow { principal_id: context.jti.clone(), context: GuardContext::Spent(context) })
        }
        Err(SpendError::Refused(refusal)) => {
            metrics::refused(refusal.reason(), &request.request_id);
            Ok(deny(refusal.reason(), refusal.used_at()))
        }
        Err(err) => Err(err.into()),
    }
}

/// The one token of the request; `None` if it has none, or several, or one in the query string.
fn token(request: &Request) -> Option<Token> {
    request.without_token_in_query().ok()?;
    let mut tokens = request.tokens();
    let token = tokens.next()?.to_owned();
    tokens.next().is_none().then(|| Token::new(token))
}

/// A refusal, which API Gateway answers.
fn deny(reason: &'static str, used_at: Option<Timestamp>) -> Decision<GuardContext> {
    let used_at = used_at.map(|used_at| rfc3339(used_at.0)).unwrap_or_default();
    Decision::Deny { context: GuardContext::Refused { reason, used_at } }
}
