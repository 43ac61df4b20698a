//! A proxy in front of DynamoDB that spoils what passes through it.

use std::{
    collections::VecDeque,
    io,
    net::Ipv4Addr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot, watch},
    time::timeout,
};

/// How long a request may take to come to a gate.
const PATIENCE: Duration = Duration::from_secs(10);

/// The outcome of a request on its connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum WireFault {
    /// It is lost, and the connection closed.
    LostRequest,
    /// It takes effect; its reply is lost, and the connection closed.
    LostReply,
    /// It takes effect, and the connection is reset.
    Reset,
    /// It takes effect, and the connection is closed after half of the reply.
    HalfClosed,
    /// It takes effect and is never answered.
    Stalled,
}

impl WireFault {
    /// All of them.
    pub(crate) const ALL: [Self; 5] =
        [Self::LostRequest, Self::LostReply, Self::Reset, Self::HalfClosed, Self::Stalled];
}

/// A moment of a request at which the proxy stops.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Gate {
    /// The request has been read, and takes effect only when the proxy goes on.
    BeforeEffect,
    /// It has taken effect, and nothing of the reply has been passed on.
    AfterEffect,
    /// Half of the reply has been passed on.
    HalfReply,
}

/// What the proxy does to a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Nothing.
    Pass,
    /// It is spoilt.
    Fault(WireFault),
    /// It waits.
    Stop(Gate),
}

/// How a connection dies on which nothing is being sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ConnectionEnd {
    /// It is closed.
    Closed,
    /// It is reset.
    Reset,
    /// Neither side learns of it: what is sent is never answered.
    Silent,
}

impl ConnectionEnd {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Closed, Self::Reset, Self::Silent];
}

/// The proxy.
pub(crate) struct FaultProxy {
    /// Where it listens.
    pub(crate) url: String,
    shared: Arc<Shared>,
    ends: watch::Sender<Option<ConnectionEnd>>,
    stops: mpsc::Receiver<Stopped>,
}

/// What the proxy and its connections share.
struct Shared {
    upstream: String,
    /// The outcomes of the next requests; those after them are not disturbed.
    steps: Mutex<VecDeque<Step>>,
    stops: mpsc::Sender<Stopped>,
    /// How many connections wait for a request.
    idle: AtomicUsize,
}

/// A request at a gate: dropped, it and its connection end there.
pub(crate) struct Stopped {
    go_on: oneshot::Sender<()>,
    /// Closed when the request has been served, whatever came of it.
    served: oneshot::Receiver<()>,
}

impl Stopped {
    /// Lets it go on, and waits until it has been served.
    pub(crate) async fn go_on(self) {
        // It waits for nothing else, and only ever closes the other.
        _ = self.go_on.send(());
        _ = self.served.await;
    }
}

impl FaultProxy {
    /// Starts it on a free port, in front of the server at `upstream`.
    pub(crate) async fn start(upstream: &str) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let upstream = upstream.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let (stop, stops) = mpsc::channel(1);
        let (ends, end) = watch::channel(None);
        let shared = Arc::new(Shared { upstream, steps: Mutex::default(), stops: stop, idle: AtomicUsize::new(0) });
        let serving = shared.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // Whatever ends a connection ends it alone.
                let (serving, mut end) = (serving.clone(), end.clone());
                end.mark_unchanged();
                tokio::spawn(async move { drop(serve(client, &serving, end).await) });
            }
        });
        Ok(Self { url, shared, ends, stops })
    }

    /// Plans the outcomes of the next requests.
    pub(crate) fn plan(&self, steps: impl IntoIterator<Item = Step>) {
        *self.shared.steps() = steps.into_iter().collect();
    }

    /// How many planned steps no request has met.
    pub(crate) fn left(&self) -> usize {
        self.shared.steps().len()
    }

    /// Ends every connection on which nothing is being sent; how many those are.
    pub(crate) fn end_connections(&self, end: ConnectionEnd) -> usize {
        let idle = self.shared.idle.load(Ordering::Relaxed);
        self.ends.send_replace(Some(end));
        idle
    }

    /// Waits until a request stops at a gate.
    pub(crate) async fn stopped(&mut self) -> Result<Stopped> {
        let stopped = timeout(PATIENCE, self.stops.recv()).await.context("no request has come to the gate")?;
        stopped.context("the proxy has ended")
    }
}

