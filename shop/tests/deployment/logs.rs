//! The log of the deployed functions.

use reqwest::Method;
use serde_json::{Value, json};
use shop::OrderId;
use uuid::Uuid;

use crate::{
    emulator::{Emulator, Principal, body},
    lives::accepted,
    staff::{CHALLENGE, VERIFIER},
};

#[tokio::test]
#[ignore = "needs ministack with a deployed shop"]
async fn ministack_no_log_holds_a_token_or_a_customer() {
    let emulator = Emulator::new();
    let (cookie, few) = (emulator.product(5).await, emulator.product(0).await);
    let of_canary = |mut body: Value| {
        body["personalInfo"] =
            json!({"customer_name": "canary-name", "email": "canary@example.com", "phone": "+99 000 111 222"});
        body
    };
    // Confirmed, rejected, refused by the machine, and refused by `checkout` in two ways.
    let (token, id) = emulator.token(1800).await;
    assert_eq!(emulator.order(&token, &of_canary(body(&cookie, 1))).await.0, 202);
    assert_eq!(emulator.outcome(&id).await.0, "SUCCEEDED");
    assert_eq!(emulator.order(&token, &of_canary(body(&cookie, 2))).await.0, 401);
    let (rejected, id) = emulator.token(1800).await;
    assert_eq!(emulator.order(&rejected, &of_canary(body(&few, 1))).await.0, 202);
    assert_eq!(emulator.outcome(&id).await.1, "out_of_stock");
    let misspelt = json!({"order": of_canary(json!({})), "has_token": "canary-name"});
    assert_eq!(emulator.invoke("NewOrderFunction", &misspelt).await["errorType"], "Invalid");
    // Signed with the key, and never minted: the key has leaked.
    let forged = accepted(&OrderId::new(Uuid::new_v4()), &cookie, 1, apigw::epoch_seconds());
    assert_eq!(emulator.invoke("NewOrderFunction", &forged).await["errorType"], "TokenRefused");
    let mut invalid = of_canary(body(&cookie, 1));
    invalid["customerproduct"] = json!("canary-name");
    assert_eq!(emulator.order(&token, &invalid).await.0, 400);

    let messages = messages(&emulator).await;
    for expected in ["already_used", "invalid_request", "unknown_token"] {
        assert!(messages.contains(expected), "{expected} is not in the log that this test reads");
    }
    for canary in ["eyJ", "canary", "+99 000", "Ada Lovelace", "ada@example.com"] {
        assert!(!messages.contains(canary), "{canary} was logged");
    }
    for token in [token, rejected] {
        assert!(!messages.contains(token.rsplit('.').next().unwrap()), "a MAC was logged");
    }
}

