//! The environments that run the functions, each one invocation at a time, and how they end.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use apigw::{Event, Settings};
use aws::{Access, DynamoTokenStore};
use lambda_runtime::Context;
use serde_json::value::RawValue;
use tokens::{Ports, Timestamp};
use tokio::{
    sync::Mutex as AsyncMutex,
    time::{Instant, timeout},
};

use super::{
    clock::{Clock, INVOCATION, Invocation, now},
    lock,
    network::{Call, Network},
    services::{SECRET, TABLE},
};

/// How long Lambda lets an invocation run.
const FUNCTION_TIMEOUT: Duration = Duration::from_secs(5);

/// How a function is made.
pub(crate) struct Function<S> {
    pub(crate) access: Access,
    pub(crate) service: Box<NewService<S>>,
}

/// Makes a function's service over its ports.
type NewService<S> = dyn Fn(Ports<DynamoTokenStore>) -> S + Send + Sync;

/// The environments of a function.
pub(crate) struct Environments<S> {
    function: Function<S>,
    network: Arc<Network>,
    origin: Instant,
    max_skew_seconds: i64,
    places: Vec<AsyncMutex<Option<Environment<S>>>>,
}

/// A process that has started and serves one invocation after the other.
struct Environment<S> {
    service: S,
    clock: Clock,
    /// Whether its last fetch of the key ring has gone wrong.
    has_faulty_keys: bool,
}

/// What an invocation came to.
#[derive(Debug)]
pub(crate) struct Invoked<R> {
    /// Its answer; none when the environment crashed.
    pub(crate) answer: Option<R>,
    /// The HTTP requests that it made.
    pub(crate) calls: Vec<Call>,
    /// How long it took.
    pub(crate) took: Duration,
    /// The clock that it went by, as it stood when it began.
    pub(crate) now: Timestamp,
    /// Whether the last fetch of the key ring has gone wrong in its environment, before it or in it.
    pub(crate) has_faulty_keys: bool,
    /// Whether Lambda ended it for taking too long.
    pub(crate) is_timed_out: bool,
}

impl<S> Environments<S> {
    /// Places for `count` environments, whose clocks are off by `max_skew_seconds` at most.
    pub(crate) fn new(
        function: Function<S>,
        network: Arc<Network>,
        origin: Instant,
        max_skew_seconds: i64,
        count: usize,
    ) -> Self {
        let places = (0..count).map(|_| AsyncMutex::default()).collect();
        Self { function, network, origin, max_skew_seconds, places }
    }

    /// Runs one invocation in some environment, which may crash at any moment of it.
    pub(crate) async fn invoke<R>(
        &self,
        id: String,
        event: &str,
        crash_percent: u32,
        handle: impl AsyncFnOnce(&S, Event) -> R,
    ) -> Invoked<R> {
        let (place, is_lost, skew_seconds, crash_after) = {
            let mut rng = lock(&self.network.rng);
            let crash_after = (rng.u32(0..100) < crash_percent).then(|| {
                let longest = if rng.bool() { 60 } else { 1600 };
                Duration::from_millis(rng.u64(0..longest))
            });
            let skew_seconds = if rng.bool() { 0 } else { rng.i64(-self.max_skew_seconds..=self.max_skew_seconds) };
            (rng.usize(0..self.places.len()), rng.u32(0..100) < 5, skew_seconds, crash_after)
        };
        let mut place = self.places[place].lock().await;
        if is_lost {
            *place = None; // Lambda ends an idle environment when it likes
        }
        let environment = match &mut *place {
            Some(environment) => environment,
            None => place.insert(self.start(skew_seconds).await),
        };

        let invocation = Arc::new(Invocation { clock: environment.clock, calls: Mutex::default() });
        let mut context = Context::default();
        context.request_id = id;
        let event = RawValue::from_string(event.to_owned()).expect("an event of events/ with a token in it");
        let (began, now) = (Instant::now(), environment.clock.now());
        let run =
            INVOCATION.scope(invocation.clone(), Box::pin(handle(&environment.service, Event::new(event, context))));
        let answer = timeout(crash_after.unwrap_or(FUNCTION_TIMEOUT), run).await.ok();

        let calls = lock(&invocation.calls).clone();
        let had_faulty_keys = environment.has_faulty_keys;
        environment.has_faulty_keys = has_faulty_keys(&calls).unwrap_or(had_faulty_keys);
        let has_faulty_keys = environment.has_faulty_keys || had_faulty_keys;
        let is_timed_out = answer.is_none() && crash_after.is_none();
        if answer.is_none() {
            *place = None;
        }
        Invoked { answer, calls, took: began.elapsed(), now, has_faulty_keys, is_timed_out }
    }

    /// A cold start.
    async fn start(&self, skew_seconds: i64) -> Environment<S> {
        let clock = Clock { origin: self.origin, skew_seconds };
        let region = self.network.region.clone();
        let lookup = move |name: &str| setting(name, &region);
        let clients = aws::Clients::with_http_client(Settings::new(&lookup), self.network.http_client());
        let clients = clients.expect("every setting is there");
        let init = Arc::new(Invocation { clock, calls: Mutex::default() });
        INVOCATION.scope(init.clone(), async { clients.warm_up(self.function.access, now()).await }).await;
        let has_faulty_keys = has_faulty_keys(&lock(&init.calls)).unwrap_or(false);
        let service = (self.function.service)(Ports { keys: clients.keys, store: clients.store, now });
        Environment { service, clock, has_faulty_keys }
    }
}

/// Whether the last fetch of the key ring among `calls` has gone wrong; none without any.
fn has_faulty_keys(calls: &[Call]) -> Option<bool> {
    let fetch = calls.iter().rfind(|call| call.is_fetch())?;
    Some(!fetch.is_answered())
}

/// The settings of the clients: AWS itself, as far as they know.
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
