//! A stand-in for the Lambda Runtime API, from which a function takes its events.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

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
use uuid::Uuid;

/// How long a function may take to start, and to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What comes with every event, beside the id of the invocation.
const EVENT_HEADERS: [(&str, &str); 2] = [
    ("lambda-runtime-deadline-ms", "4102444800000"), // in 2100
    ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-west-1:123456789012:function:function"),
];

/// The server, and the calls that a function makes to it.
#[derive(Debug)]
pub struct RuntimeApi {
    /// Where it listens.
    pub address: SocketAddr,
    calls: mpsc::Receiver<Call>,
}

/// A call, which waits for its answer as long as it is kept.
#[derive(Debug)]
pub struct Call {
    /// When it came in.
    pub at: Instant,
    /// What came with it.
    pub body: String,
    path: String,
    answer: oneshot::Sender<String>,
}

impl RuntimeApi {
    /// Starts the server on a free port.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (sender, calls) = mpsc::channel(1);
        let router = Router::new().fallback(pass_on).with_state(sender);
        tokio::spawn(async { axum::serve(listener, router).await });
        Ok(Self { address, calls })
    }

    /// Waits until the function asks for an event.
    ///
    /// # Errors
    ///
    /// When it does not, within 10 s.
    pub async fn next(&mut self) -> Result<Call> {
        let call = self.call().await?;
        ensure!(call.path.ends_with("/invocation/next"), "the function called {}: {}", call.path, call.body);
        Ok(call)
    }

    /// Hands `event` to the function that asked by `next`, in an invocation of its own, and waits for
    /// the response or the error.
    ///
    /// # Errors
    ///
    /// When neither comes within 10 s.
    pub async fn invoke(&mut self, next: Call, event: String) -> Result<Call> {
        next.answer(event)?;
        self.answer().await
    }

    /// Waits for a response or an error.
    pub async fn answer(&mut self) -> Result<Call> {
        let call = self.call().await?;
        ensure!(!call.path.ends_with("/invocation/next"), "the function asked for an event in place of answering one");
        Ok(call)
    }

    async fn call(&mut self) -> Result<Call> {
        let call = time::timeout(PATIENCE, self.calls.recv()).await.context("the function does not go on")?;
        call.context("the stand-in for the Runtime API has ended")
    }
}

impl Call {
    /// Whether the function says that it has failed.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.path.ends_with("/error")
    }

    /// Answers a call for an event, and waits for nothing.
    pub fn answer(self, event: String) -> Result<()> {
        ensure!(self.answer.send(event).is_ok(), "the function no longer waits for its event");
        Ok(())
    }
}

async fn pass_on(State(calls): State<mpsc::Sender<Call>>, uri: Uri, body: String) -> Response {
    let (answer, answered) = oneshot::channel();
    let call = Call { at: Instant::now(), body, path: uri.path().to_owned(), answer };
    _ = calls.send(call).await;
    let id = [("lambda-runtime-aws-request-id", Uuid::new_v4().to_string())];
    // A response is dropped without an answer, and needs none.
    (EVENT_HEADERS, id, answered.await.unwrap_or_default()).into_response()
}
