//! The API: what it answers by itself, and what it does not keep.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::template::{all, properties, template};

/// The headers of a gateway response, and the members of its body.
fn headers_and_members(response: &Value) -> (Vec<String>, Vec<String>) {
    let names = |object: &Value| object.as_object().unwrap().keys().cloned().collect();
    let body = response["ResponseTemplates"]["application/json"].as_str().unwrap();
    (names(&response["ResponseParameters"]["Headers"]), names(&serde_json::from_str(body).unwrap()))
}

#[test]
fn the_answers_of_the_gateway_have_the_headers_and_the_body_of_every_answer() {
    let responses = properties("ShopApi")["GatewayResponses"].clone();
    let kinds: Vec<_> = responses.as_object().unwrap().keys().collect();
    let expected = [
        "ACCESS_DENIED",
        "AUTHORIZER_CONFIGURATION_ERROR",
        "AUTHORIZER_FAILURE",
        "DEFAULT_4XX",
        "DEFAULT_5XX",
        "INTEGRATION_FAILURE",
        "INTEGRATION_TIMEOUT",
        "UNAUTHORIZED",
    ];
    assert_eq!(kinds, expected);
    for kind in expected {
        let response = &responses[kind];
        let mut expected_members = members_of_an_error();
        let mut expected = vec![
            "Access-Control-Allow-Credentials",
            "Access-Control-Allow-Origin",
            "Access-Control-Expose-Headers",
            "Cache-Control",
            "X-Content-Type-Options",
        ];
        match kind {
            // Whether an order was accepted, or a token spent, is not known.
            "INTEGRATION_FAILURE" | "INTEGRATION_TIMEOUT" | "AUTHORIZER_FAILURE" | "AUTHORIZER_CONFIGURATION_ERROR" => {
                assert_eq!(response["StatusCode"], 503, "{kind}");
                expected.push("Retry-After");
            }
            "UNAUTHORIZED" => {
                assert_eq!(response["StatusCode"], 401);
                expected.push("WWW-Authenticate");
            }
            "ACCESS_DENIED" => {
                assert_eq!(response["StatusCode"], 401);
                expected.push("WWW-Authenticate");
                expected_members.push("usedAt".to_owned());
                let body = response["ResponseTemplates"]["application/json"].as_str().unwrap();
                for member in ["reason", "usedAt"] {
                    assert!(body.contains(&format!(r#""{member}":"$context.authorizer.{member}""#)), "{body}");
                }
            }
            _ => {}
        }
        expected.sort_unstable();
        let (headers, members) = headers_and_members(response);
        assert_eq!(
            (headers, members),
            (expected.iter().map(ToString::to_string).collect(), expected_members),
            "{kind}"
        );
        let headers = &response["ResponseParameters"]["Headers"];
        assert_eq!(headers["Access-Control-Allow-Origin"], "'${SiteUrl}'", "{kind}");
        assert_eq!(headers["Access-Control-Allow-Credentials"], "'true'", "{kind}");
    }
}

#[test]
fn the_answers_of_the_api_of_products_have_the_body_of_every_answer() {
    let responses = properties("CrudApi")["GatewayResponses"].clone();
    let kinds: Vec<_> = responses.as_object().unwrap().keys().collect();
    assert_eq!(kinds, ["DEFAULT_4XX", "DEFAULT_5XX", "INVALID_API_KEY"]);
    for (kind, response) in responses.as_object().unwrap() {
        let (headers, members) = headers_and_members(response);
        assert_eq!(headers, ["Cache-Control", "X-Content-Type-Options"], "{kind}");
        assert_eq!(members, members_of_an_error(), "{kind}");
    }
}

fn members_of_an_error() -> Vec<String> {
    ["message", "reason", "requestId"].map(str::to_owned).into()
}

/// The routes of the functions: the API, the method, the path, and the authorizer.
fn routes() -> BTreeSet<(String, String, String)> {
    let mut routes = BTreeSet::new();
    for properties in all("AWS::Serverless::Function").values() {
        for event in properties["Events"].as_object().into_iter().flat_map(|events| events.values()) {
            let of = |name: &str| event["Properties"][name].as_str().unwrap_or_default().to_owned();
            let authorizer = event["Properties"]["Auth"]["Authorizer"].as_str().unwrap_or("none");
            routes.insert((of("RestApiId"), format!("{} {}", of("Method"), of("Path")), authorizer.to_owned()));
        }
    }
    routes
}

#[test]
fn a_route_is_public_or_for_staff_or_behind_the_guard() {
    let is_for_staff = |route: &str| {
        let path = route.split_once(' ').unwrap().1;
        route.starts_with("GET /orders") && !path.starts_with("/orders/status")
            || path.starts_with("/staff/")
            || path.starts_with("/create-report")
            || path.starts_with("/get-presigned-urls/")
    };
    let mut of_the_shop = 0;
    for (api, route, authorizer) in routes() {
        if api == "ShopApi" {
            assert!(ROUTES.contains(&route.as_str()), "{route}");
            of_the_shop += 1;
            let expected = match &*route {
                "POST /report-link" => "ReportGuard",
                route if is_for_staff(route) => "Staff",
                _ => "none",
            };
            assert_eq!(authorizer, expected, "{route}");
        }
    }
    assert_eq!(of_the_shop, ROUTES.len());
}

/// The routes of the shop.
const ROUTES: [&str; 20] = [
    "GET /products",
    "GET /products/{id}",
    "GET /checkout-token",
    "POST /orders",
    "GET /orders/status/{executionArn}",
    "GET /orders",
    "GET /orders/{id}",
    "POST /exchange-token",
    "POST /auth/exchange",
    "POST /auth/refresh",
    "POST /auth/logout",
    "GET /staff/products",
    "POST /staff/products",
    "GET /staff/products/{id}",
    "PUT /staff/products/{id}",
    "DELETE /staff/products/{id}",
    "POST /create-report",
    "GET /create-report/status/{executionArn}",
    "GET /get-presigned-urls/{executionArn}",
    "POST /report-link",
];

#[test]
fn every_route_of_the_api_of_products_needs_the_key() {
    // As the default of the API, so that a new route needs it, too.
    assert_eq!(properties("CrudApi")["Auth"], json!({"ApiKeyRequired": true}));
    let routes: Vec<_> = routes().into_iter().filter(|(api, ..)| api == "CrudApi").map(|(_, route, _)| route).collect();
    let expected =
        ["DELETE /products/{id}", "GET /products", "GET /products/{id}", "POST /products", "PUT /products/{id}"];
    assert_eq!(routes, expected);
}

#[test]
fn staff_have_access_tokens_of_this_user_pool_for_15_minutes_and_sessions_of_a_day() {
    // An ID token has no scope.
    let staff = json!({"UserPoolArn": "UserPool.Arn", "AuthorizationScopes": ["openid"]});
    assert_eq!(properties("ShopApi")["Auth"]["Authorizers"]["Staff"], staff);
    let client = json!({
        "UserPoolId": "UserPool",
        "GenerateSecret": false,
        "SupportedIdentityProviders": ["COGNITO"],
        "AllowedOAuthFlowsUserPoolClient": true,
        "AllowedOAuthFlows": ["code"],
        "AllowedOAuthScopes": ["openid", "email"],
        "CallbackURLs": ["${SiteUrl}/callback"],
        "LogoutURLs": ["${SiteUrl}/signed-out"],
        "ExplicitAuthFlows": ["ALLOW_REFRESH_TOKEN_AUTH"],
        "EnableTokenRevocation": true,
        "PreventUserExistenceErrors": "ENABLED",
        "TokenValidityUnits": {"AccessToken": "minutes", "IdToken": "minutes", "RefreshToken": "days"},
        "AccessTokenValidity": 15,
        "IdTokenValidity": 15,
        "RefreshTokenValidity": 1,
    });
    assert_eq!(properties("SignInClient"), client);
    assert_eq!(properties("UserPool")["AdminCreateUserConfig"], json!({"AllowAdminCreateUserOnly": true}));
    assert_eq!(properties("AdminGroup")["GroupName"], "admin");
    // The second version would show no page without a branding.
    assert!(properties("SignInPages").get("ManagedLoginVersion").is_none());
}

#[test]
fn each_api_has_one_stage_that_logs_no_request_and_caches_nothing() {
    assert_eq!(template()["Globals"]["Api"], json!({"OpenApiVersion": "2.0"}));
    let settings = json!([{
        "ResourcePath": "/*", "HttpMethod": "*", "LoggingLevel": "OFF", "DataTraceEnabled": false,
        "ThrottlingRateLimit": "ThrottlingRateLimit", "ThrottlingBurstLimit": "ThrottlingBurstLimit",
    }]);
    for api in ["ShopApi", "CrudApi"] {
        assert_eq!(properties(api)["StageName"], "api");
        assert_eq!(properties(api)["MethodSettings"], settings);
    }
}
