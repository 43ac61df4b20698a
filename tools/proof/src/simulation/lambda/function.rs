//! The functions: how each is made, called, and its answer read.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use apigw::{Event, MintedContext, Response, Settings, parse_rfc3339};
use aws::Access;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use tokens::{Claims, Jti, Timestamp, Token};

use super::environment::{Conditions, Environments, Invoked};
use crate::{
    events,
    simulation::{
        clock::Clock,
        cloud::{Network, SECRET},
    },
};

/// The functions, each in its own environments.
pub(crate) struct Functions {
    authorizers: Environments<authorizer::Service>,
    issues: Environments<issue::Service>,
    validates: Environments<validate::Service>,
    guards: Environments<guard::Service>,
    revokes: Environments<revoke::Service>,
    inspects: Environments<inspect::Service>,
    rotates: Environments<rotate::Service>,
    /// How many invocations there have been.
    invocations: AtomicU64,
}

/// A function that mints.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Minter {
    Authorizer,
    Issue,
}

impl Minter {
    /// Each of them.
    pub(crate) const ALL: [Self; 2] = [Self::Authorizer, Self::Issue];
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
    /// The number of the key that signed it.
    pub(crate) key: u32,
    /// When it expires, as its client was told.
    pub(crate) expires_at: Option<Timestamp>,
}

/// The answer to a spend, to a revocation or to a look.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    /// The HTTP status code.
    pub(crate) status: u16,
    /// The reason of a refusal; empty in a success.
    pub(crate) reason: String,
    /// When the token was first used, in an answer that says so.
    pub(crate) used_at: Option<Timestamp>,
    /// Whether a success says that it repeats an earlier one.
    pub(crate) is_replayed: bool,
    /// The state of the token, in a look that says it.
    pub(crate) state: Option<String>,
}

impl Functions {
    /// The functions behind `network`, none of them started.
    pub(crate) fn new(network: &Arc<Network>, clock: Clock, conditions: Conditions) -> Self {
        let (setting, of) = (setting(conditions), conditions.ports);
        let authorizer = Box::new(move |ports| {
            authorizer::Service::new(Settings::new(&setting), of("authorizer", ports)).expect("every setting is there")
        });
        let issue = Box::new(move |ports| {
            issue::Service::new(Settings::new(&setting), of("issue", ports)).expect("every setting is there")
        });
        let validate = Box::new(move |ports| {
            validate::Service::new(Settings::new(&setting), of("validate", ports)).expect("every setting is there")
        });
        let guard = Box::new(move |ports| {
            guard::Service::new(Settings::new(&setting), of("guard", ports)).expect("every setting is there")
        });
        let revoke = Box::new(move |ports| {
            revoke::Service::new(Settings::new(&setting), of("revoke", ports)).expect("every setting is there")
        });
        let inspect = Box::new(move |ports| {
            inspect::Service::new(Settings::new(&setting), of("inspect", ports)).expect("every setting is there")
        });
        Self {
            authorizers: Environments::new(Access::Mint, authorizer, network.clone(), clock, conditions, 2),
            issues: Environments::new(Access::Mint, issue, network.clone(), clock, conditions, 2),
            validates: Environments::new(Access::Spend, validate, network.clone(), clock, conditions, 3),
            guards: Environments::new(Access::Spend, guard, network.clone(), clock, conditions, 2),
            revokes: Environments::new(Access::Revoke, revoke, network.clone(), clock, conditions, 1),
            inspects: Environments::new(Access::Find, inspect, network.clone(), clock, conditions, 1),
            rotates: Environments::of_rotation(network.clone(), clock, conditions),
            invocations: AtomicU64::new(0),
        }
    }

