//! The emulator behaves like API Gateway, as a client sees it over HTTP.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::helpers::{self, Answer, Api};

#[tokio::test]
async fn an_allow_reaches_the_function_with_the_context_as_strings() {
    let api = Api::start().await;

    let answer = api.get("/guarded").await;

    assert_eq!((answer.status, api.invocations()), (200, 2));
    let authorizer = &answer.json()["event"]["requestContext"]["authorizer"];
    assert_eq!(
        [&authorizer["text"], &authorizer["number"], &authorizer["flag"], &authorizer["principalId"]],
        ["a", "7", "true", "caller"]
    );
}

#[tokio::test]
async fn anything_but_an_allow_stops_before_the_function() {
    let api = Api::start().await;
    for (case, status, error_type) in [
        ("deny", 401, "AccessDeniedException"), // 401 by the template
        ("deny-and-allow", 401, "AccessDeniedException"),
        ("other-arn", 401, "AccessDeniedException"),
        ("unauthorized", 401, "UnauthorizedException"),
        ("error", 500, "AuthorizerFailureException"),
        ("authorizer-panic", 500, "AuthorizerFailureException"),
        ("authorizer-timeout", 500, "AuthorizerFailureException"),
        ("malformed-policy", 500, "AuthorizerConfigurationException"),
        ("no-principal", 500, "AuthorizerConfigurationException"),
        ("nested-context", 500, "AuthorizerConfigurationException"),
    ] {
        let before = api.invocations();

        let answer = api.get(&format!("/guarded?case={case}")).await;

        assert_eq!((answer.status, answer.header("x-amzn-errortype")), (status, error_type), "{case}");
        assert_eq!(api.invocations() - before, 1, "{case}: the authorizer alone");
    }
}

#[tokio::test]
async fn a_request_without_an_identity_source_is_401_and_no_function_is_called() {
    let api = Api::start().await;
    for (query, caller, status, invocations) in
        [("?who=a", "a", 200, 2), ("?who=a", "", 401, 0), ("", "a", 401, 0), ("?who=", "a", 401, 0)]
    {
        let before = api.invocations();

        let answer = Answer::of(api.request("GET", &format!("/identified{query}")).header("x-CALLER", caller)).await;

        assert_eq!((answer.status, api.invocations() - before), (status, invocations), "{query} {caller}");
        if status == 401 {
            assert_eq!(answer.json()["type"], "UNAUTHORIZED");
        }
    }
    assert_eq!(api.get("/identified?who=a").await.status, 401, "no header at all");
}

#[tokio::test]
async fn a_preflight_is_answered_from_the_template_without_any_function() {
    let api = Api::start().await;

    let answer = Answer::of(api.request("OPTIONS", "/guarded")).await;

    assert_eq!((answer.status, api.invocations()), (200, 0));
    assert_eq!(answer.header("access-control-allow-origin"), "https://example.com");
    assert_eq!(answer.header("access-control-allow-headers"), "Content-Type,Authorization");
    assert_eq!(answer.header("access-control-allow-methods"), "GET,OPTIONS");
    assert_eq!(answer.header("access-control-max-age"), "600");
    assert_eq!(answer.header("cache-control"), "", "the headers of gateway responses are not its own");
}

#[tokio::test]
async fn an_unknown_route_or_method_is_403() {
    let api = Api::start().await;
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/guarded/more"),
        ("DELETE", "/guarded"),
        ("GET", "/open"),
        ("OPTIONS", "/nowhere"),
        ("GET", "/open/"),
    ] {
        let answer = Answer::of(api.request(method, path)).await;

        assert_eq!(
            (answer.status, answer.header("x-amzn-errortype")),
            (403, "MissingAuthenticationTokenException"),
            "{method} {path}"
        );
        assert_eq!(answer.json()["message"], "Missing Authentication Token");
    }
    assert_eq!(api.invocations(), 0);
}

