//! `examples/http-api`: its API with the guard of this project, on `local` and under `sam local`.
//!
//! Neither of them deploys a nested stack. The example's reference to the guard in its nested stack becomes a
//! reference to the guard beside it; the rest of the template stays.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

mod sam;

use std::path::{Path, PathBuf};

use local::{Options, Server};
use reqwest::{Client, Method, Response, header::HeaderMap};
use serde_json::{Value, json};
use uuid::Uuid;

/// The repository.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// The function that `local` runs as the guard.
const GUARD: &str = "
  GuardFunction:
    Type: AWS::Serverless::Function
    Metadata: {BuildProperties: {Binary: guard}}
    Properties:
      Handler: bootstrap
      Runtime: provided.al2023
      Environment: {Variables: {TOKEN_ISSUER: local, TOKEN_AUDIENCE: local/Prod, REVOKED_BEFORE: \"0\"}}
";

/// `text` with `to` in place of `from`, which is there once.
fn replaced(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{from}");
    text.replace(from, to)
}

/// The resources of the example but its nested stack, with the guard beside them.
fn resources() -> String {
    let example = std::fs::read_to_string(Path::new(ROOT).join("examples/http-api/template.yaml")).unwrap();
    let (_, resources) = example.split_once("\n\n  HttpApi:").unwrap();
    let (resources, _) = resources.split_once("\nOutputs:").unwrap();
    replaced(
        &format!("\n  HttpApi:{resources}"),
        "!GetAtt Tokens.Outputs.GuardFunctionArn",
        "!GetAtt GuardFunction.Arn",
    )
}

/// A server of the example, and one of this project's own API, which mints the tokens.
struct Example {
    url: String,
    minting_url: String,
    client: Client,
}

impl Example {
    /// Starts the example with `edit` applied to its template, and with a guard that fails if it `is_broken`.
    async fn start(edit: impl Fn(&str) -> String, is_broken: bool) -> Self {
        let resources = edit(&resources());
        let binary = "Type: AWS::Serverless::Function\n    Metadata: {BuildProperties: {Binary: download}}";
        let resources = replaced(&resources, "Type: AWS::Serverless::Function", binary);
        let template = format!("Transform: AWS::Serverless-2016-10-31\nResources:{resources}{GUARD}");
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.yaml", Uuid::new_v4()));
        std::fs::write(&path, template).unwrap();
        let mut functions = local::functions().unwrap().handler("download", |event: Value, _| async move {
            Ok(json!({"message": "hello world", "jti": event["requestContext"]["authorizer"]["lambda"]["jti"]}))
        });
        if is_broken {
            functions = functions.handler("guard", |_, _| async { Err("the store is down".to_owned()) });
        }
        let serve = async |template| {
            let options = Options::new(template);
            let server = Server::bind(options, &functions).await.unwrap();
            let url = server.url().to_owned();
            tokio::spawn(server.serve(std::future::pending()));
            url
        };
        let url = serve(path.clone()).await;
        let minting_url = serve(Path::new(ROOT).join("template.yaml")).await;
        std::fs::remove_file(path).unwrap();
        Self { url, minting_url, client: Client::new() }
    }

    /// A token for the guard.
    async fn mint(&self) -> String {
        let answer = self.client.get(format!("{}/tokens", self.minting_url)).send().await.unwrap();
        answer.json::<Value>().await.unwrap()["token"].as_str().unwrap().to_owned()
    }

    /// Calls the protected route from a page of the example's origin.
    async fn download(&self, token: Option<&str>) -> Answer {
        let request = self.client.get(format!("{}/download", self.url)).header("origin", "https://app.example.com");
        Answer::of(
            token
                .into_iter()
                .fold(request, |request, token| request.header("x-access-token", token))
                .send()
                .await
                .unwrap(),
        )
        .await
    }
}

/// A response, read completely.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    async fn of(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, body: response.json().await.unwrap_or_default() }
    }

    /// Asserts that the page can read this refusal, which has no reason.
    fn assert_refused(&self, status: u16, message: &str) {
        assert_eq!((self.status, &self.body), (status, &json!({ "message": message })));
        assert_eq!(self.headers["access-control-allow-origin"], "https://app.example.com");
    }
}

/// The example as it is.
fn unchanged(template: &str) -> String {
    template.to_owned()
}

#[tokio::test]
async fn a_token_opens_the_route_once() {
    let example = Example::start(unchanged, false).await;
    let token = example.mint().await;

    let opened = example.download(Some(&token)).await;

    assert_eq!((opened.status, &opened.body["message"]), (200, &json!("hello world")));
    assert!(!opened.body["jti"].as_str().unwrap().is_empty());
    assert_eq!(opened.headers["access-control-allow-origin"], "https://app.example.com");
    example.download(Some(&token)).await.assert_refused(403, "Forbidden");
}

#[tokio::test]
async fn of_32_requests_with_one_token_one_is_served() {
    let example = Example::start(unchanged, false).await;
    let token = example.mint().await;

    let answers = (0..32).map(|_| example.download(Some(&token)));
    let mut statuses: Vec<_> =
        futures_util::future::join_all(answers).await.iter().map(|answer| answer.status).collect();

    statuses.sort_unstable();
    assert_eq!(statuses, [&[200][..], &[403; 31]].concat());
}

#[tokio::test]
async fn a_request_without_a_valid_token_is_403() {
    let example = Example::start(unchanged, false).await;
    for token in [None, Some(""), Some("a.b.c")] {
        example.download(token).await.assert_refused(403, "Forbidden");
    }
}

#[tokio::test]
async fn a_fault_of_the_guard_is_500() {
    let example = Example::start(unchanged, true).await;
    example.download(Some("a.b.c")).await.assert_refused(500, "Internal Server Error");
}

#[tokio::test]
async fn a_browser_gets_its_preflight_without_a_token() {
    let example = Example::start(unchanged, true).await; // the guard is not called
    let request = example.client.request(Method::OPTIONS, format!("{}/download", example.url));
    let request = request.header("origin", "https://app.example.com").header("access-control-request-method", "GET");

    let answer = Answer::of(request.send().await.unwrap()).await;

    assert_eq!(
        (answer.status, &answer.headers["access-control-allow-headers"]),
        (204, &"Content-Type,X-Access-Token".parse().unwrap())
    );
}

#[tokio::test]
async fn a_route_is_closed_without_one_of_the_two_settings() {
    for setting in ["EnableSimpleResponses: true", "EnableFunctionDefaultPermissions: true"] {
        let example = Example::start(|template| replaced(template, setting, ""), false).await;
        let token = example.mint().await;
        example.download(Some(&token)).await.assert_refused(500, "Internal Server Error");
    }
}

#[tokio::test]
async fn a_template_without_the_payload_version_or_with_the_wrong_authorizer_is_refused() {
    for (from, to, expected) in [
        (
            "AuthorizerPayloadFormatVersion: \"2.0\"",
            "",
            "SAM refuses an authorizer without AuthorizerPayloadFormatVersion",
        ),
        ("DefaultAuthorizer: Guard", "DefaultAuthorizer: Gaurd", "Authorizers has no Gaurd"),
    ] {
        let template =
            format!("Transform: AWS::Serverless-2016-10-31\nResources:{}{GUARD}", replaced(&resources(), from, to));
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.yaml", Uuid::new_v4()));
        std::fs::write(&path, template).unwrap();
        let options = Options::new(path.clone());

        let error = Server::bind(options, &local::functions().unwrap()).await.unwrap_err();

        std::fs::remove_file(path).unwrap();
        assert!(error.to_string().ends_with(expected), "{error}");
    }
}
