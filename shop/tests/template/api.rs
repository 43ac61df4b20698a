//! The API: what it answers by itself, and what it does not keep.

use serde_json::{Value, json};

use crate::template::{properties, template};

#[test]
fn the_answers_of_the_gateway_have_the_headers_and_the_body_of_every_answer() {
    let responses = &properties("ShopApi")["GatewayResponses"];
    let kinds: Vec<_> = responses.as_object().unwrap().keys().collect();
    let expected = [
        "ACCESS_DENIED",
        "AUTHORIZER_CONFIGURATION_ERROR",
        "AUTHORIZER_FAILURE",
        "DEFAULT_4XX",
        "DEFAULT_5XX",
        "INTEGRATION_FAILURE",
        "INTEGRATION_TIMEOUT",
    ];
    assert_eq!(kinds, expected);
    for (kind, response) in responses.as_object().unwrap() {
        let mut names = vec!["Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Cache-Control"];
        if kind.starts_with("INTEGRATION") || kind.starts_with("AUTHORIZER") {
            // Whether an order was accepted, or a token spent, is not known.
            assert_eq!(response["StatusCode"], 503, "{kind}");
            names.push("Retry-After");
        }
        if kind == "ACCESS_DENIED" {
            names.push("WWW-Authenticate");
        }
        names.push("X-Content-Type-Options");
        let headers = response["ResponseParameters"]["Headers"].as_object().unwrap();
        assert_eq!(headers.keys().collect::<Vec<_>>(), names, "{kind}");
        assert_eq!(headers["Access-Control-Allow-Origin"], "'${SiteUrl}'", "{kind}");
        let body: Value =
            serde_json::from_str(response["ResponseTemplates"]["application/json"].as_str().unwrap()).unwrap();
        let mut members = vec!["message", "reason", "requestId"];
        if kind == "ACCESS_DENIED" {
            assert_eq!(response["StatusCode"], 401);
            assert_eq!(body["reason"], "$context.authorizer.reason");
            assert_eq!(body["usedAt"], "$context.authorizer.usedAt");
            members.push("usedAt");
        }
        assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), members, "{kind}");
    }
}

#[test]
fn there_is_one_stage_that_logs_no_request_and_caches_nothing() {
    let api = properties("ShopApi");
    assert_eq!(api["StageName"], "api");
    assert_eq!(template()["Globals"]["Api"], json!({"OpenApiVersion": "2.0"}));
    let settings = json!([{
        "ResourcePath": "/*", "HttpMethod": "*", "LoggingLevel": "OFF", "DataTraceEnabled": false,
        "ThrottlingRateLimit": "ThrottlingRateLimit", "ThrottlingBurstLimit": "ThrottlingBurstLimit",
    }]);
    assert_eq!(api["MethodSettings"], settings);
}
