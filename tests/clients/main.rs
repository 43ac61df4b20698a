//! The clients of `examples/clients`, on a network that loses replies.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

use std::{
    collections::VecDeque,
    fs,
    process::Stdio,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    process::Command,
};

#[path = "../../examples/clients/validate.rs"]
#[expect(unreachable_pub, reason = "it is for programs that use it as a module")]
mod validate;

/// The longest time that a client may take.
const LIMIT: Duration = Duration::from_secs(15);

/// What the network does to a request.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// It takes effect, and its reply is lost.
    LoseReply,
    /// It is answered with this head, and this body or a broken one, by another party, and does not take effect.
    Answer(&'static str),
}

const THROTTLED: Step = Step::Answer("429 Too Many Requests\r\nRetry-After: 0");
const UNAVAILABLE: Step = Step::Answer("503 Service Unavailable\r\nRetry-After: 0");

/// A network between the clients and the API.
struct Network {
    url: String,
    /// What happens to the next requests; after them nothing.
    steps: Arc<Mutex<VecDeque<Step>>>,
    /// The idempotency keys of the requests that have come.
    keys: Arc<Mutex<Vec<String>>>,
}

impl Network {
    async fn start(steps: &[Step], upstream: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let network = Self { url, steps: Arc::new(Mutex::new(steps.iter().copied().collect())), keys: Arc::default() };
        let (steps, keys) = (network.steps.clone(), network.keys.clone());
        tokio::spawn(async move {
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                let request = read_request(&mut client).await;
                let key = request.lines().find_map(|line| {
                    Some(line.split_once(": ")?).filter(|(name, _)| name.eq_ignore_ascii_case("idempotency-key"))
                });
                keys.lock().unwrap().push(key.unwrap().1.to_owned());
                let step = steps.lock().unwrap().pop_front();
                let reply = match step {
                    Some(Step::Answer(text)) => {
                        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, "<html"));
                        let head = format!("{head}\r\nContent-Length: {}\r\nConnection: close", body.len());
                        format!("HTTP/1.1 {head}\r\n\r\n{body}").into_bytes()
                    }
                    _ => forward(&upstream, &request).await,
                };
                if !matches!(step, Some(Step::LoseReply)) {
                    client.write_all(&reply).await.unwrap();
                }
            }
        });
        network
    }
}

/// The text of a request with its body.
async fn read_request(client: &mut TcpStream) -> String {
    let mut request = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_lowercase();
            let length = length.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        assert_ne!(client.read_buf(&mut request).await.unwrap(), 0);
    }
}

/// The reply of the API, after which the connection ends.
async fn forward(upstream: &str, request: &str) -> Vec<u8> {
    let mut server = TcpStream::connect(upstream.strip_prefix("http://").unwrap()).await.unwrap();
    let (line, rest) = request.split_once("\r\n").unwrap();
    let rest = rest.replace("connection: keep-alive\r\n", "").replace("Connection: close\r\n", "");
    server.write_all(format!("{line}\r\nConnection: close\r\n{rest}").as_bytes()).await.unwrap();
    let mut reply = Vec::new();
    server.read_to_end(&mut reply).await.unwrap();
    reply
}

/// Starts `local` on a free port. It runs until the test ends.
async fn api() -> String {
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml");
    let server = local::Server::bind(local::Options::new(template), &local::functions().unwrap()).await.unwrap();
    let url = server.url().to_owned();
    tokio::spawn(server.serve(std::future::pending()));
    url
}

async fn mint(url: &str) -> String {
    let issued: serde_json::Value = reqwest::get(format!("{url}/tokens")).await.unwrap().json().await.unwrap();
    issued["token"].as_str().unwrap().to_owned()
}

