//! Execution environments: cold starts, clocks, crashes and time-outs.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use apigw::{Event, Settings};
use aws::{Access, Clients, DynamoTokenStore};
use aws_sdk_dynamodb::config::SharedHttpClient;
use lambda_runtime::Context;
use serde_json::value::RawValue;
use tokens::{Ports, RingVersions, Timestamp};
use tokio::{
    sync::Mutex as AsyncMutex,
    time::{Instant, timeout},
};

use crate::{
    limits::{FUNCTION_TIMEOUT, ROTATION_TIMEOUT},
    simulation::{
        clock::{CLOCK, Clock, now},
        cloud::{CALLS, Call, Network, SECRET, TABLE},
    },
};

/// What is drawn once for a whole simulation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conditions {
    /// How many of a hundred invocations crash.
    pub(crate) crash_percent: u32,
    /// How far a clock may be off.
    pub(crate) max_skew_seconds: i64,
    /// How long a token lives.
    pub(crate) ttl_seconds: u64,
    /// The setting `REVOKED_BEFORE` of every function.
    pub(crate) revoked_before: Timestamp,
    /// What a function is given: the ports as they are, except in tests that break one.
    pub(crate) ports: PortsOf,
    /// What the function that rotates is given: the versions as they are, except in tests that break a rotation.
    pub(crate) versions: VersionsOf,
}

/// Gives the function of this name its ports.
pub(crate) type PortsOf = fn(&'static str, Ports<DynamoTokenStore>) -> Ports<DynamoTokenStore>;

/// Gives the function that rotates the versions of the secret.
pub(crate) type VersionsOf = fn(Arc<dyn RingVersions>) -> Arc<dyn RingVersions>;

/// Makes a function's service over its ports.
type NewService<S> = dyn Fn(Ports<DynamoTokenStore>) -> S + Send + Sync;

/// Makes a function's service, and the clients that it connects before its first invocation.
type Start<S> = dyn Fn(Settings<'_>, SharedHttpClient) -> (S, Option<(Clients, Access)>) + Send + Sync;

/// The environments of a function, and how to make more.
pub(crate) struct Environments<S> {
    start: Box<Start<S>>,
    /// How long Lambda lets an invocation run.
    time_limit: Duration,
    /// In how many milliseconds from the beginning of an invocation a crash comes, at most: one of the two.
    crash_within: [u64; 2],
    network: Arc<Network>,
    clock: Clock,
    conditions: Conditions,
    places: Vec<AsyncMutex<Option<Environment<S>>>>,
}

/// A process that has started and serves one invocation after another.
struct Environment<S> {
    service: S,
    clock: Clock,
    /// Whether its last fetch of the key ring failed.
    has_faulty_keys: bool,
    /// Its last fetch that did not.
    fetch: Option<Call>,
}

/// The result of an invocation.
#[derive(Debug)]
pub(crate) struct Invoked<R> {
    /// Its id.
    pub(crate) id: String,
    /// Its answer; `None` when the environment crashed.
    pub(crate) answer: Option<R>,
    /// The HTTP requests that it made.
    pub(crate) calls: Vec<Call>,
    /// When it began.
    pub(crate) began: Instant,
    /// How long it took.
    pub(crate) took: Duration,
    /// The time by the clock of its environment when it began.
    pub(crate) now: Timestamp,
    /// How far ahead that clock was.
    pub(crate) skew_seconds: i64,
    /// Whether the environment's last fetch of the key ring failed, before the invocation or in it.
    pub(crate) has_faulty_keys: bool,
    /// The environment's last fetch of the key ring that did not fail.
    pub(crate) fetch: Option<Call>,
    /// The same before the invocation.
    pub(crate) fetch_before: Option<Call>,
    /// Whether Lambda ended it for taking too long.
    pub(crate) is_timed_out: bool,
}

impl<S: 'static> Environments<S> {
    /// Places for `count` environments of a function of the API, all of them empty.
    pub(crate) fn new(
        access: Access,
        new_service: Box<NewService<S>>,
        network: Arc<Network>,
        clock: Clock,
        conditions: Conditions,
        count: usize,
    ) -> Self {
        let start = move |settings: Settings<'_>, http_client| {
            let clients = Clients::with_http_client(settings, http_client).expect("every setting is there");
            let ports = Ports { keys: clients.keys.clone(), store: clients.store.clone(), now };
            (new_service(ports), Some((clients, access)))
        };
        let places = (0..count).map(|_| AsyncMutex::default()).collect();
        let (start, time_limit, crash_within) = (Box::new(start), FUNCTION_TIMEOUT, [60, 1600]);
        Self { start, time_limit, crash_within, network, clock, conditions, places }
    }

    /// Runs one invocation in some environment, which may crash at any moment of it.
    pub(crate) async fn invoke<R>(
        &self,
        id: String,
        event: &str,
        handle: impl AsyncFnOnce(&S, Event) -> R,
    ) -> Invoked<R> {
        let Conditions { crash_percent, max_skew_seconds, .. } = self.conditions;
        let (place, is_lost, skew_seconds, setting, crash_after) = {
            let mut rng = self.network.rng();
            let crash_after = (rng.u32(0..100) < crash_percent).then(|| {
                let longest = self.crash_within[usize::from(rng.bool())];
                Duration::from_millis(rng.u64(0..longest))
            });
            let [skew_seconds, later] =
                [(); 2].map(|()| if rng.bool() { 0 } else { rng.i64(-max_skew_seconds..=max_skew_seconds) });
            let longest = if rng.bool() { 60 } else { 2000 };
            let setting = (rng.u32(0..100) < 10).then(|| (Duration::from_millis(rng.u64(0..longest)), later));
            (rng.usize(0..self.places.len()), rng.u32(0..100) < 5, skew_seconds, setting, crash_after)
        };
        let mut place = self.places[place].lock().await;
        if is_lost {
            *place = None; // Lambda ends an idle environment whenever it likes
        }
        let environment = match &mut *place {
            Some(environment) => environment,
            None => place.insert(self.start(skew_seconds).await),
        };

        if let Some((after, skew_seconds)) = setting {
            environment.clock = environment.clock.set_after(after, skew_seconds);
        }

        let mut context = Context::default();
        context.request_id.clone_from(&id);
        let event = RawValue::from_string(event.to_owned()).expect("an event of events/ with a token in it");
        let (began, now, skew_seconds) = (Instant::now(), environment.clock.now(), environment.clock.skew_seconds());
        let handled = handle(&environment.service, Event::new(event, context));
        let limited = timeout(crash_after.unwrap_or(self.time_limit), Box::pin(handled));
        let (answer, calls) = recorded(environment.clock, limited).await;
        let answer = answer.ok();

        let had_faulty_keys = environment.has_faulty_keys;
        environment.has_faulty_keys = has_faulty_keys(&calls).unwrap_or(had_faulty_keys);
        let has_faulty_keys = environment.has_faulty_keys || had_faulty_keys;
        let fetch_before = environment.fetch.take();
        let fetch = last_fetch(&calls).or(fetch_before.clone());
        environment.fetch.clone_from(&fetch);
        let is_timed_out = answer.is_none() && crash_after.is_none();
        if answer.is_none() {
            *place = None;
        }
        let took = began.elapsed();
        Invoked {
            id,
            answer,
            calls,
            began,
            took,
            now,
            skew_seconds,
            has_faulty_keys,
            fetch,
            fetch_before,
            is_timed_out,
        }
    }

    /// A cold start.
    async fn start(&self, skew_seconds: i64) -> Environment<S> {
        let clock = self.clock.ahead_by(skew_seconds);
        let setting = |name: &str| setting(name, &self.network.region);
        let (service, clients) = (self.start)(Settings::new(&setting), self.network.http_client());
        let warm_up = async {
            if let Some((clients, access)) = &clients {
                clients.warm_up(*access, now()).await;
            }
        };
        let ((), calls) = recorded(clock, warm_up).await;
        let has_faulty_keys = has_faulty_keys(&calls).unwrap_or(false);
        Environment { service, clock, has_faulty_keys, fetch: last_fetch(&calls) }
    }
}

