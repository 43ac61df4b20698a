//! The API: its stage, its routes, its authorizer, and what it answers by itself.

use std::collections::BTreeSet;

use harness::{FUNCTIONS, Function};
use serde_json::{Value, json};

use crate::stack::{Stack, names};

/// The one origin that a test allows.
const ORIGIN: &str = "https://app.example.com";

/// The routes that are not open, and who lets requests through.
const PROTECTED: [(&str, &str); 6] = [
    ("GET /hello", "MintingAuthorizer"),
    ("GET /usage", "AWS_IAM"),
    ("POST /hello", "GuardAuthorizer"),
    ("POST /tokens/introspect", "AWS_IAM"),
    ("POST /tokens/mint", "AWS_IAM"),
    ("POST /tokens/revoke", "AWS_IAM"),
];

/// The authorizers and their functions.
const AUTHORIZERS: [(&str, &str); 2] =
    [("GuardAuthorizer", "GuardFunction"), ("MintingAuthorizer", "AuthorizerFunction")];

/// What an access log may tell: no header, no query string, no value of an authorizer.
const LOGGED: [&str; 10] = [
    "$context.error.responseType",
    "$context.extendedRequestId",
    "$context.httpMethod",
    "$context.identity.sourceIp",
    "$context.integrationLatency",
    "$context.requestId",
    "$context.requestTimeEpoch",
    "$context.resourcePath",
    "$context.responseLatency",
    "$context.status",
];

/// What API Gateway answers by itself, in the shape of the functions' own errors.
const GATEWAY_RESPONSES: [&str; 6] = [
    "ACCESS_DENIED",
    "AUTHORIZER_CONFIGURATION_ERROR",
    "AUTHORIZER_FAILURE",
    "DEFAULT_4XX",
    "DEFAULT_5XX",
    "INTEGRATION_FAILURE",
];

