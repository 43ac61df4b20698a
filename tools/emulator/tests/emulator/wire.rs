//! Requests that break the rules of HTTP, or use its unusual features.

use crate::helpers::{Answer, Api};

/// The status in the text of a response.
fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

#[tokio::test]
async fn an_interrupted_or_wrongly_framed_body_is_400() {
    let api = Api::start().await;
    for rest in [
        "Content-Length: 10\r\n\r\nshort",
        "Transfer-Encoding: chunked\r\n\r\nzz\r\nbody\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n9\r\nshort",
        "Content-Length: x\r\n\r\n",
        "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    ] {
        let answer = api.raw(&format!("POST /open HTTP/1.1\r\nHost: a\r\n{rest}"), true).await;
        assert_eq!(status(&answer), "400", "{rest}: {answer}");
    }
    assert_eq!(api.invocations(), 0);
}

#[tokio::test]
async fn a_request_names_one_valid_host() {
    let api = Api::start().await;
    for hosts in ["", "Host: a\r\nHost: a\r\n", "Host:\r\n", "Host: a b\r\n", "Host: :80\r\n"] {
        let answer = api.raw(&format!("GET /open/1 HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n"), false).await;
        assert_eq!(status(&answer), "400", "{hosts}: {answer}");
    }
    let answer = api.raw("GET /open/1 HTTP/1.0\r\n\r\n", false).await;
    assert_eq!(status(&answer), "400", "HTTP/1.0 without Host: {answer}");
    assert_eq!(api.invocations(), 0);
}

#[tokio::test]
async fn the_authority_of_the_target_is_the_host() {
    let api = Api::start().await;

    let absolute =
        api.raw("GET http://b.example:81/open/1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false).await;
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let http_2 = Answer::of(client.get(format!("http://{}/open/1", api.address()))).await.json();

    assert!(absolute.contains(r#""domainName":"b.example:81""#), "{absolute}");
    assert!(absolute.contains(r#""host":"b.example:81""#), "{absolute}");
    assert_eq!(http_2["event"]["requestContext"]["protocol"], "HTTP/2.0");
    assert_eq!(http_2["event"]["requestContext"]["domainName"], api.address());
    assert_eq!(http_2["event"]["headers"]["host"], api.address());
}

#[tokio::test]
async fn a_pipe_or_a_brace_in_a_query_string_must_be_encoded() {
    let api = Api::start().await;
    for (query, expected) in [("a=|", "400"), ("a={", "400"), ("}", "400"), ("a=%7C%7B%7D", "200")] {
        let answer =
            api.raw(&format!("GET /open/1?{query} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), false).await;
        assert_eq!(status(&answer), expected, "{query}: {answer}");
    }
}

#[tokio::test]
async fn a_target_without_a_path_and_an_unknown_method_are_403() {
    let api = Api::start().await;
    for line in ["OPTIONS *", "CONNECT a:80", "TRACE /open/1", "BREW /open/1", "GET http://a"] {
        let answer = api.raw(&format!("{line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), false).await;
        assert_eq!(status(&answer), "403", "{line}: {answer}");
    }
    assert_eq!(api.invocations(), 0);
}

#[tokio::test]
async fn the_answer_to_head_has_no_body() {
    let api = Api::start().await;
    let answer = api.raw("HEAD /open/1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false).await;
    assert_eq!(status(&answer), "403");
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn the_limits_of_the_server_itself_have_their_own_status() {
    let api = Api::start().await;
    let headers = |count: usize| (0..count).map(|index| format!("X-{index}: a\r\n")).collect::<String>();
    let request =
        |target: &str, headers: &str| format!("GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}\r\n");

    let many = api.raw(&request("/open/1", &headers(97)), false).await;
    let too_many = api.raw(&request("/open/1", &headers(200)), false).await;
    let too_long = api.raw(&request(&format!("/{}", "a".repeat(70_000)), ""), false).await;

    assert_eq!([status(&many), status(&too_many), status(&too_long)], ["200", "431", "414"]);
}