impl Environments<rotate::Service> {
    /// Places for two environments of the function that rotates the keys, both empty.
    pub(crate) fn of_rotation(network: Arc<Network>, clock: Clock, conditions: Conditions) -> Self {
        let start = move |settings: Settings<'_>, http_client| {
            let versions = aws::ring_versions_with_http_client(settings, http_client).expect("every setting is there");
            let versions = (conditions.versions)(Arc::new(versions));
            let ports = rotate::Ports { versions, fresh_key: rotate::random_key, now };
            (rotate::Service::new(settings, ports).expect("every setting is there"), None)
        };
        let places = (0..2).map(|_| AsyncMutex::default()).collect();
        // A step makes up to five requests, one after the other, and seldom runs: it is to die at each of them.
        let (start, time_limit, crash_within) = (Box::new(start), ROTATION_TIMEOUT, [120, 240]);
        let conditions = Conditions { crash_percent: 3 * conditions.crash_percent, ..conditions };
        Self { start, time_limit, crash_within, network, clock, conditions, places }
    }
}

/// Runs `code` by the given clock; its result, and the requests that it made.
async fn recorded<R>(clock: Clock, code: impl Future<Output = R>) -> (R, Vec<Call>) {
    let calls = Arc::new(Mutex::default());
    let result = CLOCK.scope(clock, CALLS.scope(calls.clone(), code)).await;
    let calls = std::mem::take(&mut *calls.lock().unwrap_or_else(PoisonError::into_inner));
    (result, calls)
}

/// Whether the last fetch of the key ring among `calls` failed; `None` without one.
fn has_faulty_keys(calls: &[Call]) -> Option<bool> {
    let fetch = calls.iter().rfind(|call| call.is_fetch())?;
    Some(!fetch.is_answered())
}

/// The last fetch of the key ring among `calls` that did not fail.
fn last_fetch(calls: &[Call]) -> Option<Call> {
    calls.iter().rfind(|call| call.is_fetch() && call.is_answered()).cloned()
}

/// The settings of the clients: those of AWS itself.
fn setting(name: &str, region: &str) -> Option<String> {
    let value = match name {
        "TABLE_NAME" => TABLE,
        "KEY_RING_SECRET_ID" => SECRET,
        "AWS_REGION" => region,
        "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => "simulated",
        _ => return None,
    };
    Some(value.to_owned())
}
