//! The HTTP client: requests to the API, and what their replies mean for every command alike.

use std::time::Duration;

use reqwest::{RequestBuilder, StatusCode, Url, header, redirect::Policy};
use serde_json::{Map, Value, json};

use crate::outcome::{Code, Failure, plain, without_tokens};

/// The most bytes that are read of a reply. The longest of the API, the usage of 31 days, has less than 200 kB.
const MAX_REPLY_BYTES: usize = 512 * 1024;

/// A client of one deployment.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
}

/// A reply, read completely.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The status.
    pub(crate) status: StatusCode,
    /// The body, if it is a JSON object.
    body: Option<Map<String, Value>>,
    /// Where a redirect leads.
    location: Option<String>,
    /// The URL of the request.
    url: String,
}

/// A request without a reply.
#[derive(Debug)]
pub(crate) struct Unanswered {
    /// Whether the API may have received the request.
    pub(crate) is_sent: bool,
    /// What happened.
    pub(crate) failure: Failure,
}

impl Client {
    /// A client of the API at `base`, whose requests may each take as long as `timeout`.
    ///
    /// # Errors
    ///
    /// A failure if this machine's certificates cannot be read.
    pub(crate) fn new(base: Url, timeout: Duration) -> Result<Self, Failure> {
        // A redirect would hand the token to another host.
        let http = reqwest::Client::builder().timeout(timeout).redirect(Policy::none()).build();
        let http = http.map_err(|err| Failure::new(Code::Unknown, "unreachable", cause(&err)))?;
        Ok(Self { http, base })
    }

    /// The URL of the API.
    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// The URL of a route.
    pub(crate) fn url(&self, route: &str) -> String {
        format!("{}{route}", self.base.as_str().trim_end_matches('/'))
    }

    /// A `GET`.
    pub(crate) fn get(&self, route: &str) -> RequestBuilder {
        self.http.get(self.url(route))
    }

    /// A `POST` with a JSON body.
    pub(crate) fn post(&self, route: &str, body: &Value) -> RequestBuilder {
        let request = self.http.post(self.url(route)).header(header::CONTENT_TYPE, "application/json");
        request.body(body.to_string())
    }

    /// A preflight, which opens a connection and calls no function.
    pub(crate) fn preflight(&self, route: &str) -> RequestBuilder {
        self.http.request(reqwest::Method::OPTIONS, self.url(route))
    }

    /// Sends a request and reads the reply.
    ///
    /// # Errors
    ///
    /// [`Unanswered`] if there is no complete reply in time.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Reply, Unanswered> {
        let unanswered = |err: reqwest::Error| {
            let url = err.url().unwrap_or(&self.base);
            let message = format!("no answer from {url}: {}", cause(&err));
            Unanswered { is_sent: !err.is_connect(), failure: Failure::new(Code::Unknown, "unreachable", message) }
        };
        let mut response = request.send().await.map_err(unanswered)?;
        let (status, url) = (response.status(), response.url().to_string());
        let location = response.headers().get(header::LOCATION).map(|it| String::from_utf8_lossy(it.as_bytes()).into());
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unanswered)? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > MAX_REPLY_BYTES {
                bytes.clear();
                break;
            }
        }
        Ok(Reply { status, body: serde_json::from_slice(&bytes).ok(), location, url })
    }

    /// Sends a request that must succeed.
    ///
    /// # Errors
    ///
    /// The failure that says why it did not.
    pub(crate) async fn succeed(&self, request: RequestBuilder) -> Result<Reply, Failure> {
        let reply = self.send(request).await.map_err(|err| err.failure)?;
        if reply.status == StatusCode::OK && reply.body.is_some() { Ok(reply) } else { Err(reply.failure()) }
    }
}

impl Reply {
    /// A member of the body.
    pub(crate) fn member(&self, name: &str) -> Option<&Value> {
        self.body.as_ref()?.get(name)
    }

    /// A member of the body that is a string and not empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.member(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// The body as it may be printed.
    pub(crate) fn json(&self) -> Value {
        // Not `plain`, which shortens.
        let text = without_tokens(&json!(self.body).to_string());
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// The request ID, as it may be printed.
    pub(crate) fn request_id(&self) -> Option<String> {
        self.text("requestId").map(plain)
    }

    /// What this reply means if it is not the one that was asked for.
    pub(crate) fn failure(&self) -> Failure {
        let Self { status, url, .. } = self;
        let (reason, message) = (self.text("reason"), self.text("message"));
        // Only the API itself says no. A proxy or another server in its place says nothing about a token.
        let (code, own_reason, hint) = match status.as_u16() {
            400 | 413 if reason.is_some() => (Code::Usage, "invalid_request", "the API refused the request"),
            401 if message.is_some() => (Code::NotAllowed, "not_allowed", "these credentials lack the IAM permission"),
            403 if message.is_some() => {
                (Code::NotAllowed, "not_allowed", "the route is closed, the signature is wrong, or the URL is wrong")
            }
            429 => (Code::Unknown, "throttled", "too many requests: wait and try again"),
            300..400 => (Code::Unknown, "unexpected", "a redirect is not followed: give the URL of the API itself"),
            500.. => (Code::Unknown, "unavailable", "the outcome is not known"),
            _ => (Code::Unknown, "unexpected", "this is not an answer of the API: is the URL right?"),
        };
        let mut text = format!("{url} answered {status}");
        if let Some(location) = &self.location {
            text += &format!(" to {location}");
        }
        if let Some(message) = message.filter(|_| code != Code::Unknown || status.is_server_error()) {
            text += &format!(" ({message})");
        }
        let reason = reason.filter(|_| status.is_server_error() || code == Code::Usage).unwrap_or(own_reason);
        Failure { request_id: self.request_id(), ..Failure::new(code, reason, format!("{text}: {hint}")) }
    }
}

/// The last of an error's sources: the others repeat what is known.
pub(crate) fn cause(err: &dyn std::error::Error) -> String {
    let last = std::iter::successors(Some(err), |err| err.source()).last();
    last.map(ToString::to_string).unwrap_or_default()
}