#[test]
#[ignore = "needs SAM's transform of the template"]
fn there_is_one_stage_and_it_is_prod() {
    let stack = Stack::by_default();
    assert_eq!(stack.the("AWS::ApiGateway::Stage")["StageName"], "Prod");
    // SAM's second stage would be made by the deployment.
    assert_eq!(names(stack.the("AWS::ApiGateway::Deployment")), ["Description", "RestApiId"]);
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn a48_no_other_method_or_path_reaches_a_function() {
    let stack = Stack::by_default();
    let mut found = BTreeSet::new();
    for (path, method, operation) in operations(&stack).into_iter().filter(|(_, method, _)| *method != "options") {
        let integration = &operation["x-amazon-apigateway-integration"];
        assert_eq!(integration["type"], "aws_proxy", "{method} {path}");
        let uri = integration["uri"].as_str().unwrap();
        let function = uri.split("/functions/${").nth(1).and_then(|rest| rest.strip_suffix(".Arn}/invocations"));
        let route = format!("{} {path}", method.to_uppercase());
        let protected_by = PROTECTED.into_iter().find(|(protected, _)| *protected == route).map(|(_, by)| by);
        let security = protected_by.map_or(json!(null), |by| json!([{ by: [] }]));
        assert_eq!(operation["security"], security, "{route}");
        // With other credentials API Gateway would invoke the function as its caller.
        assert!(integration["credentials"].is_null(), "{route}");
        found.insert((route, function.unwrap().to_owned()));
    }
    let routes = |function: &Function| {
        let id = function.logical_id("Function");
        function.routes.iter().map(move |route| ((*route).to_owned(), id.clone())).collect::<Vec<_>>()
    };
    assert_eq!(found, FUNCTIONS.iter().flat_map(routes).collect());
    assert!(stack.api()["security"].is_null(), "an authorizer stands before every route");
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn a52_a_preflight_asks_no_authorizer_and_calls_no_function() {
    let stack = Stack::by_default();
    for path in names(&stack.api()["paths"]) {
        let preflight = &stack.api()["paths"][path]["options"];
        assert_eq!(preflight["x-amazon-apigateway-integration"]["type"], "mock", "{path}");
        assert!(preflight["security"].is_null(), "{path}: {}", preflight["security"]);
    }
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn a53_preflights_gateway_responses_and_functions_name_the_configured_origin() {
    for origin in ["*", ORIGIN] {
        let stack = Stack::with(&[("AllowedOrigin", origin)]);
        let quoted = format!("'{origin}'");
        for path in names(&stack.api()["paths"]) {
            let operations = &stack.api()["paths"][path];
            let methods = names(operations).join(",").to_uppercase();
            let preflight = &operations["options"]["x-amazon-apigateway-integration"];
            let expected = json!({
                "method.response.header.Access-Control-Allow-Headers":
                    "'Content-Type,Authorization,X-Access-Token,Idempotency-Key'",
                "method.response.header.Access-Control-Allow-Methods": format!("'{methods}'"),
                "method.response.header.Access-Control-Allow-Origin": quoted,
            });
            assert_eq!(preflight["responses"]["default"]["responseParameters"], expected, "{path}");
        }
        for (kind, response) in gateway_responses(&stack) {
            let header = &response["responseParameters"]["gatewayresponse.header.Access-Control-Allow-Origin"];
            assert_eq!(*header, quoted, "{kind}");
        }
        for (id, function) in stack.all("AWS::Lambda::Function") {
            assert_eq!(function["Environment"]["Variables"]["ALLOWED_ORIGIN"], origin, "{id}");
        }
    }
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn a56_no_authorizer_result_is_cached() {
    let stack = Stack::by_default();
    let schemes = &stack.api()["securityDefinitions"];
    assert_eq!(names(schemes), ["AWS_IAM", "GuardAuthorizer", "MintingAuthorizer"]);
    for (name, function) in AUTHORIZERS {
        let authorizer = &schemes[name]["x-amazon-apigateway-authorizer"];
        assert_eq!(authorizer["authorizerResultTtlInSeconds"], 0, "{name}");
        assert_eq!(authorizer["type"], "request", "{name}");
        let uri = authorizer["authorizerUri"].as_str().unwrap();
        assert!(uri.ends_with(&format!("/functions/${{{function}.Arn}}/invocations")), "{uri}");
    }
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn no_authorizer_has_an_identity_source_and_so_each_decides_every_request() {
    let stack = Stack::by_default();
    for (name, _) in AUTHORIZERS {
        let authorizer = &stack.api()["securityDefinitions"][name]["x-amazon-apigateway-authorizer"];
        assert_eq!(names(authorizer), ["authorizerResultTtlInSeconds", "authorizerUri", "type"], "{name}");
    }
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn a71_every_gateway_response_is_no_store_and_nosniff_and_readable_across_origins() {
    let stack = Stack::by_default();
    let responses = gateway_responses(&stack);
    assert_eq!(responses.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), GATEWAY_RESPONSES);
    for (kind, response) in responses {
        let (status, header) = match kind {
            "ACCESS_DENIED" => (Some("401"), Some(("WWW-Authenticate", r#"'Bearer error="invalid_token"'"#))),
            // Of many kinds, of which each keeps its own status.
            "DEFAULT_4XX" | "DEFAULT_5XX" => (None, None),
            _ => (Some("503"), Some(("Retry-After", "'1'"))),
        };
        let mut headers = json!({
            "gatewayresponse.header.Access-Control-Allow-Origin": "'*'",
            "gatewayresponse.header.Access-Control-Expose-Headers":
                "'X-Access-Token,Retry-After,WWW-Authenticate,x-amzn-Remapped-WWW-Authenticate,x-amzn-RequestId'",
            "gatewayresponse.header.Cache-Control": "'no-store'",
            "gatewayresponse.header.X-Content-Type-Options": "'nosniff'",
        });
        if let Some((name, value)) = header {
            headers[format!("gatewayresponse.header.{name}")] = json!(value);
        }
        assert_eq!(response["responseParameters"], headers, "{kind}");
        assert_eq!(response["statusCode"].as_str(), status, "{kind}");
    }
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn every_gateway_response_has_the_body_of_an_error() {
    let stack = Stack::by_default();
    for (kind, response) in gateway_responses(&stack) {
        assert_eq!(names(&response["responseTemplates"]), ["application/json"], "{kind}");
        let body: Value =
            serde_json::from_str(response["responseTemplates"]["application/json"].as_str().unwrap()).unwrap();
        let denied = kind == "ACCESS_DENIED";
        let members: &[&str] =
            if denied { &["message", "reason", "requestId", "usedAt"] } else { &["message", "reason", "requestId"] };
        assert_eq!(names(&body), members, "{kind}");
        assert_eq!(body["requestId"], "$context.requestId", "{kind}");
    }
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn the_stage_writes_no_execution_log_traces_no_data_and_caches_nothing() {
    let stack = Stack::by_default();
    let stage = stack.the("AWS::ApiGateway::Stage");
    assert_eq!(names(stage), ["DeploymentId", "MethodSettings", "RestApiId", "StageName"]);
    let [settings] = &stage["MethodSettings"].as_array().unwrap()[..] else { panic!("some methods have their own") };
    // Execution logs show headers, bodies and the authorizer's context: the token itself.
    assert_eq!((&settings["LoggingLevel"], &settings["DataTraceEnabled"]), (&json!("OFF"), &json!(false)));
    let known = [
        "DataTraceEnabled",
        "HttpMethod",
        "LoggingLevel",
        "ResourcePath",
        "ThrottlingBurstLimit",
        "ThrottlingRateLimit",
    ];
    assert_eq!(names(settings), known, "metrics and caches cost, and a cached answer is one token for two callers");
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn access_logs_are_off_by_default_and_tell_no_header_query_or_authorizer_value() {
    let none = &Stack::by_default();
    assert!(none.the("AWS::ApiGateway::Stage")["AccessLogSetting"].is_null());
    assert!(!none.resources.contains_key("AccessLogGroup"));

    let stack = Stack::with(&[("AccessLogs", "true")]);
    let setting = &stack.the("AWS::ApiGateway::Stage")["AccessLogSetting"];
    assert_eq!(setting["DestinationArn"], "${AccessLogGroup.Arn}");
    let line: Value = serde_json::from_str(setting["Format"].as_str().unwrap()).unwrap();
    let mut logged: Vec<_> = line.as_object().unwrap().values().map(|value| value.as_str().unwrap()).collect();
    logged.sort_unstable();
    assert_eq!(logged, LOGGED);
}

/// Every operation of the API: path, method, definition.
fn operations(stack: &Stack) -> Vec<(&str, &str, &Value)> {
    let paths = stack.api()["paths"].as_object().unwrap();
    let of = |(path, methods)| names(methods).into_iter().map(move |method| (path, method, &methods[method]));
    paths.iter().map(|(path, methods)| (path.as_str(), methods)).flat_map(of).collect()
}

/// Every gateway response by its kind, sorted.
fn gateway_responses(stack: &Stack) -> Vec<(&str, &Value)> {
    let responses = &stack.api()["x-amazon-apigateway-gateway-responses"];
    names(responses).into_iter().map(|kind| (kind, &responses[kind])).collect()
}
