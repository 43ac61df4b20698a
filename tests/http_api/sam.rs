//! The example under `sam local start-api`, in Lambda's container image.
//!
//! The resources of the example are added to the built template of this project, so that one server mints
//! (`GET /tokens`) and guards. The route runs `hello`, so that the image for Python is not needed.

use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::Client;

use crate::{Answer, ROOT, replaced, resources};

/// What SAM prints.
const LOG: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/sam-local-http-api.log");

/// A running `sam local start-api`, ended when the test ends.
struct SamLocal(Child);

impl Drop for SamLocal {
    fn drop(&mut self) {
        _ = Command::new("kill").arg(self.0.id().to_string()).status(); // it removes its containers
        _ = self.0.wait();
    }
}

/// Starts the example beside this project's own API; returns the URL of both.
async fn start() -> (SamLocal, String) {
    let arguments = apigw::env("SAM_LOCAL_ARGUMENTS").expect("SAM_LOCAL_ARGUMENTS is not set");
    let root = Path::new(ROOT).canonicalize().unwrap();
    let build = root.join(".aws-sam/build");
    let built = std::fs::read_to_string(build.join("template.yaml")).unwrap();
    // `hello` takes a GET for the request that mints.
    let resources = replaced(&resources(), "Method: get", "Method: post");
    let python = "CodeUri: download/\n      Handler: app.lambda_handler\n      Runtime: python3.13";
    let hello =
        "CodeUri: HelloFunction-Shared\n      Environment: {Variables: {CACHED_POLICY_CHECK: !Ref CachedPolicyCheck}}";
    let resources = replaced(&resources, python, hello);
    let template = build.join("http-api.yaml");
    std::fs::write(&template, replaced(&built, "\nResources:\n", &format!("\nResources:{resources}"))).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut sam = Command::new("sam");
    // Without `--config-file` SAM looks for it beside the template.
    sam.args(["local", "start-api", "--config-file"]).arg(root.join("samconfig.toml")).arg("--template").arg(template);
    sam.args(["--port", &port.to_string()]).args(arguments.split(' '));
    sam.stdout(Stdio::null()).stderr(File::create(LOG).unwrap());
    let sam = SamLocal(sam.spawn().unwrap());
    let url = format!("http://127.0.0.1:{port}");
    for _ in 0..150 {
        if Client::new().get(&url).send().await.is_ok() {
            return (sam, url);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("sam local start-api does not answer: see {LOG}");
}

#[tokio::test]
#[ignore = "needs Docker, SAM and the built functions"]
async fn sam_local_a_token_opens_the_route_of_an_http_api_once() {
    let (_sam, url) = start().await;
    let client = Client::new();
    let download = async |token: &str| {
        let request = client.post(format!("{url}/download")).header("x-access-token", token);
        Answer::of(request.send().await.unwrap()).await
    };
    let mint = async || {
        let minted = Answer::of(client.get(format!("{url}/tokens")).send().await.unwrap()).await;
        minted.body["token"].as_str().unwrap_or_default().to_owned()
    };
    let mut token = mint().await;
    let mut first = download(&token).await;
    for _ in 0..2 {
        if first.status == 200 {
            break;
        }
        // On a busy machine a call to the emulator of AWS can take too long.
        token = mint().await;
        first = download(&token).await;
    }

    let answers = [first, download(&token).await, download("").await];

    assert_eq!(answers.each_ref().map(|answer| answer.status), [200, 403, 403], "see {LOG}");
}
