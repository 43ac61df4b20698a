//! The functions: how each is made, called, and its answer read.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use apigw::{MintedContext, Response, Settings, parse_rfc3339};
use aws::Access;
use serde_json::Value;
use tokens::{Jti, Timestamp, Token};

use super::environment::{Conditions, Environments, Invoked};
use crate::{
    events,
    simulation::{clock::Clock, cloud::Network},
};

/// The functions of the API, each in its own environments.
pub(crate) struct Functions {
    authorizers: Environments<authorizer::Service>,
    validates: Environments<validate::Service>,
    /// How many invocations there have been.
    invocations: AtomicU64,
}

/// A token that has been handed out.
#[derive(Clone, Debug)]
pub(crate) struct Minted {
    pub(crate) jti: Jti,
    pub(crate) token: Token,
    /// When it was minted, by the clock of its environment.
    pub(crate) iat: Timestamp,
    /// When it expires.
    pub(crate) exp: Timestamp,
}

/// The answer to a spend.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The HTTP status code.
    pub(crate) status: u16,
    /// The reason of a refusal; empty in a success.
    pub(crate) reason: String,
    /// When the token was first used, in a refusal that says so.
    pub(crate) used_at: Option<Timestamp>,
    /// Whether a success says that it repeats an earlier one.
    pub(crate) is_replayed: bool,
}

impl Functions {
    /// The functions behind `network`, none of them started.
    pub(crate) fn new(network: &Arc<Network>, clock: Clock, conditions: Conditions) -> Self {
        let setting = setting(conditions.ttl_seconds);
        let authorizer = Box::new(move |ports| {
            authorizer::Service::new(Settings::new(&setting), ports).expect("every setting is there")
        });
        let validate = Box::new(move |ports| {
            validate::Service::new(Settings::new(&setting), ports).expect("every setting is there")
        });
        Self {
            authorizers: Environments::new(Access::Mint, authorizer, network.clone(), clock, conditions, 2),
            validates: Environments::new(Access::Spend, validate, network.clone(), clock, conditions, 3),
            invocations: AtomicU64::new(0),
        }
    }

    /// Has the authorizer mint a token.
    pub(crate) async fn mint(&self) -> Invoked<Result<Minted, String>> {
        self.authorizers
            .invoke(self.invocation_id(), events::MINT, async |service, event| {
                authorizer::handle(service, event).await.map(minted).map_err(|err| err.to_string())
            })
            .await
    }

    /// Spends `token`, with an `Idempotency-Key` or without one.
    pub(crate) async fn spend(&self, token: &str, key: Option<&str>) -> Invoked<Answer> {
        let event = events::spend(token, key);
        self.validates
            .invoke(self.invocation_id(), &event, async |service, event| {
                answer(&validate::handle(service, event).await.expect("every failure is a response"))
            })
            .await
    }

    /// The request id of the next invocation.
    fn invocation_id(&self) -> String {
        format!("invocation-{}", self.invocations.fetch_add(1, Ordering::Relaxed))
    }
}

/// The settings of the functions.
fn setting(ttl_seconds: u64) -> impl Fn(&str) -> Option<String> + Copy {
    move |name| match name {
        "TOKEN_ISSUER" => Some("simulation".to_owned()),
        "TOKEN_AUDIENCE" => Some("simulation/Prod".to_owned()),
        "TOKEN_TTL_SECONDS" => Some(ttl_seconds.to_string()),
        "REVOKED_BEFORE" => Some("0".to_owned()),
        "ALLOWED_ORIGIN" => Some("*".to_owned()),
        "EXPOSED_HEADERS" => Some("X-Access-Token".to_owned()),
        "OPEN_ROUTES" => Some("true".to_owned()),
        _ => None,
    }
}

/// The token that the authorizer passes on.
fn minted(answer: apigw::Answer<MintedContext>) -> Minted {
    let apigw::Answer::Policy { principal_id, context, .. } = answer else {
        unreachable!("the event is of payload 1.0")
    };
    let time = |text: &str| Timestamp(parse_rfc3339(text).expect("a time in RFC 3339"));
    let jti = Jti::parse(&principal_id).expect("a policy for the token");
    let (iat, exp) = (time(&context.decided_at), time(&context.expires_at));
    Minted { jti, token: Token::new(context.access_token), iat, exp }
}

/// What the response to a spend says.
fn answer(response: &Response) -> Answer {
    let body: Value = serde_json::from_str(&response.body).expect("every answer is JSON");
    Answer {
        status: response.status_code,
        reason: body["reason"].as_str().unwrap_or_default().to_owned(),
        used_at: body["usedAt"].as_str().and_then(parse_rfc3339).map(Timestamp),
        is_replayed: body["replayed"] == true,
    }
}
