//! Stand-ins for DynamoDB and Secrets Manager, over TLS as the real ones are.

use std::{env, fs, io, net::Ipv4Addr, net::SocketAddr, path::PathBuf, process, sync::Arc};

use anyhow::{Context as _, Result};
use axum::{
    Router,
    http::{HeaderMap, StatusCode},
    serve::Listener,
};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivateKeyDer},
    server::TlsStream,
};

/// Where Linux distributions keep the root certificates. A function reads all of them in init, so the
/// stand-ins' own is only one more.
const SYSTEM_ROOTS: [&str; 2] = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];

const KEY_RING: &str =
    r#"{"SecretString":"{\"active\":\"k1\",\"k1\":\"a key of this benchmark and of nothing else\"}"}"#;
const DONE: &str = "{}";
const CONDITION_FAILED: &str = r#"{"__type":"ConditionalCheckFailedException"}"#;
const UNKNOWN: &str = r#"{"__type":"UnknownOperationException"}"#;

/// The servers, each on a port of its own, since a function connects to two hosts.
#[derive(Debug)]
pub(crate) struct Services {
    /// Where DynamoDB is.
    pub(crate) dynamodb: String,
    /// Where Secrets Manager is.
    pub(crate) secrets_manager: String,
    /// The file of root certificates with which a function trusts them.
    pub(crate) roots: PathBuf,
}

impl Services {
    /// Starts the servers, with a certificate made for them.
    pub(crate) async fn start() -> Result<Self> {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()])?;
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).map_err(anyhow::Error::msg)?;
        let tls = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![cert.der().clone()], key)?;
        let tls = TlsAcceptor::from(Arc::new(tls));
        let system_roots = SYSTEM_ROOTS.iter().find_map(|path| fs::read_to_string(path).ok());
        let system_roots = system_roots.with_context(|| format!("no root certificates in {SYSTEM_ROOTS:?}"))?;

        let (dynamodb, secrets_manager) = (serve(tls.clone()).await?, serve(tls).await?);
        let roots = env::temp_dir().join(format!("bench-{}.pem", process::id()));
        fs::write(&roots, system_roots + "\n" + &cert.pem())?;
        Ok(Self { dynamodb, secrets_manager, roots })
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        _ = fs::remove_file(&self.roots);
    }
}

/// Serves on a free port; the URL.
async fn serve(tls: TlsAcceptor) -> Result<String> {
    let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let port = tcp.local_addr()?.port();
    let router = Router::new().fallback(answer);
    tokio::spawn(async { axum::serve(TlsListener { tcp, tls }, router).await });
    Ok(format!("https://localhost:{port}"))
}

/// Answers every action of the functions as if it had been done.
async fn answer(headers: HeaderMap, body: String) -> (StatusCode, &'static str) {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    match target.rsplit('.').next() {
        Some("GetSecretValue") => (StatusCode::OK, KEY_RING),
        // A function warms up by a write under a condition that fails.
        Some("PutItem" | "UpdateItem") if body.contains("\"warm-") => (StatusCode::BAD_REQUEST, CONDITION_FAILED),
        Some("PutItem" | "UpdateItem") => (StatusCode::OK, DONE),
        _ => (StatusCode::BAD_REQUEST, UNKNOWN),
    }
}

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
            // Else the first answer waits 40 ms for the acknowledgement of the TLS session's tickets.
            _ = stream.set_nodelay(true);
            // A client without a handshake tells of it itself.
            if let Ok(stream) = self.tls.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}
