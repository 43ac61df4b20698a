//! A proxy in front of DynamoDB that spoils what passes through it.

use std::{
    collections::VecDeque,
    io,
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context as _, Result};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot, watch},
};

/// What becomes of a request on its connection.
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
    Pass,
    Fault(WireFault),
    Stop(Gate),
}

/// How a connection dies on which nothing is being sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Death {
    /// It is closed.
    Closed,
    /// It is reset.
    Reset,
    /// Nobody tells: what is sent on it is never answered.
    Silent,
}

impl Death {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Closed, Self::Reset, Self::Silent];
}

/// The proxy.
pub(crate) struct FaultProxy {
    /// Where it listens.
    pub(crate) url: String,
    shared: Arc<Shared>,
    deaths: watch::Sender<Option<Death>>,
    stops: mpsc::Receiver<Stopped>,
}

struct Shared {
    upstream: String,
    /// What becomes of the next requests; after them nothing.
    steps: Mutex<VecDeque<Step>>,
    stops: mpsc::Sender<Stopped>,
}

/// A request at a gate: dropped, it and its connection end there.
pub(crate) struct Stopped(oneshot::Sender<()>);

impl Stopped {
    /// Lets it go on.
    pub(crate) fn go_on(self) {
        _ = self.0.send(()); // it waits for nothing else
    }
}

impl FaultProxy {
    /// Starts it on a free port, in front of the server at `upstream`.
    pub(crate) async fn start(upstream: &str) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let upstream = upstream.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let (stop, stops) = mpsc::channel(1);
        let (deaths, death) = watch::channel(None);
        let shared = Arc::new(Shared { upstream, steps: Mutex::default(), stops: stop });
        let serving = shared.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // Whatever ends a connection ends it alone.
                let (serving, mut death) = (serving.clone(), death.clone());
                death.mark_unchanged();
                tokio::spawn(async move { drop(serve(client, &serving, death).await) });
            }
        });
        Ok(Self { url, shared, deaths, stops })
    }

    /// Plans what becomes of the next requests.
    pub(crate) fn plan(&self, steps: impl IntoIterator<Item = Step>) {
        *self.shared.steps() = steps.into_iter().collect();
    }

    /// How many planned steps nobody has met.
    pub(crate) fn left(&self) -> usize {
        self.shared.steps().len()
    }

    /// Ends every connection on which nothing is being sent.
    pub(crate) fn end_connections(&self, death: Death) {
        self.deaths.send_replace(Some(death));
    }

    /// Waits until a request stops at a gate.
    pub(crate) async fn stopped(&mut self) -> Result<Stopped> {
        self.stops.recv().await.context("the proxy has ended")
    }
}

impl Shared {
    fn steps(&self) -> MutexGuard<'_, VecDeque<Step>> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits at a gate; whether to go on.
    async fn stop(&self) -> bool {
        let (go_on, goes_on) = oneshot::channel();
        _ = self.stops.send(Stopped(go_on)).await;
        goes_on.await.is_ok()
    }
}

/// Serves one connection of a client.
async fn serve(client: TcpStream, shared: &Shared, mut deaths: watch::Receiver<Option<Death>>) -> io::Result<()> {
    let mut client = BufReader::new(client);
    let mut server = BufReader::new(TcpStream::connect(&shared.upstream).await?);
    loop {
        let request = tokio::select! {
            biased; // a request that is sent after the connection has died does not arrive
            _ = deaths.changed() => {
                let death = *deaths.borrow();
                return die(&client, death).await;
            }
            request = read_message(&mut client) => request?,
        };
        let step = shared.steps().pop_front();
        match step {
            Some(Step::Fault(WireFault::LostRequest)) => return Ok(()),
            Some(Step::Stop(Gate::BeforeEffect)) if !shared.stop().await => return Ok(()),
            _ => {}
        }
        server.write_all(&request).await?;
        let reply = read_message(&mut server).await?;
        let half = &reply[..reply.len() / 2];
        match step {
            Some(Step::Fault(WireFault::LostReply)) => return Ok(()),
            Some(Step::Fault(WireFault::Reset)) => return client.get_ref().set_zero_linger(),
            Some(Step::Fault(WireFault::HalfClosed)) => return client.write_all(half).await,
            Some(Step::Fault(WireFault::Stalled)) => return std::future::pending().await,
            Some(Step::Stop(Gate::AfterEffect)) if !shared.stop().await => return Ok(()),
            Some(Step::Stop(Gate::HalfReply)) => {
                client.write_all(half).await?;
                if !shared.stop().await {
                    return Ok(());
                }
                client.write_all(&reply[half.len()..]).await?;
            }
            _ => client.write_all(&reply).await?,
        }
    }
}

/// Ends a connection on which nothing is being sent.
async fn die(client: &BufReader<TcpStream>, death: Option<Death>) -> io::Result<()> {
    match death {
        None | Some(Death::Closed) => Ok(()),
        Some(Death::Reset) => client.get_ref().set_zero_linger(),
        Some(Death::Silent) => std::future::pending().await,
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
