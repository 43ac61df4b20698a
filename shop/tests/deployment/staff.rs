//! People who are signed in, and the key of the API of products.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::emulator::Emulator;

/// Any verifier, and the challenge that is its SHA-256 (RFC 7636, appendix B).
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

#[tokio::test]
#[ignore = "needs ministack with a deployed shop"]
async fn ministack_an_access_token_of_another_user_pool_or_of_another_client_is_refused() {
    let emulator = Emulator::new();
    let pool = emulator.cognito("CreateUserPool", &json!({"PoolName": "other"})).await;
    let pool = pool["UserPool"]["Id"].as_str().unwrap();
    emulator.cognito("CreateGroup", &json!({"UserPoolId": pool, "GroupName": "admin"})).await;
    refused_from_another_client(&emulator, pool).await;
    refused_from_another_client(&emulator, &emulator.physical_id("UserPool").await).await;
}

/// Signs in with a new client of the pool, whose access token the routes of staff refuse.
async fn refused_from_another_client(emulator: &Emulator, pool: &str) {
    let callback = "http://localhost/callback";
    let client = json!({
        "UserPoolId": pool, "ClientName": "page", "AllowedOAuthFlowsUserPoolClient": true,
        "AllowedOAuthFlows": ["code"], "AllowedOAuthScopes": ["openid", "email"], "CallbackURLs": [callback],
        "SupportedIdentityProviders": ["COGNITO"],
    });
    let client = emulator.cognito("CreateUserPoolClient", &client).await;
    let client = client["UserPoolClient"]["ClientId"].as_str().unwrap();
    let code = emulator.code(pool, client, callback, CHALLENGE).await;
    let form = format!(
        "grant_type=authorization_code&client_id={client}&code={code}&code_verifier={VERIFIER}&redirect_uri={callback}"
    );
    let content_type = [("content-type", "application/x-www-form-urlencoded")];
    let (status, _, tokens) =
        emulator.ask(Method::POST, &format!("{}/oauth2/token", emulator.url), &content_type, &form).await;
    assert_eq!(status, 200);
    let tokens: Value = serde_json::from_str(&tokens).unwrap();
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    for path in ["/orders", "/staff/products/1"] {
        let url = format!("{}{path}", emulator.api("ShopApi").await);
        let (status, _, body) = emulator.ask(Method::GET, &url, &[("authorization", &bearer)], "").await;
        assert_eq!(status, 401, "{body}");
        assert!(body.contains("\"unauthorized\""), "{body}");
    }
}

#[tokio::test]
#[ignore = "needs ministack with a deployed shop"]
async fn ministack_the_api_of_products_is_closed_without_its_key() {
    let emulator = Emulator::new();
    let api = emulator.api("CrudApi").await;
    for (method, path) in [
        (Method::GET, "/products"),
        (Method::POST, "/products"),
        (Method::GET, "/products/1"),
        (Method::PUT, "/products/1"),
        (Method::DELETE, "/products/1"),
    ] {
        for key in [None, Some(""), Some("canary-key-of-no-plan")] {
            let headers: Vec<_> = key.map(|key| ("x-api-key", key)).into_iter().collect();
            let (status, headers, body) = emulator.ask(method.clone(), &format!("{api}{path}"), &headers, "{}").await;
            assert_eq!((status, headers["cache-control"].to_str().unwrap()), (403, "no-store"), "{method} {path}");
            let body: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(body["reason"], "forbidden", "{method} {path}");
            assert!(!body.to_string().contains("canary"));
        }
    }
}

#[tokio::test]
#[ignore = "needs ministack with a deployed shop"]
async fn ministack_the_api_of_products_answers_429_over_the_quota_of_a_plan() {
    let emulator = Emulator::new();
    // A plan of its own, so that the proxy's is not used up.
    let name = Uuid::new_v4().to_string();
    let key = emulator.create("/apikeys", &json!({"name": name, "enabled": true})).await;
    let stages = json!([{"apiId": emulator.physical_id("CrudApi").await, "stage": "api"}]);
    let plan = json!({"name": name, "apiStages": stages, "quota": {"limit": 3, "period": "DAY"}});
    let plan = emulator.create("/usageplans", &plan).await;
    let of_plan = json!({"keyId": key["id"], "keyType": "API_KEY"});
    emulator.create(&format!("/usageplans/{}/keys", plan["id"].as_str().unwrap()), &of_plan).await;
    let url = format!("{}/products/1", emulator.api("CrudApi").await);
    let call = async || emulator.ask(Method::GET, &url, &[("x-api-key", key["value"].as_str().unwrap())], "").await;
    for _ in 0..3 {
        assert_eq!(call().await.0, 200);
    }
    let (status, headers, body) = call().await;
    assert_eq!((status, headers["cache-control"].to_str().unwrap()), (429, "no-store"));
    let body: Value = serde_json::from_str(&body).unwrap();
    for member in ["message", "reason", "requestId"] {
        assert!(body[member].is_string(), "{body}");
    }
}
