//! A fake AWS over TCP: DynamoDB and Secrets Manager in one server, whose answers the caller decides.
//!
//! It keeps no table. Use it for what an emulator cannot do on demand: stall, fail, answer nonsense, count
//! connections, or answer so fast that only the function is measured.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use axum::{
    Router,
    http::{HeaderMap, HeaderName, StatusCode},
    serve::{Listener, ListenerExt as _},
};
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::json;
use tokio::{
    net::{TcpListener, TcpStream},
    time,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivateKeyDer},
    server::TlsStream,
};

/// The key in [`Reply::key_ring`], which must never be in a log or a reply.
pub const KEY: &str = "a-key-of-the-tests-and-of-nothing-else";

/// The header by which AWS's services ask for a pause before the next attempt, in milliseconds.
const RETRY_AFTER: HeaderName = HeaderName::from_static("x-amz-retry-after");

/// A running server. It runs until the Tokio runtime that started it ends.
#[derive(Debug)]
pub struct FakeAws {
    /// The endpoint of both services.
    pub url: String,
    calls: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
}

/// A call to one of the services.
#[derive(Debug)]
pub struct Call {
    /// The action, such as `PutItem`.
    pub action: String,
    /// Its JSON.
    pub body: String,
}

/// The answer to a call.
#[derive(Clone, Debug)]
pub struct Reply {
    delay: Duration,
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Reply {
    /// A status and a body, which is JSON unless the test is about a malformed one.
    #[must_use]
    pub fn new(status: StatusCode, body: String) -> Self {
        Self { delay: Duration::ZERO, status, headers: HeaderMap::new(), body }
    }

    /// A success without content.
    #[must_use]
    pub fn done() -> Self {
        Self::new(StatusCode::OK, "{}".to_owned())
    }

    /// An error of the type `kind`, such as `ThrottlingException`.
    #[must_use]
    pub fn error(status: StatusCode, kind: &str) -> Self {
        Self::new(status, json!({ "__type": kind }).to_string())
    }

    /// A failed `ConditionExpression`, without the old item.
    #[must_use]
    pub fn condition_failed() -> Self {
        Self::error(StatusCode::BAD_REQUEST, "ConditionalCheckFailedException")
    }

    /// The answer to `GetSecretValue` with this secret.
    #[must_use]
    pub fn secret(secret: &str) -> Self {
        Self::new(StatusCode::OK, json!({ "SecretString": secret }).to_string())
    }

    /// The answer to `GetSecretValue` with a key ring that signs with [`KEY`].
    #[must_use]
    pub fn key_ring() -> Self {
        Self::secret(&json!({"active": "k1", "k1": KEY}).to_string())
    }

    /// No answer, on a connection that stays open.
    #[must_use]
    pub fn none() -> Self {
        Self::done().after(Duration::MAX)
    }

    /// This answer, which the server holds back for `delay`.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// This answer, which asks the client to pause for so many milliseconds before it tries again.
    #[must_use]
    pub fn with_retry_after_ms(mut self, ms: u32) -> Self {
        self.headers.insert(RETRY_AFTER, ms.into());
        self
    }
}

/// The answers of an AWS on which every call succeeds.
#[must_use]
pub fn works(call: &Call) -> Reply {
    match call.action.as_str() {
        "GetSecretValue" => Reply::key_ring(),
        // A function warms up with a write whose condition fails.
        "PutItem" | "UpdateItem" if call.body.contains("\"warm-") => Reply::condition_failed(),
        // No such item is there to get or to find.
        "PutItem" | "UpdateItem" | "GetItem" | "Query" => Reply::done(),
        _ => Reply::error(StatusCode::BAD_REQUEST, "UnknownOperationException"),
    }
}

impl FakeAws {
    /// Starts the server on a free port, without TLS; `answer` decides every reply.
    ///
    /// # Errors
    ///
    /// When no port is free.
    pub async fn start(answer: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Result<Self> {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let aws = Self::at(format!("http://{}", tcp.local_addr()?));
        aws.serve(tcp, answer);
        Ok(aws)
    }

    /// As [`FakeAws::start`], over TLS; also returns the certificate that a client must trust, as PEM.
    ///
    /// # Errors
    ///
    /// When no port is free, or the certificate cannot be made.
    pub async fn start_over_tls(answer: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Result<(Self, String)> {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = tcp.local_addr()?.to_string();
        let aws = Self::at(format!("https://{address}"));
        // Of the kind that the endpoints of AWS have.
        let key_pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
        let mut params = CertificateParams::new([Ipv4Addr::LOCALHOST.to_string()])?;
        // OpenSSL looks a root certificate up by its name.
        params.distinguished_name.push(DnType::CommonName, address);
        let cert = params.self_signed(&key_pair)?;
        let key = PrivateKeyDer::try_from(key_pair.serialize_der()).map_err(anyhow::Error::msg)?;
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![cert.der().clone()], key)?;
        aws.serve(TlsListener { tcp, tls: TlsAcceptor::from(Arc::new(config)) }, answer);
        Ok((aws, cert.pem()))
    }

    fn at(url: String) -> Self {
        Self { url, calls: Arc::default(), connections: Arc::default() }
    }

    /// Answers what `listener` accepts, in a task of its own.
    fn serve(
        &self,
        listener: impl Listener<Addr = SocketAddr>,
        answer: impl Fn(&Call) -> Reply + Send + Sync + 'static,
    ) {
        let (calls, answer) = (Arc::clone(&self.calls), Arc::new(answer));
        let router = Router::new().fallback(move |headers: HeaderMap, body: String| {
            let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
            let action = target.rsplit('.').next().unwrap_or_default().to_owned();
            calls.lock().unwrap_or_else(PoisonError::into_inner).push(action.clone());
            let reply = answer(&Call { action, body });
            async move {
                // A sleep of no time would take up to a millisecond.
                if !reply.delay.is_zero() {
                    time::sleep(reply.delay).await;
                }
                (reply.status, reply.headers, reply.body)
            }
        });
        let connections = Arc::clone(&self.connections);
        let listener = listener.tap_io(move |_| _ = connections.fetch_add(1, Ordering::SeqCst));
        tokio::spawn(async { axum::serve(listener, router).await });
    }

    /// How often `action` has been called.
    #[must_use]
    pub fn calls(&self, action: &str) -> usize {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.iter().filter(|call| *call == action).count()
    }

    /// How many connections have been opened.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Accepts TLS connections; one whose handshake fails is dropped.
struct TlsListener {
    tcp: TcpListener,
    tls: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let (stream, address) = Listener::accept(&mut self.tcp).await;
            // Otherwise the first reply waits 40 ms until the client has acknowledged the session tickets.
            _ = stream.set_nodelay(true);
            if let Ok(stream) = self.tls.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

#[cfg(test)]
mod tests {
    use reqwest::{Certificate, Client, ClientBuilder};

    use super::*;

    async fn put(client: ClientBuilder, aws: &FakeAws, body: &'static str) -> reqwest::Result<u16> {
        let client: Client = client.no_proxy().build()?;
        let put = client.post(&aws.url).header("x-amz-target", "DynamoDB_20120810.PutItem").body(body);
        Ok(put.send().await?.status().as_u16())
    }

    #[tokio::test]
    async fn it_replies_by_action_and_body_and_counts_calls_and_connections() {
        let aws = FakeAws::start(works).await.unwrap();

        assert_eq!(put(Client::builder(), &aws, "{}").await.unwrap(), 200);
        assert_eq!(put(Client::builder(), &aws, r#"{"Item":{"jti":{"S":"warm-1"}}}"#).await.unwrap(), 400);

        assert_eq!((aws.calls("PutItem"), aws.calls("UpdateItem"), aws.connections()), (2, 0, 2));
    }

    #[tokio::test]
    async fn over_tls_it_is_reached_by_clients_that_trust_its_certificate() {
        let (aws, certificate) = FakeAws::start_over_tls(works).await.unwrap();
        let certificate = Certificate::from_pem(certificate.as_bytes()).unwrap();

        put(Client::builder(), &aws, "{}").await.unwrap_err();
        assert_eq!(put(Client::builder().tls_certs_only([certificate]), &aws, "{}").await.unwrap(), 200);

        assert_eq!((aws.calls("PutItem"), aws.connections()), (1, 1), "a failed handshake is not a connection");
    }
}
