//! A fake Lambda Runtime API, from which a function takes its events.
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

/// How long a function may take to start and to answer, unless [`RuntimeApi::with_patience`] says otherwise.
const PATIENCE: Duration = Duration::from_secs(10);

/// The headers of every event, besides the request id.
const EVENT_HEADERS: [(&str, &str); 2] = [
    ("lambda-runtime-deadline-ms", "4102444800000"), // in 2100
    ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-west-1:123456789012:function:function"),
];

/// The server for one process of a function.
#[derive(Debug)]
pub struct RuntimeApi {
    /// The address that it listens on.
    pub address: SocketAddr,
    calls: mpsc::Receiver<Call>,
    patience: Duration,
}

/// A request of the function, which waits for its reply until the call is answered or dropped.
#[derive(Debug)]
pub struct Call {
    /// When it arrived.
    pub at: Instant,
    /// The body: for a response or an error its JSON, otherwise nothing.
    pub body: String,
    path: String,
    /// Takes the id of an invocation and its event.
    answer: oneshot::Sender<(String, String)>,
}

impl RuntimeApi {
    /// Starts the server on a free port.
    ///
    /// # Errors
    ///
    /// When no port is free.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (sender, calls) = mpsc::channel(1);
        let router = Router::new().fallback(pass_on).with_state(sender);
        tokio::spawn(async { axum::serve(listener, router).await });
        Ok(Self { address, calls, patience: PATIENCE })
    }

    /// The same server, which waits for so long instead of 10 s until the function starts, and until it answers.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Waits until the function asks for an event.
    ///
    /// # Errors
    ///
    /// When it does not ask within 10 s.
    pub async fn next(&mut self) -> Result<Call> {
        let call = self.call().await?;
        ensure!(call.path.ends_with("/invocation/next"), "the function called {}: {}", call.path, call.body);
        Ok(call)
    }

    /// Replies to `next` with `event`, as a new invocation, and waits for the response or the error.
    ///
    /// # Errors
    ///
    /// When neither arrives within 10 s.
    pub async fn invoke(&mut self, next: Call, event: String) -> Result<Call> {
        self.deliver(next, Uuid::new_v4().to_string(), event).await
    }

    /// As [`RuntimeApi::invoke`], as the invocation `request_id`: Lambda may deliver one more than once.
    ///
    /// # Errors
    ///
    /// As [`RuntimeApi::invoke`].
    pub async fn deliver(&mut self, next: Call, request_id: String, event: String) -> Result<Call> {
        next.answer(request_id, event)?;
        self.answer().await
    }

    /// Waits for the response or the error of the current invocation.
    pub(crate) async fn answer(&mut self) -> Result<Call> {
        let call = self.call().await?;
        ensure!(!call.path.ends_with("/invocation/next"), "the function asked for another event before it answered");
        Ok(call)
    }

    async fn call(&mut self) -> Result<Call> {
        let call = time::timeout(self.patience, self.calls.recv()).await;
        let call = call.with_context(|| format!("the function sent nothing for {:?}", self.patience))?;
        call.context("the fake Runtime API has ended")
    }
}

impl Call {
    /// Whether the function reports that the invocation failed.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.path.ends_with("/error")
    }

    /// Replies to a request for an event and returns at once.
    pub(crate) fn answer(self, request_id: String, event: String) -> Result<()> {
        ensure!(self.answer.send((request_id, event)).is_ok(), "the function no longer waits for an event");
        Ok(())
    }
}

async fn pass_on(State(calls): State<mpsc::Sender<Call>>, uri: Uri, body: String) -> Response {
    let (answer, answered) = oneshot::channel();
    let call = Call { at: Instant::now(), body, path: uri.path().to_owned(), answer };
    _ = calls.send(call).await;
    // The reply to a response or an error has no body.
    let (id, event) = answered.await.unwrap_or_default();
    (EVENT_HEADERS, [("lambda-runtime-aws-request-id", id)], event).into_response()
}
