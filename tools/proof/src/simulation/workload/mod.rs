//! What happens in a simulation: clients that mint and spend tokens, rotations of the keys, and an operator.

mod client;
mod operator;
mod rotation;

use std::{
    fmt::Debug,
    sync::{Arc, Mutex, MutexGuard},
};

use fastrand::Rng;

use super::{
    clock::Clock,
    cloud::{Faults, Network},
    judge::{Client, Judge},
    lambda::{Answer, Conditions, Functions, Invoked, Minted, Minter},
    outcome::Outcome,
};

/// A simulation: what its clients and its operator share.
pub(crate) struct Simulation {
    /// A clock that is right: the operator's.
    clock: Clock,
    network: Arc<Network>,
    functions: Functions,
    judge: Mutex<Judge>,
    /// What has happened, for people to read; `None` when no one will.
    trace: Option<Mutex<Vec<String>>>,
    /// How long a token lives.
    ttl_seconds: u64,
}

impl Simulation {
    /// A simulation in which nothing has happened.
    pub(crate) fn new(network: Arc<Network>, conditions: Conditions, is_traced: bool) -> Self {
        let clock = Clock::exact();
        Self {
            clock,
            functions: Functions::new(&network, clock, conditions),
            network,
            judge: Mutex::new(Judge::new(conditions.revoked_before)),
            trace: is_traced.then(Mutex::default),
            ttl_seconds: conditions.ttl_seconds,
        }
    }

    /// Has `minter` mint a token, the one of the number `number` here.
    pub(crate) async fn mint(&self, number: usize, minter: Minter) -> Option<Minted> {
        let mut invoked = self.functions.mint(minter).await;
        self.judge().mint(&invoked, &self.network.services());
        self.note(|| format!("{minter:?} mints token {number}: {}", summary(&invoked)));
        invoked.answer.take()?.ok()
    }

    /// Asks once for a token.
    pub(crate) async fn spend(&self, number: usize, minted: &Minted, client: &Client) -> Option<Answer> {
        let token = minted.token.expose();
        let invoked = match &client.guard {
            Some(id) => self.functions.guard(token, id.clone()).await,
            None => self.functions.spend(token, client.key.as_deref()).await,
        };
        self.judge().spend(minted, client, &invoked, &self.network.services());
        self.note(|| format!("{} asks for token {number}: {}", client.name, summary(&invoked)));
        invoked.answer
    }

    /// Has the operator revoke a token.
    pub(crate) async fn revoke(&self, number: usize, minted: &Minted) -> Option<Answer> {
        let invoked = self.functions.revoke(minted.token.expose()).await;
        self.judge().revocation(minted, &invoked, &self.network.services());
        self.note(|| format!("the operator revokes token {number}: {}", summary(&invoked)));
        invoked.answer
    }

    /// Has the operator look at a token.
    async fn look(&self, number: usize, minted: &Minted) {
        let invoked = self.functions.inspect(minted.token.expose()).await;
        self.judge().look(minted, &invoked, &self.network.services());
        self.note(|| format!("the operator looks at token {number}: {}", summary(&invoked)));
    }

    /// Runs one step of the rotation that prepares `version`; whether it succeeded.
    async fn rotation_step(&self, step: &str, version: &str) -> bool {
        let invoked = self.functions.rotate(step, version).await;
        self.judge().rotation(step, &invoked);
        self.note(|| format!("Secrets Manager calls {step} for {version}: {}", summary(&invoked)));
        matches!(invoked.answer, Some(Ok(())))
    }

    /// A client that asks at the door of a route, in an invocation of its own.
    pub(crate) fn at_guard(&self, name: &str) -> Client {
        Client { name: name.to_owned(), key: None, guard: Some(self.functions.invocation_id()) }
    }

    /// Asks with a token whose MAC is made up.
    async fn forge(&self, number: usize, minted: &Minted, client: &Client) {
        let (message, _) = minted.token.expose().rsplit_once('.').expect("a token has three segments");
        let forged = format!("{message}.{}", "A".repeat(43));
        let invoked = self.functions.spend(&forged, client.key.as_deref()).await;
        self.judge().forgery(&invoked);
        self.note(|| format!("{} forges token {number}: {}", client.name, summary(&invoked)));
    }

    /// Lets every request through from now on.
    pub(crate) fn end_faults(&self) {
        self.network.set_faults(Faults::Random(0));
    }

    /// Draws what happens next.
    pub(crate) fn draw<T>(&self, draw: impl FnOnce(&mut Rng) -> T) -> T {
        draw(&mut self.network.rng())
    }

    /// The outcome of the simulation, which is the one of `seed`.
    pub(crate) fn outcome(&self, seed: u64) -> Outcome {
        let mut judge = self.judge();
        judge.violations.append(&mut self.network.services().take_defects());
        Outcome {
            seeds: 1,
            counts: std::mem::take(&mut judge.counts),
            violations: judge.violations.drain(..).map(|violation| (seed, violation)).collect(),
            trace: self.trace.as_ref().map(|trace| std::mem::take(&mut *guard(trace))).unwrap_or_default(),
        }
    }

    fn judge(&self) -> MutexGuard<'_, Judge> {
        guard(&self.judge)
    }

    /// Notes what has happened.
    fn note(&self, event: impl FnOnce() -> String) {
        if let Some(trace) = &self.trace {
            guard(trace).push(format!("{:10.3} s  {}", self.clock.elapsed().as_secs_f64(), event()));
        }
    }
}

/// An invocation in a few words: its requests, what went wrong with each, and its answer.
fn summary<R: Debug>(invoked: &Invoked<R>) -> String {
    let calls = invoked.calls.iter().map(|call| match call.fault {
        Some(fault) => format!("{} ({fault:?})", call.action),
        None => call.action.clone(),
    });
    let answer = invoked.answer.as_ref().map_or("crashed".to_owned(), |answer| format!("{answer:?}"));
    format!("{} => {answer}", calls.collect::<Vec<_>>().join(", "))
}

/// Locks a mutex.
fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no code panics while it holds a lock")
}
