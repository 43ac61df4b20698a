//! The network between the functions and AWS, in which everything may go wrong.

use std::{
    sync::{
        Arc, Mutex,
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
use tokio::{sync::oneshot, time::sleep};

use super::{
    clock::INVOCATION,
    lock,
    services::{Reply, Services},
};

/// What goes wrong with one HTTP request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// It is lost, and the connection breaks.
    LostRequest,
    /// It takes effect, but its reply is lost and the connection breaks.
    LostReply,
    /// The connection is reset at once, but the request is on its way and takes effect.
    Reset,
    /// It takes effect, but the reply breaks off half way.
    HalfClosed,
    /// It takes effect and is never answered.
    Stalled,
    /// It takes effect, and the service says that it failed.
    ErrorAfterEffect,
    /// The service refuses it, for there are too many.
    Throttled,
    /// It is answered, and takes effect a second time later.
    Duplicated,
    /// It is not answered, and takes effect when nobody expects it any more.
    Late,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::LostRequest,
        Self::LostReply,
        Self::Reset,
        Self::HalfClosed,
        Self::Stalled,
        Self::ErrorAfterEffect,
        Self::Throttled,
        Self::Duplicated,
        Self::Late,
    ];
}

/// An HTTP request that an invocation made.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The action of DynamoDB or Secrets Manager.
    pub(crate) action: String,
    pub(crate) body: Vec<u8>,
    pub(crate) fault: Option<Fault>,
}

impl Call {
    /// Whether it fetches the key ring; every other request is to the store.
    pub(crate) fn is_fetch(&self) -> bool {
        self.action == "GetSecretValue"
    }

    /// Whether the service has answered it, and as it meant to.
    pub(crate) fn is_answered(&self) -> bool {
        matches!(self.fault, None | Some(Fault::Duplicated))
    }
}

/// Which requests go wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Faults {
    /// Any of them, with this probability in percent.
    Random(u32),
    /// Of each invocation's attempts at `action` that of the number `attempt`, from 1; those before
    /// it are throttled, so that it comes about.
    At {
        /// The action of DynamoDB.
        action: &'static str,
        /// The number of the attempt.
        attempt: usize,
        /// What becomes of it.
        fault: Fault,
    },
}

impl Faults {
    /// The fault of an invocation's attempt number `attempt` at `action`.
    fn draw(self, action: &str, attempt: usize, rng: &mut Rng) -> Option<Fault> {
        match self {
            Self::Random(percent) => {
                (rng.u32(0..100) < percent).then(|| rng.choice(Fault::ALL).unwrap_or(Fault::LostReply))
            }
            Self::At { action: faulty, .. } if action != faulty => None,
            Self::At { attempt: faulty, .. } if attempt < faulty => Some(Fault::Throttled),
            Self::At { attempt: faulty, fault, .. } => (attempt == faulty).then_some(fault),
        }
    }
}

/// The network, and the services at its other end.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) services: Mutex<Services>,
    pub(crate) rng: Mutex<Rng>,
    /// The Region of this simulation alone. The SDK keeps its quota of retries by Region for as long as
    /// the process lives; here the environments of one simulation share it.
    pub(crate) region: String,
    pub(crate) faults: Mutex<Faults>,
}

impl Network {
    pub(crate) fn new(services: Services, rng: Rng, faults: Faults) -> Arc<Self> {
        static SIMULATIONS: AtomicU64 = AtomicU64::new(0);

        let region = format!("simulation-{}", SIMULATIONS.fetch_add(1, Ordering::Relaxed));
        Arc::new(Self { services: Mutex::new(services), rng: Mutex::new(rng), region, faults: Mutex::new(faults) })
    }

    /// The HTTP client that leads there.
    pub(crate) fn http_client(self: &Arc<Self>) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(Connector(self.clone()));
        http_client_fn(move |_, _| connector.clone())
    }

    /// Draws a number of milliseconds.
    pub(crate) fn millis(&self, range: std::ops::Range<u64>) -> Duration {
        Duration::from_millis(lock(&self.rng).u64(range))
    }

    /// Sends one request, and what comes of it.
    async fn exchange(self: Arc<Self>, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let action = target.rsplit('.').next().unwrap_or_default().to_owned();
        let body = request.body().bytes().unwrap_or_default().to_vec();
        let fault = self.fault(&action, &body);
        let (there, back) = (self.millis(1..20), self.millis(1..20));
        let later = self.lateness();
        let request = (action, body);
        match fault {
            None => {
                let answer = self.deliver(request, there).await;
                sleep(back).await;
                Ok(response(answer))
            }
            Some(Fault::Duplicated) => {
                drop(self.deliver(request.clone(), there + later));
                let answer = self.deliver(request, there).await;
                sleep(back).await;
                Ok(response(answer))
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

    /// Has a request take effect after `there`, whatever becomes of its sender.
    fn deliver(
        self: &Arc<Self>,
        (action, body): (String, Vec<u8>),
        there: Duration,
    ) -> impl Future<Output = Reply> + use<> {
        let (sender, answer) = oneshot::channel();
        let network = self.clone();
        tokio::spawn(async move {
            sleep(there).await;
            let answer = lock(&network.services).serve(&action, &body);
            // Nobody may be waiting for it.
            _ = sender.send(answer);
        });
        async { answer.await.expect("it is always sent") }
    }

    /// Draws the fault of a request, and notes both with its invocation.
    fn fault(&self, action: &str, body: &[u8]) -> Option<Fault> {
        INVOCATION.with(|invocation| {
            let mut calls = lock(&invocation.calls);
            let attempt = 1 + calls.iter().filter(|call| call.action == action).count();
            let fault = lock(&self.faults).draw(action, attempt, &mut lock(&self.rng));
            calls.push(Call { action: action.to_owned(), body: body.to_vec(), fault });
            fault
        })
    }

    /// How late a request is that nobody expects any more: within its invocation, after it, or when
    /// the row has been deleted.
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

/// An answer as HTTP.
fn response((status, body): Reply) -> HttpResponse {
    HttpResponse::new(status.try_into().expect("a status"), SdkBody::from(body.to_string()))
}

/// A connection that has failed, as the SDK's own HTTP client would tell.
fn broken(how: &'static str) -> ConnectorError {
    ConnectorError::io(how.into())
}
