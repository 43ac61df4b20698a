//! Routes with `AWS_IAM`: the access key of this machine signs requests to them.

use std::process::Command;

use local::{ACCESS_KEY_ID, Options, SECRET_ACCESS_KEY, Server};

#[test]
fn the_help_shows_the_access_key() {
    let help = Command::new(env!("CARGO_BIN_EXE_local")).arg("--help").output().unwrap();
    // Whatever the width of the terminal at which it is wrapped.
    let help = String::from_utf8(help.stdout).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains(&format!("the access key {ACCESS_KEY_ID}, whose secret is {SECRET_ACCESS_KEY}.")), "{help}");
}

#[tokio::test]
async fn a_request_that_curl_signs_as_the_summary_says_passes() {
    let template = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
    let options = Options::new(template);
    for region in [None, Some("eu-west-1")] {
        passes(Options { region: region.map(str::to_owned), ..options.clone() }).await;
    }
}

/// Asserts that a request passes if it is signed as the summary of a server with `options` says.
async fn passes(options: Options) {
    let server = Server::bind(options, &local::functions().unwrap()).await.unwrap();
    let how = server.summary().lines().find_map(|line| line.strip_prefix("AWS_IAM: sign with ")).unwrap();
    let command = format!("{how} -s -o /dev/null -w %{{http_code}} -d token=x {}/tokens/introspect", server.url());
    tokio::spawn(server.serve(std::future::pending()));
    let status = |command: String| async move {
        let arguments: Vec<_> = command.split(' ').map(str::to_owned).collect();
        let curl = tokio::task::spawn_blocking(move || Command::new(&arguments[0]).args(&arguments[1..]).output());
        String::from_utf8(curl.await.unwrap().unwrap().stdout).unwrap()
    };

    assert_eq!(status(command.clone()).await, "200");
    assert_eq!(status(command.replace(SECRET_ACCESS_KEY, "other")).await, "403");
    assert_eq!(status(command.replace("-1:execute-api", "-2:execute-api")).await, "403");
}