impl Shared {
    fn steps(&self) -> MutexGuard<'_, VecDeque<Step>> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits at a gate; if it goes on, what to keep until the request has been served.
    async fn stop(&self) -> Option<oneshot::Sender<()>> {
        let (go_on, goes_on) = oneshot::channel();
        let (serving, served) = oneshot::channel();
        _ = self.stops.send(Stopped { go_on, served }).await;
        goes_on.await.ok().map(|()| serving)
    }
}

/// Serves one connection of a client.
async fn serve(client: TcpStream, shared: &Shared, mut ends: watch::Receiver<Option<ConnectionEnd>>) -> io::Result<()> {
    let mut client = BufReader::new(client);
    let mut server = BufReader::new(TcpStream::connect(&shared.upstream).await?);
    loop {
        shared.idle.fetch_add(1, Ordering::Relaxed);
        let request = tokio::select! {
            biased; // a request that is sent after the connection has died does not arrive
            _ = ends.changed() => None,
            request = read_message(&mut client) => Some(request),
        };
        shared.idle.fetch_sub(1, Ordering::Relaxed);
        let Some(request) = request else {
            let end = *ends.borrow();
            return die(&client, end).await;
        };
        let request = request?;

        let step = shared.steps().pop_front();
        let mut serving = None;
        match step {
            Some(Step::Fault(WireFault::LostRequest)) => return Ok(()),
            Some(Step::Stop(Gate::BeforeEffect)) => match shared.stop().await {
                Some(goes_on) => serving = Some(goes_on),
                None => return Ok(()),
            },
            _ => {}
        }
        server.write_all(&request).await?;
        let reply = read_message(&mut server).await?;
        let half = reply.len() / 2;
        let rest = match step {
            Some(Step::Fault(WireFault::LostReply)) => return Ok(()),
            Some(Step::Fault(WireFault::Reset)) => return client.get_ref().set_zero_linger(),
            Some(Step::Fault(WireFault::HalfClosed)) => return client.write_all(&reply[..half]).await,
            Some(Step::Fault(WireFault::Stalled)) => return std::future::pending().await,
            Some(Step::Stop(gate @ (Gate::AfterEffect | Gate::HalfReply))) => {
                let sent = if gate == Gate::HalfReply { half } else { 0 };
                client.write_all(&reply[..sent]).await?;
                match shared.stop().await {
                    Some(goes_on) => serving = Some(goes_on),
                    None => return Ok(()),
                }
                &reply[sent..]
            }
            _ => &reply[..],
        };
        client.write_all(rest).await?;
        drop(serving);
    }
}

/// Ends a connection on which nothing is being sent.
async fn die(client: &BufReader<TcpStream>, end: Option<ConnectionEnd>) -> io::Result<()> {
    match end {
        None | Some(ConnectionEnd::Closed) => Ok(()),
        Some(ConnectionEnd::Reset) => client.get_ref().set_zero_linger(),
        Some(ConnectionEnd::Silent) => std::future::pending().await,
    }
}

/// Reads one HTTP/1.1 request or reply, whose body has a `Content-Length`.
async fn read_message(stream: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut message = Vec::new();
    while !message.ends_with(b"\r\n\r\n") {
        message.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&message).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    let length = length.ok_or_else(|| io::Error::other("a message without Content-Length"))?;
    let head_length = message.len();
    message.resize(head_length + length, 0);
    stream.read_exact(&mut message[head_length..]).await?;
    Ok(message)
}
