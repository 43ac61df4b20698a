//! The emulator behaves like an HTTP API, as a client and its functions see it. The sources are in docs/gateway.md.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use emulator::{Functions, Reply, Server};
use serde_json::{Value, json};

use crate::helpers::{self, Answer, Api};

/// Starts a template with functions for payload 2.0, and counts how often the authorizer runs.
async fn start(template: &str) -> (Api, Arc<AtomicUsize>) {
    let authorized = Arc::<AtomicUsize>::default();
    let counter = Arc::clone(&authorized);
    let functions = Functions::default()
        .handler("authorizer", move |event, _| {
            counter.fetch_add(1, Ordering::SeqCst);
            authorize(event)
        })
        .handler("echo", |event, _| echo(event));
    let server = Server::bind(helpers::options(template), &functions).await.unwrap();
    (Api::serve(server), authorized)
}

/// An authorizer that gives each answer that a request asks for, in either format.
async fn authorize(event: Value) -> Reply {
    let policy = |effect: &str, resource: &Value| {
        let statement = json!({"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource});
        json!({"principalId": "p", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}})
    };
    match event["queryStringParameters"]["case"].as_str().unwrap_or_default() {
        "simple-deny" => Ok(json!({"isAuthorized": false, "context": {"reason": "expired"}})),
        "simple-text" => Ok(json!({"isAuthorized": "true"})),
        "policy-allow" => Ok(policy("Allow", &event["routeArn"])),
        "policy-deny" => Ok(policy("Deny", &event["routeArn"])),
        "policy-other" => Ok(policy("Allow", &json!("arn:aws:execute-api:*/POST/*"))),
        "empty" => Ok(json!({})),
        "text-context" => Ok(json!({"isAuthorized": true, "context": "a"})),
        "unauthorized" => Err("Unauthorized".to_owned()),
        "panic" => panic!("as asked"),
        "slow" => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            unreachable!()
        }
        _ => Ok(json!({"isAuthorized": true, "context": {"number": 7, "list": ["a"], "event": event}})),
    }
}

/// A function that returns its event, or what the request asks for.
async fn echo(event: Value) -> Reply {
    match event["queryStringParameters"]["case"].as_str().unwrap_or_default() {
        "error" => Err("broken".to_owned()),
        "malformed" => Ok(json!({"statusCode": 0})),
        "own-cors" => {
            let headers = json!({"Access-Control-Allow-Origin": "*", "Access-Control-Max-Age": "1", "X-Echo": "1"});
            Ok(json!({"statusCode": 200, "headers": headers}))
        }
        _ => Ok(event),
    }
}

