//! Reports about other emulators and measurements of API Gateway, tried on this emulator (docs/gateway.md).

use serde_json::{Value, json};

use crate::helpers::{Answer, Api};

/// The answer to a function that replies with `reply`.
async fn reply(api: &Api, reply: Value) -> Answer {
    Answer::of(api.request("POST", "/open?case=reply").body(reply.to_string())).await
}

#[tokio::test]
async fn a_reply_is_read_as_reported() {
    let api = Api::start().await;
    for (source, body, status) in [
        ("dherault/serverless-offline 1082", json!({"statusCode": 200, "multiValueHeaders": {"A": "b"}}), 502),
        ("vincentsarago/lambda-proxy 59", json!({"statusCode": 200, "body": {"hey": "dude"}}), 502),
        ("serverless-heaven/serverless-webpack 314", json!({"statusCode": 200, "headers": []}), 502),
        ("aws/aws-sam-cli 951", json!({"statusCode": 200, "headers": [["set-cookie", "a=a"]]}), 502),
        ("aws/aws-sam-cli 3168", json!({"statusCode": "200", "cookies": ["a=b"]}), 502),
        ("slank/awsgi 16", json!({"statusCode": 200, "isBase64Encoded": false, "headers": {}, "body": "x"}), 200),
    ] {
        let answer = reply(&api, body).await;
        assert_eq!(answer.status, status, "{source}: {}", answer.text);
        if status == 502 {
            assert_eq!(answer.text, r#"{"message":"Internal server error"}"#, "{source}");
        }
    }
}

#[tokio::test]
async fn headers_of_a_reply_are_sent_as_reported() {
    let api = Api::start().await;

    // aws/aws-sam-cli 830
    let html = reply(
        &api,
        json!({
            "statusCode": 200, "body": "<html></html>",
            "multiValueHeaders": {
                "Connection": ["close"], "Content-type": ["text/html;charset=UTF-8"], "Host": ["localhost:8000"],
                "Date": ["Wed, 05 Dec 2018 00:51:05 +0000"], "X-Powered-By": ["PHP/7.1.7"],
            },
        }),
    )
    .await;
    assert_eq!([html.header("content-type"), html.header("x-powered-by")], ["text/html;charset=UTF-8", "PHP/7.1.7"]);
    assert_eq!([html.header("x-amzn-remapped-host"), html.header("host")], ["localhost:8000", ""]);
    assert_ne!(html.header("date"), "Wed, 05 Dec 2018 00:51:05 +0000");

    // localstack/localstack 1637: one name in two cases, and several values
    let cookies = reply(
        &api,
        json!({"headers": {"Set-Cookie": "a=a", "set-cookie": "b=b"}, "multiValueHeaders": {"SET-COOKIE": ["c=c"]}}),
    )
    .await;
    let mut values: Vec<_> = cookies.headers.get_all("set-cookie").iter().collect();
    values.sort();
    assert_eq!(values, ["a=a", "b=b", "c=c"]);

    // CodeGenieApp/serverless-express 10, dougmoscrop/serverless-http 142
    let chunked = reply(&api, json!({"headers": {"Transfer-Encoding": "chunked"}, "body": "x"})).await;
    assert_eq!((chunked.text.as_str(), chunked.header("transfer-encoding")), ("x", ""));

    // aws/aws-sam-cli 696, dherault/serverless-offline 236 and 1062
    let remapped =
        reply(&api, json!({"headers": {"authorization": "x", "www-authenticate": "Basic realm=\"r\""}})).await;
    assert_eq!(remapped.header("x-amzn-remapped-authorization"), "x");
    assert_eq!(remapped.header("x-amzn-remapped-www-authenticate"), "Basic realm=\"r\"");
}

#[tokio::test]
async fn an_event_is_as_reported() {
    let api = Api::start().await;

    let bare = api.get("/open/1").await.json()["event"].clone();
    let query = api.get("/open/1?a=1&b=&c=3&c=4&d").await.json()["event"].clone();

    // aws/aws-sam-cli 173, 277 and 338, localstack/serverless-localstack 48
    let post = Answer::of(api.request("POST", "/open")).await.json()["event"].clone();
    assert_eq!([&post["pathParameters"], &post["queryStringParameters"], &post["body"]], [&Value::Null; 3]);
    assert_eq!(bare["multiValueQueryStringParameters"], Value::Null);
    // calavera/aws-lambda-events 47
    assert!(bare["requestContext"].get("authorizer").is_none());
    // aws/chalice 765; dherault/serverless-offline 428, 469 and 510
    assert_eq!(query["queryStringParameters"], json!({"a": "1", "b": "", "c": "4", "d": ""}));
    assert_eq!(query["multiValueQueryStringParameters"]["c"], json!(["3", "4"]));
    // localstack/localstack 3676 and 3923
    assert_eq!([&bare["resource"], &bare["path"], &bare["pathParameters"]["id"]], ["/open/{id}", "/open/1", "1"]);
    // JamesKyburz/aws-lambda-http-server 10
    assert_eq!(bare["requestContext"]["path"], "/Prod/open/1");
    // dherault/serverless-offline 536: a greedy variable is not encoded
    let greedy = api.get("/proxy/users/get").await.json()["event"].clone();
    assert_eq!(greedy["pathParameters"], json!({"proxy": "users/get"}));
}

#[tokio::test]
async fn an_authorizer_is_called_and_understood_as_reported() {
    let api = Api::start().await;

    // DefinitelyTyped/DefinitelyTyped 69823: null stays null, and the latency is there
    let allowed = api.get("/guarded?case=null-in-context").await.json();
    let authorizer = &allowed["event"]["requestContext"]["authorizer"];
    assert_eq!([&authorizer["none"], &authorizer["principalId"]], [&Value::Null, &json!("caller")]);
    assert!(authorizer.get("none").is_some() && authorizer["integrationLatency"].is_u64(), "{authorizer}");

    // auth0-samples/jwt-rsa-aws-custom-authorizer 6: only the exact message `Unauthorized` is a 401
    assert_eq!(api.get("/guarded?case=unauthorized").await.status, 401);
    assert_eq!(api.get("/guarded?case=error").await.text, r#"{"message":null}"#);

    // aws/aws-sam-cli 9165: OPTIONS without an authorizer leaves that of ANY in place
    let before = api.invocations();
    assert_eq!(Answer::of(api.request("OPTIONS", "/either")).await.status, 200);
    assert_eq!(api.invocations() - before, 1, "the function alone");
    assert_eq!(api.get("/either?case=deny").await.status, 401);
}
