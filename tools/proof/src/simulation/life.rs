//! The life of a token in the simulation: who asks for it, when, and what an operator does to it.

use std::{
    fmt::Debug,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use apigw::{Answer as Allowed, MintedContext, Response, parse_rfc3339};
use serde_json::Value;
use tokens::{Jti, Timestamp, Token};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use super::{
    clock::Clock,
    environment::{Environments, Invoked},
    judge::{Answer, Client, Judge, Minted},
    lock,
    network::Network,
};
use crate::events;

/// How long everything goes on: until the last row has been deleted and the last request has arrived.
pub(crate) const END: Duration = Duration::from_hours(240);

/// Everything that the lives share.
pub(crate) struct World {
    pub(crate) origin: Instant,
    pub(crate) network: Arc<Network>,
    pub(crate) authorizers: Environments<authorizer::Service>,
    pub(crate) validates: Environments<validate::Service>,
    pub(crate) judge: Mutex<Judge>,
    /// What has happened, for people to read; none where nobody does.
    pub(crate) trace: Option<Mutex<Vec<String>>>,
    /// How many of a hundred invocations crash.
    pub(crate) crash_percent: u32,
    /// How long a token lives.
    pub(crate) ttl_seconds: u64,
    /// How many invocations there have been.
    pub(crate) invocations: AtomicU64,
}

impl World {
    /// Mints a token that has the number `number` here.
    pub(crate) async fn mint(&self, number: usize) -> Option<Minted> {
        let mut invoked = self
            .authorizers
            .invoke(self.invocation_id(), events::MINT, self.crash_percent, async |service, event| {
                authorizer::handle(service, event).await.map(minted).map_err(|err| err.to_string())
            })
            .await;
        lock(&self.judge).mint(&invoked, &lock(&self.network.services));
        self.note(|| format!("mint of token {number}: {}", told(&invoked)));
        invoked.answer.take()?.ok()
    }

    /// Asks once for a token.
    pub(crate) async fn spend(&self, number: usize, minted: &Minted, client: &Client) -> Option<Answer> {
        let invoked = self.validate(minted.token.expose(), client).await;
        lock(&self.judge).spend(minted, client, &invoked, &lock(&self.network.services));
        self.note(|| format!("{} asks for token {number}: {}", client.name, told(&invoked)));
        invoked.answer
    }

    /// Asks with a token whose MAC somebody has made up.
    async fn forge(&self, number: usize, minted: &Minted, client: &Client) {
        let (message, _) = minted.token.expose().rsplit_once('.').expect("a token has three segments");
        let invoked = self.validate(&format!("{message}.{}", "A".repeat(43)), client).await;
        lock(&self.judge).forgery(&invoked);
        self.note(|| format!("{} forges token {number}: {}", client.name, told(&invoked)));
    }

    /// One invocation of the function that spends.
    async fn validate(&self, token: &str, client: &Client) -> Invoked<Answer> {
        let event = events::spend(token, client.key.as_deref());
        self.validates
            .invoke(self.invocation_id(), &event, self.crash_percent, async |service, event| {
                answer(&validate::handle(service, event).await.expect("every failure is a response"))
            })
            .await
    }

    /// A token from its minting until its row is gone.
    pub(crate) async fn life(self: Arc<Self>, number: usize) {
        let (begins, clients, operator) = self.draw(|rng| {
            // Half of them together, the others whenever, before and after a rotation of the keys.
            let begins = if rng.bool() { 0..20_000 } else { 0..2000 * (86_400 + self.ttl_seconds) };
            (rng.u64(begins), rng.usize(1..=4), rng.u32(0..10))
        });
        sleep(Duration::from_millis(begins)).await;
        let Some(minted) = self.mint(number).await else { return };

        let mut tasks = JoinSet::new();
        for client in 0..clients {
            tasks.spawn(self.clone().client(number, minted.clone(), format!("client {number}.{client}")));
        }
        if operator == 0 {
            tasks.spawn(self.clone().revocation(number, minted.clone()));
        }
        tasks.join_all().await;
    }

    /// A client that asks for a token, and asks again until it knows; now and then also afterwards.
    async fn client(self: Arc<Self>, number: usize, minted: Minted, name: String) {
        let has_key = self.draw(fastrand::Rng::bool);
        sleep(self.moment()).await;
        for attempt in 0..5 {
            let client = if has_key {
                Client { name: name.clone(), key: Some(name.replace(' ', "-")) }
            } else {
                Client { name: format!("{name}, request {attempt}"), key: None }
            };
            let (is_doubled, is_heard, goes_on, forges) =
                self.draw(|rng| (rng.u32(0..10) == 0, rng.u32(0..5) > 0, rng.u32(0..4) == 0, rng.u32(0..40) == 0));
            if forges {
                self.forge(number, &minted, &client).await;
            }
            let answer = if is_doubled && has_key {
                let (one, other) = (self.spend(number, &minted, &client), self.spend(number, &minted, &client));
                futures_util::future::join(one, other).await.0
            } else {
                self.spend(number, &minted, &client).await
            };
            let knows = answer.is_some_and(|answer| answer.status != 503) && is_heard;
            if knows && !goes_on {
                return;
            }
            sleep(self.pause()).await;
        }
    }

    /// The operator revokes a token.
    async fn revocation(self: Arc<Self>, number: usize, minted: Minted) {
        sleep(self.moment()).await;
        let now = self.clock().now();
        lock(&self.network.services).revoke(&minted.jti, now);
        self.note(|| format!("the operator revokes token {number}"));
    }

    /// The operator rotates the keys: long after the last time, for a key has to be known before it
    /// signs and to outlive what it has signed.
    pub(crate) async fn rotations(self: Arc<Self>) {
        sleep(Duration::from_secs(self.draw(|rng| rng.u64(0..2 * self.ttl_seconds + 600)))).await;
        for _ in 0..2 {
            lock(&self.network.services).ring.active += 1;
            self.note(|| "the keys are rotated".to_owned());
            sleep(Duration::from_secs(86_400 + self.ttl_seconds)).await;
        }
    }

    /// The operator revokes whatever has been minted so far.
    pub(crate) async fn not_before(self: Arc<Self>) {
        sleep(Duration::from_secs(self.draw(|rng| rng.u64(0..self.ttl_seconds)))).await;
        let now = self.clock().now();
        lock(&self.network.services).ring.not_before = now;
        self.note(|| "the operator revokes every token so far".to_owned());
    }

    /// Time to live deletes what it may, in its own time.
    pub(crate) async fn sweeps(self: Arc<Self>) {
        while self.origin.elapsed() < END {
            sleep(Duration::from_secs(self.draw(|rng| rng.u64(3600..12 * 3600)))).await;
            let now = self.clock().now();
            lock(&self.network.services).sweep(now);
        }
    }

    /// A time to act: mostly at once, sometimes at another time of a token's life, at its end, or
    /// after it.
    fn moment(&self) -> Duration {
        let ttl = self.ttl_seconds * 1000;
        Duration::from_millis(self.draw(|rng| match rng.u32(0..10) {
            0..5 => rng.u64(0..60),
            5..7 => rng.u64(0..ttl),
            7..9 => ttl.saturating_sub(35_000) + rng.u64(0..70_000),
            _ => rng.u64(0..72 * 3_600_000),
        }))
    }

    /// A pause before asking again, on either side of the time in which a replay is answered.
    fn pause(&self) -> Duration {
        Duration::from_millis(self.draw(|rng| match rng.u32(0..4) {
            0..3 => rng.u64(0..3000),
            _ => rng.u64(55_000..65_000),
        }))
    }

    /// Draws what happens next.
    pub(crate) fn draw<T>(&self, draw: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        draw(&mut lock(&self.network.rng))
    }

    /// The operator's clock, which is right.
    fn clock(&self) -> Clock {
        Clock { origin: self.origin, skew_seconds: 0 }
    }

    /// The request id of the next invocation.
    fn invocation_id(&self) -> String {
        format!("invocation-{}", self.invocations.fetch_add(1, Ordering::Relaxed))
    }

    /// Notes what has happened.
    fn note(&self, event: impl FnOnce() -> String) {
        if let Some(trace) = &self.trace {
            lock(trace).push(format!("{:10.3} s  {}", self.origin.elapsed().as_secs_f64(), event()));
        }
    }
}

/// An invocation in a few words: its answer, and the requests behind it with what became of them.
fn told<R: Debug>(invoked: &Invoked<R>) -> String {
    let calls = invoked.calls.iter().map(|call| match call.fault {
        Some(fault) => format!("{} ({fault:?})", call.action),
        None => call.action.clone(),
    });
    let answer = invoked.answer.as_ref().map_or("crashed".to_owned(), |answer| format!("{answer:?}"));
    format!("{} => {answer}", calls.collect::<Vec<_>>().join(", "))
}

/// The token that the authorizer passes on.
fn minted(answer: Allowed<MintedContext>) -> Minted {
    let Allowed::Policy { principal_id, context, .. } = answer else { unreachable!("the event is of payload 1.0") };
    let time = |text: &str| Timestamp(parse_rfc3339(text).expect("a time in RFC 3339"));
    let jti = Jti::parse(&principal_id).expect("a policy for the token");
    let (iat, exp) = (time(&context.decided_at), time(&context.expires_at));
    Minted { jti, token: Token::new(context.access_token), iat, exp }
}

/// What a client is told.
fn answer(response: &Response) -> Answer {
    let body: Value = serde_json::from_str(&response.body).expect("every answer is JSON");
    Answer {
        status: response.status_code,
        reason: body["reason"].as_str().unwrap_or_default().to_owned(),
        used_at: body["usedAt"].as_str().and_then(parse_rfc3339).map(Timestamp),
        is_replayed: body["replayed"] == true,
    }
}
