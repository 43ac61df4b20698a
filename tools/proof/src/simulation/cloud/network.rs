//! The network between the functions and AWS, in which everything may go wrong.

use std::{
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use aws_sdk_dynamodb::config::{
    SharedHttpClient,
    http::{HttpRequest, HttpResponse},
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use fastrand::Rng;
use serde_json::json;
use tokio::{
    sync::oneshot,
    time::{Instant, sleep},
};

use super::{
    fault::{Fault, Faults},
    key_ring::KeyRing,
    request::Reply,
    services::Services,
};

tokio::task_local! {
    /// The requests of the current invocation, in the order in which it made them.
    pub(crate) static CALLS: Arc<Mutex<Vec<Call>>>;
}

/// How late a request to Secrets Manager can take effect: AWS refuses it when its signature is over 5 minutes old,
/// and clocks differ. (What arrives at the table later still takes effect, although on AWS it would not.)
const LONGEST_VALID: Duration = Duration::from_mins(10);

/// An HTTP request that an invocation made.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The action of DynamoDB or Secrets Manager.
    pub(crate) action: String,
    pub(crate) body: Vec<u8>,
    pub(crate) fault: Option<Fault>,
    /// When it was sent.
    pub(crate) sent: Instant,
    /// The key ring in the reply, if that arrived and has one.
    pub(crate) ring: Option<KeyRing>,
}

impl Call {
    /// Whether it fetches the key ring. Every other request of a function of the API is to the store.
    pub(crate) fn is_fetch(&self) -> bool {
        self.action == "GetSecretValue"
    }

    /// Whether the service's own reply arrived.
    pub(crate) fn is_answered(&self) -> bool {
        matches!(self.fault, None | Some(Fault::Duplicated))
    }
}

/// The network, and the services at its other end.
#[derive(Debug)]
pub(crate) struct Network {
    services: Mutex<Services>,
    rng: Mutex<Rng>,
    faults: Mutex<Faults>,
    /// The Region of this simulation alone. The SDK keeps its quota of retries by Region for as long as
    /// the process lives; here the environments of one simulation share it.
    pub(crate) region: String,
}

impl Network {
    /// A network to `services` with `faults`, drawn from `rng`.
    pub(crate) fn new(services: Services, rng: Rng, faults: Faults) -> Arc<Self> {
        static SIMULATIONS: AtomicU64 = AtomicU64::new(0);

        let region = format!("simulation-{}", SIMULATIONS.fetch_add(1, Ordering::Relaxed));
        Arc::new(Self { services: Mutex::new(services), rng: Mutex::new(rng), faults: Mutex::new(faults), region })
    }

    /// The services.
    pub(crate) fn services(&self) -> MutexGuard<'_, Services> {
        guard(&self.services)
    }

    /// The source of every random choice in the simulation.
    pub(crate) fn rng(&self) -> MutexGuard<'_, Rng> {
        guard(&self.rng)
    }

    /// Changes which requests go wrong from now on.
    pub(crate) fn set_faults(&self, faults: Faults) {
        *guard(&self.faults) = faults;
    }

    /// The HTTP client that leads there.
    pub(crate) fn http_client(self: &Arc<Self>) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(Connector(self.clone()));
        http_client_fn(move |_, _| connector.clone())
    }

    /// Draws a number of milliseconds.
    fn millis(&self, range: std::ops::Range<u64>) -> Duration {
        Duration::from_millis(self.rng().u64(range))
    }

    /// Sends one request; the result is what its sender sees.
    async fn exchange(self: Arc<Self>, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let action = target.rsplit('.').next().unwrap_or_default().to_owned();
        let body = request.body().bytes().unwrap_or_default().to_vec();
        let is_to_the_secret = target.starts_with("secretsmanager.");
        let (number, fault) = self.fault(&action, &body);
        let (there, back) = (self.millis(1..20), self.millis(1..20));
        let later = if is_to_the_secret { self.lateness().min(LONGEST_VALID) } else { self.lateness() };
        let request = (action, body);
        match fault {
            None => {
                let reply = self.deliver(request, there).await;
                sleep(back).await;
                note_ring(number, &reply);
                Ok(response(reply))
            }
            Some(Fault::Duplicated) => {
                drop(self.deliver(request.clone(), there + later));
                let reply = self.deliver(request, there).await;
                sleep(back).await;
                note_ring(number, &reply);
                Ok(response(reply))
            }
            Some(Fault::LostRequest) => {
                sleep(there).await;
                Err(broken("connection closed before the request was sent"))
            }
            Some(Fault::LostReply) => {
                self.deliver(request, there).await;
                sleep(back).await;
                Err(broken("connection closed before the reply"))
            }
            Some(Fault::Reset) => {
                drop(self.deliver(request, there));
                Err(broken("connection reset by peer"))
            }
            Some(Fault::HalfClosed) => {
                self.deliver(request, there).await;
                sleep(back).await;
                // A body that cannot be read.
                Ok(HttpResponse::new(200.try_into().expect("a status"), SdkBody::taken()))
            }
            Some(Fault::Stalled) => {
                self.deliver(request, there).await;
                std::future::pending().await
            }
            Some(Fault::Late) => {
                drop(self.deliver(request, there + later));
                std::future::pending().await
            }
            Some(Fault::ErrorAfterEffect) => {
                self.deliver(request, there).await;
                sleep(back).await;
                Ok(response((500, json!({"__type": "InternalServerError"}))))
            }
            Some(Fault::Throttled) => {
                sleep(there + back).await;
                Ok(response((400, json!({"__type": "ProvisionedThroughputExceededException"}))))
            }
        }
    }

    /// Serves a request after `there`, also when its sender no longer waits.
    fn deliver(
        self: &Arc<Self>,
        (action, body): (String, Vec<u8>),
        there: Duration,
    ) -> impl Future<Output = Reply> + use<> {
        let (sender, reply) = oneshot::channel();
        let network = self.clone();
        tokio::spawn(async move {
            sleep(there).await;
            let reply = network.services().serve(&action, &body);
            // An error means that no sender waits for the reply.
            _ = sender.send(reply);
        });
        async { reply.await.expect("it is always sent") }
    }

    /// Draws the fault of a request, and records both with its invocation, as the request of that number.
    fn fault(&self, action: &str, body: &[u8]) -> (usize, Option<Fault>) {
        CALLS.with(|calls| {
            let mut calls = guard(calls);
            let attempt = 1 + calls.iter().filter(|call| call.action == action).count();
            let fault = guard(&self.faults).draw(action, attempt, &mut self.rng());
            let (number, sent) = (calls.len(), Instant::now());
            calls.push(Call { action: action.to_owned(), body: body.to_vec(), fault, sent, ring: None });
            (number, fault)
        })
    }

    /// How late a late request arrives: during its invocation, after it, or after its row was deleted.
    fn lateness(&self) -> Duration {
        let longest = match self.millis(0..10).as_millis() {
            0..5 => 2_000,
            5..8 => 600_000,
            _ => 72 * 3_600_000,
        };
        self.millis(1..longest)
    }
}

/// A connector into the network.
#[derive(Debug)]
struct Connector(Arc<Network>);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.0.clone().exchange(request))
    }
}

/// Records the key ring in the reply to the request number `number` of the current invocation.
fn note_ring(number: usize, (_, body): &Reply) {
    if let Some(json) = body["SecretString"].as_str() {
        CALLS.with(|calls| guard(calls)[number].ring = KeyRing::from_json(json));
    }
}

/// A reply as HTTP.
fn response((status, body): Reply) -> HttpResponse {
    HttpResponse::new(status.try_into().expect("a status"), SdkBody::from(body.to_string()))
}

/// A connection that has failed, as the SDK's own HTTP client would report it.
fn broken(how: &'static str) -> ConnectorError {
    ConnectorError::io(how.into())
}

/// Locks a mutex.
fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no code panics while it holds a lock")
}