#[tokio::test]
async fn a_header_overrides_the_method_and_does_not_reach_the_function() {
    let api = Api::start().await;
    let overridden = async |method: &str, path: &str, by: &str| {
        Answer::of(api.request(method, path).header("X-HTTP-Method-Override", by)).await
    };

    let answer = overridden("POST", "/guarded", "GET").await;
    assert_eq!((answer.status, &answer.json()["event"]["httpMethod"]), (200, &json!("GET")));
    assert!(answer.json()["event"]["headers"].get("x-http-method-override").is_none());
    let before = api.invocations();
    for (method, by) in [("GET", "DELETE"), ("GET", "get"), ("GET", "TOKEN")] {
        assert_eq!(overridden(method, "/guarded", by).await.status, 403, "{by}");
    }
    assert_eq!(overridden("GET", "/guarded", "OPTIONS").await.status, 200, "a preflight");
    assert_eq!(api.invocations(), before);
}

/// The path fields of an event, as recorded by localstack's `test_lambda_aws_proxy_integration`.
#[tokio::test]
async fn slashes_are_routed_and_shown_as_recorded() {
    let api = Api::start().await;
    for (target, path, context_path, proxy) in [
        ("/proxy/value", "/proxy/value", "/Prod/proxy/value", "value"),
        ("/proxy/value/", "/proxy/value/", "/Prod/proxy/value/", "value"),
        ("/proxy/value//double", "/proxy/value//double", "/Prod/proxy/value//double", "value//double"),
        ("//proxy/value", "/proxy/value", "/Prod//proxy/value", "value"),
        (
            "/proxy/user/test%2Balias@gmail.com/plus/test+alias@gmail.com",
            "/proxy/user/test%2Balias@gmail.com/plus/test+alias@gmail.com",
            "/Prod/proxy/user/test%2Balias@gmail.com/plus/test+alias@gmail.com",
            "user/test%2Balias@gmail.com/plus/test+alias@gmail.com",
        ),
    ] {
        let event = api.get(target).await.json()["event"].clone();
        assert_eq!(
            [&event["path"], &event["requestContext"]["path"], &event["pathParameters"]["proxy"], &event["resource"]],
            [path, context_path, proxy, "/proxy/{proxy+}"],
            "{target}"
        );
    }
    let event = api.get("//guarded/").await.json()["event"].clone();
    assert_eq!([&event["resource"], &event["path"]], ["/guarded", "/guarded/"]);
    let seen = event["requestContext"]["authorizer"]["event"].as_str().unwrap();
    assert!(seen.contains("/Prod/GET/guarded/\""), "the ARN of the method keeps the slash: {seen}");
}

/// The parameters from the same recording.
#[tokio::test]
async fn query_parameters_are_decoded_as_recorded() {
    let api = Api::start().await;
    let query = "dateTimeOffset=2023-06-12T18:05:10.123456+00:00&email=test%2Balias@gmail.com&plus=test+alias@gmail.com\
                 &url=https://www.google.com/&whitespace=foo%20bar&zhash=abort/&price=10&price=20&price=30&a=1;b=2";

    let event = api.get(&format!("/open/1?{query}")).await.json()["event"].clone();

    assert_eq!(
        event["queryStringParameters"],
        json!({
            "dateTimeOffset": "2023-06-12T18:05:10.123456 00:00", "email": "test+alias@gmail.com",
            "plus": "test alias@gmail.com", "url": "https://www.google.com/", "whitespace": "foo bar",
            "zhash": "abort/", "price": "30", "a": "1", "b": "2",
        })
    );
    assert_eq!(event["multiValueQueryStringParameters"]["price"], json!(["10", "20", "30"]));
}

/// The headers of localstack's `test_apigateway_header_remapping_aws[AWS_PROXY]`.
#[tokio::test]
async fn headers_of_the_connection_do_not_reach_the_function() {
    let api = Api::start().await;
    let answer = api
        .raw(
            "GET /open/1 HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\nAge: 1\r\nAuthorization: x\r\n\
             Connection: close\r\nContent-Encoding: deflate\r\nContent-MD5: x\r\nContent-Type: application/json\r\n\
             Date: x\r\nExpect: 100-continue\r\nMax-Forwards: 2\r\nPragma: cache\r\nProxy-Authenticate: Basic\r\n\
             Range: bytes=1-2\r\nReferer: x\r\nServer: x\r\nTE: deflate\r\nTrailer: Expires\r\nUpgrade: x\r\n\
             Transfer-Encoding: chunked\r\nUser-Agent: x\r\nVia: x\r\nWarn: x\r\nWWW-Authenticate: Basic\r\n\
             X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\n\r\n0\r\n\r\n",
            false,
        )
        .await;
    let body: Value = serde_json::from_str(answer.rsplit_once("\r\n\r\n").unwrap().1).unwrap();

    let headers = body["event"]["headers"].as_object().unwrap();
    assert_eq!(
        headers.keys().collect::<Vec<_>>(),
        [
            "accept",
            "age",
            "authorization",
            "content-encoding",
            "content-type",
            "date",
            "host",
            "pragma",
            "range",
            "referer",
            "user-agent",
            "via",
            "warn",
            "x-forwarded-for",
            "x-forwarded-port",
            "x-forwarded-proto"
        ]
    );
    assert_eq!([&headers["x-forwarded-for"], &headers["x-forwarded-proto"]], ["1.2.3.4, 127.0.0.1", "http"]);
}

