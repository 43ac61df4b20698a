//! A server of this process that stands for DynamoDB and Secrets Manager.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::{
    io,
    sync::{Arc, Mutex},
};

use aws::{Clients, Config};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// A key that must never be seen.
pub(crate) const KEY: &str = "0123456789abcdef0123456789abcdef";

/// A status and a body, or no answer at all.
pub(crate) type Answer = Option<(u16, String)>;

/// DynamoDB and Secrets Manager in one, with the answers of the test.
pub(crate) struct Server {
    url: String,
    /// The actions that were called, in order.
    calls: Arc<Mutex<Vec<String>>>,
    pub(crate) connections: Arc<Mutex<usize>>,
}

impl Server {
    /// A server that answers the action `PutItem` with `answer("PutItem")`, and so on.
    pub(crate) async fn start(answer: impl Fn(&str) -> Answer + Clone + Send + 'static) -> Self {
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

    pub(crate) fn clients(&self) -> Clients {
        clients(&self.url)
    }

    pub(crate) fn calls(&self, action: &str) -> usize {
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

pub(crate) fn answer((status, body): (u16, &str)) -> Answer {
    Some((status, body.to_owned()))
}

/// What Secrets Manager answers with a whole ring.
pub(crate) fn secret() -> Answer {
    let ring = format!(r#"{{\"active\":\"k1\",\"k1\":\"{KEY}\"}}"#);
    Some((200, format!(r#"{{"SecretString":"{ring}"}}"#)))
}

/// The clients of a function for which `url` is AWS.
pub(crate) fn clients(url: &str) -> Clients {
    let value = |name: &str| if name.starts_with("AWS_ENDPOINT_URL") { url } else { "test" };
    Clients::new(&Config::from_lookup(|name| Some(value(name).to_owned())).unwrap())
}
