//! The clients against a server of this process: how often and how long they try, and what they
//! make of its answers.

#![expect(clippy::unwrap_used, reason = "what a test cannot set up fails it")]

use std::{
    io,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use aws::{Clients, Config, Role};
use tokens::{Claim, Jti, KeyStore as _, Row, StoreError, Timestamp, TokenStore as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use uuid::Uuid;

const NOW: Timestamp = Timestamp(1_700_000_000);
const KEY: &str = "0123456789abcdef0123456789abcdef";

const DONE: (u16, &str) = (200, "{}");
const DOWN: (u16, &str) = (500, r#"{"__type":"InternalServerError"}"#);
const CONDITION_FAILED: (u16, &str) = (400, r#"{"__type":"ConditionalCheckFailedException"}"#);

/// A status and a body, or no answer at all.
type Answer = Option<(u16, String)>;

/// DynamoDB and Secrets Manager in one, with the answers of the test.
struct Server {
    url: String,
    /// The actions that were called, in order.
    calls: Arc<Mutex<Vec<String>>>,
    connections: Arc<Mutex<usize>>,
}

impl Server {
    /// A server that answers the action `PutItem` with `answer("PutItem")`, and so on.
    async fn start(answer: impl Fn(&str) -> Answer + Clone + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (calls, connections) = (Arc::default(), Arc::default());
        let server = Self { url, calls: Arc::clone(&calls), connections: Arc::clone(&connections) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *connections.lock().unwrap() += 1;
                tokio::spawn(serve(stream, calls.clone(), answer.clone()));
            }
        });
        server
    }

    fn clients(&self) -> Clients {
        clients(&self.url)
    }

    fn calls(&self, action: &str) -> usize {
        self.calls.lock().unwrap().iter().filter(|call| *call == action).count()
    }
}

async fn serve(mut stream: TcpStream, calls: Arc<Mutex<Vec<String>>>, answer: impl Fn(&str) -> Answer) {
    while let Ok(action) = read_request(&mut stream).await {
        calls.lock().unwrap().push(action.clone());
        let Some((status, body)) = answer(&action) else { return std::future::pending().await };
        let length = body.len();
        let response = format!("HTTP/1.1 {status} -\r\ncontent-length: {length}\r\n\r\n{body}");
        stream.write_all(response.as_bytes()).await.unwrap();
    }
}

/// Reads a request to its end and returns the action that it calls.
async fn read_request(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head).unwrap();
    let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    let mut body = vec![0; header("content-length:").parse().unwrap()];
    stream.read_exact(&mut body).await?;
    Ok(header("x-amz-target:").rsplit('.').next().unwrap().to_owned())
}

fn answer((status, body): (u16, &str)) -> Answer {
    Some((status, body.to_owned()))
}

/// What Secrets Manager answers with a whole ring.
fn secret() -> Answer {
    let ring = format!(r#"{{\"active\":\"k1\",\"k1\":\"{KEY}\"}}"#);
    Some((200, format!(r#"{{"SecretString":"{ring}"}}"#)))
}

/// The clients of a function for which `url` is AWS.
fn clients(url: &str) -> Clients {
    let value = |name: &str| if name.starts_with("AWS_ENDPOINT_URL") { url } else { "test" };
    Clients::new(&Config::from_lookup(|name| Some(value(name).to_owned())).unwrap())
}

fn jti() -> Jti {
    Jti::new(Uuid::new_v4())
}

fn claim() -> Claim {
    Claim { claimant: "r:me".into() }
}

fn row() -> Row {
    Row {
        minted_by: "r:mint".into(),
        created_at: NOW,
        host: None,
        expires_at: NOW.plus(300),
        purge_at: NOW.plus(300),
        used_at: None,
        used_by: None,
        revoked_at: None,
    }
}

#[tokio::test]
async fn a_call_that_fails_is_tried_three_times_with_short_pauses() {
    let server = Server::start(|_| answer(DOWN)).await;
    let clients = server.clients();
    let start = Instant::now();
    assert!(matches!(clients.store.insert(&jti(), row()).await, Err(StoreError::Unavailable(_))));
    assert!(clients.keys.ring(NOW).await.is_err());
    assert_eq!((server.calls("PutItem"), server.calls("GetSecretValue")), (3, 3));
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_call_that_is_never_answered_ends_after_three_attempts_and_1500_ms() {
    let server = Server::start(|_| None).await;
    let clients = server.clients();
    let start = Instant::now();
    let spent = clients.store.spend(&jti(), &claim(), NOW).await;
    assert!(matches!(spent, Err(StoreError::Unavailable(_))), "{spent:?}");
    let elapsed = start.elapsed();
    assert!((Duration::from_millis(1400)..Duration::from_millis(1700)).contains(&elapsed), "{elapsed:?}");
    assert_eq!(server.calls("UpdateItem"), 3);
}

#[tokio::test]
async fn a_tls_handshake_that_is_never_answered_counts_as_connecting() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let clients = clients(&url);
    let start = Instant::now();
    assert!(clients.store.insert(&jti(), row()).await.is_err());
    let elapsed = start.elapsed();
    assert!((Duration::from_millis(1150)..Duration::from_millis(1400)).contains(&elapsed), "{elapsed:?}");
}

#[tokio::test]
async fn the_first_request_finds_the_ring_and_the_connection_that_the_warm_up_made() {
    for (role, allowed, other) in [(Role::Minter, "PutItem", "UpdateItem"), (Role::Spender, "UpdateItem", "PutItem")] {
        let server = Server::start(|action| match action {
            "GetSecretValue" => secret(),
            _ => answer(CONDITION_FAILED),
        })
        .await;
        let clients = server.clients();
        clients.warm_up(role, NOW).await;
        assert_eq!((server.calls("GetSecretValue"), server.calls(allowed), server.calls(other)), (1, 1, 0));
        let connections = *server.connections.lock().unwrap();

        clients.keys.ring(NOW).await.unwrap();
        match role {
            Role::Minter => drop(clients.store.insert(&jti(), row()).await),
            Role::Spender => drop(clients.store.spend(&jti(), &claim(), NOW).await),
        }
        assert_eq!((server.calls("GetSecretValue"), server.calls(allowed)), (1, 2));
        assert_eq!(*server.connections.lock().unwrap(), connections);
    }
}

#[tokio::test]
async fn a_warm_up_tries_dynamodb_once_for_a_second_and_is_never_fatal() {
    let down = Server::start(|_| answer(DOWN)).await;
    down.clients().warm_up(Role::Spender, NOW).await;
    assert_eq!(down.calls("UpdateItem"), 1);

    let silent = Server::start(|action| if action == "PutItem" { None } else { answer(DOWN) }).await;
    let start = Instant::now();
    silent.clients().warm_up(Role::Minter, NOW).await;
    let elapsed = start.elapsed();
    assert!((Duration::from_millis(900)..Duration::from_millis(1300)).contains(&elapsed), "{elapsed:?}");
    assert_eq!(silent.calls("PutItem"), 1);
}

#[tokio::test]
async fn a_mint_is_done_or_its_id_is_taken() {
    let server = Server::start(|_| answer(DONE)).await;
    assert!(server.clients().store.insert(&jti(), row()).await.is_ok());
    let server = Server::start(|_| answer(CONDITION_FAILED)).await;
    assert!(matches!(server.clients().store.insert(&jti(), row()).await, Err(StoreError::Taken)));
}

#[tokio::test]
async fn a_refusal_that_the_old_row_does_not_explain_is_no_answer() {
    for expires_at in [r#""N":"1700000300""#, r#""S":"soon""#] {
        let item = format!(
            r#"{{"minted_by":{{"S":"r:mint"}},"created_at":{{"N":"1"}},"purge_at":{{"N":"1"}},"expires_at":{{{expires_at}}}}}"#
        );
        let body = format!(r#"{{"__type":"ConditionalCheckFailedException","Item":{item}}}"#);
        let server = Server::start(move |_| answer((400, &body))).await;
        let spent = server.clients().store.spend(&jti(), &claim(), NOW).await;
        assert!(matches!(spent, Err(StoreError::Unavailable(_))), "{spent:?}");
    }
}

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_key_is_in_the_log_at_any_level_even_when_the_reply_is_garbage() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
    let _until_the_end = tracing::subscriber::set_default(subscriber.with_writer(move || writer.clone()).finish());

    let good = Server::start(|_| secret()).await;
    good.clients().keys.ring(NOW).await.unwrap();
    for garbage in [format!(r#"{{"SecretString":"{KEY}"#), format!(r#"{{"SecretString":"{KEY}"}}"#), KEY.into()] {
        let bad = Server::start(move |_| answer((200, &garbage))).await;
        let err = bad.clients().keys.ring(NOW).await.unwrap_err();
        assert!(!format!("{err:?}").contains(KEY));
    }

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(text.matches("the key ring could not be fetched").count(), 3);
    assert!(text.contains("TRACE"));
    let leak = text.lines().find(|line| line.contains(KEY));
    assert_eq!(leak, None);
}