/// Asserts what a client says in each case. It is called with a URL and a token, and its words are `accepted`,
/// `refused REASON` or `unknown`.
async fn assert_tells_the_truth(client: impl AsyncFn(String, String) -> String) {
    let api = api().await;
    let spent = mint(&api).await;
    let body = serde_json::json!({ "token": spent });
    assert_eq!(reqwest::Client::new().post(format!("{api}/validate")).json(&body).send().await.unwrap().status(), 200);
    let fresh = async || mint(&api).await;
    let html = |status| Step::Answer(status);
    for (steps, token, expected, requests) in [
        (&[][..], fresh().await, "accepted", 1),
        (&[Step::LoseReply], fresh().await, "accepted", 2),
        (&[THROTTLED, UNAVAILABLE, Step::LoseReply], fresh().await, "accepted", 4),
        (&[], spent.clone(), "refused already_used", 1),
        (&[], "eyJ.a.b".to_owned(), "refused invalid_token", 1),
        (&[THROTTLED], spent.clone(), "refused already_used", 2),
        // The lost reply may have been a success, whose replay an operator or a clock has ended.
        (&[Step::LoseReply], spent.clone(), "unknown", 2),
        (&[UNAVAILABLE], spent, "unknown", 2),
        (&[html("403 Forbidden")], fresh().await, "unknown", 1),
        // The firewall, with the body of API Gateway.
        (&[html("403 Forbidden\r\n\r\n{\"reason\":\"invalid_request\"}")], fresh().await, "unknown", 1),
        (&[html("200 OK\r\nRetry-After: 60\r\n\r\n{\"isValid\":\"false\"}")], fresh().await, "unknown", 1),
        (&[html("503 Service Unavailable\r\nRetry-After: 99999999")], fresh().await, "unknown", 1),
        (&[html("503 Service Unavailable\r\nRetry-After: 60")], fresh().await, "unknown", 1),
        (&[html("302 Found\r\nLocation: /\r\nRetry-After: 60")], fresh().await, "unknown", 1),
        (&[html("200 OK\r\nRetry-After: 60")], fresh().await, "unknown", 1),
    ] {
        let network = Network::start(steps, api.clone()).await;
        let start = Instant::now();
        assert_eq!(client(network.url.clone(), token).await, expected, "{steps:?}");
        assert!(start.elapsed() < LIMIT, "{steps:?}");
        let keys = network.keys.lock().unwrap();
        assert!(keys.len() == requests && keys.iter().all(|key| key == &keys[0]), "{steps:?}: {} requests", keys.len());
    }
    let start = Instant::now();
    assert_eq!(client("http://127.0.0.1:1".to_owned(), "eyJ.a.b".to_owned()).await, "unknown");
    assert!(start.elapsed() < LIMIT);
}

/// The words that a program prints, which gets the URL as its last argument and the token on standard input.
async fn printed(program: &str, arguments: &[&str], url: String, token: String) -> String {
    let mut command = Command::new(program);
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/clients")).args(arguments).arg(url);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    child.stdin.take().unwrap().write_all(token.as_bytes()).await.unwrap();
    let output = child.wait_with_output().await.unwrap();
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

#[tokio::test]
async fn the_client_in_rust_tells_accepted_from_refused_and_from_unknown() {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(3));
    let client = client.redirect(reqwest::redirect::Policy::none()).build().unwrap();
    assert_tells_the_truth(async |url, token| match validate::validate(&client, &url, &token).await {
        Some(Ok(())) => "accepted".to_owned(),
        Some(Err(reason)) => format!("refused {reason}"),
        None => "unknown".to_owned(),
    })
    .await;
}

#[tokio::test]
async fn the_client_in_shell_tells_accepted_from_refused_and_from_unknown() {
    let script = r#". ./validate.sh; validate "$1" "$(cat)""#;
    assert_tells_the_truth(async |url, token| printed("bash", &["-c", script, "bash"], url, token).await).await;
}

#[tokio::test]
#[ignore = "needs Node.js"]
async fn node_client_tells_accepted_from_refused_and_from_unknown() {
    let script = "import { text } from 'node:stream/consumers'; import { validate } from './validate.mjs'; \
                  const { outcome, reason } = await validate(process.argv[1], await text(process.stdin)); \
                  console.log(reason ? `${outcome} ${reason}` : outcome)";
    let arguments = ["--input-type=module", "-e", script];
    assert_tells_the_truth(async |url, token| printed("node", &arguments, url, token).await).await;
}

#[tokio::test]
#[ignore = "needs Python"]
async fn python_client_tells_accepted_from_refused_and_from_unknown() {
    let script = "import sys; from validate import validate; \
                  print(*filter(None, validate(sys.argv[1], sys.stdin.read())))";
    let arguments = ["-B", "-c", script];
    assert_tells_the_truth(async |url, token| printed("python3", &arguments, url, token).await).await;
}

#[test]
fn the_reference_shows_the_clients_as_they_are() {
    let read = |path: &str| fs::read_to_string(format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let reference = read("docs/api.md");
    for (file, language) in [("sh", "sh"), ("mjs", "js"), ("py", "python"), ("rs", "rust")] {
        let client = read(&format!("examples/clients/validate.{file}"));
        assert!(reference.contains(&format!("\n```{language}\n{client}```\n")), "validate.{file}");
    }
}
