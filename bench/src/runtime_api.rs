//! A stand-in for the Lambda Runtime API, from which a function takes its events.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use axum::{
    Router,
    extract::State,
    http::Uri,
    response::{IntoResponse, Response},
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
    time,
};

/// How long a function may take to start, and to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What comes with every event.
const EVENT_HEADERS: [(&str, &str); 3] = [
    ("lambda-runtime-aws-request-id", "6bc28136-xmpl-4365-b021-0ce6b2e64ab0"),
    ("lambda-runtime-deadline-ms", "4102444800000"), // in 2100
    ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-west-1:123456789012:function:bench"),
];

/// The server, and the calls that a function makes to it.
#[derive(Debug)]
pub(crate) struct RuntimeApi {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    calls: mpsc::Receiver<Call>,
}

/// A call, which waits for its answer.
#[derive(Debug)]
pub(crate) struct Call {
    /// When it came in.
    pub(crate) at: Instant,
    /// What came with it.
    pub(crate) body: String,
    path: String,
    answer: oneshot::Sender<String>,
}

impl RuntimeApi {
    /// Starts the server on a free port.
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (sender, calls) = mpsc::channel(1);
        let router = Router::new().fallback(pass_on).with_state(sender);
        tokio::spawn(async { axum::serve(listener, router).await });
        Ok(Self { address, calls })
    }

    /// Waits until the function asks for an event.
    pub(crate) async fn next(&mut self) -> Result<Call> {
        self.call("/invocation/next").await
    }

    /// Hands `event` to the function that asked by `next` and waits for the response.
    pub(crate) async fn invoke(&mut self, next: Call, event: String) -> Result<Call> {
        ensure!(next.answer.send(event).is_ok(), "the function no longer waits for its event");
        self.call("/response").await
    }

    async fn call(&mut self, path_end: &str) -> Result<Call> {
        let call = time::timeout(PATIENCE, self.calls.recv()).await.context("the function does not go on")?;
        let call = call.context("the stand-in for the Runtime API has ended")?;
        ensure!(call.path.ends_with(path_end), "the function called {}: {}", call.path, call.body);
        Ok(call)
    }
}

async fn pass_on(State(calls): State<mpsc::Sender<Call>>, uri: Uri, body: String) -> Response {
    let (answer, answered) = oneshot::channel();
    let call = Call { at: Instant::now(), body, path: uri.path().to_owned(), answer };
    _ = calls.send(call).await;
    // A response is dropped without an answer, and needs none.
    (EVENT_HEADERS, answered.await.unwrap_or_default()).into_response()
}