    /// Has `minter` mint a token.
    pub(crate) async fn mint(&self, minter: Minter) -> Invoked<Result<Minted, String>> {
        let id = self.invocation_id();
        match minter {
            Minter::Authorizer => {
                let handle = async |service: &_, event| match authorizer::handle(service, event).await {
                    Ok(answer) => Ok(passed_on(answer)),
                    Err(err) => Err(err.to_string()),
                };
                self.authorizers.invoke(id, events::MINT, handle).await
            }
            Minter::Issue => {
                let handle = async |service: &_, event| {
                    issued(&issue::handle(service, event).await.expect("every failure is a response"))
                };
                self.issues.invoke(id, events::ISSUE, handle).await
            }
        }
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

    /// Spends `token` at the door of a route, in the invocation `id`.
    pub(crate) async fn guard(&self, token: &str, id: String) -> Invoked<Answer> {
        let handle = async |service: &_, event: Event| match guard::handle(service, event).await {
            Ok(answer) => decision(&serde_json::to_value(answer).expect("a decision is JSON")),
            Err(_) => Answer { status: 503, ..Answer::default() },
        };
        self.guards.invoke(id, &events::guard(token), handle).await
    }

    /// Revokes `token`.
    pub(crate) async fn revoke(&self, token: &str) -> Invoked<Answer> {
        let handle = async |service: &_, event: Event| {
            answer(&revoke::handle(service, event).await.expect("every failure is a response"))
        };
        self.revokes.invoke(self.invocation_id(), &events::revoke(token), handle).await
    }

    /// Looks at `token`.
    pub(crate) async fn inspect(&self, token: &str) -> Invoked<Answer> {
        let handle = async |service: &_, event: Event| {
            answer(&inspect::handle(service, event).await.expect("every failure is a response"))
        };
        self.inspects.invoke(self.invocation_id(), &events::inspect(token), handle).await
    }

    /// Runs one step of the rotation that prepares `version`.
    pub(crate) async fn rotate(&self, step: &str, version: &str) -> Invoked<Result<(), String>> {
        let event = events::rotate(step, SECRET, version);
        let handle = async |service: &_, event| rotate::handle(service, event).await.map_err(|err| err.to_string());
        self.rotates.invoke(self.invocation_id(), &event, handle).await
    }

    /// The request id of the next invocation.
    pub(crate) fn invocation_id(&self) -> String {
        format!("invocation-{}", self.invocations.fetch_add(1, Ordering::Relaxed))
    }
}

/// The settings of the functions.
fn setting(conditions: Conditions) -> impl Fn(&str) -> Option<String> + Copy {
    move |name| match name {
        "TOKEN_ISSUER" => Some("simulation".to_owned()),
        "TOKEN_AUDIENCE" => Some("simulation/Prod".to_owned()),
        "TOKEN_TTL_SECONDS" => Some(conditions.ttl_seconds.to_string()),
        "REVOKED_BEFORE" => Some(conditions.revoked_before.0.to_string()),
        "ALLOWED_ORIGIN" => Some("*".to_owned()),
        "EXPOSED_HEADERS" => Some("X-Access-Token".to_owned()),
        "OPEN_ROUTES" => Some("true".to_owned()),
        _ => None,
    }
}

/// The token that the authorizer passes on.
fn passed_on(answer: apigw::Answer<MintedContext>) -> Minted {
    let apigw::Answer::Policy { context, .. } = answer else { unreachable!("the event is of payload 1.0") };
    minted(context.access_token, &context.expires_at)
}

/// The token that `issue` answers with, or its refusal.
fn issued(response: &Response) -> Result<Minted, String> {
    let body: Value = serde_json::from_str(&response.body).expect("every answer is JSON");
    match (&body["token"], &body["expiration"]) {
        (Value::String(token), Value::String(expiration)) => Ok(minted(token.clone(), expiration)),
        _ => Err(format!("{} {}", response.status_code, body["reason"])),
    }
}

/// What a new token says of itself.
fn minted(token: String, expires_at: &str) -> Minted {
    let mut segments = token.split('.').map_while(|segment| URL_SAFE_NO_PAD.decode(segment).ok());
    let header: Option<Value> = segments.next().and_then(|header| serde_json::from_slice(&header).ok());
    let key = header.and_then(|header| header["kid"].as_str()?.strip_prefix('k')?.parse().ok());
    let claims: Option<Claims> = segments.next().and_then(|claims| serde_json::from_slice(&claims).ok());
    let (Some(key), Some(Claims { jti, iat, exp, .. })) = (key, claims) else { unreachable!("a token has both") };
    Minted { jti, token: Token::new(token), iat, exp, key, expires_at: parse_rfc3339(expires_at).map(Timestamp) }
}

/// What a guard decided.
fn decision(policy: &Value) -> Answer {
    let context = &policy["context"];
    Answer {
        status: if policy["policyDocument"]["Statement"][0]["Effect"] == "Allow" { 200 } else { 401 },
        reason: context["reason"].as_str().unwrap_or_default().to_owned(),
        used_at: context["usedAt"].as_str().and_then(parse_rfc3339).map(Timestamp),
        ..Answer::default()
    }
}

/// What a response says.
fn answer(response: &Response) -> Answer {
    let body: Value = serde_json::from_str(&response.body).expect("every answer is JSON");
    Answer {
        status: response.status_code,
        reason: body["reason"].as_str().unwrap_or_default().to_owned(),
        used_at: body["usedAt"].as_str().and_then(parse_rfc3339).map(Timestamp),
        is_replayed: body["replayed"] == true,
        state: body["state"].as_str().map(str::to_owned),
    }
}
