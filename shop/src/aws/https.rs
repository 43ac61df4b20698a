//! HTTPS, for what has no client in the SDK: the pages of Cognito, and the API of products.

use std::{fmt, time::Duration};

use apigw::{ConfigError, Settings};
use aws_smithy_http_client::{
    Connector,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{http::HttpConnector as _, result::ConnectorError};
use aws_smithy_types::body::SdkBody;
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Limited};

use super::unavailable;
use crate::Unavailable;

/// The time-out of a call, from connecting to the end of its reply.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The largest reply that is read, in bytes.
const MAX_REPLY_BYTES: usize = 1024 * 1024;

/// An HTTP client: the SDK's own, so that there is one implementation of TLS in the binary.
///
/// It follows no redirect, and sends no header but those that it is given. A call is tried once: its effect may have
/// happened when its reply is lost.
pub(super) struct Https(Connector);

/// Why there is no complete reply. No message quotes the request or the reply.
#[derive(Debug, thiserror::Error)]
enum HttpsError {
    #[error("there is no complete reply in time")]
    TimedOut,
    #[error("the call failed")]
    Failed(#[source] ConnectorError),
    #[error("the reply is incomplete, too large, or not UTF-8")]
    Reply,
}

impl Https {
    /// A client, which connects when it is first used.
    pub(super) fn new() -> Self {
        Self(Connector::builder().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build())
    }

    /// Sends a request; returns the status and the body of the reply.
    pub(super) async fn send(&self, request: Request<Vec<u8>>) -> Result<(StatusCode, String), Unavailable> {
        let call = async {
            let request = request.map(SdkBody::from).try_into().map_err(unavailable)?;
            let reply = self.0.call(request).await.map_err(|err| unavailable(HttpsError::Failed(err)))?;
            let status = StatusCode::from_u16(reply.status().as_u16()).map_err(unavailable)?;
            let body = Limited::new(reply.into_body(), MAX_REPLY_BYTES).collect().await;
            let body = body.ok().and_then(|body| String::from_utf8(body.to_bytes().into()).ok());
            Ok((status, body.ok_or_else(|| unavailable(HttpsError::Reply))?))
        };
        tokio::time::timeout(TIMEOUT, call).await.unwrap_or_else(|_| Err(unavailable(HttpsError::TimedOut)))
    }
}

impl fmt::Debug for Https {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Https")
    }
}

/// The URL in a variable, without a slash at its end, so that a path can follow.
pub(super) fn url(settings: Settings<'_>, name: &'static str) -> Result<String, ConfigError> {
    let url: Uri = settings.parsed(name, "an http or https URL without a query", ::aws::is_endpoint)?;
    Ok(url.to_string().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::TcpListener,
    };

    use super::*;

    /// Sends a request to a server that replies with these bytes and closes; returns the outcome and what it received.
    async fn exchange(reply: &'static [u8]) -> (Result<(StatusCode, String), Unavailable>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/path", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            let mut received = [0; 4096];
            let length = connection.read(&mut received).unwrap();
            // The client may have hung up.
            _ = connection.write_all(reply);
            String::from_utf8(received[..length].to_vec()).unwrap()
        });
        let request = Request::post(url).header("x-api-key", "k").body(b"body".to_vec()).unwrap();
        (Https::new().send(request).await, server.join().unwrap())
    }

    #[tokio::test]
    async fn a_request_has_its_own_headers_alone() {
        let (reply, received) = exchange(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok").await;
        assert_eq!(reply.unwrap(), (StatusCode::CREATED, "ok".to_owned()));
        let (head, body) = received.split_once("\r\n\r\n").unwrap();
        let mut names: Vec<_> =
            head.lines().skip(1).map(|line| line.split(':').next().unwrap().to_lowercase()).collect();
        names.sort();
        assert_eq!((names, body), (["content-length", "host", "x-api-key"].map(String::from).to_vec(), "body"));
    }

    #[tokio::test]
    async fn a_redirect_is_a_reply_like_any_other() {
        let (reply, _) =
            exchange(b"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n").await;
        assert_eq!(reply.unwrap().0, StatusCode::TEMPORARY_REDIRECT);
    }

    #[tokio::test]
    async fn a_reply_that_is_cut_off_too_large_or_not_text_is_unavailable() {
        let huge: &'static [u8] = Vec::leak(
            [b"HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n".to_vec(), vec![b'x'; MAX_REPLY_BYTES + 1]].concat(),
        );
        for reply in [
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncanary",
            huge,
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\xff",
            b"canary",
            b"",
        ] {
            let error = exchange(reply).await.0.unwrap_err();
            let shown = format!("{} {error:?}", apigw::chain(&error));
            assert!(!shown.contains("canary"), "{shown}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_does_not_reply_is_unavailable_after_the_time_out() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let request = Request::get(format!("http://{}/", listener.local_addr().unwrap())).body(Vec::new()).unwrap();
        let error = Https::new().send(request).await.unwrap_err();
        assert!(apigw::chain(&error).contains("in time"), "{error:?}");
    }

    #[test]
    fn a_url_has_no_query_and_no_slash_at_its_end() {
        let read = |value: &'static str| url(Settings::new(&move |_| Some(value.to_owned())), "URL");
        assert_eq!(read("http://127.0.0.1:4566").unwrap(), "http://127.0.0.1:4566");
        assert_eq!(read("https://example.com/api/").unwrap(), "https://example.com/api");
        for value in ["", "example.com", "/api", "ftp://example.com", "https://example.com/?a"] {
            assert!(read(value).is_err(), "{value}");
        }
    }
}