#[tokio::test]
#[ignore = "needs ministack with a deployed shop"]
async fn ministack_no_log_and_no_error_holds_what_people_and_the_proxy_sign_in_with() {
    let emulator = Emulator::new();
    let (api, crud) = (emulator.api("ShopApi").await, emulator.api("CrudApi").await);
    let (pool, client) = (emulator.physical_id("UserPool").await, emulator.physical_id("SignInClient").await);
    let described = json!({"UserPoolId": pool, "ClientId": client});
    let described = emulator.cognito("DescribeUserPoolClient", &described).await;
    let callback = described["UserPoolClient"]["CallbackURLs"][0].as_str().unwrap();
    let site = callback.strip_suffix("/callback").unwrap();
    let code = emulator.code(&pool, &client, callback, CHALLENGE).await;
    let secret = json!({"SecretId": emulator.physical_id("ApiKeySecret").await});
    let secret = emulator.json(&Principal::root(), "secretsmanager", "secretsmanager.GetSecretValue", &secret).await;
    let secret: Value = serde_json::from_str(secret["SecretString"].as_str().unwrap()).unwrap();
    let key = secret["key"].as_str().unwrap();

    let mut errors = String::new();
    let mut post = async |path: &str, cookie: &str, body: &Value, expected: u16| {
        let headers = [("origin", site), ("cookie", cookie)];
        let answer = emulator.ask(Method::POST, &format!("{api}{path}"), &headers, &body.to_string()).await;
        assert_eq!(answer.0, expected, "{path}");
        if expected >= 400 {
            errors += &answer.2;
        }
        answer
    };
    let verifier_of_another = "canary-verifier-of-at-least-43-characters-12";
    let body = |code: &str, verifier: &str| json!({"code": code, "code_verifier": verifier});
    post("/auth/exchange", "", &body(&code, verifier_of_another), 401).await;
    post("/auth/exchange", "", &body("canary code", VERIFIER), 400).await;
    post("/auth/exchange", "", &body("canary-code", VERIFIER), 401).await;
    post("/auth/exchange", "", &body(&code, "canary"), 400).await;
    let (_, headers, tokens) = post("/auth/exchange", "", &body(&code, VERIFIER), 200).await;
    let tokens: Value = serde_json::from_str(&tokens).unwrap();
    let cookie = headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    post("/auth/refresh", &cookie, &Value::Null, 200).await;
    post("/auth/refresh", "__Host-refresh=canary-cookie", &Value::Null, 401).await;
    post("/auth/logout", &cookie, &Value::Null, 200).await;
    post("/auth/refresh", &cookie, &Value::Null, 401).await;
    let access_token = tokens["access_token"].as_str().unwrap();
    for (path, expected) in
        [("/orders", 200), ("/staff/products/1", 200), ("/staff/products", 403), ("/orders?before=canary", 400)]
    {
        let bearer = format!("Bearer {access_token}");
        let headers = [("authorization", bearer.as_str()), ("x-api-key", "canary-key")];
        let answer = emulator.ask(Method::GET, &format!("{api}{path}"), &headers, "").await;
        assert_eq!(answer.0, expected, "{path}");
        if expected >= 400 {
            errors += &answer.2;
        }
    }
    let answer = emulator.ask(Method::GET, &format!("{crud}/products/canary"), &[("x-api-key", key)], "").await;
    assert_eq!(answer.0, 404);
    errors += &answer.2;
    let answer = emulator.ask(Method::GET, &format!("{crud}/products"), &[("x-api-key", "canary-key")], "").await;
    assert_eq!(answer.0, 403);
    errors += &answer.2;

    let messages = messages(&emulator).await;
    for expected in ["invalid_grant", "signed_out", "forbidden"] {
        assert!(messages.contains(expected), "{expected} is not in the log that this test reads");
    }
    let signature = |token: &str| token.rsplit('.').next().unwrap().to_owned();
    for (what, text) in [
        ("a token", "eyJ".to_owned()),
        ("a canary", "canary".to_owned()),
        ("the code", code.clone()),
        ("the verifier", VERIFIER.to_owned()),
        ("the key", key.to_owned()),
        ("the access token", signature(access_token)),
        ("the ID token", signature(tokens["id_token"].as_str().unwrap())),
        ("the refresh token", signature(&cookie)),
    ] {
        assert!(!messages.contains(&text), "{what} was logged");
        assert!(!errors.contains(&text), "{what} was answered");
    }
}

/// The messages of all log groups, those that Lambda makes for itself too.
pub(crate) async fn messages(emulator: &Emulator) -> String {
    let mut messages = String::new();
    for group in pages(emulator, "DescribeLogGroups", json!({}), "logGroups").await {
        let group = json!({"logGroupName": group["logGroupName"]});
        for stream in pages(emulator, "DescribeLogStreams", group.clone(), "logStreams").await {
            let mut of_stream = json!({"logStreamName": stream["logStreamName"], "startFromHead": true});
            of_stream["logGroupName"] = group["logGroupName"].clone();
            for event in pages(emulator, "GetLogEvents", of_stream, "events").await {
                messages += &format!("{}\n", event["message"]);
            }
        }
    }
    messages
}

/// The items in the member `list` of all pages of a reply of CloudWatch Logs.
async fn pages(emulator: &Emulator, action: &str, mut request: Value, list: &str) -> Vec<Value> {
    let mut items = Vec::new();
    loop {
        let target = format!("Logs_20140328.{action}");
        let page = emulator.json(&Principal::root(), "logs", &target, &request).await;
        items.extend_from_slice(page[list].as_array().unwrap());
        // The last page has no token, or the one that it was asked for with.
        match page.get("nextToken").or(page.get("nextForwardToken")) {
            Some(next) if *next != request["nextToken"] => request["nextToken"] = next.clone(),
            _ => return items,
        }
    }
}
