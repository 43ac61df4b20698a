//! A client of the API under test.

use std::{
    path::PathBuf,
    process::Command,
    time::{Duration, UNIX_EPOCH},
};

use aws_sdk_dynamodb::config::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode, sign},
    sign::v4::SigningParams,
};
use reqwest::{Client, Method, RequestBuilder, Response, header::HeaderMap};
use serde_json::Value;

use crate::{description, target::Target};

/// The API under test.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) target: Target,
    url: String,
    client: Client,
    /// Of a caller with the stack's `OperatorPolicy`.
    credentials: Credentials,
    region: String,
}

/// A response, read completely.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Api {
    /// The API that the environment names, or one that is started for this test alone.
    ///
    /// Fails if the target cannot show what the tests of `module` check.
    pub(crate) async fn start(module: &str) -> Self {
        let variable = |name| apigw::env(name).filter(|value| !value.is_empty());
        let (target, url) = match (variable("API_URL"), variable("AWS_SAM_STACK_NAME")) {
            (Some(url), _) => (Target::parse(&variable("API_TARGET").unwrap_or("aws".into())), url),
            (None, Some(stack)) => deployed(&stack),
            (None, None) => (Target::Local, start_local().await),
        };
        target.must_show(module);
        description::of_server(target, url.trim_end_matches('/'));
        let (id, secret, region) = match target {
            Target::Local => (local::ACCESS_KEY_ID.into(), local::SECRET_ACCESS_KEY.into(), "us-east-1".into()),
            _ => {
                let required = |name| variable(name).unwrap_or_else(|| panic!("{name} is not set"));
                (required("AWS_ACCESS_KEY_ID"), required("AWS_SECRET_ACCESS_KEY"), required("AWS_REGION"))
            }
        };
        let session = variable("AWS_SESSION_TOKEN").filter(|_| target != Target::Local);
        let credentials = Credentials::new(id, secret, session, None, "test");
        Self { target, url: url.trim_end_matches('/').to_owned(), client: Client::new(), credentials, region }
    }

    /// Signs the requests after this one with another secret.
    pub(crate) fn sign_with(&mut self, secret: &str) {
        self.credentials = Credentials::new(self.credentials.access_key_id(), secret, None, None, "test");
    }

    /// A signed `POST` with `body`.
    pub(crate) fn signed(&self, path: &str, body: String) -> RequestBuilder {
        self.signed_at(path, body, 0)
    }

    /// A signed `GET`.
    pub(crate) fn signed_get(&self, path: &str) -> RequestBuilder {
        self.signed_with(&Method::GET, path, String::new(), 0)
    }

    /// As [`Api::signed`], but signed some seconds ago.
    pub(crate) fn signed_at(&self, path: &str, body: String, seconds_ago: u64) -> RequestBuilder {
        self.signed_with(&Method::POST, path, body, seconds_ago)
    }

    fn signed_with(&self, method: &Method, path: &str, body: String, seconds_ago: u64) -> RequestBuilder {
        let request = self.request(method.clone(), path);
        let url = request.try_clone().unwrap().build().unwrap().url().to_string();
        let time = UNIX_EPOCH + Duration::from_secs(apigw::epoch_seconds() - seconds_ago);
        let identity = self.credentials.clone().into();
        let mut settings = SigningSettings::default();
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Enabled;
        let parameters = SigningParams::builder().identity(&identity).region(&self.region).name("execute-api");
        let parameters = parameters.time(time).settings(settings).build().unwrap().into();
        let signable =
            SignableRequest::new(method.as_str(), &url, [].into_iter(), SignableBody::Bytes(body.as_bytes()));
        let (signature, _) = sign(signable.unwrap(), &parameters).unwrap().into_parts();
        let headers = signature.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<Vec<_>>();
        headers.into_iter().fold(request, |request, (name, value)| request.header(name, value)).body(body)
    }

    /// A request, which the test completes and [`send`]s.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    /// `POST /validate` with `body`.
    pub(crate) async fn validate(&self, body: impl Into<reqwest::Body>) -> Answer {
        send(self.request(Method::POST, "/validate").body(body)).await
    }

    /// A token from GET /hello.
    pub(crate) async fn mint(&self) -> String {
        let answer = self.get("/hello").await;
        answer.json()["accessToken"].as_str().unwrap_or_else(|| panic!("GET /hello: {}", answer.status)).to_owned()
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|err| panic!("{} without JSON: {err}", self.status))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The status and the `reason` of the body.
    pub(crate) fn refusal(&self) -> (u16, String) {
        (self.status, self.json()["reason"].as_str().unwrap_or_default().to_owned())
    }
}

/// Sends a request and reads the answer, which must be one that `openapi.yaml` describes.
///
/// Every request of these tests is sent here.
pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let (client, request) = request.build_split();
    let request = request.unwrap();
    let (method, path) = (request.method().to_string(), request.url().path().to_owned());
    let response: Response = client.execute(request).await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let answer = Answer { status, headers, body: response.text().await.unwrap() };
    description::assert_described(&method, &path, &answer);
    answer
}

/// The body that carries a token.
pub(crate) fn body(token: &str) -> String {
    serde_json::json!({ "token": token }).to_string()
}

/// The API of a deployed stack, from the outputs that `sam` lists.
fn deployed(stack: &str) -> (Target, String) {
    let arguments = ["list", "stack-outputs", "--stack-name", stack, "--output", "json"];
    let listed = Command::new("sam").args(arguments).output().unwrap();
    assert!(listed.status.success(), "sam {}: {}", arguments.join(" "), String::from_utf8_lossy(&listed.stderr));
    let outputs: Vec<Value> = serde_json::from_slice(&listed.stdout).unwrap();
    let output = |name: &str| {
        let output = outputs.iter().find(|output| output["OutputKey"] == name);
        output.and_then(|output| output["OutputValue"].as_str()).unwrap().to_owned()
    };
    match apigw::env("AWS_ENDPOINT_URL") {
        Some(endpoint) => (Target::Emulator, format!("{endpoint}/restapis/{}/Prod/_user_request_", output("ApiId"))),
        None => (Target::Aws, output("ApiUrl")),
    }
}

/// Starts `local` on a free port. It runs until the test ends.
async fn start_local() -> String {
    let template = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml"));
    let server = local::Server::bind(local::Options::new(template), &local::functions().unwrap()).await.unwrap();
    let url = server.url().to_owned();
    tokio::spawn(server.serve(std::future::pending()));
    url
}
