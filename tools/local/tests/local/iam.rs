//! Routes with `AWS_IAM`: the access key of this machine signs requests to them.

use std::process::Command;

use local::{ACCESS_KEY_ID, Options, SECRET_ACCESS_KEY, Server};

#[test]
fn the_help_shows_the_access_key() {
    let help = Command::new(env!("CARGO_BIN_EXE_local")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(help.contains(&format!("the access key {ACCESS_KEY_ID}, whose secret is {SECRET_ACCESS_KEY}.")), "{help}");
}

#[tokio::test]
async fn a_request_that_curl_signs_as_the_summary_says_passes() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(folder.join("template.yaml")).unwrap();
    let (route, auth) = ("Method: GET\n            Path: /tokens\n", "Auth: {Authorizer: AWS_IAM, InvokeRole: NONE}");
    assert!(text.contains(route), "the route that this test closes");
    let text = text.replacen(route, &format!("{route}            {auth}\n"), 1);
    let template = std::env::temp_dir().join(format!("template-{}.yaml", std::process::id()));
    std::fs::write(&template, &text).unwrap();
    let options = Options { host: [127, 0, 0, 1].into(), port: 0, template: template.clone(), throttle: false };
    let server = Server::bind(options, &local::functions().unwrap()).await.unwrap();
    std::fs::remove_file(&template).unwrap();
    let command = server.summary().lines().find(|line| line.contains("--user")).unwrap();
    let signing = command.strip_prefix("try: curl -i ").unwrap().split_once(" -X ").unwrap().0;
    let command = format!("curl -s -o /dev/null -w %{{http_code}} {signing} {}/tokens", server.url());
    tokio::spawn(server.serve(std::future::pending()));
    let status = |command: String| async move {
        let arguments: Vec<_> = command.split(' ').map(str::to_owned).collect();
        let curl = tokio::task::spawn_blocking(move || Command::new(&arguments[0]).args(&arguments[1..]).output());
        String::from_utf8(curl.await.unwrap().unwrap().stdout).unwrap()
    };

    assert_eq!(status(command.clone()).await, "200");
    assert_eq!(status(command.replace(SECRET_ACCESS_KEY, "other")).await, "403");
}
