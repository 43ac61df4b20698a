//! A server that answers as a test wants it to.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// A token by its form; the claims are `{"jti":"of-the-stub"}`.
pub(crate) const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiJvZi10aGUtc3R1YiJ9.c2lnbmF0dXJlLW9mLXRoZS1zdHVi";

/// A request, as far as the tests look at it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Such as `POST /validate`.
    pub(crate) line: String,
    /// The value of `Idempotency-Key`.
    pub(crate) key: Option<String>,
}

/// The requests that a stub received.
pub(crate) type Requests = Arc<Mutex<Vec<Request>>>;

/// Starts a server that answers each request, and how many came before it on the same route, with `answer`:
/// status, headers and body in the form of [`json`]. An empty answer closes the connection. Returns its URL.
pub(crate) fn stub(answer: impl Fn(&str, usize) -> String + Send + Sync + 'static) -> (String, Requests) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = Requests::default();
    let (answer, seen) = (Arc::new(answer), Arc::clone(&requests));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
            thread::spawn(move || serve(&stream.unwrap(), &*answer, &seen));
        }
    });
    (url, requests)
}

/// Answers one request.
fn serve(mut stream: &TcpStream, answer: &dyn Fn(&str, usize) -> String, seen: &Requests) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        reader.read_line(&mut head).ok().filter(|read| *read > 0)?;
    }
    let header = |name: &str| {
        let line = head.lines().find(|line| line.to_lowercase().starts_with(name))?;
        Some(line.split_once(": ")?.1.to_owned())
    };
    let length = header("content-length").map_or(0, |it| it.parse().unwrap());
    reader.read_exact(&mut vec![0; length]).ok()?;
    let line = head.split(" HTTP").next().unwrap().to_owned();
    let before = {
        let mut seen = seen.lock().unwrap();
        seen.push(Request { line: line.clone(), key: header("idempotency-key") });
        seen.iter().filter(|request| request.line == line).count() - 1
    };
    stream.write_all(answer(&line, before).as_bytes()).ok()
}

/// A complete answer.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}Connection: close\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// An answer in JSON.
pub(crate) fn json(status: &str, body: &str) -> String {
    answer(status, "Content-Type: application/json\r\n", body)
}

/// The answer to a route that mints.
pub(crate) fn minted() -> String {
    json("200 OK", &format!(r#"{{"token":"{TOKEN}","expiration":"2026-11-26T09:30:36Z"}}"#))
}

/// The answer to a claim that is accepted.
pub(crate) fn accepted() -> String {
    json("200 OK", r#"{"isValid":true,"message":"Token validated successfully"}"#)
}

/// The answer to a claim on a token that was used at `at`.
pub(crate) fn used(at: &str) -> String {
    let body = r#"{"isValid":false,"message":"Invalid or expired token","reason":"already_used","usedAt":"AT"}"#;
    json("401 Unauthorized", &body.replace("AT", at))
}
