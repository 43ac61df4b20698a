//! A server in this process. The parameter `case` of a request selects what its functions do.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use emulator::{Functions, Options, Reply, Server};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Id and secret of the callers' access key.
pub(crate) const ACCESS_KEY: (&str, &str) = ("AKIDLOCAL", "secret/+of=the:callers");

/// Options for a template of this folder, on a free port.
pub(crate) fn options(template: &str) -> Options {
    let template = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/templates").join(template);
    at(&template)
}

/// Options for any template, on a free port.
pub(crate) fn at(template: &Path) -> Options {
    Options::new(template)
}

/// A running server and how often its functions were invoked.
pub(crate) struct Api {
    url: String,
    invocations: Arc<AtomicUsize>,
    client: reqwest::Client,
}

impl Api {
    /// Starts `api.yaml` with the scripted functions.
    pub(crate) async fn start() -> Self {
        Self::start_with(options("api.yaml")).await
    }

    /// Starts with these options.
    pub(crate) async fn start_with(options: Options) -> Self {
        let invocations = Arc::default();
        let server = Server::bind(options, &functions(&invocations)).await.unwrap();
        Self { invocations, ..Self::serve(server) }
    }

    /// Lets the server answer.
    pub(crate) fn serve(server: Server) -> Self {
        let url = server.url().to_owned();
        tokio::spawn(server.serve(std::future::pending()));
        Self { url, invocations: Arc::default(), client: reqwest::Client::new() }
    }

    /// Sends raw bytes, closes the sending side if `ends`, and reads until the server closes the connection.
    pub(crate) async fn raw(&self, bytes: &str, ends: bool) -> String {
        let mut stream = tokio::net::TcpStream::connect(self.address()).await.unwrap();
        stream.write_all(bytes.as_bytes()).await.unwrap();
        if ends {
            stream.shutdown().await.unwrap();
        }
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    /// Host and port of the server.
    pub(crate) fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    /// A request for `path_and_query`.
    pub(crate) fn request(&self, method: &str, path_and_query: &str) -> reqwest::RequestBuilder {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        self.client.request(method, format!("{}{path_and_query}", self.url))
    }

    /// Sends a GET request.
    pub(crate) async fn get(&self, path_and_query: &str) -> Answer {
        Answer::of(self.request("GET", path_and_query)).await
    }

    /// How often any function was invoked.
    pub(crate) fn invocations(&self) -> usize {
        self.invocations.load(Ordering::SeqCst)
    }
}

/// A response, as a client sees it.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// Sends the request.
    pub(crate) async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    /// The value of a header, empty if it is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }
}

/// The functions of `api.yaml`.
pub(crate) fn functions(invocations: &Arc<AtomicUsize>) -> Functions {
    let (by_authorizer, by_echo) = (Arc::clone(invocations), Arc::clone(invocations));
    Functions::default()
        .access_key(ACCESS_KEY.0, ACCESS_KEY.1)
        .handler("authorizer", move |event, context| {
            by_authorizer.fetch_add(1, Ordering::SeqCst);
            authorize(event, context.request_id)
        })
        .configured("echo", move |environment| {
            let (environment, invocations) = (json!(environment), Arc::clone(&by_echo));
            Ok(move |event, context: lambda_runtime::Context| {
                invocations.fetch_add(1, Ordering::SeqCst);
                echo(event, environment.clone(), context)
            })
        })
}

/// The case that the request asks for.
fn case(event: &Value) -> &str {
    event["queryStringParameters"]["case"].as_str().unwrap_or_default()
}

async fn authorize(event: Value, request_id: String) -> Reply {
    let arn = event["methodArn"].as_str().unwrap();
    let statement = |effect: &str, resource: &str| json!({"Action": "execute-api:Invoke", "Effect": effect, "Resource": [resource]});
    let (allow, deny) = (statement("Allow", arn), statement("Deny", arn));
    let answer = |statements: Value, context: Value| {
        Ok(json!({
            "principalId": "caller",
            "policyDocument": {"Version": "2012-10-17", "Statement": statements},
            "context": context,
        }))
    };
    let context = json!({"text": "a", "number": 7, "flag": true, "invocation": request_id, "event": event.to_string()});
    match case(&event) {
        "deny" => answer(json!([deny]), json!({"reason": "expired"})),
        "deny-and-allow" => answer(json!([deny, allow]), json!({})),
        "other-arn" => answer(json!([statement("Allow", &arn.replace("GET", "POST"))]), json!({})),
        "malformed-policy" => answer(json!([{"Effect": "Allow"}]), json!({})),
        "null-in-context" => answer(json!([allow]), json!({"none": null})),
        "no-principal" => Ok(json!({"policyDocument": {"Version": "2012-10-17", "Statement": [allow]}})),
        "nested-context" => answer(json!([allow]), json!({"list": []})),
        "unauthorized" => Err("Unauthorized".to_owned()),
        "error" => Err("unauthorized, perhaps".to_owned()),
        "authorizer-panic" => panic!("as asked"),
        "authorizer-timeout" => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            unreachable!()
        }
        _ => answer(json!([allow]), context),
    }
}

async fn echo(event: Value, environment: Value, context: lambda_runtime::Context) -> Reply {
    match case(&event) {
        "reply" => Ok(serde_json::from_str(event["body"].as_str().unwrap()).unwrap()),
        "function-error" => Err("broken".to_owned()),
        "function-panic" => panic!("as asked"),
        "function-malformed" => Ok(json!({"statusCode": 200, "wrongValue": "value"})),
        "function-timeout" => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            unreachable!()
        }
        "slow" => {
            tokio::time::sleep(Duration::from_millis(500)).await;
            Ok(json!({"statusCode": 204}))
        }
        "challenge" => Ok(json!({"statusCode": 401, "headers": {"WWW-Authenticate": "Bearer"}, "body": ""})),
        _ => {
            let body = json!({"event": event, "environment": environment, "invocation": context.request_id, "deadline": context.deadline});
            Ok(json!({"statusCode": 200, "headers": {"X-Echo": "1"}, "body": body.to_string()}))
        }
    }
}