/// The status and the message of an answer of the API itself.
fn refusal(answer: &Answer) -> (u16, String) {
    assert_eq!(answer.header("content-type"), "application/json");
    (answer.status, answer.json()["message"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn an_allow_reaches_the_function_with_the_context_as_it_is() {
    let (api, authorized) = start("http_api.yaml").await;

    let answer = api.get("/simple").await;

    assert_eq!((answer.status, authorized.load(Ordering::SeqCst)), (200, 1));
    let context = &answer.json()["requestContext"]["authorizer"]["lambda"];
    assert_eq!((&context["number"], &context["list"]), (&json!(7), &json!(["a"])));
    assert_eq!(api.get("/policy?case=policy-allow").await.status, 200);
}

#[tokio::test]
async fn anything_but_an_allow_stops_before_the_function() {
    let (api, _) = start("http_api.yaml").await;
    let (forbidden, failed) = ((403, "Forbidden"), (500, "Internal Server Error"));
    for (target, expected) in [
        ("/simple?case=simple-deny", forbidden),
        ("/simple?case=simple-text", failed),
        ("/simple?case=policy-allow", failed),
        ("/simple?case=empty", failed),
        ("/simple?case=text-context", failed),
        ("/simple?case=unauthorized", failed),
        ("/simple?case=panic", failed),
        ("/simple?case=slow", failed),
        ("/policy?case=policy-deny", forbidden),
        ("/policy?case=policy-other", forbidden),
        ("/policy?case=empty", failed),
    ] {
        let answer = api.get(target).await;

        let (status, message) = refusal(&answer);
        assert_eq!((status, message.as_str()), expected, "{target}");
        assert_eq!(answer.json().as_object().unwrap().len(), 1, "no reason, no gateway response: {}", answer.text);
    }
}

#[tokio::test]
async fn a_simple_response_of_an_authorizer_without_simple_responses_is_500() {
    let (api, authorized) = start("http_api.yaml").await;

    let answer = api.get("/policy").await; // isAuthorized: true

    assert_eq!(refusal(&answer), (500, "Internal Server Error".to_owned()));
    assert_eq!(authorized.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_authorizer_that_api_gateway_may_not_invoke_is_500_and_does_not_run() {
    let (api, authorized) = start("http_api.yaml").await;

    let answer = api.get("/forbidden").await;

    assert_eq!(refusal(&answer), (500, "Internal Server Error".to_owned()));
    assert_eq!(authorized.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_request_without_an_identity_source_is_401_and_no_function_is_called() {
    let (api, authorized) = start("http_api.yaml").await;
    for (query, caller, status, invocations) in
        [("?who=a", "b", 200, 1), ("?WHO=a", "b", 401, 0), ("?who=a", "", 401, 0), ("", "b", 401, 0)]
    {
        let before = authorized.load(Ordering::SeqCst);

        let answer = Answer::of(api.request("GET", &format!("/identified{query}")).header("x-CALLER", caller)).await;

        assert_eq!(authorized.load(Ordering::SeqCst) - before, invocations, "{query} {caller}");
        if status == 401 {
            assert_eq!(refusal(&answer), (401, "Unauthorized".to_owned()));
        } else {
            let event = &answer.json()["requestContext"]["authorizer"]["lambda"]["event"];
            assert_eq!((answer.status, &event["identitySource"]), (200, &json!(["b", "a"])));
        }
    }
}

#[tokio::test]
async fn a_route_is_its_method_and_path_then_a_greedy_path_then_the_default() {
    let (api, _) = start("http_api.yaml").await;
    for (method, path, route) in [
        ("POST", "/open", "POST /open"),
        ("GET", "/items/7", "GET /items/{id}"),
        ("GET", "/files/a/b", "GET /files/{rest+}"),
        ("GET", "/items/", "GET /items/{id}"),
        ("GET", "/files/", "GET /files/{rest+}"),
        ("PUT", "/any", "ANY /any"),
    ] {
        let answer = Answer::of(api.request(method, path)).await;
        assert_eq!(answer.json()["routeKey"], route, "{method} {path}");
    }
    for (method, path) in [("GET", "/open"), ("GET", "/none"), ("POST", "/open/"), ("GET", "/items"), ("BREW", "/any")]
    {
        let answer = Answer::of(api.request(method, path)).await;
        assert_eq!(refusal(&answer), (404, "Not Found".to_owned()), "{method} {path}");
    }

    let (api, _) = start("http_api_default.yaml").await;
    for (method, path, route) in [("GET", "/a", "GET /a"), ("PUT", "/a", "$default"), ("BREW", "/b/c/", "$default")] {
        let answer = Answer::of(api.request(method, path)).await;
        assert_eq!(answer.json()["routeKey"], route, "{method} {path}");
    }
}

#[tokio::test]
async fn an_event_of_payload_2_0_is_as_recorded() {
    let (api, _) = start("http_api.yaml").await;
    let request = api
        .request("GET", "/items/%E2%98%95%20Coffee?q=Hello%20World&tag=C%23&tag=.NET%20Core")
        .header("cookie", "session=abc123; theme=dark")
        .header("x-custom", "a")
        .header("x-custom", "b")
        .header("te", "trailers")
        .header("x-forwarded-for", "192.0.2.1");

    let event = Answer::of(request).await.json();

    for (member, expected) in [
        ("/version", json!("2.0")),
        ("/routeKey", json!("GET /items/{id}")),
        ("/rawPath", json!("/items/☕ Coffee")),
        ("/rawQueryString", json!("q=Hello%20World&tag=C%23&tag=.NET%20Core")),
        ("/cookies", json!(["session=abc123", "theme=dark"])),
        ("/queryStringParameters", json!({"q": "Hello World", "tag": "C#,.NET Core"})),
        ("/pathParameters", json!({"id": "☕ Coffee"})),
        ("/headers/x-custom", json!("a,b")),
        ("/headers/x-forwarded-for", json!("192.0.2.1, 127.0.0.1")),
        ("/headers/host", json!(api.address())),
        ("/isBase64Encoded", json!(false)),
        ("/requestContext/http/method", json!("GET")),
        ("/requestContext/http/path", json!("/items/☕ Coffee")),
        ("/requestContext/http/protocol", json!("HTTP/1.1")),
        ("/requestContext/http/sourceIp", json!("127.0.0.1")),
        ("/requestContext/routeKey", json!("GET /items/{id}")),
        ("/requestContext/stage", json!("$default")),
        ("/requestContext/domainName", json!(api.address())),
    ] {
        assert_eq!(event.pointer(member), Some(&expected), "{member}");
    }
    for missing in ["/body", "/headers/cookie", "/headers/te", "/stageVariables", "/requestContext/authorizer"] {
        assert_eq!(event.pointer(missing), None, "{missing}");
    }

    assert_eq!(api.get("/items/").await.json()["pathParameters"], json!({"id": ""}));

    let event = Answer::of(api.request("POST", "/open")).await.json();
    let members: Vec<_> = event.as_object().unwrap().keys().map(String::as_str).collect();
    let recorded = ["headers", "isBase64Encoded", "rawPath", "rawQueryString", "requestContext", "routeKey", "version"];
    assert_eq!(members, recorded, "a part that the request does not have is missing");
}

#[tokio::test]
async fn an_authorizer_gets_the_same_event_with_the_arn_of_the_route_and_without_the_body() {
    let (api, _) = start("http_api.yaml").await;

    let answer = Answer::of(api.request("POST", "/any").header("content-type", "text/plain").body("a")).await;

    let mut event = answer.json();
    let mut seen = event["requestContext"]["authorizer"]["lambda"]["event"].take();
    assert_eq!(event["body"], "a");
    assert_eq!(seen["type"], "REQUEST");
    assert_eq!(seen["routeArn"], "arn:aws:execute-api:local:123456789012:local/$default/POST/any");
    assert_eq!(seen["identitySource"], Value::Null);
    for own in ["type", "routeArn", "identitySource"] {
        seen.as_object_mut().unwrap().remove(own);
    }
    event["requestContext"].as_object_mut().unwrap().remove("authorizer");
    for own in ["body", "isBase64Encoded"] {
        event.as_object_mut().unwrap().remove(own);
    }
    assert_eq!(seen, event);
}

#[tokio::test]
async fn a_body_is_text_only_for_the_content_types_as_recorded() {
    let (api, _) = start("http_api.yaml").await;
    for (content_type, is_text) in [
        ("text/plain", true),
        ("text/csv; charset=utf-8", true),
        ("application/json", true),
        ("Application/JSON; charset=utf-8", true),
        ("application/xml", true),
        ("application/javascript", true),
        ("application/x-www-form-urlencoded", false),
        ("application/octet-stream", false),
        ("", false),
    ] {
        let mut request = api.request("POST", "/open").body("a=1");
        if !content_type.is_empty() {
            request = request.header("content-type", content_type);
        }

        let event = Answer::of(request).await.json();

        let expected = if is_text { ("a=1", false) } else { ("YT0x", true) };
        assert_eq!(
            (&event["body"], &event["isBase64Encoded"]),
            (&json!(expected.0), &json!(expected.1)),
            "{content_type}"
        );
    }
}

#[tokio::test]
async fn a_function_that_fails_or_a_malformed_reply_is_500_and_a_body_over_10_mb_413() {
    let (api, _) = start("http_api.yaml").await;
    for case in ["error", "malformed"] {
        let answer = Answer::of(api.request("POST", &format!("/open?case={case}"))).await;
        assert_eq!(refusal(&answer), (500, "Internal Server Error".to_owned()), "{case}");
    }
    let answer = Answer::of(api.request("POST", "/open").body(vec![b'a'; 10 * 1024 * 1024 + 1])).await;
    assert_eq!(answer.status, 413);
}

/// A request of a page at `origin`.
fn of_page(api: &Api, method: &str, path: &str, origin: &str) -> reqwest::RequestBuilder {
    api.request(method, path).header("origin", origin).header("access-control-request-method", "POST")
}

#[tokio::test]
async fn the_api_answers_a_preflight_for_which_there_is_no_route() {
    let (api, authorized) = start("http_api.yaml").await;
    for (origin, allowed) in [
        ("https://app.example.com", "https://app.example.com"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("https://evil.example", ""),
        ("https://app.example.com.evil.example", ""),
    ] {
        let answer = Answer::of(of_page(&api, "OPTIONS", "/simple", origin)).await;

        assert_eq!((answer.status, answer.header("access-control-allow-origin"), &*answer.text), (204, allowed, ""));
        let expected = if allowed.is_empty() {
            ["", "", "", ""]
        } else {
            ["GET,POST", "Content-Type,X-Access-Token", "600", "true"]
        };
        let headers = ["methods", "headers"].map(|name| format!("access-control-allow-{name}"));
        let names = [&*headers[0], &*headers[1], "access-control-max-age", "access-control-allow-credentials"];
        assert_eq!(names.map(|name| answer.header(name)), expected, "{origin}");
    }
    assert_eq!(authorized.load(Ordering::SeqCst), 0, "a preflight needs no token");

    let no_preflight = Answer::of(api.request("OPTIONS", "/simple").header("origin", "http://a")).await;
    assert_eq!(no_preflight.status, 404);
}

#[tokio::test]
async fn a_route_for_any_method_gets_the_preflight_and_its_authorizer_too() {
    let (api, authorized) = start("http_api.yaml").await;

    let answer = Answer::of(of_page(&api, "OPTIONS", "/any?case=simple-deny", "http://a")).await;

    assert_eq!((answer.status, authorized.load(Ordering::SeqCst)), (403, 1));
}

#[tokio::test]
async fn the_configuration_replaces_the_cors_headers_of_the_function() {
    let (api, _) = start("http_api.yaml").await;
    let cors = |answer: &Answer| {
        let names = ["allow-origin", "allow-credentials", "expose-headers", "max-age"];
        names.map(|name| answer.header(&format!("access-control-{name}")).to_owned())
    };

    let allowed = Answer::of(of_page(&api, "POST", "/open?case=own-cors", "http://a")).await;
    let refused = Answer::of(of_page(&api, "POST", "/open?case=own-cors", "https://evil.example")).await;
    let of_no_page = Answer::of(api.request("POST", "/open?case=own-cors")).await;

    assert_eq!(
        (cors(&allowed), allowed.header("x-echo")),
        (["http://a", "true", "X-Echo", ""].map(str::to_owned), "1")
    );
    for answer in [refused, of_no_page] {
        assert_eq!((answer.status, cors(&answer)), (200, ["", "", "", ""].map(str::to_owned)));
    }
}

#[tokio::test]
async fn a_page_can_read_a_refusal_too() {
    let (api, _) = start("http_api.yaml").await;
    for (path, status) in [("/simple?case=simple-deny", 403), ("/simple?case=empty", 500), ("/none", 404)] {
        let answer = Answer::of(of_page(&api, "GET", path, "http://a")).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (status, "http://a"), "{path}");
    }
}

#[tokio::test]
async fn without_cors_the_headers_of_the_function_are_sent() {
    let (api, _) = start("http_api_default.yaml").await;
    let answer = Answer::of(of_page(&api, "GET", "/a?case=own-cors", "http://a")).await;
    assert_eq!(answer.header("access-control-allow-origin"), "*");
}

#[tokio::test]
async fn every_answer_has_the_id_of_the_request() {
    let (api, _) = start("http_api.yaml").await;

    let served = Answer::of(api.request("POST", "/open").header("apigw-requestid", "mine")).await;

    let id = served.header("apigw-requestid");
    assert!(!id.is_empty() && id != "mine", "{id}");
    assert_eq!(served.json()["requestContext"]["requestId"], id);
    assert!(!api.get("/none").await.header("apigw-requestid").is_empty());
}
