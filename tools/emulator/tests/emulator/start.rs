//! The output of a start: routes, warnings, and errors that name the line.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use emulator::{Functions, Server, StartError};

use crate::helpers::{functions, options};

#[tokio::test]
async fn the_summary_names_the_routes_the_throttling_and_a_request_to_try() {
    let mut options = options("api.yaml");
    let server = Server::bind(options.clone(), &functions(&Arc::default())).await.unwrap();
    let summary = server.summary();

    assert!(summary.starts_with(&format!("listening on {}\n", server.url())), "{summary}");
    let route = summary.lines().find(|line| line.contains("/guarded")).unwrap();
    assert_eq!(route.split_whitespace().collect::<Vec<_>>(), ["GET", "/guarded", "Scripted", "->", "EchoFunction"]);
    assert!(
        summary.contains("0.01 requests per second, burst 3 (not enforced; use --throttle to enforce it)"),
        "{summary}"
    );
    assert!(summary.ends_with(&format!("try: curl -i {}/guarded\n", server.url())), "{summary}");

    options.throttle = true;
    let server = Server::bind(options, &functions(&Arc::default())).await.unwrap();
    assert!(server.summary().contains("burst 3 (enforced)"), "{}", server.summary());
}

#[tokio::test]
async fn an_authorizer_that_would_be_cached_is_a_warning_with_its_time() {
    let server = Server::bind(options("api.yaml"), &functions(&Arc::default())).await.unwrap();

    let [warning] = server.warnings() else { panic!("{:?}", server.warnings()) };
    assert!(warning.contains("authorizer Identified") && warning.contains("for 300 s"), "{warning}");
}

#[tokio::test]
async fn a_function_without_a_handler_is_an_error_that_names_the_line() {
    let echo = Functions::default().handler("echo", |_, _| async { Err(String::new()) });

    let err = Server::bind(options("api.yaml"), &echo).await.unwrap_err();

    assert!(matches!(&err, StartError::Template { fault, .. } if fault.line == 50), "{err}");
    assert!(err.to_string().ends_with("api.yaml:50: no handler for the binary authorizer"), "{err}");
}

#[tokio::test]
async fn a_function_that_refuses_its_environment_is_named() {
    let functions = functions(&Arc::default());
    let refusing = functions.configured("echo", |environment| {
        Err::<fn(_, _) -> std::future::Ready<_>, _>(format!("ORIGIN: {} is not an origin", environment["ORIGIN"]))
    });

    let err = Server::bind(options("api.yaml"), &refusing).await.unwrap_err();

    assert_eq!(err.to_string(), "EchoFunction: ORIGIN: https://example.com is not an origin");
}

#[tokio::test]
async fn a_port_in_use_and_a_missing_template_are_different_errors() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut in_use = options("api.yaml");
    in_use.port = taken.local_addr().unwrap().port();

    let in_use = Server::bind(in_use, &functions(&Arc::default())).await.unwrap_err();
    let missing = Server::bind(options("none.yaml"), &functions(&Arc::default())).await.unwrap_err();

    assert!(matches!(in_use, StartError::Listen { .. }), "{in_use}");
    assert!(matches!(missing, StartError::Read { .. }), "{missing}");
}

#[tokio::test]
async fn a_request_in_progress_is_answered_before_the_server_ends() {
    let server = Server::bind(options("api.yaml"), &functions(&Arc::default())).await.unwrap();
    let url = format!("{}/open?case=slow", server.url());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(server.serve(async { _ = stopped.await }));
    let request = tokio::spawn(reqwest::Client::new().post(url).send());
    tokio::time::sleep(Duration::from_millis(200)).await;

    stop.send(()).unwrap();
    let start = Instant::now();
    serving.await.unwrap().unwrap();

    assert!(start.elapsed() > Duration::from_millis(100), "it waited for {:?}", start.elapsed());
    assert_eq!(request.await.unwrap().unwrap().status(), 204);
}
