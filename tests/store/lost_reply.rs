//! A write that happened and whose reply was lost: the SDK's own retry must not be refused.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokens::Verdict;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    time::{Duration, sleep},
};

use crate::{
    contract::{ME, NOW, claim, fresh, new_jti},
    stores::{Table, emulator, token_store},
};

/// How a reply is lost.
#[derive(Clone, Copy, Debug)]
enum Loss {
    /// The connection breaks.
    Broken,
    /// Nothing arrives, until the attempt times out.
    Silent,
}

/// A proxy that loses the first reply and passes everything else on.
struct Proxy {
    url: String,
    connections: Arc<AtomicUsize>,
}

impl Proxy {
    async fn start(upstream: &str, loss: Loss) -> Self {
        let upstream = upstream.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let is_first = count.fetch_add(1, Ordering::Relaxed) == 0;
                let server = TcpStream::connect(&upstream).await.unwrap();
                if is_first {
                    tokio::spawn(lose_the_reply(client, server, loss));
                } else {
                    tokio::spawn(pass_on(client, server));
                }
            }
        });
        Self { url, connections }
    }
}

/// Passes the request on, and nothing back once the server has answered it.
async fn lose_the_reply(mut client: TcpStream, mut server: TcpStream, loss: Loss) {
    let (mut request, mut reply) = ([0; 4096], [0; 1]);
    loop {
        tokio::select! {
            length = client.read(&mut request) => server.write_all(&request[..length.unwrap()]).await.unwrap(),
            _ = server.read_exact(&mut reply) => break,
        }
    }
    if matches!(loss, Loss::Silent) {
        sleep(Duration::from_secs(3)).await;
    }
}

async fn pass_on(mut client: TcpStream, mut server: TcpStream) {
    // Whoever hangs up first ends it.
    let _ended = copy_bidirectional(&mut client, &mut server).await;
}

async fn a_lost_reply_is_still_a_yes(variable: &str) {
    let emulator = emulator(variable);
    let table = Table::create(&emulator).await;
    for loss in [Loss::Broken, Loss::Silent] {
        let jti = new_jti();

        let proxy = Proxy::start(&emulator, loss).await;
        let minted = token_store(&proxy.url, &table.name).insert(&jti, fresh()).await;
        assert!(minted.is_ok(), "{loss:?}: {minted:?}");
        assert_eq!((table.row(&jti).await, proxy.connections.load(Ordering::Relaxed)), (Some(fresh()), 2));

        let proxy = Proxy::start(&emulator, loss).await;
        let spent = token_store(&proxy.url, &table.name).spend(&jti, &claim(ME), NOW).await;
        // The retry finds what the first attempt wrote.
        assert!(matches!(spent, Ok(Verdict::Spent { replayed: true })), "{loss:?}: {spent:?}");
        assert_eq!(proxy.connections.load(Ordering::Relaxed), 2);
    }
}

#[tokio::test]
#[ignore = "needs ministack at MINISTACK_URL"]
async fn ministack_a_lost_reply_is_still_a_yes() {
    a_lost_reply_is_still_a_yes("MINISTACK_URL").await;
}

#[tokio::test]
#[ignore = "needs DynamoDB Local at DYNAMODB_LOCAL_URL"]
async fn dynamodb_local_a_lost_reply_is_still_a_yes() {
    a_lost_reply_is_still_a_yes("DYNAMODB_LOCAL_URL").await;
}