#[tokio::test]
async fn a_gateway_response_is_defined_by_its_own_type() {
    let api = Api::start().await;

    let denied = api.get("/guarded?case=deny").await;

    assert_eq!(denied.json(), json!({"reason": "expired", "none": "", "at": "/guarded"}));
    assert_eq!(denied.header("content-type"), "application/problem+json");
    assert_eq!(denied.header("www-authenticate"), "Bearer", "not remapped: no function set it");
    assert_eq!(denied.header("cache-control"), "", "a type of its own inherits nothing from DEFAULT_4XX");
}

#[tokio::test]
async fn a_gateway_response_falls_back_to_its_family_and_then_to_the_built_in() {
    let api = Api::start().await;

    let family = api.get("/guarded?case=unauthorized").await;
    let built_in = api.get("/guarded?case=function-error").await;

    let request_id = family.header("x-amzn-requestid");
    assert_eq!(family.json(), json!({"message": "Unauthorized", "type": "UNAUTHORIZED", "requestId": request_id}));
    assert_eq!(family.header("access-control-allow-origin"), "https://example.com");
    assert_eq!(built_in.text, r#"{"message":"Internal server error"}"#);
    assert_eq!(api.get("/guarded?case=error").await.text, r#"{"message":null}"#);
}

#[tokio::test]
async fn request_ids_are_unique_and_the_same_everywhere_within_one_request() {
    let api = Api::start().await;
    let mut seen = HashSet::new();
    for _ in 0..20 {
        let answer = Answer::of(api.request("GET", "/guarded").header("x-amzn-RequestId", "mine")).await;
        let body = answer.json();
        let for_function = &body["event"]["requestContext"];
        let for_authorizer: Value =
            serde_json::from_str(for_function["authorizer"]["event"].as_str().unwrap()).unwrap();
        assert_eq!(for_function["requestId"], answer.header("x-amzn-requestid"));
        assert_eq!(for_authorizer["requestContext"]["requestId"], answer.header("x-amzn-requestid"));
        for id in [
            answer.header("x-amzn-requestid"),
            body["invocation"].as_str().unwrap(),
            for_function["authorizer"]["invocation"].as_str().unwrap(),
        ] {
            assert!(seen.insert(id.to_owned()), "{id} again");
        }
    }
}

#[tokio::test]
async fn every_response_has_a_request_id() {
    let api = Api::start().await;
    for (method, path) in [("GET", "/nowhere"), ("OPTIONS", "/open"), ("GET", "/guarded?case=error"), ("POST", "/open")]
    {
        let answer = Answer::of(api.request(method, path)).await;
        assert_eq!(answer.header("x-amzn-requestid").len(), 36, "{method} {path}");
    }
}

#[tokio::test]
async fn a_function_that_fails_or_hangs_is_502() {
    let api = Api::start().await;
    for case in ["function-error", "function-panic", "function-malformed", "function-timeout"] {
        assert_eq!(api.get(&format!("/guarded?case={case}")).await.status, 502, "{case}");
    }
    assert_eq!(api.get("/guarded").await.status, 200, "the next request is served");
}

#[tokio::test]
async fn the_authorizer_sees_the_request() {
    let api = Api::start().await;

    let answer =
        Answer::of(api.request("GET", "/guarded?a=1&a=2&b=%C3%A4+c").header("X-Two", "1").header("X-Two", "2")).await;

    let context = answer.json()["event"]["requestContext"]["authorizer"]["event"].clone();
    let event: Value = serde_json::from_str(context.as_str().unwrap()).unwrap();
    assert_eq!(event["type"], "REQUEST");
    assert_eq!(event["methodArn"], "arn:aws:execute-api:local:123456789012:local/Prod/GET/guarded");
    assert_eq!([&event["resource"], &event["path"], &event["httpMethod"]], ["/guarded", "/guarded", "GET"]);
    assert_eq!(event["queryStringParameters"], json!({"a": "2", "b": "ä c"}));
    assert_eq!(event["multiValueQueryStringParameters"], json!({"a": ["1", "2"], "b": ["ä c"]}));
    assert_eq!((&event["headers"]["x-two"], &event["multiValueHeaders"]["x-two"]), (&json!("2"), &json!(["1", "2"])));
    assert_eq!([&event["pathParameters"], &event["stageVariables"]], [&json!({}), &json!({})]);
    let context = &event["requestContext"];
    assert_eq!([&context["path"], &context["stage"], &context["resourcePath"]], ["/Prod/guarded", "Prod", "/guarded"]);
    assert_eq!(context["identity"]["sourceIp"], "127.0.0.1");
    assert_eq!(context["domainName"], event["headers"]["host"]);
    assert_eq!(context["protocol"], "HTTP/1.1");
}

#[tokio::test]
async fn the_function_sees_the_request_and_its_environment() {
    let api = Api::start().await;

    let text = Answer::of(api.request("POST", "/open").body("täxt")).await.json();
    let bytes = Answer::of(api.request("POST", "/open").body(vec![0xFF, 0])).await.json();
    let item = api.get("/open/7").await.json();

    assert_eq!((&text["event"]["body"], &text["event"]["isBase64Encoded"]), (&json!("täxt"), &json!(false)));
    assert_eq!((&bytes["event"]["body"], &bytes["event"]["isBase64Encoded"]), (&json!("/wA="), &json!(true)));
    assert_eq!((&item["event"]["body"], &item["event"]["pathParameters"]), (&Value::Null, &json!({"id": "7"})));
    assert_eq!(item["event"]["resource"], "/open/{id}");
    assert_eq!(item["event"]["queryStringParameters"], Value::Null);
    assert!(item["event"]["requestContext"].get("authorizer").is_none());
    let millis_left =
        item["deadline"].as_u64().unwrap() - item["event"]["requestContext"]["requestTimeEpoch"].as_u64().unwrap();
    assert!((1000..1500).contains(&millis_left), "{millis_left} of the function's time-out of 1 s");
    assert_eq!(item["environment"], json!({"ORIGIN": "https://example.com", "STACK": "local"}));
}

#[tokio::test]
async fn a_body_over_10_mb_is_413_and_one_of_10_mb_is_served() {
    let api = Api::start().await;
    let limit = 10 * 1024 * 1024;

    let at_limit = Answer::of(api.request("POST", "/open?case=challenge").body(vec![b'a'; limit])).await;
    let over = Answer::of(api.request("POST", "/open?case=challenge").body(vec![b'a'; limit + 1])).await;

    assert_eq!((at_limit.status, over.status), (401, 413));
    assert_eq!((over.json()["type"].as_str(), api.invocations()), (Some("REQUEST_TOO_LARGE"), 1));
}

#[tokio::test]
async fn throttling_is_enforced_only_when_asked_for() {
    let mut options = helpers::options("api.yaml");
    let free = Api::start_with(options.clone()).await;
    options.throttle = true;
    let throttled = Api::start_with(options).await;
    for (api, expected) in [(&free, [200; 5]), (&throttled, [200, 200, 200, 429, 429])] {
        let mut statuses = Vec::new();
        for _ in 0..5 {
            statuses.push(Answer::of(api.request("OPTIONS", "/open")).await.status);
        }
        assert_eq!(statuses, expected);
    }
    assert_eq!(throttled.get("/guarded").await.status, 200, "each method is counted by itself");
    for _ in 0..2 {
        throttled.get("/guarded").await;
    }
    assert_eq!(throttled.get("/guarded").await.json()["type"], "THROTTLED");
}
